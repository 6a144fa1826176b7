//! `config.json` of olares-cli: its profiles, and which one is active.
//!
//! The document is kept as it was read, and written back with only the changed
//! keys changed: olares-cli and its later versions own the rest.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::managed::ManagedCredential;
use super::olares_id::OlaresId;
use super::places::Places;
use super::private_file::{self, FileLock};
use super::profile::{Profile, ProfileError, set, text};
use crate::source::nearest;

const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no profile to run with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither a home nor an override is known.
    #[error("the config directory of olares-cli is unknown: set HOME or OLARES_CLI_HOME")]
    NoPlace,
    /// There is no entry at all.
    #[error("no Olares profile is configured in {}: run `runhub login <name>@<domain>`", .0.display())]
    NoProfile(PathBuf),
    /// No entry has that name.
    #[error("there is no profile `{name}` in {}{}", path.display(), hint(known, suggestion.as_deref()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where.
        path: PathBuf,
        /// What is there.
        known: Vec<String>,
        /// What may have been meant.
        suggestion: Option<String>,
    },
    /// The file cannot be read or written, or its lock not be had.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// `read`, `lock` or `write`.
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not JSON.
    #[error("{} is not JSON", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// Where it goes wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The JSON is not that of profiles.
    #[error("{}: {what}", path.display())]
    Shape {
        /// Which.
        path: PathBuf,
        /// What is amiss.
        what: &'static str,
    },
    /// The chosen entry cannot be used.
    #[error("{}: profile {number}", path.display())]
    Profile {
        /// Which file.
        path: PathBuf,
        /// Which entry, counted from 1.
        number: usize,
        /// Why.
        #[source]
        source: ProfileError,
    },
}

fn hint(known: &[String], suggestion: Option<&str>) -> String {
    match suggestion {
        Some(name) => format!("; did you mean `{name}`?"),
        None if known.is_empty() => "; it has none".to_owned(),
        None => format!("; it has: {}", known.join(", ")),
    }
}

/// The document, as it was read.
#[derive(Debug, Clone)]
pub struct Config {
    path: PathBuf,
    fields: Map<String, Value>,
}

impl Config {
    /// Reads the file; one that is not there is one without profiles.
    ///
    /// Where the platform mounts a credential its profile is there too, as olares-cli would write it.
    pub fn load(places: &Places) -> Result<Self, ConfigError> {
        let mut config = Self::read(places.config_dir().ok_or(ConfigError::NoPlace)?.join("config.json"))?;
        config.adopt(places)?;
        Ok(config)
    }

    fn adopt(&mut self, places: &Places) -> Result<(), ConfigError> {
        let Some(issued) = places.managed_credential().and_then(|path| ManagedCredential::read(&path)) else {
            return Ok(());
        };
        let known = self.of_identity(&issued.olares_id)?;
        // How the instance is reached stays as the user has it; only who vouches for the identity changes.
        let profile = match known {
            Some(profile) => profile,
            None => Profile::of(issued.olares_id).map_err(|source| self.bad_profile(0, source))?,
        };
        self.upsert(&Profile { managed: Some(issued.app), ..profile })
    }

