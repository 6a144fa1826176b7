//! The report of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::step::{Exchanges, StepReport};
use super::{FORMAT_VERSION, wire};
use crate::clock::Timestamp;
use crate::event::{
    CancelReason, Class, Failure, Left, Outcome, RunEnd, RunHead, RunId, StepId, StepStatus, TargetHead,
};

/// A run from its first event to its last, or to the one at which it broke off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Report {
    /// The version of this shape.
    pub format_version: u32,
    /// What ran, when, where and by whom.
    pub run: Run,
    /// How it ended.
    #[serde(with = "wire")]
    #[schemars(schema_with = "wire::schema::<Outcome>")]
    pub outcome: Option<Outcome>,
    /// The exit code and its reason; absent while the run has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// Steps that went badly and were tolerated.
    pub tolerated: usize,
    /// How many of what.
    pub counts: Counts,
    /// What the run leaves behind.
    pub left: Left,
    /// What it hands on; secrets are `***`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// The steps in the order in which they began; those inside a group or loop follow it.
    pub steps: Vec<StepReport>,
    /// Lines of the book that belong to no step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Warnings that belong to no step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What a person was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// When and why the run was told to stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interruptions: Vec<Interruption>,
    /// All requests, of steps and of the run itself, counted.
    pub exchanges: Exchanges,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            format_version: FORMAT_VERSION,
            run: Run::default(),
            outcome: None,
            exit: None,
            tolerated: 0,
            counts: Counts::default(),
            left: Left::default(),
            outputs: BTreeMap::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            asked: Vec::new(),
            interruptions: Vec::new(),
            exchanges: Exchanges::default(),
        }
    }
}

impl Report {
    /// The word for how the run ended; `unfinished` when it has not.
    pub fn outcome_word(&self) -> &'static str {
        self.outcome.map_or(wire::UNFINISHED, Outcome::word)
    }

    /// The steps that no later entry of the same id replaced.
    pub fn present_steps(&self) -> impl Iterator<Item = &StepReport> {
        self.steps.iter().filter(|step| !step.superseded)
    }
}

/// What ran, when, where and by whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Run {
    /// The run's name; empty before the first event.
    pub id: String,
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
    /// What it ran against.
    pub target: TargetHead,
    /// Who ran it.
    pub actor: String,
    /// The runhub that ran it.
    pub runhub_version: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "wire::stamp")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When it was resumed.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "wire::stamps")]
    #[schemars(with = "Vec<String>")]
    pub resumed: Vec<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "wire::stamp")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// The hash of the journal's last line: it stands for all that the journal held when this report was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_root: Option<String>,
    /// How long it took; of an unfinished run, up to its last event.
    pub elapsed_ms: u64,
}

impl Run {
    /// A run that begins.
    pub(super) fn of(id: &RunId, head: &RunHead, started: Timestamp) -> Self {
        Self {
            id: id.0.clone(),
            book: head.book.clone(),
            description: head.description.clone(),
            labels: head.labels.clone(),
            owner: head.owner.clone(),
            links: head.links.clone(),
            file: head.file.clone(),
            book_hash: head.book_hash.clone(),
            inputs: head.inputs.clone(),
            target: head.target.clone(),
            actor: head.actor.clone(),
            runhub_version: head.runhub_version.clone(),
            started: Some(started),
            ..Self::default()
        }
    }
}

/// The exit code and why it is that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exit {
    /// The number.
    pub code: u8,
    /// What kind of trouble it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// One line: what decided it; empty when the run passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The step that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The trouble of that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Exit {
    /// What the end of a run says of it.
    pub(super) fn of(end: &RunEnd) -> Self {
        let reason = end.failure.as_ref().map(|failure| failure.message.clone());
        Self {
            code: end.exit_code,
            class: end.class,
            reason: reason.unwrap_or_default(),
            step: end.failed_step.clone(),
            failure: end.failure.clone(),
        }
    }
}

/// How many of what; superseded steps are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Counts {
    /// Steps, with groups, loops and what is inside them.
    pub steps: usize,
    /// Steps that passed.
    pub passed: usize,
    /// Steps whose proof failed.
    pub failed: usize,
    /// Steps that could not be carried out.
    pub errored: usize,
    /// Steps that were left out.
    pub skipped: usize,
    /// Steps that were stopped.
    pub cancelled: usize,
    /// Steps that began and have no end.
    pub unfinished: usize,
    /// Changes that the server made.
    pub changes: usize,
    /// Requests, answered or not.
    pub requests: u64,
}

impl Counts {
    /// The counter of steps that stand so.
    pub(super) fn of(&mut self, status: Option<StepStatus>) -> &mut usize {
        match status {
            Some(StepStatus::Passed) => &mut self.passed,
            Some(StepStatus::Failed) => &mut self.failed,
            Some(StepStatus::Errored) => &mut self.errored,
            Some(StepStatus::Skipped) => &mut self.skipped,
            Some(StepStatus::Cancelled) => &mut self.cancelled,
            Some(StepStatus::Pending) | None => &mut self.unfinished,
        }
    }
}

/// A question to a person, with the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Asked {
    /// When the answer came.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The question in one line.
    pub question: String,
    /// The answer in one line.
    pub answer: String,
}

/// The run was told to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interruption {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Why.
    pub reason: CancelReason,
}
