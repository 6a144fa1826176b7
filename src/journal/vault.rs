//! What an undo or a resume needs and nobody may see: bodies, before-images, values.

use std::ops::Range;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::chain::{first_line, hash};
use super::cipher::{Cipher, Closed};
use super::entry::{Remembered, Sealed};
use super::error::Error;
use super::files;
use super::places::{Places, VAULT};
use super::read::Intended;
use crate::event::{Intent, Record, RunId};

/// The version of the vault's lines.
pub(super) const VERSION: u32 = 1;
/// The word for an intent.
pub(super) const INTENT: &str = "intent";
/// The word for a remembered value.
pub(super) const RECORD: &str = "record";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Head {
    pub(super) vault_version: u32,
    pub(super) run: RunId,
}

/// One sealed record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) n: u64,
    pub(super) what: String,
    /// In base64.
    pub(super) nonce: String,
    /// In base64.
    pub(super) sealed: String,
}

/// The fingerprint of a sealed line, without its newline.
pub(super) fn seal(line: &[u8]) -> String {
    hash(line)
}

/// The lines of a vault's file, still sealed.
pub(super) struct Lines {
    path: PathBuf,
    bytes: Vec<u8>,
    /// The head, then the records by their numbers.
    places: Vec<Range<usize>>,
    whole: usize,
}

impl Lines {
    /// Reads a vault's file; half a line at its end is left out.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        let bytes = files::content(path)?;
        let (mut places, mut whole) = (Vec::new(), 0);
        while let Some((line, _)) = bytes.get(whole..).and_then(first_line) {
            places.push(whole..whole + line.len());
            whole += line.len() + 1;
        }
        check_head(path, places.first().and_then(|place| bytes.get(place.clone())))?;
        Ok(Self { path: path.to_path_buf(), bytes, places, whole })
    }

    /// The number of the last record.
    pub(super) fn last(&self) -> u64 {
        self.places.len().saturating_sub(1) as u64
    }

    /// Why a record is not the one that the journal names; nothing when it is.
    pub(super) fn flaw(&self, named: &Sealed) -> Option<Error> {
        self.find(named).err()
    }

    /// The bytes of the whole lines.
    pub(super) fn whole(&self) -> u64 {
        self.whole as u64
    }

    fn find(&self, named: &Sealed) -> Result<&[u8], Error> {
        let line = usize::try_from(named.number)
            .ok()
            .filter(|number| *number > 0)
            .and_then(|number| self.places.get(number))
            .and_then(|place| self.bytes.get(place.clone()))
            .ok_or_else(|| self.damaged(named, "the record is missing"))?;
        if seal(line) == named.seal {
            Ok(line)
        } else {
            Err(self.damaged(named, "the record is not the one that the journal names"))
        }
    }

    /// The head is line 1, so record `n` is line `n + 1`.
    fn damaged(&self, named: &Sealed, why: &str) -> Error {
        let line = usize::try_from(named.number).map_or(usize::MAX, |number| number.saturating_add(1));
        Error::damaged(&self.path, line, why)
    }
}

fn check_head(path: &Path, line: Option<&[u8]>) -> Result<(), Error> {
    let head: serde_json::Value = line
        .and_then(|line| serde_json::from_slice(line).ok())
        .ok_or_else(|| Error::damaged(path, 1, "it does not begin as a vault"))?;
    match head.get("vault-version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => {
            Err(Error::Newer { path: path.to_path_buf(), version, known: VERSION })
        }
        Some(_) => Ok(()),
        None => Err(Error::damaged(path, 1, "it does not begin as a vault")),
    }
}

/// The opened vault of one run: what was written, whole.
pub struct Vault {
    lines: Lines,
    cipher: Cipher,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Vault").field("path", &self.lines.path).finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens the vault of a run with the run's key.
    ///
    /// # Errors
    /// [`Error::Forgotten`] when the key is gone; else when the vault cannot be read.
    pub fn open(places: &Places, run: &RunId) -> Result<Self, Error> {
        let folder = places.run(run)?;
        if !folder.is_dir() {
            return Err(Error::NoRun { run: run.clone(), folder: places.runs() });
        }
        let cipher = Cipher::open(places, run)?;
        let lines = Lines::of(&folder.join(VAULT))?;
        Ok(Self { lines, cipher })
    }

    /// The intent as it was meant: body, before-image and values whole.
    ///
    /// # Errors
    /// When the record is missing or was altered.
    pub fn intent(&self, intended: &Intended) -> Result<Intent, Error> {
        self.unsealed(INTENT, &intended.vault)
    }

    /// The value as it was kept.
    ///
    /// # Errors
    /// When the record is missing or was altered.
    pub fn record(&self, remembered: &Remembered) -> Result<Record, Error> {
        self.unsealed(RECORD, &remembered.vault)
    }

    fn unsealed<T: DeserializeOwned>(&self, what: &str, named: &Sealed) -> Result<T, Error> {
        let line = self.lines.find(named)?;
        let plain = serde_json::from_slice::<Entry>(line)
            .ok()
            .filter(|entry| entry.what == what)
            .and_then(|entry| closed(&entry))
            .and_then(|closed| self.cipher.unseal(named.number, what, closed))
            .ok_or_else(|| self.lines.damaged(named, "the key of the run does not open the record"))?;
        serde_json::from_slice(&plain)
            .map_err(|why| self.lines.damaged(named, &format!("this runhub cannot read the record: {why}")))
    }
}

fn closed(entry: &Entry) -> Option<Closed> {
    Some(Closed {
        nonce: STANDARD.decode(&entry.nonce).ok()?.try_into().ok()?,
        sealed: STANDARD.decode(&entry.sealed).ok()?,
    })
}
