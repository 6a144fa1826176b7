//! The identity of a person logged in with olares-cli.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use super::grant::Grant;
use super::headers::{X_AUTHORIZATION, control_hub, text};
use super::jwt::expires_at;
use super::olares_id::OlaresId;
use super::places::Places;
use super::profile::Profile;
use super::refresh::{RefreshError, Refresher, with_causes};
use super::token_store::TokenStore;
use crate::clock::{Clock, Timestamp};
use crate::cluster::identity::{Identity, LoginEnded};
use crate::cluster::transport::Transport;
use crate::secret::{Redactor, Secret};

/// A person with an olares-cli profile; shares its token store and locks.
///
/// `renew` is for an access token that was refused (401, 459). A 403 is an
/// answer about rights: renewing on it could end a login that still works.
#[derive(Debug)]
pub struct OlaresIdentity {
    name: String,
    refresher: Arc<Refresher>,
    access: Mutex<Secret>,
    trouble: Mutex<Option<String>>,
}

impl OlaresIdentity {
    /// Opens the stored login of a profile.
    pub async fn open(
        profile: &Profile,
        places: &Places,
        clock: Clock,
        redactor: Redactor,
    ) -> Result<Self, LoginEnded> {
        let config = places.config_dir().unwrap_or_else(|| places.token_dir());
        let refresher = Arc::new(Refresher {
            id: profile.olares_id.clone(),
            auth: profile.auth_url.clone(),
            store: TokenStore::new(places.token_dir(), redactor),
            lock: lock_path(&config, &profile.olares_id),
            clock,
            unsaved: tokio::sync::Mutex::default(),
            closing: CancellationToken::new(),
        });
        let grant = refresher.current().await.map_err(|error| ended(&error))?;
        expires_at(grant.access.expose()).map_err(|error| {
            LoginEnded::new(format!("cannot decode the access token of {}: {error}", profile.olares_id), "log in again")
        })?;
        Ok(Self {
            name: profile.olares_id.to_string(),
            refresher,
            access: Mutex::new(grant.access),
            trouble: Mutex::default(),
        })
    }

    /// When the access token in use ends; `None` where it does not say.
    pub fn expires_at(&self) -> Option<Timestamp> {
        expires_at(self.access().expose()).ok().flatten()
    }

    /// What was amiss with the last renewal though the login goes on: it brought nothing, or nothing that lasts.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn access(&self) -> Secret {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, grant: Grant) {
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = grant.access;
    }

    fn note(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

#[async_trait]
impl Identity for OlaresIdentity {
    async fn headers(&self) -> Result<HeaderMap, LoginEnded> {
        control_hub(self.access().expose())
            .map_err(|_| LoginEnded::new(format!("the access token of {} is not one", self.name), "log in again"))
    }

    async fn renew(&self, refused: &HeaderMap, road: Arc<dyn Transport>) -> Result<bool, LoginEnded> {
        let (refresher, refused) = (Arc::clone(&self.refresher), Secret::new(text(refused, X_AUTHORIZATION)));
        let renewal = tokio::spawn(async move { refresher.renew(refused.expose(), road.as_ref()).await });
        match renewal.await.unwrap_or(Err(RefreshError::BrokenOff)) {
            Ok(grant) => {
                self.remember(grant);
                self.note(self.refresher.unsaved().await);
                Ok(true)
            }
            Err(error) => {
                if let Some(ended) = error.ended() {
                    return Err(ended);
                }
                self.note(Some(with_causes(&error)));
                Ok(false)
            }
        }
    }

    async fn close(&self) {
        self.refresher.close().await;
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

fn ended(error: &RefreshError) -> LoginEnded {
    error.ended().unwrap_or_else(|| LoginEnded::new(with_causes(error), "try again"))
}

/// The file olares-cli locks for the same purpose; nothing in an identity needs replacing in a file name.
fn lock_path(config: &Path, id: &OlaresId) -> PathBuf {
    config.join("locks").join(format!("{id}.refresh.lock"))
}
