//! The name of a person on Olares, and the addresses that follow from it.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

/// The domain of an identity that names none.
const DEFAULT_DOMAIN: &str = "olares.com";

/// An Olares identity, `<local>@<domain>`, kept as it was written: it is also the key of the token store.
///
/// ```
/// use runhub::cluster::auth::{OlaresId, Service};
///
/// let id: OlaresId = "mira@example.com".parse()?;
/// assert_eq!(id.service_url(Service::ControlHub, ""), "https://control-hub.mira.example.com");
/// # Ok::<(), runhub::cluster::auth::OlaresIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OlaresId(String);

/// What is wrong with an Olares identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OlaresIdError {
    /// Nothing was given.
    #[error("olaresId is empty")]
    Empty,
    /// It has two `@` or more.
    #[error("olaresId \"{0}\" contains more than one '@'")]
    ManyAts(String),
    /// It cannot be part of a host name, so the token could go to a stranger.
    #[error(
        "olaresId \"{0}\" is not of the form <name>@<domain>: each part is made of letters, digits, '.', '-' and '_'"
    )]
    NotAHost(String),
}

/// A service that every Olares user has under an own host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Login and refresh.
    Auth,
    /// Secrets of the user.
    Vault,
    /// The desktop; login names it as its goal.
    Desktop,
    /// Settings.
    Settings,
    /// Files.
    Files,
    /// The application market.
    Market,
    /// The dashboard.
    Dashboard,
    /// The cluster, as the user may see it.
    ControlHub,
}

impl Service {
    fn host_and_path(self) -> (&'static str, &'static str) {
        match self {
            Self::Auth => ("auth", ""),
            Self::Vault => ("vault", "/server"),
            Self::Desktop => ("desktop", ""),
            Self::Settings => ("settings", ""),
            Self::Files => ("files", ""),
            Self::Market => ("market", ""),
            Self::Dashboard => ("dashboard", ""),
            Self::ControlHub => ("control-hub", ""),
        }
    }
}

impl OlaresId {
    /// The identity as it was written, without surrounding space.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`: the user name at login.
    pub fn local(&self) -> &str {
        self.parts().0
    }

    /// The part after the `@`, or the domain that all share.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// The name in host names: `<local>.<domain>`.
    pub fn terminus(&self) -> String {
        format!("{}.{}", self.local(), self.domain())
    }

    /// The address of a service; `prefix` goes between service and name as it is, with its own dot.
    pub fn service_url(&self, service: Service, prefix: &str) -> String {
        let (host, path) = service.host_and_path();
        format!("https://{host}.{prefix}{}{path}", self.terminus())
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once('@').unwrap_or((&self.0, DEFAULT_DOMAIN))
    }
}

impl FromStr for OlaresId {
    type Err = OlaresIdError;

    fn from_str(text: &str) -> Result<Self, OlaresIdError> {
        let id = Self(text.trim().to_owned());
        if id.0.is_empty() {
            Err(OlaresIdError::Empty)
        } else if id.0.matches('@').count() > 1 {
            Err(OlaresIdError::ManyAts(id.0))
        } else if !is_host_part(id.local()) || !is_host_part(id.domain()) {
            Err(OlaresIdError::NotAHost(id.0))
        } else {
            Ok(id)
        }
    }
}

impl Display for OlaresId {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a text may be inserted into a host name: nothing in it ends the host or starts a port, path or user.
pub(super) fn is_host_part(text: &str) -> bool {
    let allowed = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_');
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> OlaresId {
        text.parse().expect("a valid identity")
    }

    #[test]
    fn a_name_without_domain_is_at_olares_com_and_stays_as_written() {
        assert_eq!(id(" mira ").as_str(), "mira");
        assert_eq!(id("mira").terminus(), "mira.olares.com");
        assert_eq!(id("mira@example.com").terminus(), "mira.example.com");
    }

    #[test]
    fn services_get_their_own_hosts() {
        let mira = id("mira@olares.com");
        assert_eq!(mira.service_url(Service::Auth, "dev."), "https://auth.dev.mira.olares.com");
        assert_eq!(mira.service_url(Service::Vault, ""), "https://vault.mira.olares.com/server");
        assert_eq!(mira.service_url(Service::ControlHub, ""), "https://control-hub.mira.olares.com");
    }

    #[test]
    fn what_is_no_identity_is_refused_with_the_reason() {
        assert_eq!("  ".parse::<OlaresId>(), Err(OlaresIdError::Empty));
        let twice = "a@b@c".parse::<OlaresId>().expect_err("two ats");
        assert_eq!(twice.to_string(), "olaresId \"a@b@c\" contains more than one '@'");
        for bad in ["@x", "a@", "a@evil.example/..", "a:80@x", "a b@x", "a@x#", "a\\@x"] {
            assert!(matches!(bad.parse::<OlaresId>(), Err(OlaresIdError::NotAHost(_))), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_identity_never_escapes_its_host(text in "\\PC{0,20}") {
            if let Ok(id) = text.parse::<OlaresId>() {
                let url = id.service_url(Service::ControlHub, "");
                let rest = url.strip_prefix("https://control-hub.").expect("the service leads");
                proptest::prop_assert!(!rest.contains(['/', ':', '?', '#', '@', '\\', ' ']));
            }
        }
    }
}
