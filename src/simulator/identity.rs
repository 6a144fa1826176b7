//! Who asks: users, tokens and their end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest as _, Md5};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;

use super::ask::Ask;
use super::scenario::{Anonymous, Refresh, Role, Switches, Tokens, User};
use crate::clock::{Clock, Timestamp};

/// Seconds that an access token lives when the scenario does not say.
const LIFETIME: u32 = 3_600;

/// Someone the server has recognised.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) user: Arc<User>,
    pub(super) door: Door,
    /// Whether the request carried the cookie as well.
    pub(super) cookie: bool,
}

impl Caller {
    pub(super) fn name(&self) -> &str {
        &self.user.name
    }

    pub(super) fn is_admin(&self) -> bool {
        self.user.role == Role::PlatformAdmin
    }

    /// Whether the user's name is a piece of the namespace's, or the namespace is granted.
    pub(super) fn owns(&self, namespace: &str) -> bool {
        self.is_admin()
            || namespace.split('-').any(|piece| piece == self.user.name)
            || self.user.namespaces.iter().any(|granted| granted == namespace)
    }
}

/// By which way the caller came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Through the edge of Olares: `X-Authorization`.
    ControlHub,
    /// As a plain client of Kubernetes: `Authorization: Bearer`, or nothing at all.
    Kubernetes,
}

/// Why a caller is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// No identity at all.
    Nobody,
    /// A token of the edge that is unknown or spent.
    Spent,
    /// A bearer token that is unknown or spent.
    Unknown,
}

/// What a login or a refresh gives.
pub(super) struct Grant {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) session: String,
    pub(super) expires: Timestamp,
    pub(super) lifetime: u32,
}

/// The users and the tokens that are out.
pub(super) struct Identity {
    users: Vec<Arc<User>>,
    tokens: Tokens,
    anonymous: Anonymous,
    clock: Clock,
    issued: Mutex<Issued>,
    random: SystemRandom,
}

#[derive(Default)]
struct Issued {
    access: HashMap<String, Access>,
    refresh: HashMap<String, Arc<User>>,
}

struct Access {
    user: Arc<User>,
    expires: Option<Timestamp>,
    left: Option<u32>,
}

impl Identity {
    pub(super) fn new(users: Vec<User>, tokens: Tokens, switches: Switches, clock: Clock) -> Self {
        let users: Vec<_> = users.into_iter().map(Arc::new).collect();
        let mut issued = Issued::default();
        for user in &users {
            if let Some(token) = &user.token {
                let access = Access { user: Arc::clone(user), expires: None, left: None };
                issued.access.insert(token.clone(), access);
            }
        }
        let anonymous = switches.anonymous;
        Self { users, tokens, anonymous, clock, issued: Mutex::new(issued), random: SystemRandom::new() }
    }

    /// The users, in the order of the scenario.
    pub(super) fn users(&self) -> &[Arc<User>] {
        &self.users
    }

    /// The user of a name.
    pub(super) fn user(&self, name: &str) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Whether this is the hash that the login sends for the user's password.
    pub(super) fn knows(user: &User, hash: &str) -> bool {
        password_hash(&user.password) == hash
    }

    /// Recognises the caller of a request; counts the use of the token.
    pub(super) fn recognise(&self, ask: &Ask) -> Result<Caller, Denied> {
        if let Some(token) = ask.header("x-authorization").filter(|token| !token.is_empty()) {
            let user = self.use_token(token).ok_or(Denied::Spent)?;
            let cookie = ask.header("cookie").is_some_and(|all| all.contains(&format!("auth_token={token}")));
            return Ok(Caller { user, door: Door::ControlHub, cookie });
        }
        let bearer = ask.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if let Some(token) = bearer {
            let user = self.use_token(token).ok_or(Denied::Unknown)?;
            return Ok(Caller { user, door: Door::Kubernetes, cookie: true });
        }
        match self.anonymous {
            Anonymous::Refused => Err(Denied::Nobody),
            Anonymous::Admin => Ok(Caller { user: Arc::new(anonymous_admin()), door: Door::Kubernetes, cookie: true }),
        }
    }

    fn use_token(&self, token: &str) -> Option<Arc<User>> {
        let mut issued = self.issued();
        let access = issued.access.get_mut(token)?;
        if access.expires.is_some_and(|end| end <= self.clock.now()) || access.left == Some(0) {
            return None;
        }
        access.left = access.left.map(|left| left - 1);
        Some(Arc::clone(&access.user))
    }

