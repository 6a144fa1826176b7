//! Names of runs and steps, and where a step stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a run: sortable by time, unique on a machine (`20261121-033100-5f3a`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(pub String);

impl std::fmt::Display for RunId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The full name of a step in a run: ids from the outside in, loop items by key (`pause[shop].cron`).
///
/// A step without an `id` is named by its list and position (`step-3`,
/// `always-1`); the hyphen keeps it apart from every written id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StepId(pub String);

impl StepId {
    /// The name of a step inside this one.
    #[must_use]
    pub fn child(&self, id: &str) -> Self {
        Self(format!("{}.{id}", self.0))
    }

    /// The name of one item of this loop.
    #[must_use]
    pub fn item(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }

    /// Whether `self` is `other` or stands inside it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&other.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
    }
}

impl std::fmt::Display for StepId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The list of the book that a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The book's `steps`.
    #[default]
    Steps,
    /// An `on-failure`, of the book or of a step.
    OnFailure,
    /// An `always`, of the book or of a step.
    Always,
    /// A taking-back.
    Undo,
}

/// How a step stands; once it has ended it never changes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    /// Not started yet.
    Pending,
    /// It did what it says and every expectation held.
    Passed,
    /// An expectation, an assertion or the action's own proof did not hold.
    Failed,
    /// It could not be carried out.
    Errored,
    /// Its `when` was false, its list empty, or its tag not picked.
    Skipped,
    /// It was stopped.
    Cancelled,
}

impl StepStatus {
    /// The word in reports and expressions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it counts against the run.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Errored | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_lies_within_its_loop_and_group_only() {
        let inner = StepId("pause".into()).item("shop").child("cron");
        assert_eq!(inner.to_string(), "pause[shop].cron");
        assert!(inner.is_within(&StepId("pause".into())));
        assert!(inner.is_within(&inner));
        assert!(!inner.is_within(&StepId("pau".into())));
    }
}
