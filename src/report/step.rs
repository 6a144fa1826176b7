//! One step's part of the report.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire;
use crate::clock::Timestamp;
use crate::event::{
    Change, Class, Exchange, ExchangeEnd, ObjectId, Phase, Reversal, Settled, StepId, StepStatus, Verb, Verdict,
    Written,
};
use crate::source::Place;

/// What one step did and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StepReport {
    /// Its full name.
    pub id: StepId,
    /// The line for people.
    pub name: String,
    /// The action (`scale`, `group`).
    pub action: String,
    /// Where it stands in the book.
    pub place: Place,
    /// In which list.
    pub phase: Phase,
    /// How many groups and loops stand around it.
    pub depth: usize,
    /// How it stands.
    #[serde(with = "wire")]
    #[schemars(schema_with = "wire::schema::<StepStatus>")]
    pub status: Option<StepStatus>,
    /// How it went: the mismatches, the failure, the reason of a skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What kind of trouble it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// It went badly and the run went on.
    pub tolerated: bool,
    /// A later entry of the same id took its place: its group was tried again, or the run was resumed.
    pub superseded: bool,
    /// Whether it changed anything.
    pub changed: bool,
    /// How many attempts were made; 0 when it was skipped.
    pub attempts: u32,
    /// The attempts that went badly and were followed by another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_attempts: Vec<AttemptReport>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "wire::stamp")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// How long it took; of an unfinished step, up to its last sign of life.
    pub elapsed_ms: u64,
    /// What it waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<WaitReport>,
    /// Expectations that were looked at in the last attempt.
    pub expectations: usize,
    /// What it changed, or tried to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeReport>,
    /// The book's own lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What was odd and did not stop it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Files that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ArtifactReport>,
    /// Its outputs; secrets are `***`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// The action's own facts.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub info: Value,
    /// Its requests, counted.
    pub exchanges: Exchanges,
    /// Its first requests, one by one; `exchanges` counts them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestReport>,
}

/// An attempt that went badly and was followed by another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AttemptReport {
    /// Counted from 1.
    pub attempt: u32,
    /// How it went.
    pub verdict: Verdict,
    /// The pause before the next, in milliseconds.
    pub next_in_ms: u64,
}

/// What a step waited for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WaitReport {
    /// The last line it showed.
    pub line: String,
    /// When the first line came.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// From the first line to the step's end, or to its last sign of life.
    pub waited_ms: u64,
    /// The first lines that differed from the one before, each with its moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<WaitLine>,
}

/// What a step waited for at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WaitLine {
    /// Since the step began, in milliseconds.
    pub at_ms: u64,
    /// The line.
    pub line: String,
}

/// One request of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequestReport {
    /// When it went out, since the step began, in milliseconds.
    pub at_ms: u64,
    /// `GET`, `PATCH`.
    pub method: String,
    /// The path and query.
    pub path: String,
    /// How it ended.
    pub end: ExchangeEnd,
    /// How long it took, in microseconds.
    pub elapsed_us: u64,
}

/// One change that a step made, or tried to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ChangeReport {
    /// Which object.
    pub object: ObjectId,
    /// What was done to it.
    pub verb: Verb,
    /// In words for people.
    pub summary: String,
    /// What came of it.
    pub settled: Settled,
    /// The fields written, before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
    /// How it is taken back.
    pub reversal: Reversal,
}

impl ChangeReport {
    /// The part of a change that a reader needs, with what came of it.
    pub(super) fn of(change: &Change, settled: &Settled) -> Self {
        Self {
            object: change.object.clone(),
            verb: change.verb,
            summary: change.summary.clone(),
            settled: settled.clone(),
            written: change.written.clone(),
            reversal: change.reversal.clone(),
        }
    }

    /// Whether the server did it.
    pub fn is_applied(&self) -> bool {
        matches!(self.settled, Settled::Applied { .. })
    }
}

/// A file that a step wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ArtifactReport {
    /// The name the book gave it.
    pub name: String,
    /// Where it lies.
    pub path: String,
    /// How large it is.
    pub bytes: u64,
}

/// Requests, counted; one by one they are all in the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exchanges {
    /// How many.
    pub count: u64,
    /// How many of them had no answer.
    pub unanswered: u64,
    /// Bytes sent in bodies.
    pub sent_bytes: u64,
    /// Bytes of the answers' bodies.
    pub received_bytes: u64,
    /// The time they took together, in microseconds.
    pub elapsed_us: u64,
}

impl Exchanges {
    /// Counts one more.
    pub(super) fn add(&mut self, exchange: &Exchange) {
        self.count += 1;
        self.sent_bytes += exchange.sent_bytes;
        self.elapsed_us += exchange.elapsed_us;
        match &exchange.end {
            ExchangeEnd::Answered { bytes, .. } => self.received_bytes += bytes,
            ExchangeEnd::Broken(_) | ExchangeEnd::Dropped => self.unanswered += 1,
        }
    }
}
