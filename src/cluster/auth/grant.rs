//! What the server granted at login, and the JSON in which it is stored.

use chrono::DateTime;
use serde_json::{Map, Value};

use super::envelope::Tokens;
use super::olares_id::OlaresId;
use crate::clock::Timestamp;
use crate::secret::{Redactor, Secret};

/// The key that tells a grant of the platform from a person's.
const MANAGED: &str = "managed";

/// What the server granted to one identity at login, as it is stored.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Whose it is.
    pub olares_id: OlaresId,
    /// The token of every request.
    pub access: Secret,
    /// The token that buys a new access token; for managed grants the platform keeps it to itself.
    pub refresh: Option<Secret>,
    /// The server's name for the session.
    pub session: Option<Secret>,
    /// When it was granted.
    pub granted_at: Option<Timestamp>,
    /// When the server refused to refresh it; from then on only a new login helps.
    pub invalidated_at: Option<Timestamp>,
    /// What else is stored with it, kept as it was.
    pub rest: Map<String, Value>,
}

impl Grant {
    /// Whether the platform issued it to an application, rather than a person having logged in.
    pub fn is_managed(&self) -> bool {
        self.rest.get(MANAGED) == Some(&Value::Bool(true))
    }

    /// What an answer of the auth host grants; what it leaves out stays as it was before. None without an access token.
    pub(super) fn granted(id: &OlaresId, tokens: Tokens, before: Option<&Self>, at: Timestamp) -> Option<Self> {
        let given = |token: Option<String>| token.filter(|token| !token.is_empty()).map(Secret::from);
        Some(Self {
            olares_id: id.clone(),
            access: given(tokens.access_token)?,
            refresh: given(tokens.refresh_token).or_else(|| before?.refresh.clone()),
            session: given(tokens.session_id).or_else(|| before?.session.clone()),
            granted_at: Some(at),
            invalidated_at: None,
            rest: before.map(|before| before.rest.clone()).unwrap_or_default(),
        })
    }

    /// A grant of the platform from which nothing was bought yet.
    pub(super) fn managed(id: &OlaresId) -> Self {
        let rest = [(MANAGED.to_owned(), Value::Bool(true))].into_iter().collect();
        let access = Secret::new("");
        let (granted_at, invalidated_at) = (None, None);
        Self { olares_id: id.clone(), access, refresh: None, session: None, granted_at, invalidated_at, rest }
    }

    /// Hides its tokens from now on.
    pub(super) fn register(&self, redactor: &Redactor) {
        let secrets = [Some(&self.access), self.refresh.as_ref(), self.session.as_ref()];
        secrets.into_iter().flatten().for_each(|secret| redactor.register(secret.expose()));
    }

    /// Whether both hold the same tokens, whatever is noted beside them.
    pub(super) fn same_tokens(&self, other: &Self) -> bool {
        let refresh = |grant: &Self| grant.refresh.as_ref().map(|token| token.expose().to_owned());
        self.access.expose() == other.access.expose() && refresh(self) == refresh(other)
    }

    /// Reads the stored JSON; the error says what is amiss, without showing anything.
    pub(super) fn decode(id: &OlaresId, text: &[u8]) -> Result<Self, &'static str> {
        let mut rest: Map<String, Value> = serde_json::from_slice(text).map_err(|_| "it is not a JSON object")?;
        match rest.shift_remove("olaresId") {
            None => {}
            Some(Value::String(owner)) if owner.is_empty() || owner == id.as_str() => {}
            Some(_) => return Err("it belongs to another identity"),
        }
        // olares-cli leaves one without tokens where a grant of the platform was refused.
        let blank = (rest.get(MANAGED) == Some(&Value::Bool(true))).then(|| Secret::new(""));
        Ok(Self {
            olares_id: id.clone(),
            access: take_text(&mut rest, "accessToken")?.or(blank).ok_or("it has no access token")?,
            refresh: take_text(&mut rest, "refreshToken")?,
            session: take_text(&mut rest, "sessionId")?,
            granted_at: take_time(&mut rest, "grantedAt")?,
            invalidated_at: take_time(&mut rest, "invalidatedAt")?,
            rest,
        })
    }

    /// The JSON in which it is stored.
    pub(super) fn encode(&self) -> String {
        let mut fields = Map::new();
        let text = |secret: &Secret| Value::from(secret.expose());
        let time = |moment: &Timestamp| Value::from(moment.timestamp_millis());
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value);
            }
        };
        put("olaresId", Some(Value::from(self.olares_id.as_str())));
        put("accessToken", Some(text(&self.access)));
        put("refreshToken", self.refresh.as_ref().map(text));
        put("sessionId", self.session.as_ref().map(text));
        put("grantedAt", self.granted_at.as_ref().map(time));
        put("invalidatedAt", self.invalidated_at.as_ref().map(time));
        fields.extend(self.rest.clone());
        Value::Object(fields).to_string()
    }
}

fn take_text(fields: &mut Map<String, Value>, key: &str) -> Result<Option<Secret>, &'static str> {
    match fields.shift_remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(Secret::new(text))),
        Some(_) => Err("a token in it is not a text"),
    }
}

fn take_time(fields: &mut Map<String, Value>, key: &str) -> Result<Option<Timestamp>, &'static str> {
    match fields.shift_remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(0) => Ok(None),
            Some(millis) => DateTime::from_timestamp_millis(millis).map(Some).ok_or("a time in it is out of range"),
            None => Err("a time in it is not a number of milliseconds"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> OlaresId {
        "mira@olares.com".parse().expect("a valid identity")
    }

    #[test]
    fn the_stored_json_has_the_keys_of_olares_cli_and_keeps_unknown_ones() {
        let text = r#"{"olaresId":"mira@olares.com","accessToken":"at","refreshToken":"rt","sessionId":"s",
            "grantedAt":1780399999123,"managed":true,"new":{"x":[1]}}"#;
        let grant = Grant::decode(&id(), text.as_bytes()).expect("a grant");
        assert!(grant.is_managed() && grant.invalidated_at.is_none());
        let stored: Value = serde_json::from_str(&grant.encode()).expect("JSON");
        assert_eq!(stored, serde_json::from_str::<Value>(text).expect("JSON"));
    }

    #[test]
    fn zero_and_empty_mean_absent() {
        let text = br#"{"accessToken":"at","refreshToken":"","grantedAt":0,"invalidatedAt":0}"#;
        let grant = Grant::decode(&id(), text).expect("a grant");
        assert!(grant.refresh.is_none() && grant.granted_at.is_none() && grant.invalidated_at.is_none());
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        let refused = |text: &str| Grant::decode(&id(), text.as_bytes()).expect_err("refused");
        assert_eq!(refused("nonsense"), "it is not a JSON object");
        assert_eq!(refused("{}"), "it has no access token");
        assert_eq!(refused(r#"{"olaresId":"eve@x","accessToken":"a"}"#), "it belongs to another identity");
        assert_eq!(refused(r#"{"accessToken":7}"#), "a token in it is not a text");
        assert_eq!(refused(r#"{"accessToken":"a","grantedAt":"x"}"#), "a time in it is not a number of milliseconds");
    }
}
