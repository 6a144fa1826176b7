//! What a run that was killed and resumed must come to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::server::{Gate, World};
use super::{case, child, resumed};
use crate::kit::Ended;

/// What a run comes to that nobody disturbs.
pub(super) struct Undisturbed {
    /// How many requests it makes.
    pub(super) requests: usize,
    /// How many times it writes to its journal.
    pub(super) writes: usize,
    /// How large its journal gets.
    pub(super) bytes: usize,
    changes: BTreeMap<String, usize>,
    state: BTreeMap<String, Value>,
}

/// A run that came to the same.
#[derive(Debug)]
pub(super) struct Proof {
    /// Whether it was killed on the way.
    pub(super) killed: bool,
}

/// A run that came to something else.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) words: String,
    /// Changes that the server made once too often.
    pub(super) doubled: usize,
    /// Changes that it did not make.
    pub(super) lost: usize,
}

impl From<String> for Trouble {
    fn from(words: String) -> Self {
        Self { words, doubled: 0, lost: 0 }
    }
}

impl Undisturbed {
    /// Runs the book once in peace.
    pub(super) fn run() -> Self {
        let world = World::new(Gate::open());
        let ended = world.take(case()).run().exits(0);
        let requests = world.seen();
        let journal = journal_of(&ended);
        let bytes = usize::try_from(std::fs::metadata(&journal).unwrap().len()).unwrap();
        let writes = std::fs::read_to_string(&journal).unwrap().lines().count() - 1;
        let (changes, state) = (world.changes(), world.state());
        assert!(changes.values().sum::<usize>() >= 30, "{changes:#?}");
        Self { requests, writes, bytes, changes, state }
    }

    /// Goes on with what was left, and compares.
    pub(super) fn compare(&self, world: &World, left: Ended) -> Result<Proof, Trouble> {
        let killed = left.code.is_none() || left.code == Some(child::KILLED);
        if left.code == Some(0) {
            return self.same(world).map(|()| Proof { killed: false });
        }
        if journals(&left).is_empty() || !has_events(&left) {
            // It had not begun, and nothing was sent: it is begun anew.
            return if world.changes().is_empty() { Ok(Proof { killed }) } else { Err(self.differing(world)) };
        }
        let ended = resumed(world, left);
        if ended.code != Some(0) {
            return Err(Trouble { words: ended.said(), ..self.differing(world) });
        }
        let report = ended.report();
        let told = &report["counts"];
        let all: usize = self.changes.values().sum();
        let whole = report["outcome"] == "passed" && told["unfinished"] == 0 && told["changes"] == all;
        if !whole {
            return Err(format!("the report says {told}, {all} changes were made").into());
        }
        let note = ended.step("told")["notes"][0].clone();
        if note != "2 replicas, 4 painted, last grey" {
            return Err(format!("it remembers {note}").into());
        }
        self.same(world).map(|()| Proof { killed })
    }

    pub(super) fn same(&self, world: &World) -> Result<(), Trouble> {
        if world.changes() != self.changes {
            return Err(self.differing(world));
        }
        let state = world.state();
        if state == self.state {
            return Ok(());
        }
        let (found, expected) = (different(&state, &self.state), different(&self.state, &state));
        Err(format!("the world\n{found}instead of\n{expected}").into())
    }

    /// A run that failed may have left changes out; it made none too often.
    pub(super) fn at_most_once(&self, world: &World, code: i32) -> Result<(), Trouble> {
        let trouble = self.differing(world);
        if trouble.doubled == 0 {
            Ok(())
        } else {
            Err(Trouble { words: format!("exit {code}: {}", trouble.words), ..trouble })
        }
    }

    /// What was changed too often, and what not often enough.
    fn differing(&self, world: &World) -> Trouble {
        let changes = world.changes();
        let more = |one: &BTreeMap<String, usize>, other: &BTreeMap<String, usize>| {
            let count = |(change, times): (&String, &usize)| times.saturating_sub(*other.get(change).unwrap_or(&0));
            one.iter().map(count).sum()
        };
        let (found, expected) = (different(&changes, &self.changes), different(&self.changes, &changes));
        Trouble {
            words: format!("the changes\n{found}instead of\n{expected}"),
            doubled: more(&changes, &self.changes),
            lost: more(&self.changes, &changes),
        }
    }
}

/// What differs between two worlds, in words.
pub(super) fn differing(found: &BTreeMap<String, Value>, expected: &BTreeMap<String, Value>) -> String {
    format!("{}instead of\n{}", different(found, expected), different(expected, found))
}

/// The entries of one that are not in the other.
fn different<V: PartialEq + std::fmt::Debug>(one: &BTreeMap<String, V>, other: &BTreeMap<String, V>) -> String {
    let entries = one.iter().filter(|(key, value)| other.get(*key) != Some(value));
    let lines: Vec<String> = entries.map(|(key, value)| format!("  {key}: {value:?}")).collect();
    lines.join("\n")
}

fn journals(ended: &Ended) -> Vec<PathBuf> {
    ended.files().into_iter().filter(|path| path.ends_with("journal.jsonl")).collect()
}

fn journal_of(ended: &Ended) -> PathBuf {
    let [journal] = journals(ended).try_into().expect("one journal");
    journal
}

/// Whether the run got as far as its first event.
fn has_events(ended: &Ended) -> bool {
    let text = std::fs::read(journal_of(ended)).unwrap();
    let whole = text.rsplit(|byte| *byte == b'\n').skip(1);
    String::from_utf8_lossy(&whole.collect::<Vec<_>>().concat()).contains("run-started")
}

/// The only run of a home.
pub(super) fn run_of(ended: &Ended) -> String {
    let journal = journal_of(ended);
    journal.parent().and_then(|folder| folder.file_name()).unwrap().to_string_lossy().into_owned()
}
