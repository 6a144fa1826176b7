//! Why a login is not renewed, and what a person does about it.

use std::path::PathBuf;

use http::StatusCode;

use crate::clock::Timestamp;
use crate::cluster::auth::olares_id::OlaresId;
use crate::cluster::auth::token_store::StoreError;
use crate::cluster::identity::LoginEnded;
use crate::cluster::transport::TransportError;

/// Why there is no newer token.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Nothing is stored for the identity, or nothing to refresh with.
    #[error("{id} is not logged in: there is no {missing} token for it")]
    NotLoggedIn {
        /// Whose.
        id: OlaresId,
        /// `access` or `refresh`.
        missing: &'static str,
    },
    /// The server refused to refresh, now or earlier.
    #[error("the login of {id} ended: its refresh token became invalid at {}", crate::clock::rfc3339(*.at))]
    Invalidated {
        /// Whose.
        id: OlaresId,
        /// When.
        at: Timestamp,
    },
    /// The platform vouches for the identity, and its credential is not there.
    #[error("the platform issues the login of {id}, and {} holds no credential for it", path.display())]
    NotIssued {
        /// Whose.
        id: OlaresId,
        /// Where it should be.
        path: PathBuf,
    },
    /// The platform's credential gives a token that opens nothing.
    #[error("the credential that the platform issued for {0} gives a first-factor token, which cannot be used")]
    FirstFactorOnly(OlaresId),
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
    /// No answer came.
    #[error("/api/refresh")]
    Road(#[from] TransportError),
    /// A status that says nothing about the grant; the body may hold a token and is not kept.
    #[error("/api/refresh answered HTTP {}", .0.as_u16())]
    Status(StatusCode),
    /// The server declined, in its own words.
    #[error("refresh failed: {0}")]
    Declined(String),
    /// The answer is not the one agreed on.
    #[error("/api/refresh answered without {0}")]
    Answer(&'static str),
    /// Nothing is begun so shortly before the process ends.
    #[error("the process is ending")]
    Closing,
    /// The task that asked did not come to its end.
    #[error("the renewal broke off")]
    BrokenOff,
}

impl RefreshError {
    /// The end of the login, where it is one; otherwise a later try may fare better.
    pub(in crate::cluster::auth) fn ended(&self) -> Option<LoginEnded> {
        match self {
            Self::NotLoggedIn { id, .. } | Self::Invalidated { id, .. } => {
                Some(LoginEnded::new(self.to_string(), remedy(id)))
            }
            Self::NotIssued { .. } | Self::FirstFactorOnly(_) => {
                Some(LoginEnded::new(self.to_string(), "reinstall or repair the application that asked for it"))
            }
            Self::Store(error) => Some(LoginEnded::new(with_causes(error), "see to the files of the token store")),
            Self::Lock { .. }
            | Self::Road(_)
            | Self::Status(_)
            | Self::Declined(_)
            | Self::Answer(_)
            | Self::Closing
            | Self::BrokenOff => None,
        }
    }
}

/// What a person does about an ended login.
fn remedy(id: &OlaresId) -> String {
    format!("run `runhub login {id}`")
}

/// An error and what caused it, in one line.
pub(in crate::cluster::auth) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
