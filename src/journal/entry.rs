//! What the lines of a journal hold.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::event::{Change, Record, RunId, Settled};

/// The version of the journal's lines; older ones must stay readable.
pub const JOURNAL_VERSION: u32 = 2;

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Header {
    /// The version of the journal's lines.
    pub journal_version: u32,
    /// The version of the events in it.
    pub event_version: u32,
    /// The runhub that began it.
    pub runhub_version: String,
    /// The run.
    pub run: RunId,
    /// When it was begun.
    pub at: Timestamp,
}

/// A record in the vault, as the journal names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sealed {
    /// Its number in the vault, counted from 1.
    pub number: u64,
    /// The SHA-256 of its sealed line, in hex: a fingerprint that only the holder of the key could have made.
    pub seal: String,
}

/// An intent: the change without the values it writes, which lie in the vault.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct IntentEntry {
    pub(super) change: Change,
    pub(super) vault: Sealed,
}

/// What came of an intent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SettledEntry {
    pub(super) ticket: u64,
    pub(super) settled: Settled,
}

/// A value that a resume must find again, and where in the vault it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Remembered {
    /// What it is.
    pub what: Kept,
    /// Of which step; absent: of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Where it lies.
    pub vault: Sealed,
}

/// What kind of value was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// The run's inputs.
    Inputs,
    /// The run's vars.
    Vars,
    /// The items of a loop.
    Items,
    /// A step's outputs and info, as format 1 kept them.
    Ended,
    /// How the run was begun.
    Started,
    /// What came of trying a step.
    Tried,
    /// A choice that a step makes once.
    Once,
    /// What the server made of written fields.
    Landed,
    /// A change that was taken back.
    TakenBack,
    /// A step whose changes are a way back.
    WayBack,
    /// A person's answer to an `approve`.
    Answered,
    /// A failed step that a person let be as it is.
    Skipped,
}

impl Kept {
    /// The kind of a record, and its step.
    pub(super) fn of(record: &Record) -> (Self, Option<&str>) {
        match record {
            Record::Inputs(_) => (Self::Inputs, None),
            Record::Vars(_) => (Self::Vars, None),
            Record::Items { step, .. } => (Self::Items, Some(step)),
            Record::Ended { step, .. } => (Self::Ended, Some(step)),
            Record::Started(_) => (Self::Started, None),
            Record::Tried { step, .. } => (Self::Tried, Some(step)),
            Record::Once { step, .. } => (Self::Once, Some(step)),
            Record::Landed { .. } => (Self::Landed, None),
            Record::TakenBack { .. } => (Self::TakenBack, None),
            Record::WayBack { step } => (Self::WayBack, Some(step)),
            Record::Answered { step, .. } => (Self::Answered, Some(step)),
            Record::Skipped { step } => (Self::Skipped, Some(step)),
        }
    }
}
