//! Typed looks into one entry of a kubeconfig.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::error::KubeconfigError;

/// The fields of one entry, with the file that they are from.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// For people: `user "admin"`.
    entry: String,
    file: PathBuf,
    values: Map<String, Value>,
}

impl Fields {
    pub(super) fn new(entry: String, file: &Path, values: Map<String, Value>) -> Self {
        Self { entry, file: file.to_path_buf(), values }
    }

    /// A complaint about this entry.
    pub(super) fn error(&self, what: impl Into<String>) -> KubeconfigError {
        KubeconfigError::Entry { entry: self.entry.clone(), path: self.file.clone(), what: what.into() }
    }

    /// A value that is there; `null` counts as absent, as in kubectl.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// The names of all fields.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A text that is there and not empty.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, KubeconfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.error(format!("{key} is not a text"))),
        }
    }

    /// A flag; absent is `false`.
    pub(super) fn flag(&self, key: &str) -> Result<bool, KubeconfigError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.error(format!("{key} is neither true nor false"))),
        }
    }

    /// A list of texts; absent is empty.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, KubeconfigError> {
        let refuse = || self.error(format!("{key} is not a list of texts"));
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(refuse)).collect()
            }
            Some(_) => Err(refuse()),
        }
    }

    /// The fields below a key.
    pub(super) fn below(&self, key: &str) -> Result<Option<Self>, KubeconfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self { values: fields.clone(), ..self.clone() })),
            Some(_) => Err(self.error(format!("{key} is not a map"))),
        }
    }

    /// A path, relative to the file that names it.
    pub(super) fn path(&self, key: &str) -> Result<Option<PathBuf>, KubeconfigError> {
        Ok(self.text(key)?.map(|path| self.resolve(path)))
    }

    /// What `path` means in this file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The bytes in `<key>-data`, or else in the file that `<key>` names.
    pub(super) fn data_or_file(&self, key: &str) -> Result<Option<Vec<u8>>, KubeconfigError> {
        let data = format!("{key}-data");
        if let Some(text) = self.text(&data)? {
            let packed: String = text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
            let bytes = STANDARD.decode(packed).map_err(|_| self.error(format!("{data} is not base64")))?;
            return Ok(Some(bytes));
        }
        let Some(file) = self.path(key)? else {
            return Ok(None);
        };
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(source) => Err(KubeconfigError::File { entry: self.entry.clone(), file, source }),
        }
    }
}
