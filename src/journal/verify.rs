//! Whether a journal is as it was written.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::chain::{Kind, Line, Walk};
use super::entry::{IntentEntry, Remembered, Sealed};
use super::error::Error;
use super::places::VAULT;
use super::read::{data, file, row};
use super::{files, vault};

/// What a check of a journal found.
///
/// It finds every altered, dropped, added or moved line, and sealed records
/// that are not the ones the journal names. It cannot see whole lines missing
/// at the very end, nor a journal that was forged as a whole: compare `root`
/// with the one in the run's report for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// Good lines from the beginning.
    pub records: u64,
    /// Sealed records that are the ones named; absent where no vault lies beside the journal.
    pub sealed: Option<u64>,
    /// The hash of the last good line, in hex.
    pub root: String,
    /// Whether half a line stands at the end, as a killed process leaves it.
    pub torn_tail: bool,
    /// The first thing that is wrong.
    pub first_bad: Option<Flawed>,
}

/// Something in a journal or its vault that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Flawed {
    /// In which file.
    pub file: PathBuf,
    /// In which line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// Checks a journal, given its file or its run's folder; no key is needed.
///
/// # Errors
/// When a file cannot be read; what is wrong inside one is a result.
pub fn verify(path: &Path) -> Result<Verified, Error> {
    let path = file(path);
    let bytes = files::content(&path)?;
    let mut walk = Walk::over(&bytes);
    let (mut named, mut first_bad) = (Named::default(), None);
    while let Some(line) = walk.next() {
        let due = usize::try_from(walk.reached().next).unwrap_or(usize::MAX);
        first_bad = match line {
            Ok(line) => named.take(&path, &line).err(),
            Err(flaw) => Some(Error::damaged(&path, due.saturating_add(1), flaw.to_string())),
        };
        if first_bad.is_some() {
            break;
        }
    }
    let (sealed, bad_seal) = seals(&path, &named)?;
    Ok(Verified {
        records: walk.reached().next,
        sealed,
        root: walk.reached().root.clone(),
        torn_tail: first_bad.is_none() && walk.torn(),
        first_bad: first_bad.or(bad_seal).map(flawed),
    })
}

/// The sealed records that a journal names.
#[derive(Default)]
struct Named {
    seals: Vec<Sealed>,
    /// How many of them were on stable storage for certain.
    synced: usize,
}

impl Named {
    fn take(&mut self, path: &Path, line: &Line<'_>) -> Result<(), Error> {
        match line.kind {
            Kind::Header if row(line) == 1 => super::read::header(path, line).map(|_| ())?,
            Kind::Header => return Err(Error::damaged(path, row(line), "a second header")),
            Kind::Record => self.seals.push(data::<Remembered>(path, line)?.vault),
            Kind::Intent => self.seals.push(data::<IntentEntry>(path, line)?.vault),
            Kind::Event | Kind::Settled => {}
        }
        if matches!(line.kind, Kind::Intent | Kind::Settled) {
            self.synced = self.seals.len();
        }
        Ok(())
    }
}

/// Checks the vault beside a journal: how many records are good, and the first that is not.
fn seals(journal: &Path, named: &Named) -> Result<(Option<u64>, Option<Error>), Error> {
    let path = journal.with_file_name(VAULT);
    if !path.exists() {
        return Ok((None, None));
    }
    let vault = match vault::Lines::of(&path) {
        Err(error @ Error::Disk { .. }) => return Err(error),
        Err(error) => return Ok((Some(0), Some(error))),
        Ok(vault) => vault,
    };
    let mut good = 0;
    for (index, seal) in named.seals.iter().enumerate() {
        match vault.flaw(seal) {
            None => good += 1,
            Some(_) if index >= named.synced && seal.number > vault.last() => {}
            Some(error) => return Ok((Some(good), Some(error))),
        }
    }
    Ok((Some(good), None))
}

fn flawed(error: Error) -> Flawed {
    match error {
        Error::Damaged { path, line, why } => Flawed { file: path, line, why },
        Error::Newer { ref path, .. } => Flawed { file: path.clone(), line: 1, why: error.to_string() },
        other => Flawed { file: PathBuf::new(), line: 0, why: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Ledger as _;
    use crate::journal::kit::{Left, applied, bench, ended, intent};

    fn left() -> Left {
        let bench = bench();
        bench.note("one");
        let ticket = bench.ledger.intend(&intent("a")).unwrap();
        bench.ledger.settle(ticket, &applied()).unwrap();
        bench.ledger.remember(&ended("rotate")).unwrap();
        bench.stop()
    }

    fn lines(path: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn write(path: &Path, lines: &[String]) {
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }

    #[test]
    fn a_good_journal_is_good_and_its_root_is_the_last_hash() {
        let left = left();
        let verified = verify(&left.journal()).unwrap();
        assert_eq!((verified.records, verified.sealed), (5, Some(2)));
        assert_eq!((verified.first_bad, verified.torn_tail), (None, false));
        assert_eq!(verified.root, crate::journal::read(&left.journal()).unwrap().root());
    }

    #[test]
    fn an_altered_a_dropped_and_a_moved_line_are_named() {
        let left = left();
        let good = lines(&left.journal());
        let mut altered = good.clone();
        altered[2] = altered[2].replace("shop", "shed");
        let mut dropped = good.clone();
        dropped.remove(2);
        let mut moved = good.clone();
        moved.swap(2, 3);
        for bad in [altered, dropped, moved] {
            write(&left.journal(), &bad);
            let verified = verify(&left.journal()).unwrap();
            let flawed = verified.first_bad.expect("a flaw");
            assert_eq!((verified.records, flawed.line), (2, 3), "{flawed:?}");
            assert_eq!(flawed.file, left.journal());
        }
    }

    #[test]
    fn a_line_missing_at_the_very_end_shows_in_the_root_alone() {
        let left = left();
        let root = verify(&left.journal()).unwrap().root;
        let mut good = lines(&left.journal());
        good.pop();
        write(&left.journal(), &good);
        let verified = verify(&left.journal()).unwrap();
        assert_eq!(verified.first_bad, None);
        assert_ne!(verified.root, root);
    }

    #[test]
    fn an_altered_and_a_dropped_sealed_record_are_found_without_the_key() {
        let left = left();
        std::fs::remove_dir_all(left.places.state.join("keys")).unwrap();
        let good = lines(&left.vault());
        let mut altered = good.clone();
        altered[1] = altered[1].replacen("sealed\":\"", "sealed\":\"AAAA", 1);
        for bad in [altered, good[..1].to_vec()] {
            write(&left.vault(), &bad);
            let verified = verify(&left.journal()).unwrap();
            let flawed = verified.first_bad.expect("a flaw");
            assert_eq!((flawed.file, flawed.line), (left.vault(), 2));
        }
    }

    #[test]
    fn a_journal_alone_and_a_torn_one_are_good_as_far_as_they_go() {
        let left = left();
        std::fs::remove_file(left.vault()).unwrap();
        let mut bytes = std::fs::read(left.journal()).unwrap();
        bytes.pop();
        std::fs::write(left.journal(), bytes).unwrap();
        let verified = verify(&left.journal()).unwrap();
        assert_eq!((verified.records, verified.sealed), (4, None));
        assert!(verified.torn_tail && verified.first_bad.is_none());
    }
}
