//! What an undo or a resume needs and nobody may see: bodies, before-images, values.

use std::ops::Range;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::append::Appender;
use super::chain::{first_line, hash};
use super::cipher::{Cipher, Closed};
use super::entry::{Remembered, Sealed};
use super::error::Error;
use super::files;
use super::places::{Places, VAULT};
use super::read::Intended;
use crate::event::{Intent, Record, RunId};

/// The version of the vault's lines.
const VERSION: u32 = 1;
/// The word for an intent.
const INTENT: &str = "intent";
/// The word for a remembered value.
const RECORD: &str = "record";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Head {
    vault_version: u32,
    run: RunId,
}

/// One sealed record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    n: u64,
    what: String,
    nonce: String,
    sealed: String,
}

/// The writing end of a vault.
pub(super) struct VaultWriter {
    appender: Appender,
    cipher: Cipher,
    path: PathBuf,
    last: u64,
}

impl VaultWriter {
    /// A new vault in a run's folder, with a key of its own.
    pub(super) fn create(folder: &Path, run: &RunId, cipher: Cipher) -> Result<Self, Error> {
        let path = folder.join(VAULT);
        let head = Head {
            vault_version: VERSION,
            run: run.clone(),
        };
        let mut appender = Appender::after(files::new_file(&path)?, &path, 0)?;
        appender.line(&line_of(&head, &path)?)?;
        appender.sync()?;
        Ok(Self {
            appender,
            cipher,
            path,
            last: 0,
        })
    }

    /// Goes on with a vault; half a line at its end is cut off.
    pub(super) fn reopen(folder: &Path, cipher: Cipher) -> Result<Self, Error> {
        let path = folder.join(VAULT);
        let lines = Lines::of(&path)?;
        let appender = Appender::after(files::old_file(&path)?, &path, lines.whole())?;
        Ok(Self {
            appender,
            cipher,
            last: lines.last(),
            path,
        })
    }

    /// The number of the last record; 0 where there is none.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Seals an intent.
    pub(super) fn intent(&mut self, intent: &Intent) -> Result<Sealed, Error> {
        self.put(INTENT, intent)
    }

    /// Seals a value that a resume must find.
    pub(super) fn record(&mut self, record: &Record) -> Result<Sealed, Error> {
        self.put(RECORD, record)
    }

    /// Puts all records on stable storage.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        self.appender.sync()
    }

    fn put(&mut self, what: &str, value: &impl Serialize) -> Result<Sealed, Error> {
        let number = self.last + 1;
        let plain = serde_json::to_vec(value).map_err(unwritable(&self.path))?;
        let closed = self.cipher.seal(number, what, plain)?;
        let line = line_of(
            &Entry {
                n: number,
                what: what.to_owned(),
                nonce: STANDARD.encode(closed.nonce),
                sealed: STANDARD.encode(closed.sealed),
            },
            &self.path,
        )?;
        self.appender.line(&line)?;
        self.last = number;
        Ok(Sealed {
            number,
            seal: seal(line.strip_suffix(b"\n").unwrap_or(&line)),
        })
    }

    #[cfg(test)]
    pub(super) fn on(&mut self, medium: Box<dyn super::append::Medium>) {
        self.appender = Appender::on(medium, &self.path, 0);
    }
}

fn line_of(value: &impl Serialize, path: &Path) -> Result<Vec<u8>, Error> {
    let mut line = serde_json::to_vec(value).map_err(unwritable(path))?;
    line.push(b'\n');
    Ok(line)
}

fn unwritable(path: &Path) -> impl FnOnce(serde_json::Error) -> Error {
    |why| Error::disk(path, "write")(why.into())
}

/// The fingerprint of a sealed line, without its newline.
fn seal(line: &[u8]) -> String {
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
        check_head(
            path,
            places.first().and_then(|place| bytes.get(place.clone())),
        )?;
        Ok(Self {
            path: path.to_path_buf(),
            bytes,
            places,
            whole,
        })
    }

    /// The number of the last record.
    pub(super) fn last(&self) -> u64 {
        self.places.len().saturating_sub(1) as u64
    }

    /// Why a record is not the one that the journal names; nothing when it is.
    pub(super) fn flaw(&self, named: &Sealed) -> Option<Error> {
        self.find(named).err()
    }

    fn whole(&self) -> u64 {
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
        let line =
            usize::try_from(named.number).map_or(usize::MAX, |number| number.saturating_add(1));
        Error::damaged(&self.path, line, why)
    }
}

fn check_head(path: &Path, line: Option<&[u8]>) -> Result<(), Error> {
    let head: serde_json::Value = line
        .and_then(|line| serde_json::from_slice(line).ok())
        .ok_or_else(|| Error::damaged(path, 1, "it does not begin as a vault"))?;
    match head
        .get("vault-version")
        .and_then(serde_json::Value::as_u64)
    {
        Some(version) if version > u64::from(VERSION) => Err(Error::Newer {
            path: path.to_path_buf(),
            version,
            known: VERSION,
        }),
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
        formatter
            .debug_struct("Vault")
            .field("path", &self.lines.path)
            .finish_non_exhaustive()
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
            return Err(Error::NoRun {
                run: run.clone(),
                folder: places.runs(),
            });
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
            .ok_or_else(|| {
                self.lines
                    .damaged(named, "the key of the run does not open the record")
            })?;
        serde_json::from_slice(&plain).map_err(|why| {
            self.lines
                .damaged(named, &format!("this runhub cannot read the record: {why}"))
        })
    }
}

fn closed(entry: &Entry) -> Option<Closed> {
    Some(Closed {
        nonce: STANDARD.decode(&entry.nonce).ok()?.try_into().ok()?,
        sealed: STANDARD.decode(&entry.sealed).ok()?,
    })
}
