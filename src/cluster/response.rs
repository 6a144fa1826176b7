//! What came back when the server said yes, and what can be wrong with it.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::Error;
use super::transport::RawResponse;

/// An answer that is not a refusal.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status, of the 200s.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::Body(BodyError::NotJson { status: self.status, cause: error.to_string() }))
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

impl From<RawResponse> for Response {
    fn from(raw: RawResponse) -> Self {
        Self { status: raw.status.as_u16(), headers: raw.headers, body: raw.body }
    }
}

/// An answer came, but its body is of no use.
///
/// The server has decided all the same: a change behind a status of the 200s has applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body is larger than we take.
    #[error("the answer (HTTP {status}) is larger than {limit} bytes")]
    TooLarge {
        /// The HTTP status.
        status: u16,
        /// What we take at most.
        limit: usize,
    },
    /// The connection broke inside the body.
    #[error("the answer (HTTP {status}) broke off: {cause}")]
    CutOff {
        /// The HTTP status.
        status: u16,
        /// Why.
        cause: String,
    },
    /// The body should have been JSON.
    #[error("the answer (HTTP {status}) is not what it should be: {cause}")]
    NotJson {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        cause: String,
    },
}

impl BodyError {
    /// The HTTP status that the answer began with.
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge { status, .. } | Self::CutOff { status, .. } | Self::NotJson { status, .. } => *status,
        }
    }

    /// Whether the connection broke inside the body.
    pub fn is_cut_off(&self) -> bool {
        matches!(self, Self::CutOff { .. })
    }
}
