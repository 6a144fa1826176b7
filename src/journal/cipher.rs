//! The key of one run, and what is sealed under it.
//!
//! AES-256-GCM with a random nonce for each record. A counter was rejected:
//! when half a line is cut off and its number given again, the nonce would be
//! used twice. Bound into each seal are the run, the record's number and its
//! kind, so that no record can stand in for another.

use std::io::{ErrorKind, Write as _};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::chain::hex;
use super::error::Error;
use super::files;
use super::places::Places;
use crate::event::RunId;

const KEY_LENGTH: usize = 32;

/// Seals and opens the records of one run.
pub(super) struct Cipher {
    key: LessSafeKey,
    marks: hmac::Key,
    run: RunId,
}

/// A nonce and what it sealed.
pub(super) struct Closed {
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) sealed: Vec<u8>,
}

impl Cipher {
    /// Makes a new key and its file; an anchor puts it on stable storage.
    pub(super) fn create(places: &Places, run: &RunId) -> Result<Self, Error> {
        let mut key = [0; KEY_LENGTH];
        fill(&mut key, "make a key")?;
        let path = places.key(run)?;
        files::folder(&places.keys())?;
        let mut file = files::new_file(&path)?;
        file.write_all(&key).map_err(Error::disk(&path, "write"))?;
        Self::with(&key, run).ok_or(Error::Crypto("use a key"))
    }

    /// Takes the key from its file.
    pub(super) fn open(places: &Places, run: &RunId) -> Result<Self, Error> {
        let path = places.key(run)?;
        let key = match std::fs::read(&path) {
            Err(why) if why.kind() == ErrorKind::NotFound => {
                return Err(Error::Forgotten { run: run.clone(), key: path });
            }
            read => read.map_err(Error::disk(&path, "read"))?,
        };
        Self::with(&key, run).ok_or_else(|| Error::damaged(&path, 1, "it is not a key"))
    }

    fn with(key: &[u8], run: &RunId) -> Option<Self> {
        // A key of its own for fingerprints: one key serves one purpose.
        let marks = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"runhub fingerprints");
        let marks = hmac::Key::new(hmac::HMAC_SHA256, marks.as_ref());
        let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
        Some(Self { key: LessSafeKey::new(key), marks, run: run.clone() })
    }

    /// Seals one record.
    pub(super) fn seal(&self, number: u64, what: &str, plain: Vec<u8>) -> Result<Closed, Error> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce, "seal a record")?;
        let mut sealed = plain;
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.bound(number, what), &mut sealed)
            .map_err(|_| Error::Crypto("seal a record"))?;
        Ok(Closed { nonce, sealed })
    }

    /// Opens one record; nothing when it was not sealed so.
    pub(super) fn unseal(&self, number: u64, what: &str, mut closed: Closed) -> Option<Vec<u8>> {
        let nonce = Nonce::assume_unique_for_key(closed.nonce);
        let bound = self.bound(number, what);
        let length = self.key.open_in_place(nonce, bound, &mut closed.sealed).ok()?.len();
        closed.sealed.truncate(length);
        Some(closed.sealed)
    }

    /// The HMAC-SHA256 of some bytes under the run's key, in hex: equal for equal bytes, and telling nothing else.
    pub(super) fn fingerprint(&self, bytes: &[u8]) -> String {
        hex(hmac::sign(&self.marks, bytes).as_ref())
    }

    fn bound(&self, number: u64, what: &str) -> Aad<Vec<u8>> {
        Aad::from(format!("runhub vault\n{}\n{number}\n{what}", self.run).into_bytes())
    }
}

fn fill(bytes: &mut [u8], purpose: &'static str) -> Result<(), Error> {
    SystemRandom::new().fill(bytes).map_err(|_| Error::Crypto(purpose))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(run: &str) -> Cipher {
        Cipher::with(&[7; KEY_LENGTH], &RunId(run.into())).unwrap()
    }

    #[test]
    fn a_record_opens_only_as_what_it_was_sealed() {
        let sealed = || key("r1").seal(3, "intent", b"hunter2".to_vec()).unwrap();
        assert_eq!(key("r1").unseal(3, "intent", sealed()).unwrap(), b"hunter2");
        assert!(key("r1").unseal(4, "intent", sealed()).is_none());
        assert!(key("r1").unseal(3, "vars", sealed()).is_none());
        assert!(key("r2").unseal(3, "intent", sealed()).is_none());
    }

    #[test]
    fn a_fingerprint_is_the_runs_own() {
        let other = Cipher::with(&[8; KEY_LENGTH], &RunId("r1".into())).unwrap();
        assert_eq!(key("r1").fingerprint(b"body"), key("r1").fingerprint(b"body"));
        assert_ne!(key("r1").fingerprint(b"body"), key("r1").fingerprint(b"bodY"));
        assert_ne!(key("r1").fingerprint(b"body"), other.fingerprint(b"body"));
    }

    #[test]
    fn two_seals_of_one_record_share_no_nonce() {
        let (one, two) = (key("r").seal(1, "x", vec![1]), key("r").seal(1, "x", vec![1]));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_ne!(one.nonce, two.nonce);
        assert_ne!(one.sealed, two.sealed);
    }
}
