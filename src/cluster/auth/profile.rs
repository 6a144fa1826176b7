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
    /// Where its `ControlHub` is, if not where the identity says: for development.
    ///
    /// A key of our own, `controlHubUrlOverride`; olares-cli drops it when it writes the file.
    pub control_hub_override: Option<String>,
    /// The application to which the platform issued its credential, if it did.
    pub managed: Option<String>,
}

/// How an instance is reached, as a login says it; what is left out stays as it was, an empty text takes it back.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// An alias for the profile.
    pub alias: Option<String>,
    /// Where the auth host is.
    pub auth_url: Option<String>,
    /// Where `ControlHub` is.
    pub control_hub_url: Option<String>,
    /// What stands between a service and the name in host names.
    pub local_url_prefix: Option<String>,
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
    /// Its `controlHubUrlOverride` is not an address.
    #[error("controlHubUrlOverride: {0}")]
    ControlHubUrl(AuthUrlError),
    /// Its `localUrlPrefix` would lead to another host.
    #[error("localUrlPrefix `{0}` is not part of a host name")]
    Prefix(String),
}

impl Profile {
    /// The profile of an identity with nothing special.
    pub fn of(olares_id: OlaresId) -> Result<Self, ProfileError> {
        let fields = [("olaresId".to_owned(), Value::from(olares_id.as_str()))];
        Self::decode(&Value::Object(fields.into_iter().collect()))
    }

    /// The same profile, reached as told.
    pub fn reached(&self, reach: &Reach) -> Result<Self, ProfileError> {
        let mut fields = Map::new();
        self.encode_into(&mut fields);
        let told = [
            ("name", &reach.alias),
            ("authUrlOverride", &reach.auth_url),
            (CONTROL_HUB, &reach.control_hub_url),
            ("localUrlPrefix", &reach.local_url_prefix),
        ];
        for (key, value) in told.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))) {
            set(&mut fields, key, Some(Value::from(value)));
        }
        Self::decode(&Value::Object(fields))
            .map(|profile| Self { insecure: profile.insecure || reach.insecure, ..profile })
    }

    /// The alias, or else the identity.
    pub fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(self.olares_id.as_str())
    }

    /// The base of all `ControlHub` requests.
    pub fn control_hub_url(&self) -> String {
        if let Some(url) = &self.control_hub_override {
            return url.clone();
        }
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
        let control_hub = text(fields, CONTROL_HUB)?.map(str::parse::<AuthUrl>).transpose();
        Ok(Self {
            alias: text(fields, "name")?.map(str::to_owned),
            auth_url: auth_url.parse().map_err(ProfileError::AuthUrl)?,
            insecure: flag(fields, "insecureSkipVerify")?,
            control_hub_override: control_hub.map_err(ProfileError::ControlHubUrl)?.map(|url| url.to_string()),
            managed: managed(fields)?,
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
        set(fields, CONTROL_HUB, self.control_hub_override.clone().map(Value::from));
        set(fields, MANAGED, self.managed.is_some().then_some(Value::Bool(true)));
        set(fields, APP, self.managed.clone().map(Value::from));
    }
}

const CONTROL_HUB: &str = "controlHubUrlOverride";

/// The keys by which olares-cli marks a profile of the platform (wire §2.2; their spelling follows from its code).
const MANAGED: &str = "managed";
const APP: &str = "appName";

fn managed(fields: &Map<String, Value>) -> Result<Option<String>, ProfileError> {
    let app = text(fields, APP)?.unwrap_or("an application").to_owned();
    Ok((fields.get(MANAGED) == Some(&Value::Bool(true))).then_some(app))
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
    fn a_login_may_say_how_the_instance_is_reached() {
        let plain = Profile::of("mira@example.com".parse().expect("an identity")).expect("a profile");
        let local_url_prefix = Some("dev.".to_owned());
        let moved = plain.reached(&Reach { local_url_prefix, ..Reach::default() }).expect("a profile");
        assert_eq!(moved.auth_url.to_string(), "https://auth.dev.mira.example.com");
        let reach = Reach {
            control_hub_url: Some("http://127.0.0.1:9/".into()),
            alias: Some("sim".into()),
            ..Reach::default()
        };
        let here = moved.reached(&reach).expect("a profile");
        assert_eq!((here.name(), here.control_hub_url().as_str()), ("sim", "http://127.0.0.1:9"));
        assert_eq!(here.local_url_prefix, "dev.", "what is not said stays");
        let back =
            here.reached(&Reach { control_hub_url: Some(String::new()), ..Reach::default() }).expect("a profile");
        assert_eq!(back.control_hub_url(), "https://control-hub.dev.mira.example.com");
        let wrong = plain.reached(&Reach { control_hub_url: Some("nowhere".into()), ..Reach::default() });
        assert!(wrong.expect_err("refused").to_string().starts_with("controlHubUrlOverride: `nowhere`"));
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
