//! Everything that speaks HTTP as a client: one way to ask, one shape of refusal.
//!
//! Actions on higher floors build a [`Request`] from a place (a
//! [`resource::Resource`] joined with names) and a verb ([`verbs`]), hand it to
//! the [`Client`] through the door that fits it, and get a [`Response`] or an
//! [`Error`] back; a server that says no is the [`Refusal`] inside. Nothing
//! here knows steps, runbooks or events, and nothing here knows the simulator.
//!
//! [`Client::list`] reads whole lists through a [`sieve::Sieve`], a
//! [`Watcher`] tells what is now and what it becomes.
//!
//! The client renews a login once when the server does not know us (401, 459,
//! or the same said inside an HTTP 200) and sends the request once more. A 403
//! never renews: it is an answer. Renewing on it, as other tools do, turns a
//! plain denial into a lost login as soon as that renewal is refused.
//!
//! To add a kind that is known by heart: a constant and its row in
//! [`resource`]. A verb: a method in [`verbs`]. A shape of refusal: a function
//! in `refusal/shape.rs`. A target: a file and a row in [`provider`].
//!
//! Cancelling is letting go of the future; the [`tap`] then hears that the
//! outcome is unknown.

pub mod auth;
pub mod client;
mod discovery;
pub mod exec;
pub mod identity;
mod kapis;
pub mod list;
pub mod logs;
pub mod middleware;
pub mod path;
pub mod provider;
pub mod refusal;
pub mod request;
pub mod resource;
pub mod response;
pub mod retry;
pub mod sieve;
pub mod socket;
pub mod spaces;
pub mod tap;
#[cfg(test)]
pub(crate) mod testing;
pub mod transport;
pub mod verbs;
pub mod watch;
mod websocket;

pub use client::Client;
pub use identity::{Identity, LoginEnded};
pub use refusal::Refusal;
pub use request::{Read, Request, Write};
pub use response::{BodyError, Response};
pub use tap::Tap;
pub use transport::{Transport, TransportError};
pub use watch::{Seen, Watcher};

/// No answer that one could go on with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The server said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// No whole answer came.
    #[error(transparent)]
    Transport(TransportError),
    /// The login is over.
    #[error(transparent)]
    Login(#[from] LoginEnded),
    /// An answer came that is of no use.
    #[error(transparent)]
    Body(BodyError),
    /// The server has no such kind.
    #[error("the server has no kind `{kind}` in {api_version}")]
    UnknownKind {
        /// Group and version that were asked.
        api_version: String,
        /// The kind that is not there.
        kind: String,
        /// The kinds that are.
        known: Vec<String>,
    },
    /// A name cannot be part of a path.
    #[error(transparent)]
    Path(#[from] path::PathError),
}

impl Error {
    /// The refusal, if the server said no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The server says that the object is not there.
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_not_found)
    }

    /// A change that ended so may have been applied.
    pub fn may_have_applied(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.may_have_applied(),
            Self::Transport(error) => error.may_have_arrived(),
            Self::Body(_) => true,
            Self::Login(_) | Self::UnknownKind { .. } | Self::Path(_) => false,
        }
    }

    /// The same question may get an answer soon.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_transient(),
            Self::Transport(_) => true,
            Self::Body(error) => error.is_cut_off(),
            Self::Login(_) | Self::UnknownKind { .. } | Self::Path(_) => false,
        }
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Truncated { status, cause } => {
                Self::Body(BodyError::CutOff { status: status.as_u16(), cause })
            }
            TransportError::TooLarge { status, limit } => {
                Self::Body(BodyError::TooLarge { status: status.as_u16(), limit })
            }
            other => Self::Transport(other),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
