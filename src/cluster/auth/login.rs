//! A person logs in: a password, then a code where the server wants one; or a
//! refresh token that was obtained elsewhere.
//!
//! `cli` asks the person and calls the steps; nothing is stored before
//! [`Login::store`], which takes the lock that olares-cli takes, so that a
//! renewal under way does not overwrite the new login.

mod error;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::header::{COOKIE, HeaderMap, SET_COOKIE};

use super::envelope::{Envelope, FirstFactorBody, SecondFactorBody, Tokens, password_hash};
use super::grant::Grant;
use super::headers::{X_AUTHORIZATION, X_UNAUTH_ERROR, non_redirect, sensitive};
use super::olares_id::Service;
use super::places::Places;
use super::private_file::FileLock;
use super::profile::Profile;
use super::refresh::refresh_wire;
use super::token_store::TokenStore;
use crate::clock::Clock;
use crate::cluster::tap::{Deaf, Road};
use crate::cluster::transport::{RawResponse, Transport, Wire};
use crate::secret::{Redactor, Secret};

pub use error::LoginError;

const FIRST_FACTOR: &str = "/api/firstfactor";
const SECOND_FACTOR: &str = "/api/secondfactor/totp";
const REFRESH: &str = "/api/refresh";

/// How long the auth host may take, as in olares-cli.
const TIMEOUT: Duration = Duration::from_secs(10);

const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// The way in for one profile.
#[derive(Debug)]
pub struct Login {
    profile: Profile,
    places: Places,
    store: TokenStore,
    road: Road,
    clock: Clock,
}

/// What a password opened.
#[derive(Debug)]
pub enum Entry {
    /// The login.
    Whole(Grant),
    /// Only the second door.
    CodeWanted(FirstFactor),
}

/// A password that was right where a code is wanted too.
#[derive(Debug)]
pub struct FirstFactor {
    grant: Grant,
    cookies: String,
}

impl Login {
    /// The way in for a profile, by a road to its auth host.
    pub fn new(
        profile: &Profile,
        places: &Places,
        road: Arc<dyn Transport>,
        clock: Clock,
        redactor: &Redactor,
    ) -> Self {
        Self {
            profile: profile.clone(),
            places: places.clone(),
            store: TokenStore::new(places, redactor.clone()),
            road: Road::new(road, Arc::new(Deaf), clock),
            clock,
        }
    }

    /// Shows the password at the first door.
    ///
    /// # Errors
    /// When it is refused, or no login came of it.
    pub async fn password(&self, password: &Secret) -> Result<Entry, LoginError> {
        let hash = Secret::new(password_hash(password.expose()));
        self.store.hide(password);
        self.store.hide(&hash);
        let body = FirstFactorBody {
            username: self.profile.olares_id.local(),
            password: hash.expose(),
            keep_me_logged_in: false,
            request_method: "POST",
            // The policy of the desktop wants a second factor where the user has one.
            target_url: &self.goal(),
            accept_cookie: true,
        };
        let path = format!("{FIRST_FACTOR}?hideCookie=true");
        let wire = self.profile.auth_url.wire(&path, serde_json::to_vec(&body).unwrap_or_default());
        let answer = self.call(FIRST_FACTOR, wire).await?;
        let tokens = tokens("first-factor", FIRST_FACTOR, &answer)?;
        let code_wanted = tokens.fa2;
        let grant = self.grant(FIRST_FACTOR, tokens, None)?;
        if !code_wanted {
            return Ok(Entry::Whole(grant));
        }
        Ok(Entry::CodeWanted(FirstFactor { grant, cookies: cookies(&answer.headers) }))
    }

