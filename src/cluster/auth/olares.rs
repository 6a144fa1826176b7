//! The identity of a person logged in with olares-cli.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use super::grant::Grant;
use super::headers::{X_AUTHORIZATION, control_hub, text};
use super::jwt::{JwtError, expires_at};
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
        let refresher = Arc::new(Refresher {
            id: profile.olares_id.clone(),
            auth: profile.auth_url.clone(),
            store: TokenStore::new(places, redactor),
            managed: profile.managed.as_ref().map(|_| mount(places)),
            lock: places.refresh_lock(&profile.olares_id),
            clock,
            unsaved: tokio::sync::Mutex::default(),
            closing: CancellationToken::new(),
        });
        let grant = refresher.current().await.map_err(|error| ended(&error))?;
        if !grant.access.expose().is_empty() {
            expires_at(grant.access.expose()).map_err(|error| undecoded(&profile.olares_id, &error))?;
        }
        Ok(Self {
            name: profile.olares_id.to_string(),
            refresher,
            access: Mutex::new(grant.access),
            trouble: Mutex::default(),
        })
    }

    /// Whether there is no access token yet: the platform's credential has to be exchanged for the first.
    pub fn is_blank(&self) -> bool {
        self.access().expose().is_empty()
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
        // A renewal whose caller went away ended just now; nobody was told of it yet.
        if let Some(unsaved) = self.refresher.unsaved().await {
            self.note(Some(unsaved));
        }
    }

    fn expires(&self) -> Option<Timestamp> {
        expires_at(self.access().expose()).ok().flatten()
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

fn ended(error: &RefreshError) -> LoginEnded {
    error.ended().unwrap_or_else(|| LoginEnded::new(with_causes(error), "try again"))
}

/// Where the platform mounts its credential; without a place its name says what is missing.
fn mount(places: &Places) -> PathBuf {
    places.managed_credential().unwrap_or_else(|| "$OLARES_CLI_CREDENTIALS_DIR/credential.json".into())
}

fn undecoded(id: &OlaresId, error: &JwtError) -> LoginEnded {
    LoginEnded::new(format!("cannot decode the access token of {id}: {error}"), format!("run `runhub login {id}`"))
}
