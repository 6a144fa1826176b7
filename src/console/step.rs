//! The lines of one step.

use super::page::Page;
use super::style::{Mark, Tone};
use super::text::{count, duration};
use super::trouble;
use crate::event::{Change, Settled, StepEnd, StepHead, Verb, Verdict};

/// A step in progress: what it said and did so far.
#[derive(Debug)]
pub(super) struct Open {
    /// What it began with.
    pub(super) head: StepHead,
    /// Whether its heading stands above what is inside it.
    pub(super) has_heading: bool,
    /// What came of it so far, in order.
    pub(super) remarks: Vec<Remark>,
    /// What it waits for.
    pub(super) waiting: String,
}

/// One thing that a step said or did.
#[derive(Debug)]
pub(super) enum Remark {
    Note(String),
    Warning(String),
    Artifact { name: String, path: String },
    Change(Box<Change>, Settled),
}

impl Open {
    /// A step that begins.
    pub(super) fn new(head: StepHead) -> Self {
        Self { head, has_heading: false, remarks: Vec::new(), waiting: String::new() }
    }
}

/// The line above the steps inside a group or loop.
pub(super) fn heading(page: &mut Page<'_>, head: &StepHead) {
    page.headline(head.depth, Mark::Heading, [&head.step.0, &head.name, ""]);
}

/// A step that ended, with everything it has to tell.
pub(super) fn finished(page: &mut Page<'_>, open: &Open, end: &StepEnd) {
    let status = end.verdict.status();
    let mark = Mark::of(status, end.tolerated);
    let level = if page.style().is_quiet() { 0 } else { open.head.depth };
    let name = if open.has_heading && !status.is_bad() { "" } else { &open.head.name };
    page.headline(level, mark, [&open.head.step.0, name, &tail(end)]);
    trouble::verdict(page, level + 2, &end.verdict);
    if status.is_bad() && !open.head.place.file.is_empty() {
        page.line(level + 2, Tone::Dim, &format!("at {}", open.head.place));
    }
    for remark in open.remarks.iter().filter(|remark| !remark.is_the_name(&open.head.name)) {
        remark.show(page, level + 2);
    }
    if page.style().is_verbose() {
        handed_on(page, level + 2, end);
    }
}

/// How it went, where that is not plain, and how long it took.
fn tail(end: &StepEnd) -> String {
    let took = duration(end.elapsed_ms);
    let tolerated = if end.tolerated { ", tolerated" } else { "" };
    let attempts = match end.attempts {
        0 | 1 => String::new(),
        many => format!(", {}", count(many, "attempt")),
    };
    let status = end.verdict.status();
    match &end.verdict {
        Verdict::Passed => format!("{took}{attempts}"),
        Verdict::Skipped(reason) => format!("skipped: {reason}"),
        Verdict::Cancelled(reason) => {
            format!("cancelled after {took}: {}{tolerated}", reason.words())
        }
        Verdict::Failed(_) | Verdict::Errored(_) => {
            format!("{} after {took}{attempts}{tolerated}", status.word())
        }
    }
}

impl Remark {
    /// A note whose whole text stands in the step's own line is not said twice.
    fn is_the_name(&self, name: &str) -> bool {
        matches!(self, Self::Note(text) if name.strip_prefix("note ") == Some(text))
    }

    pub(super) fn show(&self, page: &mut Page<'_>, level: usize) {
        match self {
            Self::Note(text) => page.line(level, Tone::Plain, text),
            Self::Warning(text) => page.labelled(level, (Tone::Odd, "warning:"), text),
            Self::Artifact { name, path } => {
                page.labelled(level, (Tone::Dim, "wrote"), &format!("{name}: {path}"));
            }
            Self::Change(change, settled) => show_change(page, level, change, settled),
        }
    }
}

fn show_change(page: &mut Page<'_>, level: usize, change: &Change, settled: &Settled) {
    let what = format!("{} {}", change.object, change.summary);
    match settled {
        Settled::Applied { .. } => page.labelled(level, (Tone::Odd, sign(change.verb)), &what),
        Settled::Refused(failure) => {
            page.labelled(level, (Tone::Bad, "x"), &format!("{what}: refused: {failure}"));
        }
        Settled::Unknown(why) => {
            let line = format!("{what}: nobody knows whether it was done: {why}");
            page.labelled(level, (Tone::Bad, "?"), &line);
        }
    }
}

/// The sign of a change, one column wide.
fn sign(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "+",
        Verb::Patch => "~",
        Verb::Delete | Verb::Evict => "-",
        Verb::Execute => "$",
    }
}

/// The outputs and facts that later steps may read.
fn handed_on(page: &mut Page<'_>, level: usize, end: &StepEnd) {
    for (name, output) in &end.outputs {
        let line = trouble::value(page, output);
        page.labelled(level, (Tone::Dim, &format!("{name} =")), &line);
    }
    if !end.info.is_null() {
        let line = trouble::value(page, &end.info);
        page.labelled(level, (Tone::Dim, "info ="), &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_said_once_where_it_fits_into_the_steps_own_line() {
        let note = Remark::Note("3 pods are ready".to_owned());
        assert!(note.is_the_name("note 3 pods are ready"));
        assert!(!note.is_the_name("note 3 pods are…"));
        assert!(!note.is_the_name("How it is"));
    }
}