    /// Shows a code of the second factor.
    ///
    /// # Errors
    /// When it is refused, or no login came of it; after a refusal another code may be tried.
    pub async fn code(&self, first: &FirstFactor, code: &Secret) -> Result<Grant, LoginError> {
        let body = SecondFactorBody { target_url: &self.goal(), token: code.expose().trim() };
        let mut wire = self.profile.auth_url.wire(SECOND_FACTOR, serde_json::to_vec(&body).unwrap_or_default());
        let odd = |_| LoginError::Answer { path: FIRST_FACTOR, missing: "a token that can be sent" };
        wire.headers.insert(X_AUTHORIZATION, sensitive(first.grant.access.expose()).map_err(odd)?);
        wire.headers.insert(X_UNAUTH_ERROR, non_redirect());
        if !first.cookies.is_empty() {
            wire.headers.insert(COOKIE, sensitive(&first.cookies).map_err(odd)?);
        }
        let answer = self.call(SECOND_FACTOR, wire).await?;
        let tokens = tokens("second-factor", SECOND_FACTOR, &answer)?;
        // The tokens of the first door are not those of the login; only the session may be the same.
        let before = Grant { refresh: None, ..first.grant.clone() };
        self.grant(SECOND_FACTOR, tokens, Some(&before))
    }

    /// Exchanges a refresh token that was obtained elsewhere.
    ///
    /// # Errors
    /// When it is refused, or no login came of it.
    pub async fn import(&self, refresh: &Secret) -> Result<Grant, LoginError> {
        self.store.hide(refresh);
        let (id, auth) = (&self.profile.olares_id, &self.profile.auth_url);
        let missing = |_| LoginError::Answer { path: REFRESH, missing: "a token that can be sent" };
        let answer = self.call(REFRESH, refresh_wire(id, auth, None, refresh).map_err(missing)?).await?;
        let tokens = tokens("refresh", REFRESH, &answer)?;
        let before = Grant { refresh: Some(refresh.clone()), rest: serde_json::Map::new(), ..Grant::managed(id) };
        self.grant(REFRESH, tokens, Some(&before))
    }

    /// Puts the login in the place of the one before.
    ///
    /// # Errors
    /// When another process keeps the lock, or the store cannot be written.
    pub async fn store(&self, grant: &Grant) -> Result<(), LoginError> {
        let _lock = self.lock().await?;
        Ok(self.store.write(grant)?)
    }

    /// Takes the stored login away; `false` where there was none.
    ///
    /// # Errors
    /// As [`Login::store`].
    pub async fn forget(&self) -> Result<bool, LoginError> {
        let _lock = self.lock().await?;
        Ok(self.store.remove(&self.profile.olares_id)?)
    }

    async fn lock(&self) -> Result<FileLock, LoginError> {
        let id = &self.profile.olares_id;
        let lock = FileLock::acquire(&self.places.refresh_lock(id), LOCK_PATIENCE).await;
        lock.map_err(|source| LoginError::Lock { id: id.clone(), source })
    }

    /// Where the person is said to go: olares-cli leaves the prefix out of it.
    fn goal(&self) -> String {
        self.profile.olares_id.service_url(Service::Desktop, "")
    }

    async fn call(&self, path: &'static str, mut wire: Wire) -> Result<RawResponse, LoginError> {
        wire.timeout = TIMEOUT;
        wire.label = format!("log {} in", self.profile.olares_id);
        let answer = self.road.call(wire).await.map_err(|source| LoginError::Road { path, source })?;
        if answer.status == http::StatusCode::OK {
            return Ok(answer);
        }
        let envelope: Option<Envelope> = serde_json::from_slice(&answer.body).ok();
        let words = envelope.and_then(|envelope| envelope.granted().err()).filter(|words| !words.is_empty());
        Err(LoginError::Status { path, status: answer.status, words })
    }

    fn grant(&self, path: &'static str, tokens: Tokens, before: Option<&Grant>) -> Result<Grant, LoginError> {
        let granted = Grant::granted(&self.profile.olares_id, tokens, before, self.clock.now());
        granted.ok_or(LoginError::Answer { path, missing: "an access token" })
    }
}

fn tokens(factor: &'static str, path: &'static str, answer: &RawResponse) -> Result<Tokens, LoginError> {
    let envelope: Envelope = serde_json::from_slice(&answer.body)
        .map_err(|_| LoginError::Answer { path, missing: "the JSON of a login" })?;
    envelope.granted().map_err(|words| LoginError::Declined { factor, words })
}

/// The cookies that an answer sets, as the next request sends them.
fn cookies(headers: &HeaderMap) -> String {
    let pair = |line: &http::HeaderValue| line.to_str().ok()?.split(';').next().map(|pair| pair.trim().to_owned());
    let pairs: Vec<String> = headers.get_all(SET_COOKIE).iter().filter_map(pair).collect();
    pairs.join("; ")
}
