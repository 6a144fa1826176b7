//! The last block: how the run ended, what it leaves, and what to do now.

use std::collections::HashMap;

use super::page::Page;
use super::style::{Mark, Tone};
use super::text::{count, duration};
use super::trouble;
use crate::event::{Left, Outcome, Phase, RunEnd, StepHead, StepId, StepStatus};

/// How many steps ended how, and what they did.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// By step and list: one that is run again, in a group that is retried, counts once.
    ended: HashMap<(StepId, Phase), StepStatus>,
    /// Changes that the server made.
    pub(super) changes: u64,
    /// Requests sent.
    pub(super) requests: u64,
}

/// In the order in which they are told.
const TOLD: [StepStatus; 5] =
    [StepStatus::Passed, StepStatus::Failed, StepStatus::Errored, StepStatus::Skipped, StepStatus::Cancelled];

impl Tally {
    /// Counts a step that ended.
    pub(super) fn add(&mut self, head: &StepHead, status: StepStatus) {
        self.ended.insert((head.step.clone(), head.phase), status);
    }

    fn words(&self, end: &RunEnd) -> String {
        let number = |told| self.ended.values().filter(|status| **status == told).count();
        let parts: Vec<String> = TOLD
            .into_iter()
            .map(|told| (number(told), told))
            .filter(|(number, _)| *number > 0)
            .map(|(number, told)| format!("{number} {}", told.word()))
            .collect();
        let mut words = count(self.ended.len() as u64, "step");
        if !parts.is_empty() {
            words = format!("{words}: {}", parts.join(", "));
        }
        if end.tolerated > 0 {
            words = format!("{words} ({} tolerated)", end.tolerated);
        }
        let changes = count(self.changes, "change");
        let requests = count(self.requests, "request");
        format!("{words}; {changes}, {requests} in {}", duration(end.elapsed_ms))
    }
}

/// Writes the block.
pub(super) fn show(page: &mut Page<'_>, end: &RunEnd, tally: &Tally) {
    page.gap();
    page.headline(0, mark(end), [end.outcome.word(), "", &verdict(end)]);
    if let Some(failure) = &end.failure {
        let step = end.failed_step.as_ref().map_or("", |step| step.0.as_str());
        if !step.is_empty() {
            page.labelled(1, (Tone::Dim, "step"), step);
        }
        trouble::failure(page, 1, failure);
    }
    page.line(1, Tone::Plain, &tally.words(end));
    left(page, &end.left);
}

fn mark(end: &RunEnd) -> Mark {
    match end.outcome {
        Outcome::Passed if end.exit_code == 0 => Mark::Passed,
        Outcome::Paused | Outcome::Cancelled | Outcome::Undone | Outcome::Handled => Mark::Odd,
        Outcome::Passed | Outcome::UndoFailed | Outcome::Refused | Outcome::Unreachable | Outcome::Failed => Mark::Bad,
    }
}

fn verdict(end: &RunEnd) -> String {
    match (end.exit_code, end.class) {
        (0, _) => String::new(),
        (code, Some(class)) => format!("exit {code}, {}", class.word()),
        (code, None) => format!("exit {code}"),
    }
}

fn left(page: &mut Page<'_>, left: &Left) {
    section(page, "still changed", &left.still_changed, |page, item| {
        let before = trouble::perhaps(page, &item.before);
        let now = trouble::perhaps(page, &item.now);
        let arrow = page.style().arrow();
        let what = format!("{} {}", item.object, item.field);
        let line = format!("{what}: {before} {arrow} {now}  (step {})", item.step);
        page.labelled(2, (Tone::Odd, "~"), &line);
    });
    section(page, "not undoable", &left.not_undoable, |page, item| {
        let line = format!("{}: {}  (step {})", item.what, item.reason, item.step);
        page.labelled(2, (Tone::Odd, "!"), &line);
    });
    section(page, "next", &left.next, |page, command| {
        page.verbatim(2, Tone::Strong, command);
    });
}

fn section<T>(page: &mut Page<'_>, title: &str, items: &[T], show: impl Fn(&mut Page<'_>, &T)) {
    if items.is_empty() {
        return;
    }
    page.line(1, Tone::Plain, &format!("{title}:"));
    for item in items {
        show(page, item);
    }
}
