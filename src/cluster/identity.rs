//! Who we are to the server; the implementations live in `auth`.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;

use super::transport::Transport;
use crate::clock::Timestamp;

/// Who we are to the server.
///
/// Several tasks use one identity at once: an implementation renews once for
/// all of them.
#[async_trait]
pub trait Identity: Send + Sync + std::fmt::Debug {
    /// Headers for the next request, sensitive values marked as such.
    async fn headers(&self) -> Result<HeaderMap, LoginEnded>;

    /// The server refused what [`Identity::headers`] gave: gets something newer, once.
    ///
    /// `Ok(true)`: there is something newer, send the request again. `Ok(false)`:
    /// there is not, the refusal stands, and a later try may fare better.
    ///
    /// A caller may let go of the future at any time. What the server has given
    /// by then must not be lost, so an implementation that stores tokens goes on
    /// without its caller; [`Identity::close`] waits for it.
    async fn renew(&self, refused: &HeaderMap, road: Arc<dyn Transport>) -> Result<bool, LoginEnded>;

    /// Waits for a renewal under way and begins no other: for the moment before the process ends.
    async fn close(&self) {}

    /// When what [`Identity::headers`] gives ends, where it says so; it may be renewed by then.
    fn expires(&self) -> Option<Timestamp> {
        None
    }

    /// What was amiss with the last renewal though the login goes on: it brought nothing, or nothing that lasts.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Who, for people: `alice@olares.com`, `admin (kubeconfig prod)`.
    fn name(&self) -> String;
}

/// The login is over; only a person can start another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct LoginEnded {
    what: String,
    remedy: String,
}

impl LoginEnded {
    /// Joins what happened and what to do about it.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }

    /// What happened.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_login_says_what_happened_and_what_to_do() {
        let ended = LoginEnded::new("the login of alice@olares.com ended", "run `runhub login`");
        assert_eq!(ended.to_string(), "the login of alice@olares.com ended; run `runhub login`");
    }
}
