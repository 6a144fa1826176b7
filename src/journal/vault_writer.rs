//! The writing end of a vault.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::append::Appender;
use super::cipher::Cipher;
use super::entry::Sealed;
use super::error::Error;
use super::files;
use super::places::VAULT;
use super::vault::{Entry, Head, INTENT, Lines, RECORD, VERSION, seal};
use crate::event::{Intent, Record, RunId};

/// Seals records and adds them to a vault's file.
pub(super) struct VaultWriter {
    appender: Appender,
    cipher: Cipher,
    path: PathBuf,
    last: u64,
}

impl VaultWriter {
    /// A new vault in a run's folder, with a key of its own; synced with its first record at the latest.
    pub(super) fn create(folder: &Path, run: &RunId, cipher: Cipher) -> Result<Self, Error> {
        let path = folder.join(VAULT);
        let head = Head { vault_version: VERSION, run: run.clone() };
        let mut appender = Appender::after(files::new_file(&path)?, &path, 0)?;
        appender.line(&line_of(&head, &path)?)?;
        Ok(Self { appender, cipher, path, last: 0 })
    }

    /// Goes on with a vault; half a line at its end is cut off.
    pub(super) fn reopen(folder: &Path, cipher: Cipher) -> Result<Self, Error> {
        let path = folder.join(VAULT);
        let lines = Lines::of(&path)?;
        let appender = Appender::after(files::old_file(&path)?, &path, lines.whole())?;
        Ok(Self { appender, cipher, last: lines.last(), path })
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

    /// A keyed fingerprint of some bytes, in hex.
    pub(super) fn fingerprint(&self, bytes: &[u8]) -> String {
        self.cipher.fingerprint(bytes)
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
        Ok(Sealed { number, seal: seal(line.strip_suffix(b"\n").unwrap_or(&line)) })
    }

    /// Writes elsewhere from now on.
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
