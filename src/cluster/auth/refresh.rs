//! Renewing a grant: once for all tasks of a process and all processes of a machine.
//!
//! The order is that of olares-cli, so that both may run side by side: a mutex
//! of the process; read the store, and where it holds another token than the
//! refused one, take that; the lock file between processes; read once more;
//! only then ask the server. A grant is stamped as dead only where the server
//! refuses the refresh itself with 401, 403 or 459; whatever else goes wrong
//! may pass.
//!
//! Between the question and the write to the store nothing may break in: a
//! server that rotates refresh tokens has taken back the old one by then. So
//! the identity runs [`Refresher::renew`] in a task of its own, which a caller
//! that stops waiting does not end, and joins it in [`Refresher::close`]
//! before the process goes. A future polled by whoever waits was rejected:
//! with nobody waiting it would keep the lock of all processes.

mod error;

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::auth_url::AuthUrl;
use super::envelope::{Envelope, RefreshBody, Tokens};
use super::grant::Grant;
use super::headers::{X_AUTHORIZATION, sensitive};
use super::managed::ManagedCredential;
use super::olares_id::OlaresId;
use super::private_file::FileLock;
use super::token_store::{StoreError, TokenStore};
use crate::clock::Clock;
use crate::cluster::transport::{RawResponse, Transport, Wire};
use crate::secret::Secret;

pub use error::RefreshError;
pub(super) use error::with_causes;

const LOCK_PATIENCE: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(15);

/// Renews the grant of one identity.
#[derive(Debug)]
pub(super) struct Refresher {
    pub(super) id: OlaresId,
    pub(super) auth: AuthUrl,
    pub(super) store: TokenStore,
    /// Where the platform mounts the refresh token, if it vouches for the identity: then it is never stored.
    pub(super) managed: Option<PathBuf>,
    pub(super) lock: PathBuf,
    pub(super) clock: Clock,
    /// The mutex of the process, and in it what could not be stored.
    pub(super) unsaved: Mutex<Option<Unsaved>>,
    /// The process is about to end: nothing new is asked.
    pub(super) closing: CancellationToken,
}

/// A renewed grant that could not be stored; it is the newest all the same.
#[derive(Debug)]
pub(super) struct Unsaved {
    grant: Grant,
    why: StoreError,
}

impl Refresher {
    /// The grant as it is now.
    pub(super) async fn current(&self) -> Result<Grant, RefreshError> {
        self.newest(self.unsaved.lock().await.as_ref())
    }

    /// A grant with another access token than the refused one.
    pub(super) async fn renew(&self, refused: &str, road: &dyn Transport) -> Result<Grant, RefreshError> {
        let mut unsaved = self.unsaved.lock().await;
        let known = self.newest(unsaved.as_ref())?;
        if known.access.expose() != refused {
            return Ok(known);
        }
        let _lock = self.locked().await?;
        let known = self.newest(unsaved.as_ref())?;
        if known.access.expose() != refused {
            return Ok(known);
        }
        let fresh = self.exchange(&known, road).await?;
        // The server has taken back the old tokens: losing the new ones would end the login.
        *unsaved = self.store.write(&fresh).err().map(|why| Unsaved { grant: fresh.clone(), why });
        Ok(fresh)
    }

