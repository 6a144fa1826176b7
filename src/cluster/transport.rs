//! The road to a server: one trait, so that a socket and a rehearsed server look alike.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

/// Carries one request and brings back what came.
///
/// A transport neither retries nor follows redirects nor judges a status: an
/// answer of any status is an `Ok`. The deadline is kept by its caller.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends the request and reads the whole answer.
    async fn call(&self, wire: Wire) -> Result<RawResponse, TransportError>;

    /// Sends the request and hands back the answer's body as it comes.
    async fn stream(&self, wire: Wire) -> Result<RawStream, TransportError>;

    /// Sends a request that asks for another protocol, and hands back the connection if the server agrees.
    async fn upgrade(&self, _: Wire) -> Result<RawUpgrade, TransportError> {
        Err(TransportError::NotSent("this road carries requests and answers only".to_owned()))
    }
}

/// A connection on which both ends speak as they like.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What a server says to a request for another protocol.
pub enum RawUpgrade {
    /// It agrees: its headers, and the connection.
    Open(HeaderMap, Box<dyn Duplex>),
    /// It answers as to any other request.
    Answered(RawResponse),
}

impl std::fmt::Debug for RawUpgrade {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(..) => formatter.write_str("Open"),
            Self::Answered(answer) => formatter.debug_tuple("Answered").field(answer).finish(),
        }
    }
}

/// A request as it goes out.
#[derive(Debug, Clone)]
pub struct Wire {
    /// The method.
    pub method: Method,
    /// Scheme and host of another server than the target's, as for a login; usually none.
    pub origin: Option<String>,
    /// Path and query, escaped, beginning with `/`.
    pub path: String,
    /// All headers but those of the connection itself.
    pub headers: HeaderMap,
    /// The body, if there is one.
    pub body: Option<Bytes>,
    /// How long to wait for the whole answer, or for the beginning of a stream.
    pub timeout: Duration,
    /// For people: what this request is for.
    pub label: String,
    /// Neither body is shown to anyone: they hold tokens or passwords.
    pub confidential: bool,
}

impl Wire {
    /// A request for a path of the target, with nothing else set and 30 s to answer.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            origin: None,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
            timeout: Duration::from_secs(30),
            label: String::new(),
            confidential: false,
        }
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct RawResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// An answer whose body is still coming.
pub struct RawStream {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, piece by piece; an error is the last item.
    pub body: BoxStream<'static, Result<Bytes, TransportError>>,
}

impl std::fmt::Debug for RawStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RawStream").field("status", &self.status).finish_non_exhaustive()
    }
}

/// No whole answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Name lookup, connecting or the TLS handshake failed: the server cannot have seen the request.
    #[error("could not connect: {0}")]
    NotSent(String),
    /// The deadline passed; the server may have done what was asked.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The connection broke before an answer; the server may have done what was asked.
    #[error("the connection broke before an answer: {0}")]
    Broken(String),
    /// An answer began, and broke off.
    #[error("the answer (HTTP {}) broke off: {cause}", status.as_u16())]
    Truncated {
        /// The status it began with.
        status: StatusCode,
        /// Why.
        cause: String,
    },
    /// An answer came that is larger than we take.
    #[error("the answer (HTTP {}) is larger than {limit} bytes", status.as_u16())]
    TooLarge {
        /// The status it began with.
        status: StatusCode,
        /// What we take at most.
        limit: usize,
    },
}

impl TransportError {
    /// Whether the server may have seen the request, and so may have done what was asked.
    pub fn may_have_arrived(&self) -> bool {
        !matches!(self, Self::NotSent(_))
    }
}
