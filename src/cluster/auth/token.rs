//! The identity of whoever holds a token, without a login of ours.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;

use super::headers::control_hub;
use super::jwt::expires_at;
use crate::clock::Timestamp;
use crate::cluster::identity::{Identity, LoginEnded};
use crate::cluster::transport::Transport;
use crate::secret::{Redactor, Secret};

/// A `ControlHub` token that somebody else obtained; it lasts as long as it lasts.
#[derive(Debug)]
pub struct StaticToken {
    headers: HeaderMap,
    origin: String,
    expires: Option<Timestamp>,
}

/// Why a text cannot be used as a token; it is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token from {origin} {what}")]
pub struct TokenError {
    origin: String,
    what: &'static str,
}

impl StaticToken {
    /// Takes a token; `origin` tells people where it is from, such as `RUNHUB_TOKEN`.
    pub fn new(token: &Secret, origin: impl Into<String>, redactor: &Redactor) -> Result<Self, TokenError> {
        let origin = origin.into();
        let refuse = |what| TokenError { origin: origin.clone(), what };
        let token = token.expose().trim();
        redactor.register(token);
        if token.is_empty() {
            return Err(refuse("is empty"));
        }
        // What ends a cookie's value would let the token speak for other cookies.
        if !token.chars().all(|char| char.is_ascii_graphic() && !"\",;\\".contains(char)) {
            return Err(refuse("has characters that no token has"));
        }
        let headers = control_hub(token).map_err(|_| refuse("cannot be sent in a header"))?;
        // What is no JWT may be a token all the same.
        let expires = expires_at(token).ok().flatten();
        Ok(Self { headers, origin, expires })
    }
}

#[async_trait]
impl Identity for StaticToken {
    async fn headers(&self) -> Result<HeaderMap, LoginEnded> {
        Ok(self.headers.clone())
    }

    async fn renew(&self, _refused: &HeaderMap, _road: Arc<dyn Transport>) -> Result<bool, LoginEnded> {
        Err(LoginEnded::new(
            format!("the server refused the token from {}, which cannot be renewed", self.origin),
            format!("put a fresh token into {}, or log in with a profile", self.origin),
        ))
    }

    fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    fn name(&self) -> String {
        format!("the token from {}", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_is_sent_as_it_is_and_hidden_everywhere() {
        let redactor = Redactor::default();
        let token = StaticToken::new(&Secret::new("h.payload.s\n"), "RUNHUB_TOKEN", &redactor).expect("a token");
        let headers = token.headers().await.expect("headers");
        assert_eq!(headers["x-authorization"], "h.payload.s");
        assert_eq!(headers["cookie"], "auth_token=h.payload.s");
        assert_eq!(redactor.text("saw h.payload.s"), "saw ***");
        assert!(!format!("{token:?}").contains("payload"));
    }

    #[test]
    fn a_token_that_says_when_it_ends_is_believed() {
        let token = |text: &str| StaticToken::new(&Secret::new(text), "RUNHUB_TOKEN", &Redactor::default());
        // {"exp":1780399999}
        let ends = token("h.eyJleHAiOjE3ODAzOTk5OTl9.s").expect("a token").expires();
        assert_eq!(ends.map(|end| end.timestamp()), Some(1_780_399_999));
        assert_eq!(token("opaque").expect("a token").expires(), None);
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_unseen() {
        for bad in ["", " \n", "a b", "a;admin=1", "a\u{e9}", "a\nb"] {
            let error = StaticToken::new(&Secret::new(bad), "RUNHUB_TOKEN", &Redactor::default()).expect_err(bad);
            assert!(error.to_string().starts_with("the token from RUNHUB_TOKEN "), "{error}");
        }
    }
}
