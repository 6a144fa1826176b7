//! Why nobody was logged in.

use http::StatusCode;

use crate::cluster::auth::olares_id::OlaresId;
use crate::cluster::auth::token_store::StoreError;
use crate::cluster::transport::TransportError;

/// Why nobody was logged in; no token or password is ever in it.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No answer came.
    #[error("{path}")]
    Road {
        /// What was asked.
        path: &'static str,
        /// Why.
        #[source]
        source: TransportError,
    },
    /// The answer was no, or of no use; its body may hold a session and is not shown, but for the server's message.
    #[error("{path} returned HTTP {}{}", status.as_u16(), words.as_ref().map(|words| format!(": {words}")).unwrap_or_default())]
    Status {
        /// What was asked.
        path: &'static str,
        /// What came.
        status: StatusCode,
        /// The server's words.
        words: Option<String>,
    },
    /// The server declined, in its own words.
    #[error("{factor} authentication failed: {words}")]
    Declined {
        /// `first-factor`, `second-factor` or `refresh`.
        factor: &'static str,
        /// The server's words.
        words: String,
    },
    /// The answer is not the one agreed on.
    #[error("{path} answered without {missing}")]
    Answer {
        /// What was asked.
        path: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// The token store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process holds the lock, or it cannot be made.
    #[error("cannot acquire the refresh lock for {id}")]
    Lock {
        /// Whose.
        id: OlaresId,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl LoginError {
    /// Whether the server refused what was shown, so that something else may be right.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status.as_u16(), 401 | 403),
            Self::Declined { .. } => true,
            Self::Road { .. } | Self::Answer { .. } | Self::Store(_) | Self::Lock { .. } => false,
        }
    }

    /// Whether the auth host was not reached or let nobody in; otherwise it is this machine that failed.
    pub fn is_of_the_server(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Lock { .. })
    }
}
