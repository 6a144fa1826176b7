//! How steps and runs end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::ObjectId;
use super::step::{StepId, StepStatus};
use crate::expect::Mismatch;

/// What kind of trouble it was; stands beside the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// An expectation did not hold.
    Expectation,
    /// An `assert` did not hold, or the book said `fail`.
    Assertion,
    /// A clock ran out.
    Timeout,
    /// A guard broke.
    Guard,
    /// The budget forbids it.
    Budget,
    /// Nobody agreed to the changes.
    Consent,
    /// The target, or the book, is no longer as it was planned.
    Drift,
    /// The server does not permit it.
    Forbidden,
    /// The login is not valid, or no longer.
    Login,
    /// The object is not there.
    NotFound,
    /// Someone else changed the object.
    Conflict,
    /// The server finds the request wrong.
    Invalid,
    /// The server asks us to slow down.
    Throttle,
    /// The server failed.
    Server,
    /// No answer, or one that broke off.
    Transport,
    /// The address is not served by this target.
    Unrouted,
    /// The cluster cannot get there (image pull, crash loop, quota, deadline exceeded, a failed Job).
    Hopeless,
    /// An exit code or status outside the accepted ones.
    Command,
    /// A template or a condition could not be evaluated, or its value has the wrong type.
    Evaluation,
    /// This target, or this version of runhub, cannot do it.
    Unsupported,
    /// It was stopped.
    Cancelled,
    /// The journal could not be written.
    Journal,
    /// A taking-back met a conflict or failed.
    Undo,
}

impl Class {
    /// The word in reports.
    pub fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(word)) => word,
            _ => String::new(),
        }
    }
}

/// Why a step could not be carried out, or an action's own proof failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Failure {
    /// What kind of trouble it was.
    pub class: Class,
    /// One line: what went wrong, with the server's own words.
    pub message: String,
    /// The HTTP status, where a server answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The server's reason (`NotFound`, `AlreadyExists`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The chain of causes, outermost first (`Deployment shop/web: …`, `Pod shop/web-1: ImagePullBackOff …`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cause: Vec<String>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Failure {
    /// A failure with just its class and line.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), http_status: None, reason: None, cause: Vec::new(), help: None }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds the chain of causes.
    #[must_use]
    pub fn because(mut self, cause: Vec<String>) -> Self {
        self.cause = cause;
        self
    }

    /// Whether the thing itself proved bad (*failed*), rather than that it could not be done (*errored*).
    pub fn is_proof(&self) -> bool {
        matches!(
            self.class,
            Class::Expectation | Class::Assertion | Class::Hopeless | Class::Command | Class::Timeout | Class::Guard
        )
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// Expectations that did not hold.
pub type Mismatches = Vec<Mismatch>;

/// Why something was stopped; the order is severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CancelReason {
    /// A neighbour in the same loop failed.
    StepFailed,
    /// A guard broke.
    Guard,
    /// The book's or the group's clock ran out.
    Deadline,
    /// Ctrl-C or SIGTERM.
    Interrupt,
    /// The second Ctrl-C: nothing more is sent.
    SecondInterrupt,
    /// The run waits for a person, a login or a decision: nothing more is sent until then.
    Paused,
}

impl CancelReason {
    /// In words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::StepFailed => "another item failed",
            Self::Guard => "a guard broke",
            Self::Deadline => "the time ran out",
            Self::Interrupt => "interrupted",
            Self::SecondInterrupt => "interrupted twice",
            Self::Paused => "the run is paused",
        }
    }
}

/// How a step went: a normal result, never an `Err`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "is", content = "with")]
pub enum Verdict {
    /// All is as it should be.
    Passed,
    /// Expectations that did not hold.
    Failed(Vec<Mismatch>),
    /// It could not be carried out, or the action's own proof failed.
    Errored(Failure),
    /// Not run, and why.
    Skipped(String),
    /// Stopped.
    Cancelled(CancelReason),
}