    /// A token that never expires: the user's own, or a new one.
    pub(super) fn lasting(&self, user: &Arc<User>) -> String {
        let token = user.token.clone().unwrap_or_else(|| format!("sim-{}", self.word()));
        let access = Access { user: Arc::clone(user), expires: None, left: None };
        self.issued().access.insert(token.clone(), access);
        token
    }

    /// A new pair of tokens for a user.
    pub(super) fn grant(&self, user: &Arc<User>) -> Grant {
        let refresh = format!("rt-{}", self.word());
        self.issued().refresh.insert(refresh.clone(), Arc::clone(user));
        self.granted(user, refresh)
    }

    /// A new access token for a refresh token; nothing when the login has ended.
    pub(super) fn refresh(&self, refresh: &str) -> Option<Grant> {
        let user = self.issued().refresh.get(refresh).cloned()?;
        match self.tokens.refresh {
            Refresh::Refused => None,
            Refresh::Works => Some(self.granted(&user, refresh.to_owned())),
            Refresh::Rotates => {
                self.issued().refresh.remove(refresh);
                Some(self.grant(&user))
            }
        }
    }

    fn granted(&self, user: &Arc<User>, refresh: String) -> Grant {
        let lifetime = self.tokens.seconds.unwrap_or(LIFETIME);
        let now = self.clock.now();
        let expires = now + chrono::TimeDelta::seconds(lifetime.into());
        let access = self.jwt(&user.name, now, expires);
        let entry = Access { user: Arc::clone(user), expires: Some(expires), left: self.tokens.requests };
        self.issued().access.insert(access.clone(), entry);
        Grant { access, refresh, session: format!("s-{}", self.word()), expires, lifetime }
    }

    /// A token in the form of a JWT; it is valid because we remember it.
    fn jwt(&self, username: &str, now: Timestamp, expires: Timestamp) -> String {
        let head = json!({ "alg": "HS256", "typ": "JWT" });
        let claims = json!({
            "username": username, "groups": [], "mfa": 0, "jid": self.word(),
            "iat": now.timestamp(), "exp": expires.timestamp(),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", part(&head), part(&claims), self.word())
    }

    /// A word that nobody guesses.
    fn word(&self) -> String {
        let mut bytes = [0_u8; 24];
        // Without randomness the word is guessable, which harms nobody in a simulation.
        let _ = self.random.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash that the login page sends instead of a password.
fn password_hash(password: &str) -> String {
    use std::fmt::Write as _;
    let digest = Md5::digest(format!("{password}@Olares2025"));
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn anonymous_admin() -> User {
    User::new("system:admin", Role::PlatformAdmin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(tokens: Tokens) -> (Identity, Arc<User>) {
        let user = User { name: "mira".into(), ..anonymous_admin() };
        let identity = Identity::new(vec![user], tokens, Switches::default(), Clock::system());
        let user = Arc::clone(identity.user("mira").expect("known"));
        (identity, user)
    }

    #[tokio::test]
    async fn a_counted_token_is_spent() {
        let (identity, user) = identity(Tokens { requests: Some(2), ..Tokens::default() });
        let grant = identity.grant(&user);
        let alive: Vec<_> = (0..3).map(|_| identity.use_token(&grant.access).is_some()).collect();
        assert_eq!(alive, [true, true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timed_token_is_spent() {
        let (identity, user) = identity(Tokens { seconds: Some(60), ..Tokens::default() });
        let grant = identity.grant(&user);
        assert!(identity.use_token(&grant.access).is_some());
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
        assert!(identity.use_token(&grant.access).is_none());
    }

    #[tokio::test]
    async fn a_rotated_refresh_token_works_once() {
        let (identity, user) = identity(Tokens { refresh: Refresh::Rotates, ..Tokens::default() });
        let first = identity.grant(&user);
        let second = identity.refresh(&first.refresh).expect("alive");
        assert!(identity.refresh(&first.refresh).is_none());
        assert!(identity.refresh(&second.refresh).is_some());
    }

    #[test]
    fn the_password_travels_as_its_salted_hash() {
        let hash = password_hash("secret");
        assert_eq!((hash.len(), hash.chars().all(|digit| digit.is_ascii_hexdigit())), (32, true));
        assert!(Identity::knows(&User { password: "secret".into(), ..anonymous_admin() }, &hash));
    }
}
