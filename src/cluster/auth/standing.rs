//! What is left of a login, as far as it can be told without asking the server.

use super::grant::Grant;
use super::jwt::expires_at;
use super::profile::Profile;
use super::refresh::with_causes;
use super::token_store::TokenStore;
use crate::clock::Timestamp;

/// How a stored login stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its access token is good; until when, where it says so.
    Valid(Option<Timestamp>),
    /// Its access token ended then, and the next request renews it.
    Renewable(Timestamp),
    /// Its access token ended then, and nothing can renew it.
    Expired(Timestamp),
    /// The server refused to renew it then.
    Ended(Timestamp),
    /// Nothing was bought yet with the platform's credential; the first request does.
    Issued,
    /// There is none.
    None,
    /// What is stored cannot be read.
    Unreadable(String),
}

impl Standing {
    /// How the stored login of a profile stands at a moment.
    pub fn of(profile: &Profile, store: &TokenStore, now: Timestamp) -> Self {
        match store.read(&profile.olares_id) {
            Ok(Some(grant)) => Self::of_grant(&grant, profile.managed.is_some(), now),
            Ok(None) if profile.managed.is_some() => Self::Issued,
            Ok(None) => Self::None,
            Err(error) => Self::Unreadable(with_causes(&error)),
        }
    }

    fn of_grant(grant: &Grant, managed: bool, now: Timestamp) -> Self {
        if let Some(at) = grant.invalidated_at {
            return Self::Ended(at);
        }
        if managed && (!grant.is_managed() || grant.access.expose().is_empty()) {
            return Self::Issued;
        }
        match expires_at(grant.access.expose()) {
            Err(error) => Self::Unreadable(error.to_string()),
            Ok(Some(end)) if end <= now && (managed || grant.refresh.is_some()) => Self::Renewable(end),
            Ok(Some(end)) if end <= now => Self::Expired(end),
            Ok(end) => Self::Valid(end),
        }
    }

    /// One word for programs: `valid`, `renewable`, `expired`, `ended`, `issued`, `none`, `unreadable`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Valid(_) => "valid",
            Self::Renewable(_) => "renewable",
            Self::Expired(_) => "expired",
            Self::Ended(_) => "ended",
            Self::Issued => "issued",
            Self::None => "none",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// The moment it speaks of: the end of the access token, or of the login.
    pub fn moment(&self) -> Option<Timestamp> {
        match self {
            Self::Valid(end) => *end,
            Self::Renewable(end) | Self::Expired(end) | Self::Ended(end) => Some(*end),
            Self::Issued | Self::None | Self::Unreadable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a stamp")
    }

    fn standing(stored: &serde_json::Value, managed: bool) -> Standing {
        let id = "mira@olares.com".parse().expect("an identity");
        let grant = Grant::decode(&id, stored.to_string().as_bytes()).expect("a grant");
        Standing::of_grant(&grant, managed, at("2026-01-02T03:00:00Z"))
    }

    fn token(end: &str) -> String {
        format!("h.{}.s", URL_SAFE_NO_PAD.encode(json!({"exp": at(end).timestamp()}).to_string()))
    }

    #[test]
    fn a_login_lasts_as_long_as_its_token_or_what_renews_it() {
        let (good, old) = (token("2026-01-02T04:00:00Z"), token("2026-01-02T02:00:00Z"));
        assert_eq!(standing(&json!({"accessToken": good}), false), Standing::Valid(Some(at("2026-01-02T04:00:00Z"))));
        assert_eq!(standing(&json!({"accessToken": "h.e30.s"}), false), Standing::Valid(None));
        let ended = at("2026-01-02T02:00:00Z");
        assert_eq!(standing(&json!({"accessToken": old}), false), Standing::Expired(ended));
        assert_eq!(standing(&json!({"accessToken": old, "refreshToken": "r"}), false), Standing::Renewable(ended));
        let refused = json!({"accessToken": good, "refreshToken": "r", "invalidatedAt": ended.timestamp_millis()});
        assert_eq!(standing(&refused, false), Standing::Ended(ended));
        assert_eq!(standing(&json!({"accessToken": "opaque"}), false).word(), "unreadable");
    }

    #[test]
    fn the_platforms_login_needs_no_refresh_token_of_its_own() {
        let old = token("2026-01-02T02:00:00Z");
        assert_eq!(standing(&json!({"accessToken": old, "managed": true}), true).word(), "renewable");
        assert_eq!(standing(&json!({"accessToken": "", "managed": true}), true), Standing::Issued);
        assert_eq!(standing(&json!({"accessToken": old, "refreshToken": "r"}), true), Standing::Issued);
    }
}
