//! Speaking to a person.

use async_trait::async_trait;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;

use super::plan::Plan;

/// What a person is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// May the run's changes be made?
    Consent(Consent),
    /// May this step go on? (`confirm`, or `--ask`)
    Confirm {
        /// The step's line.
        step: String,
        /// The question.
        text: String,
    },
    /// An `approve` step: what comes next, and what the person fills in.
    Approve(Approve),
    /// The run has failed: how does it go on?
    Choose {
        /// What went wrong, in one line.
        trouble: String,
        /// What may be chosen.
        choices: Vec<Choice>,
    },
    /// Nobody but a person can tell what came of a change.
    Settle {
        /// The number of its intent.
        ticket: u64,
        /// The change, in one line.
        change: String,
        /// What the object shows, in one line.
        shows: String,
    },
    /// The login has ended in the middle of a run: is there a new one?
    Login {
        /// What the target says.
        trouble: String,
    },
}

/// What a person is asked to approve.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Approve {
    /// The step's line.
    pub step: String,
    /// The book's message.
    pub message: String,
    /// The fields to fill in: name, and what it takes.
    pub fields: Vec<(String, String)>,
    /// The changes that come next, a line each.
    pub next: Vec<EffectLine>,
}

/// What a person said to an `approve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Approval {
    /// Who (`user@host`).
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The fields, read by their declared types.
    #[serde(default)]
    pub fields: BTreeMap<String, Value>,
    /// Why not; absent: approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}

/// How a run that failed goes on (`on-failure: pause`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The failed step is tried again.
    Retry,
    /// The failed step is left as it is, and the run goes on.
    Skip,
    /// The book's `on-failure` runs.
    OnFailure,
    /// Everything is taken back.
    Undo,
    /// Only `always` runs.
    Abort,
}

impl Choice {
    /// Every choice, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Retry, Self::Skip, Self::OnFailure, Self::Undo, Self::Abort];

    /// The word that picks it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::OnFailure => "on-failure",
            Self::Undo => "undo",
            Self::Abort => "abort",
        }
    }
}

/// The effects of a run, shown before the first change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Consent {
    /// The book.
    pub book: String,
    /// The target and the user there.
    pub target: String,
    /// One line a change, in order.
    pub effects: Vec<EffectLine>,
    /// The budget's account, a line each.
    pub budget: Vec<String>,
    /// What exactly would be done, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<Plan>>,
}

/// One effect in words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EffectLine {
    /// The step's id.
    pub step: String,
    /// What it does (`scale deployment shop/web to 3`).
    pub what: String,
    /// Why it cannot be taken back; absent: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_undoable: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Do not, and perhaps why.
    No(String),
    /// Go on, with these fields filled in as text.
    Filled(BTreeMap<String, String>),
    /// This is how.
    Chosen(Choice),
    /// There is no one to ask, and what would have answered (`--yes`).
    Nobody(String),
}

/// Puts a question to a person, wherever that person sits.
#[async_trait]
pub trait Asker: Send + Sync + std::fmt::Debug {
    /// Whether anybody is there to answer.
    fn is_there(&self) -> bool {
        true
    }

    /// Asks, and waits for the answer.
    async fn ask(&self, question: &Question) -> Answer;
}

/// The asker where there is no one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

#[async_trait]
impl Asker for Nobody {
    fn is_there(&self) -> bool {
        false
    }

    async fn ask(&self, _: &Question) -> Answer {
        Answer::Nobody("give --yes to agree beforehand".into())
    }
}
