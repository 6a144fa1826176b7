//! Speaking to a person.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
