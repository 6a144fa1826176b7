//! Words that several formats share.

use serde_json::Value;

use super::{ChangeReport, StepReport};
use crate::event::{Phase, Settled, StepStatus, Verdict};
use crate::expect::Mismatch;

/// The lines of what went wrong: the cause first, then the way to it.
pub(super) fn causes(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Failed(mismatches) => mismatches.iter().flat_map(mismatch).collect(),
        Verdict::Errored(failure) => {
            let mut lines = vec![failure.message.clone()];
            lines.extend(failure.cause.iter().map(|cause| format!("  {cause}")));
            if let Some(status) = failure.http_status {
                let reason = failure.reason.as_deref().unwrap_or_default();
                lines.push(format!("HTTP {status} {reason}").trim_end().to_owned());
            }
            lines.extend(failure.help.iter().map(|help| format!("help: {help}")));
            lines
        }
        Verdict::Passed | Verdict::Skipped(_) | Verdict::Cancelled(_) => vec![verdict.line()],
    }
}

/// The lines of one expectation that does not hold.
fn mismatch(mismatch: &Mismatch) -> Vec<String> {
    let mut lines = vec![mismatch.to_string()];
    for diff in &mismatch.diff {
        let side = |value: &Option<Value>| value.as_ref().map_or("nothing".into(), ToString::to_string);
        lines.push(format!("  {}: expected {}, found {}", diff.field, side(&diff.expected), side(&diff.found)));
    }
    lines.extend(mismatch.place.iter().map(|place| format!("  at {place}")));
    lines
}

/// The lines of what went wrong in a step, or that it broke off.
pub(super) fn trouble_of(step: &StepReport) -> Vec<String> {
    step.verdict.as_ref().map_or_else(|| vec!["the run broke off in this step".into()], causes)
}

/// A change in one line, with what came of it.
pub(super) fn change(change: &ChangeReport) -> String {
    let what = format!("{} {}", change.object, change.summary);
    match &change.settled {
        Settled::Applied { .. } => format!("changed: {what}"),
        Settled::Refused(failure) => format!("refused: {what}: {failure}"),
        Settled::Unknown(why) => format!("perhaps changed: {what}: {why}"),
    }
}

/// The list of the book that a step stands in.
pub(super) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Steps => "steps",
        Phase::OnFailure => "on-failure",
        Phase::Always => "always",
        Phase::Undo => "undo",
    }
}

/// A value in one line; text bare, nothing where there is none.
pub(super) fn value(value: Option<&Value>) -> String {
    match value {
        None => "nothing".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A time as people read it: `12ms`, `3.4s`, `2m 5s`.
pub(super) fn elapsed(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{}m {}s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// How a step stands, for people.
pub(super) fn standing(step: &StepReport) -> &'static str {
    match step.status {
        Some(StepStatus::Passed) => "passed",
        Some(StepStatus::Failed) => "failed",
        Some(StepStatus::Errored) => "errored",
        Some(StepStatus::Skipped) => "skipped",
        Some(StepStatus::Cancelled) => "cancelled",
        Some(StepStatus::Pending) | None => "unfinished",
    }
}

/// The mark before a step that stands so, the same as on the terminal.
pub(super) fn mark(step: &StepReport) -> &'static str {
    match standing(step) {
        "passed" => "✓",
        "skipped" => "–",
        "cancelled" | "unfinished" => "!",
        _ => "✗",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!([7, 1_000, 59_999, 125_000].map(elapsed), ["7ms", "1.0s", "59.9s", "2m 5s"]);
    }
}