    fn read(path: PathBuf) -> Result<Self, ConfigError> {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { path, fields: Map::new() });
            }
            Err(source) => {
                return Err(ConfigError::Io { verb: "read", path, source });
            }
        };
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self { path, fields }),
            Ok(_) => Err(ConfigError::Shape { path, what: "it is not an object" }),
            Err(source) => Err(ConfigError::Json { path, source }),
        }
    }

    /// Reads the file again under the lock of olares-cli, changes it, and puts it in place of the old one.
    pub async fn update<F>(places: &Places, change: F) -> Result<Self, ConfigError>
    where
        F: FnOnce(&mut Self) -> Result<(), ConfigError>,
    {
        let dir = places.config_dir().ok_or(ConfigError::NoPlace)?;
        let lock = dir.join("locks").join("config.lock");
        let _lock = FileLock::acquire(&lock, LOCK_PATIENCE).await.map_err(|source| ConfigError::Io {
            verb: "lock",
            path: lock.clone(),
            source,
        })?;
        let mut config = Self::read(dir.join("config.json"))?;
        config.adopt(places)?;
        change(&mut config)?;
        private_file::write(&config.path, format!("{:#}\n", Value::Object(config.fields.clone())).as_bytes())
            .map_err(|source| ConfigError::Io { verb: "write", path: config.path.clone(), source })?;
        Ok(config)
    }

    /// The file it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The profile with that alias or identity, or else the active one.
    pub fn profile(&self, name: Option<&str>) -> Result<Profile, ConfigError> {
        let entries = self.entries()?;
        let wanted = match name {
            Some(name) => Some(name),
            None => self.name_at("currentProfile")?,
        };
        let index = match wanted {
            Some(name) => self.index(name)?,
            None => 0,
        };
        let entry = entries.get(index).ok_or_else(|| ConfigError::NoProfile(self.path.clone()))?;
        Profile::decode(entry).map_err(|source| self.bad_profile(index, source))
    }

    /// The profile of an identity, if it has one.
    pub fn of_identity(&self, id: &OlaresId) -> Result<Option<Profile>, ConfigError> {
        let is_theirs = |entry: &Value| entry.get("olaresId").and_then(Value::as_str) == Some(id.as_str());
        let found = self.entries()?.iter().enumerate().find(|(_, entry)| is_theirs(entry));
        let decode = |(index, entry)| Profile::decode(entry).map_err(|source| self.bad_profile(index, source));
        found.map(decode).transpose()
    }

    /// Takes a profile out; where it was the active one, the former one or the first is active then.
    pub fn remove(&mut self, name: &str) -> Result<Profile, ConfigError> {
        let removed = self.profile(Some(name))?;
        let index = self.index(name)?;
        if let Some(Value::Array(entries)) = self.fields.get_mut("profiles") {
            entries.remove(index);
        }
        let names = |text: Option<&str>| text == Some(removed.name()) || text == Some(removed.olares_id.as_str());
        let was_active = names(self.name_at("currentProfile")?);
        if names(self.name_at("previousProfile")?) {
            set(&mut self.fields, "previousProfile", None);
        }
        if was_active {
            let former = self.name_at("previousProfile")?.filter(|name| self.index(name).is_ok());
            let next = former.map(str::to_owned).or_else(|| Some(self.profiles().ok()?.first()?.name().to_owned()));
            set(&mut self.fields, "previousProfile", None);
            set(&mut self.fields, "currentProfile", next.map(Value::from));
        }
        Ok(removed)
    }

    /// All profiles that can be read, in their order.
    pub fn profiles(&self) -> Result<Vec<Profile>, ConfigError> {
        Ok(self.entries()?.iter().filter_map(|entry| Profile::decode(entry).ok()).collect())
    }

    /// Makes a profile the active one and remembers the former; `-` goes back to that.
    pub fn activate(&mut self, name: &str) -> Result<(), ConfigError> {
        let wanted = match name {
            "-" => self.name_at("previousProfile")?.unwrap_or(name).to_owned(),
            name => name.to_owned(),
        };
        let target = self.profile(Some(&wanted))?;
        let former = self.profile(None).ok().map(|profile| profile.name().to_owned());
        if former.as_deref() != Some(target.name()) {
            set(&mut self.fields, "previousProfile", former.map(Value::from));
        }
        set(&mut self.fields, "currentProfile", Some(Value::from(target.name())));
        Ok(())
    }

    /// Adds a profile, or changes the one of the same identity in its place.
    pub fn upsert(&mut self, profile: &Profile) -> Result<(), ConfigError> {
        self.entries()?;
        let id = profile.olares_id.as_str();
        let entries = self.fields.entry("profiles").or_insert_with(|| Value::Array(Vec::new()));
        if entries.is_null() {
            *entries = Value::Array(Vec::new());
        }
        let Value::Array(entries) = entries else {
            return Ok(());
        };
        let found = entries.iter_mut().find(|entry| entry.get("olaresId").and_then(Value::as_str) == Some(id));
        if let Some(Value::Object(fields)) = found {
            profile.encode_into(fields);
        } else {
            let mut fields = Map::new();
            profile.encode_into(&mut fields);
            entries.push(Value::Object(fields));
        }
        Ok(())
    }

    fn bad_profile(&self, index: usize, source: ProfileError) -> ConfigError {
        ConfigError::Profile { path: self.path.clone(), number: index + 1, source }
    }

    fn entries(&self) -> Result<&[Value], ConfigError> {
        match self.fields.get("profiles") {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(entries)) => Ok(entries),
            Some(_) => Err(ConfigError::Shape { path: self.path.clone(), what: "`profiles` is not a list" }),
        }
    }

    fn name_at(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        let what = "`currentProfile` or `previousProfile` is not a text";
        text(&self.fields, key).map_err(|_| ConfigError::Shape { path: self.path.clone(), what })
    }

    /// Aliases go before identities, as in olares-cli.
    fn index(&self, name: &str) -> Result<usize, ConfigError> {
        let entries = self.entries()?;
        let at = |key: &'static str| {
            let same = move |entry: &Value| entry.get(key).and_then(Value::as_str) == Some(name);
            entries.iter().position(same)
        };
        at("name").or_else(|| at("olaresId")).ok_or_else(|| self.unknown(name, entries))
    }

    fn unknown(&self, name: &str, entries: &[Value]) -> ConfigError {
        let texts = |key: &'static str| entries.iter().filter_map(move |entry| entry.get(key)?.as_str());
        let all: Vec<&str> = texts("name").chain(texts("olaresId")).filter(|known| !known.is_empty()).collect();
        if all.is_empty() {
            return ConfigError::NoProfile(self.path.clone());
        }
        ConfigError::Unknown {
            name: name.to_owned(),
            path: self.path.clone(),
            suggestion: nearest(name, all.iter().copied()).map(str::to_owned),
            known: all.into_iter().map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
