//! The token store of olares-cli on Linux, and its fallback on macOS: one sealed file for each identity.
//!
//! A file is a 12-byte nonce and the AES-256-GCM text with its tag; the key
//! lies beside it in `master.key` (`master.key.file` on macOS, which olares-cli
//! prefers to the keychain where it is there). That hides tokens from a casual look and
//! from backups of single files, not from other processes of the same user.
//! The files are a few hundred bytes, so they are read and written in place,
//! without a thread of their own.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::grant::Grant;
use super::olares_id::OlaresId;
use super::places::Places;
use super::private_file;
use crate::clock::Timestamp;
use crate::secret::{Redactor, Secret};

const KEY_LEN: usize = 32;

/// Why the token store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file could not be read or written.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// `read`, `write` or `remove`.
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The key has not 32 bytes, or is missing while sealed files exist.
    #[error("{} is not a key of 32 bytes; log in again after removing the directory", .0.display())]
    Key(PathBuf),
    /// The file was sealed with another key, cut or changed.
    #[error("{} cannot be opened with the master key beside it; log in again", .0.display())]
    Sealed(PathBuf),
    /// The file opened, but does not hold a grant.
    #[error("{} does not hold a login ({what}); log in again", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is amiss.
        what: &'static str,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl StoreError {
    fn io(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { verb, path: path.to_path_buf(), source }
    }
}

/// The sealed grants under one directory; every grant it reads or writes is made known to the redactor.
#[derive(Debug, Clone)]
pub struct TokenStore {
    folder: PathBuf,
    key_name: &'static str,
    redactor: Redactor,
}

impl TokenStore {
    /// The store at its place, which need not exist yet.
    pub fn new(places: &Places, redactor: Redactor) -> Self {
        Self { folder: places.token_dir(), key_name: places.key_name(), redactor }
    }

    /// The grant of an identity; `None` where there is none.
    pub fn read(&self, id: &OlaresId) -> Result<Option<Grant>, StoreError> {
        let path = self.path(id);
        let Some(blob) = read_if_there(&path)? else {
            return Ok(None);
        };
        let key = self.key()?.ok_or_else(|| StoreError::Key(self.key_path()))?;
        let text = open(&key, &blob).ok_or_else(|| StoreError::Sealed(path.clone()))?;
        let grant = Grant::decode(id, &text).map_err(|what| StoreError::Content { path, what })?;
        grant.register(&self.redactor);
        Ok(Some(grant))
    }

    /// Puts a grant in the place of the one stored for its identity.
    pub fn write(&self, grant: &Grant) -> Result<(), StoreError> {
        grant.register(&self.redactor);
        let key = self.key_or_new()?;
        let blob = seal(&key, grant.encode().as_bytes())?;
        let path = self.path(&grant.olares_id);
        private_file::write(&path, &blob).map_err(StoreError::io("write", &path))
    }

    /// Hides a token that is not stored here from now on.
    pub(super) fn hide(&self, token: &Secret) {
        self.redactor.register(token.expose());
    }

    /// Stamps the stored grant as refused by the server, unless its tokens are others by now.
    pub fn invalidate(&self, grant: &Grant, at: Timestamp) -> Result<(), StoreError> {
        match self.read(&grant.olares_id)? {
            Some(mut stored) if stored.same_tokens(grant) => {
                stored.invalidated_at = Some(at);
                self.write(&stored)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Takes the grant of an identity away; `false` where there was none.
    pub fn remove(&self, id: &OlaresId) -> Result<bool, StoreError> {
        let path = self.path(id);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io("remove", &path)(error)),
        }
    }

    /// The file of an identity.
    pub fn path(&self, id: &OlaresId) -> PathBuf {
        let safe = |char: char| {
            if char.is_ascii_alphanumeric() || "._-".contains(char) { char } else { '_' }
        };
        let name: String = id.as_str().chars().map(safe).collect();
        self.folder.join(format!("{name}.enc"))
    }

    fn key_path(&self) -> PathBuf {
        self.folder.join(self.key_name)
    }

    fn key(&self) -> Result<Option<LessSafeKey>, StoreError> {
        let path = self.key_path();
        let Some(bytes) = read_if_there(&path)? else {
            return Ok(None);
        };
        match UnboundKey::new(&AES_256_GCM, &bytes) {
            Ok(key) => Ok(Some(LessSafeKey::new(key))),
            Err(_) => Err(StoreError::Key(path)),
        }
    }

    fn key_or_new(&self) -> Result<LessSafeKey, StoreError> {
        if let Some(key) = self.key()? {
            return Ok(key);
        }
        let mut bytes = [0; KEY_LEN];
        SystemRandom::new().fill(&mut bytes).map_err(|_| StoreError::NoRandomness)?;
        let path = self.key_path();
        // Where another process was faster its key counts: files may be sealed with it already.
        private_file::write_new(&path, &bytes).map_err(StoreError::io("write", &path))?;
        self.key()?.ok_or(StoreError::Key(path))
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

fn seal(key: &LessSafeKey, text: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| StoreError::NoRandomness)?;
    let mut sealed = text.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .map_err(|_| StoreError::NoRandomness)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(key: &LessSafeKey, blob: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = blob.split_first_chunk::<NONCE_LEN>()?;
    let mut text = sealed.to_vec();
    let length = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

#[cfg(test)]
mod tests;
