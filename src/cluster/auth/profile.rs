//! The profiles of olares-cli: who can log in where.

use serde_json::{Map, Value};

use super::auth_url::{AuthUrl, AuthUrlError};
use super::olares_id::{OlaresId, OlaresIdError, Service, is_host_part};

/// One entry of `config.json`, as far as we need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its alias, if it has one.
    pub alias: Option<String>,
    /// Whose it is.
    pub olares_id: OlaresId,
    /// Where its login is renewed.
    pub auth_url: AuthUrl,
    /// What stands between a service and the name in host names; mostly nothing.
    pub local_url_prefix: String,
    /// TLS certificates are not verified.
    pub insecure: bool,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It is not an object, or a field has the wrong type.
    #[error("{0}")]
    Shape(&'static str),
    /// Its `olaresId` is not one.
    #[error(transparent)]
    Id(#[from] OlaresIdError),
    /// Its `authUrlOverride` is not an address.
    #[error("authUrlOverride: {0}")]
    AuthUrl(AuthUrlError),
    /// Its `localUrlPrefix` would lead to another host.
    #[error("localUrlPrefix `{0}` is not part of a host name")]
    Prefix(String),
}

impl Profile {
    /// The alias, or else the identity.
    pub fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(self.olares_id.as_str())
    }

    /// The base of all `ControlHub` requests.
    pub fn control_hub_url(&self) -> String {
        self.olares_id.service_url(Service::ControlHub, &self.local_url_prefix)
    }

    /// Reads an entry of `profiles`; keys it does not know are left to others.
    pub(super) fn decode(entry: &Value) -> Result<Self, ProfileError> {
        let fields = entry.as_object().ok_or(ProfileError::Shape("it is not an object"))?;
        let olares_id: OlaresId = text(fields, "olaresId")?.unwrap_or_default().parse()?;
        let local_url_prefix = text(fields, "localUrlPrefix")?.unwrap_or_default().to_owned();
        if !local_url_prefix.is_empty() && !is_host_part(&local_url_prefix) {
            return Err(ProfileError::Prefix(local_url_prefix));
        }
        let derived = olares_id.service_url(Service::Auth, &local_url_prefix);
        let auth_url = text(fields, "authUrlOverride")?.unwrap_or(&derived);
        Ok(Self {
            alias: text(fields, "name")?.map(str::to_owned),
            auth_url: auth_url.parse().map_err(ProfileError::AuthUrl)?,
            insecure: flag(fields, "insecureSkipVerify")?,
            olares_id,
            local_url_prefix,
        })
    }

    /// Writes what it knows into an entry, and leaves the other keys alone.
    pub(super) fn encode_into(&self, fields: &mut Map<String, Value>) {
        let derived = self.olares_id.service_url(Service::Auth, &self.local_url_prefix);
        let auth_url = self.auth_url.to_string();
        set(fields, "name", self.alias.clone().map(Value::from));
        set(fields, "olaresId", Some(Value::from(self.olares_id.as_str())));
        set(fields, "authUrlOverride", (auth_url != derived).then(|| Value::from(auth_url)));
        let prefix = Some(self.local_url_prefix.clone()).filter(|prefix| !prefix.is_empty());
        set(fields, "localUrlPrefix", prefix.map(Value::from));
        set(fields, "insecureSkipVerify", self.insecure.then_some(Value::Bool(true)));
    }
}

/// Puts a value at its key, in the old place; no value removes the key.
pub(super) fn set(fields: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            fields.insert(key.to_owned(), value);
        }
        None => {
            fields.shift_remove(key);
        }
    }
}

/// A text that is there and not empty.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, ProfileError> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(ProfileError::Shape("a name or address in it is not a text")),
    }
}

fn flag(fields: &Map<String, Value>, key: &str) -> Result<bool, ProfileError> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(ProfileError::Shape("insecureSkipVerify is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_follow_from_the_identity_unless_overridden() {
        let plain =
            Profile::decode(&json!({"olaresId": "mira@example.com", "localUrlPrefix": "dev."})).expect("a profile");
        assert_eq!(plain.auth_url.to_string(), "https://auth.dev.mira.example.com");
        assert_eq!(plain.control_hub_url(), "https://control-hub.dev.mira.example.com");
        assert_eq!((plain.name(), plain.insecure), ("mira@example.com", false));
        let other = json!({"olaresId": "mira", "name": "home", "authUrlOverride": "https://login.example/x/", "insecureSkipVerify": true});
        let other = Profile::decode(&other).expect("a profile");
        assert_eq!(other.auth_url.to_string(), "https://login.example/x");
        assert_eq!((other.name(), other.insecure), ("home", true));
    }

    #[test]
    fn a_bad_entry_says_which_part_is_bad() {
        let refused = |entry| Profile::decode(&entry).expect_err("refused").to_string();
        assert_eq!(refused(json!(7)), "it is not an object");
        assert_eq!(refused(json!({})), "olaresId is empty");
        assert!(
            refused(json!({"olaresId": "m", "localUrlPrefix": "evil.example/"})).starts_with("localUrlPrefix `evil")
        );
        assert!(
            refused(json!({"olaresId": "m", "authUrlOverride": "nowhere"})).starts_with("authUrlOverride: `nowhere`")
        );
    }

    #[test]
    fn writing_keeps_what_it_does_not_know() {
        let entry = json!({"future": [1], "olaresId": "mira", "name": "old", "ownerRole": "admin"});
        let mut profile = Profile::decode(&entry).expect("a profile");
        profile.alias = Some("new".into());
        let mut fields = entry.as_object().cloned().expect("an object");
        profile.encode_into(&mut fields);
        let text = Value::Object(fields).to_string();
        assert_eq!(text, r#"{"future":[1],"olaresId":"mira","name":"new","ownerRole":"admin"}"#);
    }
}
