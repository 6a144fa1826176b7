//! Where a request goes, and whether it may go there.

use http::Uri;
use serde_json::Value;

use crate::action::context::Context;
use crate::event::{Class, Failure};

/// A URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Scheme, host and port: `https://hooks.example`.
    pub(super) origin: String,
    /// Path and query, as written.
    pub(super) path: String,
    host: String,
    port: u16,
}

impl Place {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("`{url}` is no URL: {error}"))?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let (Some(scheme), Some(authority)) = (scheme, uri.authority()) else {
            return Err(format!("`{url}` is no URL of http or https"));
        };
        if authority.as_str().contains('@') {
            return Err("a URL may not hold a user or a password: put them into a header".into());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
            host: authority.host().trim_matches(['[', ']']).to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 }),
        })
    }

    /// Whether `--allow` names the host, or the host with this port.
    fn is_named_by(&self, allowed: &str) -> bool {
        let allowed = allowed.to_ascii_lowercase();
        let with_port = [format!("{}:{}", self.host, self.port), format!("[{}]:{}", self.host, self.port)];
        allowed.trim_matches(['[', ']']) == self.host || with_port.contains(&allowed)
    }

    fn is_same_server(&self, other: &Self) -> bool {
        (&self.host, self.port) == (&other.host, other.port)
    }
}

/// Lets a request pass to the target's own host, and to those that `--allow` names.
///
/// # Errors
/// With the flag to give.
pub(super) fn admit(context: &Context, place: &Place) -> Result<(), Failure> {
    let own = target(context).is_some_and(|target| place.is_same_server(&target));
    if own || context.facts().allowed.iter().any(|allowed| place.is_named_by(allowed)) {
        return Ok(());
    }
    let message = format!("a request to {} was not allowed: it is not the target's host", place.host);
    Err(Failure::new(Class::Consent, message).help(format!("if it is well, run it with `--allow {}`", place.host)))
}

/// The target's own place, as the run knows it.
fn target(context: &Context) -> Option<Place> {
    let target = context.scope().get("target")?.to_json().ok()?;
    Place::parse(target.get("url").and_then(Value::as_str)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let place = Place::parse("https://Hooks.example:8443/a/b?c=d").unwrap();
        assert_eq!((place.origin.as_str(), place.path.as_str()), ("https://Hooks.example:8443", "/a/b?c=d"));
        assert_eq!((place.host.as_str(), place.port), ("hooks.example", 8443));
        assert_eq!(Place::parse("http://x").unwrap().path, "/");
        for wrong in ["", "hooks.example", "ftp://x/", "https://me:secret@x/", "http://a b/"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_named_alone_or_with_its_port() {
        let place = Place::parse("https://hooks.example/x").unwrap();
        assert!(place.is_named_by("hooks.example") && place.is_named_by("HOOKS.example:443"));
        assert!(!place.is_named_by("hooks.example:80") && !place.is_named_by("example"));
        let six = Place::parse("http://[::1]:8080/").unwrap();
        assert!(six.is_named_by("[::1]:8080") && six.is_named_by("::1"));
    }
}
