//! What a run would do, told before it does it.
//!
//! The engine makes a [`Plan`]; the console draws it, `plan --out` writes it,
//! `run --plan` is bound to it. Like events it is owned and serialisable, and
//! it leaves the process only through the one filter for secrets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{ObjectId, Written};
use super::kind::TargetHead;
use super::step::{Phase, StepId};
use crate::clock::Timestamp;

/// The version of the plan format.
pub const PLAN_VERSION: u32 = 1;

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// The plan format.
    pub format_version: u32,
    /// The runhub that made it.
    pub runhub_version: String,
    /// When it was made.
    #[schemars(with = "String")]
    pub made_at: Timestamp,
    /// The SHA-256, in hex, over all that a run is bound to (runbook-format §8).
    pub hash: String,
    /// The book.
    pub book: PlannedBook,
    /// The inputs; secrets are `***`.
    pub inputs: BTreeMap<String, Value>,
    /// What tells other secret inputs from these, without telling these; absent where none is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_inputs: Option<Fingerprint>,
    /// What it runs against.
    pub target: TargetHead,
    /// Only steps with one of these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// No step with one of these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_tags: Vec<String>,
    /// The steps in the order in which they would run, inner ones after their group.
    pub steps: Vec<PlannedStep>,
    /// The budget's account: the upper bound, `on-failure` and `always` included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<BudgetRow>,
    /// Hosts and programs beside the target that the book wants and `--allow` must name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<String>,
    /// Why a run would be refused before its first step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// What is odd.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// How many requests it took to find out.
    pub requests: u64,
}

/// The book of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedBook {
    /// Its name.
    pub name: String,
    /// The file, as the user named it.
    pub file: String,
    /// The SHA-256 of its text, in hex.
    pub hash: String,
}

/// A slow, salted digest: equal values are known again, the value is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fingerprint {
    /// The salt, in hex.
    pub salt: String,
    /// PBKDF2-HMAC-SHA256 of the values, in hex.
    pub digest: String,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedStep {
    /// Its full name (`pause[shop].apps`).
    pub step: StepId,
    /// The step's line for people.
    pub name: String,
    /// The key of its action.
    pub action: String,
    /// In which list.
    pub phase: Phase,
    /// How many groups and loops stand around it.
    pub depth: usize,
    /// Whether it would run.
    pub happens: Happens,
    /// What it would do, an entry an object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<PlannedEffect>,
    /// What it would hand on, as far as it is known; secrets are `***`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// Why its result is not known yet; absent: it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// How long it may wait, as runbooks write it (`10m`); absent: it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// Why it would go badly as the target is now; absent: it would not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}

/// Whether a step would run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "is", content = "because")]
pub enum Happens {
    /// It would.
    Surely,
    /// It depends, and on what.
    Perhaps(String),
    /// It would be skipped, and why.
    Never(String),
}

/// What sort of thing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// Something is read.
    Read,
    /// A new object.
    Create,
    /// Some fields of an object.
    Change,
    /// An object goes.
    Delete,
    /// A workload's pods are replaced.
    Restart,
    /// A command in a container, a local program, a request elsewhere.
    Exec,
    /// What earlier steps changed is taken back.
    Undo,
    /// Something that cannot be told beforehand.
    Opaque,
}

/// One effect of a step on one object, or on some that are not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedEffect {
    /// What is done.
    pub kind: EffectKind,
    /// To which object; absent where that is not known, or it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// In words for people (`replicas 3 → 0`).
    pub summary: String,
    /// The fields that would change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Written>,
    /// How that is known.
    pub basis: Basis,
    /// The state of the object that this was computed from: `generation 4`, or a digest of what is neither status nor bookkeeping.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Objects it may touch at most.
    pub objects: u64,
    /// Running pods that it takes away at most, the object itself included where it is one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pods: u64,
    /// How it is taken back; absent where nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<PlannedUndo>,
}

/// How an effect is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "is", content = "because")]
pub enum Basis {
    /// It was read, or the server rehearsed it.
    Server,
    /// Computed here, and why the server could not be asked.
    Computed(String),
    /// Not known in full, and why.
    Unknown(String),
}

/// How an effect would be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "is", content = "because")]
pub enum PlannedUndo {
    /// Each field gets back what it held.
    Fields,
    /// The created object is deleted.
    DeleteCreated,
    /// By steps that the book gives.
    Steps,
    /// There is nothing to take back.
    Nothing,
    /// It cannot be, and why.
    Cannot(String),
}

/// One line of the budget's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BudgetRow {
    /// What is counted.
    pub what: String,
    /// How much the plan needs at most.
    pub used: u64,
    /// How much is allowed; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Steps whose need cannot be told beforehand: the budget is asked again before each change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsure: Vec<String>,
}

impl BudgetRow {
    /// Whether the plan needs more than is allowed.
    pub fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.used > limit)
    }
}

/// One reason why a run would be refused before its first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Problem {
    /// What kind of trouble it is.
    pub class: super::outcome::Class,
    /// The line.
    pub message: String,
}

impl Problem {
    /// A problem of a class.
    pub fn new(class: super::outcome::Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

impl PlannedEffect {
    /// Whether something is changed by it, or may be.
    pub fn changes(&self) -> bool {
        self.kind != EffectKind::Read
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
