//! Where things lie, and how runs are named.

use std::path::PathBuf;

use super::error::Error;
use crate::clock::Clock;
use crate::event::RunId;

/// The folders of all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The root, usually `$XDG_STATE_HOME/runhub`.
    pub state: PathBuf,
}

impl Places {
    /// The places under one root.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self { state: state.into() }
    }

    /// The folder that holds a folder for each run.
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// The folder of one run.
    ///
    /// # Errors
    /// When the text cannot be the name of a run.
    pub fn run(&self, run: &RunId) -> Result<PathBuf, Error> {
        Ok(self.runs().join(checked(run)?))
    }

    /// The journal of one run.
    ///
    /// # Errors
    /// When the text cannot be the name of a run.
    pub fn journal(&self, run: &RunId) -> Result<PathBuf, Error> {
        Ok(self.run(run)?.join(JOURNAL))
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.state.join("keys")
    }

    pub(super) fn key(&self, run: &RunId) -> Result<PathBuf, Error> {
        Ok(self.keys().join(format!("{}.key", checked(run)?)))
    }

    pub(super) fn locks(&self) -> PathBuf {
        self.state.join("locks")
    }
}

/// The journal's file inside a run's folder.
pub(super) const JOURNAL: &str = "journal.jsonl";
/// The vault's file inside a run's folder.
pub(super) const VAULT: &str = "vault.jsonl";
/// The lock's file inside a run's folder.
pub(super) const LOCK: &str = "lock";
/// The artifacts' folder inside a run's folder.
pub(super) const ARTIFACTS: &str = "artifacts";

/// A name made of the moment and four random hex digits (`20261121-033100-5f3a`).
///
/// It is unique once [`Journal::create`](super::Journal::create) has made its folder.
pub fn new_run_id(clock: Clock) -> RunId {
    let moment = clock.now().format("%Y%m%d-%H%M%S");
    RunId(format!("{moment}-{:04x}", fastrand::u16(..)))
}

/// The name, if it is a plain file name: run ids come from the command line.
fn checked(run: &RunId) -> Result<&str, Error> {
    let name = run.0.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let fits = !name.is_empty() && name.len() <= 128 && !name.starts_with('.');
    if fits && name.bytes().all(plain) { Ok(name) } else { Err(Error::NotARun(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_run_is_named_by_its_moment_and_four_hex_digits() {
        let clock = Clock::starting_at("2026-11-21T03:31:00Z".parse().unwrap());
        let id = new_run_id(clock).0;
        let random = id.strip_prefix("20261121-033100-").expect("the moment");
        assert!(random.len() == 4 && u16::from_str_radix(random, 16).is_ok(), "{id}");
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        let places = Places::new("/s");
        for bad in ["", "..", "../x", "a/b", "/etc", ".hidden", "a\\b", "a b", "ü"] {
            let run = RunId(bad.into());
            assert!(matches!(places.run(&run), Err(Error::NotARun(_))), "{bad}");
            assert!(places.key(&run).is_err(), "{bad}");
        }
        let good = RunId("20261121-033100-5f3a".into());
        assert_eq!(places.journal(&good).unwrap(), PathBuf::from("/s/runs/20261121-033100-5f3a/journal.jsonl"));
    }
}
