//! Where a login is renewed.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use http::{HeaderValue, Method, Uri, header};

use crate::cluster::transport::Wire;

/// The address of the auth host, in the two parts that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthUrl {
    origin: String,
    path: String,
}

/// The text is not the address of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address like https://auth.mira.olares.com")]
pub struct AuthUrlError(String);

impl AuthUrl {
    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What stands before the paths of the interface, mostly nothing; without a slash at its end.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl AuthUrl {
    /// A question to it: JSON goes out and comes back, and neither is shown to anyone.
    pub(super) fn wire(&self, path: &str, body: Vec<u8>) -> Wire {
        let mut wire = Wire::new(Method::POST, format!("{}{path}", self.path));
        wire.origin = Some(self.origin.clone());
        wire.body = Some(body.into());
        wire.confidential = true;
        let json = HeaderValue::from_static("application/json");
        wire.headers.insert(header::ACCEPT, json.clone());
        wire.headers.insert(header::CONTENT_TYPE, json);
        wire
    }
}

impl FromStr for AuthUrl {
    type Err = AuthUrlError;

    fn from_str(text: &str) -> Result<Self, AuthUrlError> {
        let refuse = || AuthUrlError(text.to_owned());
        let uri: Uri = text.trim().parse().map_err(|_| refuse())?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https")).ok_or_else(refuse)?;
        let host = uri.authority().filter(|host| !host.as_str().contains('@')).ok_or_else(refuse)?;
        if uri.query().is_some() {
            return Err(refuse());
        }
        Ok(Self { origin: format!("{scheme}://{host}"), path: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl Display for AuthUrl {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}{}", self.origin, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_splits_into_host_and_path() {
        let url: AuthUrl = "https://auth.example.com:8443/base/".parse().expect("an address");
        assert_eq!((url.origin(), url.path()), ("https://auth.example.com:8443", "/base"));
        let url: AuthUrl = "http://127.0.0.1:9".parse().expect("an address");
        assert_eq!((url.origin(), url.path()), ("http://127.0.0.1:9", ""));
    }

    #[test]
    fn what_is_no_address_of_a_host_is_refused() {
        for bad in ["", "auth.example.com", "ftp://x", "https://u:p@x", "https://x/?a=1", "/api"] {
            assert!(bad.parse::<AuthUrl>().is_err(), "{bad}");
        }
    }
}