    /// Waits for what is under way, and asks nothing any more.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        drop(self.unsaved.lock().await);
    }

    /// The lock between processes, unless we are about to end; waiting for it has changed nothing yet.
    async fn locked(&self) -> Result<FileLock, RefreshError> {
        let lock = tokio::select! {
            biased;
            () = self.closing.cancelled() => return Err(RefreshError::Closing),
            lock = FileLock::acquire(&self.lock, LOCK_PATIENCE) => lock,
        };
        lock.map_err(|source| RefreshError::Lock { id: self.id.clone(), source })
    }

    /// Why the newest grant lives in this process only, if it does.
    pub(super) async fn unsaved(&self) -> Option<String> {
        let unsaved = self.unsaved.lock().await;
        let why = with_causes(&unsaved.as_ref()?.why);
        Some(format!("the renewed login of {} cannot be stored and ends with this run: {why}", self.id))
    }

    fn newest(&self, unsaved: Option<&Unsaved>) -> Result<Grant, RefreshError> {
        let grant = match unsaved {
            Some(unsaved) => unsaved.grant.clone(),
            None => self.stored()?,
        };
        match grant.invalidated_at {
            // The platform may have issued another grant since.
            Some(at) if self.managed.is_none() => Err(RefreshError::Invalidated { id: self.id.clone(), at }),
            Some(_) => Ok(Grant::managed(&self.id)),
            None => Ok(grant),
        }
    }

    fn stored(&self) -> Result<Grant, RefreshError> {
        let stored = self.store.read(&self.id)?;
        match (stored, &self.managed) {
            // What a person's login left behind is not the platform's to renew.
            (Some(grant), Some(_)) if !grant.is_managed() => Ok(Grant::managed(&self.id)),
            (Some(grant), _) => Ok(grant),
            (None, Some(_)) => Ok(Grant::managed(&self.id)),
            (None, None) => Err(self.not_logged_in("access")),
        }
    }

    fn not_logged_in(&self, missing: &'static str) -> RefreshError {
        RefreshError::NotLoggedIn { id: self.id.clone(), missing }
    }

    /// The refresh token: the stored one, or the one that the platform holds for us.
    fn refresh_token(&self, known: &Grant) -> Result<Secret, RefreshError> {
        let Some(mount) = &self.managed else {
            return known.refresh.clone().ok_or_else(|| self.not_logged_in("refresh"));
        };
        let issued = ManagedCredential::read(mount).filter(|issued| issued.olares_id == self.id);
        let issued = issued.ok_or_else(|| RefreshError::NotIssued { id: self.id.clone(), path: mount.clone() })?;
        self.store.hide(&issued.refresh);
        Ok(issued.refresh)
    }

    async fn exchange(&self, known: &Grant, road: &dyn Transport) -> Result<Grant, RefreshError> {
        let token = self.refresh_token(known)?;
        let access = Some(&known.access).filter(|access| !access.expose().is_empty());
        let answer = road.call(refresh_wire(&self.id, &self.auth, access, &token)?).await?;
        match answer.status.as_u16() {
            200 => self.renewed(known, tokens(&answer)?),
            401 | 403 | 459 => Err(self.dead(known)),
            _ => Err(RefreshError::Status(answer.status)),
        }
    }

    fn renewed(&self, known: &Grant, tokens: Tokens) -> Result<Grant, RefreshError> {
        if self.managed.is_some() && tokens.fa2 {
            return Err(RefreshError::FirstFactorOnly(self.id.clone()));
        }
        let granted = Grant::granted(&self.id, tokens, Some(known), self.clock.now());
        let granted = granted.ok_or(RefreshError::Answer("an access token"))?;
        let refresh = granted.refresh.filter(|_| self.managed.is_none());
        Ok(Grant { refresh, ..granted })
    }

    fn dead(&self, known: &Grant) -> RefreshError {
        let at = self.clock.now();
        // Where the stamp cannot be stored, the next run asks the server again and is told the same.
        let _ = match self.managed {
            Some(_) => self.store.write(&Grant { invalidated_at: Some(at), ..known.clone() }),
            None => self.store.invalidate(known, at),
        };
        RefreshError::Invalidated { id: self.id.clone(), at }
    }
}

/// The question for new tokens; without an access token when a refresh token is imported.
pub(super) fn refresh_wire(
    id: &OlaresId,
    auth: &AuthUrl,
    access: Option<&Secret>,
    token: &Secret,
) -> Result<Wire, RefreshError> {
    let body = serde_json::to_vec(&RefreshBody { refresh_token: token.expose() });
    let mut wire = auth.wire("/api/refresh", body.map_err(|_| RefreshError::Answer("a refresh token"))?);
    wire.timeout = TIMEOUT;
    wire.label = format!("renew the login of {id}");
    if let Some(access) = access.and_then(|access| sensitive(access.expose()).ok()) {
        wire.headers.insert(X_AUTHORIZATION, access);
    }
    Ok(wire)
}

pub(super) fn tokens(answer: &RawResponse) -> Result<Tokens, RefreshError> {
    let envelope: Envelope =
        serde_json::from_slice(&answer.body).map_err(|_| RefreshError::Answer("the JSON of a login"))?;
    envelope.granted().map_err(RefreshError::Declined)
}

#[cfg(test)]
mod tests;
