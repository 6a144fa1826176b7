//! What happened.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{Change, Settled};
use super::outcome::{CancelReason, Class, Failure, Left, Outcome, Verdict};
use super::step::{Phase, RunId, StepId};
use crate::clock::Timestamp;
use crate::source::Place;

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Event {
    /// Counted from 1 within the run, without gaps.
    pub seq: u64,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// In which run.
    pub run: RunId,
    /// Against which target.
    pub target: String,
    /// What.
    pub kind: EventKind,
}

/// The kinds of events; hearers match them without a wildcard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "event", content = "data")]
pub enum EventKind {
    /// The run has begun.
    RunStarted(Box<RunHead>),
    /// A list of the book has begun (`on-failure`, `always`, undo).
    PhaseStarted(Phase),
    /// A step has begun.
    StepStarted(Box<StepHead>),
    /// A step waits, and for what; sent when the words change.
    StepWaiting(Waiting),
    /// An attempt of a step went badly and another follows.
    AttemptFailed(Attempt),
    /// A request and what came of it.
    Exchanged(Box<Exchange>),
    /// A change was proposed, sent and settled.
    Changed {
        /// The change.
        change: Box<Change>,
        /// What came of it.
        settled: Settled,
    },
    /// The book says something.
    Noted(Note),
    /// Something is odd but does not stop the run.
    Warned(Note),
    /// A file was written beside the journal.
    ArtifactWritten {
        /// By which step.
        step: StepId,
        /// The name the book gave it.
        name: String,
        /// Where it lies.
        path: String,
        /// How large it is.
        bytes: u64,
    },
    /// A person was asked, and answered.
    Asked {
        /// The question in one line.
        question: String,
        /// The answer in one line.
        answer: String,
    },
    /// A step has ended.
    StepFinished(Box<StepEnd>),
    /// The run is being stopped.
    Interrupted(CancelReason),
    /// The run has ended.
    RunFinished(Box<RunEnd>),
}

/// What a run starts with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunHead {
    /// The event format.
    pub format_version: u32,
    /// The runhub that runs it.
    pub runhub_version: String,
    /// The book's name.
    pub book: String,
    /// The book's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The book's labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The book's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The book's links.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, String>,
    /// The file, as the user named it.
    pub file: String,
    /// The SHA-256 of the book's text, in hex.
    pub book_hash: String,
    /// The inputs; secrets are `***`.
    pub inputs: BTreeMap<String, Value>,
    /// What it runs against.
    pub target: TargetHead,
    /// Who runs it (`user@host`).
    pub actor: String,
    /// Steps of the book's `steps`, groups and loops counted once.
    pub steps: usize,
}

/// What a run runs against.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetHead {
    /// The name (`alice@olares.com`, a context, `simulator`).
    pub name: String,
    /// The provider (`controlhub`, `kubernetes`).
    pub provider: String,
    /// The base address.
    pub url: String,
    /// As whom.
    pub user: String,
}

/// What a step starts with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StepHead {
    /// Its full name.
    pub step: StepId,
    /// The line for people; the action and its object where the book gives none.
    pub name: String,
    /// The action (`scale`, `group`).
    pub action: String,
    /// Where it stands in the book.
    pub place: Place,
    /// In which list.
    pub phase: Phase,
    /// How many groups and loops stand around it.
    pub depth: usize,
}

/// A step waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Waiting {
    /// Which.
    pub step: StepId,
    /// For what, in one line (`2 of 3 updated; web-6c9f: ImagePullBackOff …`).
    pub line: String,
}

/// An attempt went badly and another follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attempt {
    /// Of which step.
    pub step: StepId,
    /// Counted from 1.
    pub attempt: u32,
    /// Of how many.
    pub of: u32,
    /// How it went.
    pub verdict: Verdict,
    /// The pause before the next, in milliseconds.
    pub next_in_ms: u64,
}

/// A line from the book or a warning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Note {
    /// By which step; absent: by the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The line.
    pub text: String,
}

/// A request and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exchange {
    /// For which step; absent: for the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// `GET`, `PATCH`.
    pub method: String,
    /// The path and query.
    pub path: String,
    /// Bytes sent in the body.
    pub sent_bytes: u64,
    /// How it ended.
    pub end: ExchangeEnd,
    /// From the first byte sent to the last received, in microseconds.
    pub elapsed_us: u64,
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "is", content = "with")]
pub enum ExchangeEnd {
    /// An answer came.
    Answered {
        /// Its HTTP status.
        status: u16,
        /// Bytes of its body.
        bytes: u64,
    },
    /// No answer came, and why.
    Broken(String),
    /// It was dropped by a cancellation: sent, outcome unknown.
    Dropped,
}

/// What a step ends with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StepEnd {
    /// Its full name.
    pub step: StepId,
    /// How it went.
    pub verdict: Verdict,
    /// The run goes on although it went badly.
    pub tolerated: bool,
    /// Whether it changed anything.
    pub changed: bool,
    /// How many attempts were made; 0 when it was skipped.
    pub attempts: u32,
    /// How long it took, in milliseconds, waits included.
    pub elapsed_ms: u64,
    /// Expectations that were looked at in the last attempt.
    pub expectations: usize,
    /// Its outputs; secrets are `***`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// The action's own facts.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub info: Value,
}

/// What a run ends with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunEnd {
    /// How it ended.
    pub outcome: Outcome,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// What kind of trouble it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// The step that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<StepId>,
    /// The trouble of that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Steps that went badly and were tolerated.
    pub tolerated: usize,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// What it hands on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// What it leaves behind.
    pub left: Left,
}