impl Verdict {
    /// The status that goes with it. A failed proof (a timeout, a failed Job) is *failed*, the rest *errored*.
    pub fn status(&self) -> StepStatus {
        match self {
            Self::Passed => StepStatus::Passed,
            Self::Failed(_) => StepStatus::Failed,
            Self::Errored(failure) if failure.is_proof() => StepStatus::Failed,
            Self::Errored(_) => StepStatus::Errored,
            Self::Skipped(_) => StepStatus::Skipped,
            Self::Cancelled(_) => StepStatus::Cancelled,
        }
    }

    /// The class of the trouble, if there is trouble.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Failed(_) => Some(Class::Expectation),
            Self::Errored(failure) => Some(failure.class),
            Self::Cancelled(CancelReason::Guard) => Some(Class::Guard),
            Self::Cancelled(CancelReason::Deadline) => Some(Class::Timeout),
            Self::Cancelled(_) => Some(Class::Cancelled),
            Self::Passed | Self::Skipped(_) => None,
        }
    }

    /// One line of what is wrong; empty when nothing is.
    pub fn line(&self) -> String {
        match self {
            Self::Passed => String::new(),
            Self::Failed(mismatches) => match mismatches.as_slice() {
                [] => "an expectation does not hold".into(),
                [only] => only.to_string(),
                [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
            },
            Self::Errored(failure) => failure.message.clone(),
            Self::Skipped(reason) => reason.clone(),
            Self::Cancelled(reason) => reason.words().into(),
        }
    }
}

/// How a run ended; the first line of the format's table that is true (runbook-format §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Waiting for a person, a login or a decision; resumable.
    Paused,
    /// A taking-back failed or met a conflict: a person must look.
    UndoFailed,
    /// Interrupted.
    Cancelled,
    /// Failed, and no applied change is left.
    Undone,
    /// Failed, and the book's `on-failure` handles that.
    Handled,
    /// Budget, guard, policy, permission, drift or no consent, and no change was ever sent.
    Refused,
    /// No answer or login before the first change.
    Unreachable,
    /// Anything else that failed or errored.
    Failed,
    /// All is well.
    Passed,
}

impl Outcome {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::UndoFailed => "undo-failed",
            Self::Cancelled => "cancelled",
            Self::Undone => "undone",
            Self::Handled => "handled",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
            Self::Passed => "passed",
        }
    }
}

/// What a run that did not pass leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Left {
    /// Fields that hold a value we wrote and did not take back.
    pub still_changed: Vec<StillChanged>,
    /// Changes that cannot be taken back.
    pub not_undoable: Vec<NotUndoable>,
    /// Commands to go on with, ready to paste.
    pub next: Vec<String>,
}

/// One field that still holds what we wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StillChanged {
    /// The step that wrote it.
    pub step: StepId,
    /// Whose field.
    pub object: ObjectId,
    /// The field, as a JSON pointer.
    pub field: String,
    /// What it held before us; absent: nothing.
    #[serde(default, deserialize_with = "crate::expect::present", skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What we left there; absent: nothing.
    #[serde(default, deserialize_with = "crate::expect::present", skip_serializing_if = "Option::is_none")]
    pub now: Option<Value>,
}

/// One change that cannot be taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NotUndoable {
    /// The step that made it.
    pub step: StepId,
    /// What was done (`rerun job shop/migrate`).
    pub what: String,
    /// Why not.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_proof_is_failed_and_a_refusal_is_errored() {
        let verdict = |class| Verdict::Errored(Failure::new(class, "x")).status();
        assert_eq!(verdict(Class::Timeout), StepStatus::Failed);
        assert_eq!(verdict(Class::Hopeless), StepStatus::Failed);
        assert_eq!(verdict(Class::Forbidden), StepStatus::Errored);
    }

    #[test]
    fn cancel_reasons_are_ordered_by_severity() {
        assert!(CancelReason::StepFailed < CancelReason::Guard);
        assert!(CancelReason::Deadline < CancelReason::Interrupt);
        assert!(CancelReason::Interrupt < CancelReason::SecondInterrupt);
    }
}
