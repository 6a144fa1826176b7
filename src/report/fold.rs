//! The fold: each event finds its place in the report.

use std::collections::{BTreeMap, HashMap};

use chrono::SubsecRound as _;
use serde_json::Value;

use super::run::{Asked, Exit, Interruption, Report, Run};
use super::step::{
    ArtifactReport, AttemptReport, ChangeReport, Exchanges, RequestReport, StepReport, WaitLine, WaitReport,
};
use crate::clock::Timestamp;
use crate::event::{
    Attempt, CancelReason, Change, Event, EventKind, Exchange, Left, Note, Phase, RunEnd, Settled, StepEnd, StepHead,
    StepId, Verdict,
};
use crate::source::Place;

/// Requests and lines of waiting that are kept of a step one by one.
const KEPT: usize = 100;

impl Report {
    /// The report of events that are all there already, as a journal gives them.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut fold = Fold::default();
        for event in events {
            fold.take(event);
        }
        fold.report
    }
}

/// A report in the making.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    report: Report,
    /// The latest entry of each step.
    latest: HashMap<StepId, usize>,
}

impl Fold {
    /// What is known so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Takes one more event in.
    pub fn take(&mut self, event: &Event) {
        let at = event.at.trunc_subsecs(3);
        match &event.kind {
            EventKind::RunStarted(head) => self.begin(Run::of(&event.run, head, at), at),
            EventKind::PhaseStarted(_) => {}
            EventKind::StepStarted(head) => self.step_started(head, at),
            EventKind::StepWaiting(waiting) => {
                self.step(&waiting.step, at, |step| step.waits(&waiting.line, at));
            }
            EventKind::AttemptFailed(attempt) => {
                self.step(&attempt.step, at, |step| step.attempt_failed(attempt));
            }
            EventKind::Exchanged(exchange) => self.exchanged(exchange, at),
            EventKind::Changed { change, settled } => self.changed(change, settled, at),
            EventKind::Noted(note) => self.noted(note, at),
            EventKind::Warned(note) => self.warned(note, at),
            EventKind::ArtifactWritten { step, name, path, bytes } => {
                let artifact = ArtifactReport { name: name.clone(), path: path.clone(), bytes: *bytes };
                self.step(step, at, |step| step.artifacts.push(artifact));
            }
            EventKind::Asked { question, answer } => self.asked(question, answer, at),
            EventKind::StepFinished(end) => self.step_finished(end, at),
            EventKind::Interrupted(reason) => self.interrupted(*reason, at),
            EventKind::RunFinished(end) => self.finish(end, at),
        }
        if self.report.outcome.is_none() {
            self.report.run.elapsed_ms = between(self.report.run.started, at);
        }
    }

    /// A second beginning is a resume: what was written before stays.
    fn begin(&mut self, run: Run, at: Timestamp) {
        let report = &mut self.report;
        if report.run.started.is_none() {
            report.run = run;
            return;
        }
        report.run.resumed.push(at);
        report.run.ended = None;
        report.outcome = None;
        report.exit = None;
        report.left = Left::default();
    }

    fn step_started(&mut self, head: &StepHead, at: Timestamp) {
        let mut step = StepReport::of(head, at);
        if let Some(earlier) = self.latest.get(&head.step).and_then(|index| self.report.steps.get_mut(*index))
            && earlier.phase == head.phase
        {
            earlier.superseded = true;
            if goes_on(earlier) {
                // What it changed before it broke off is not changed again, and is told where it ends.
                step.changes = std::mem::take(&mut earlier.changes);
                step.changed = earlier.changed;
            }
            self.report.counts.steps -= 1;
            *self.report.counts.of(earlier.status) -= 1;
        }
        self.enter(step);
    }

    fn enter(&mut self, step: StepReport) {
        self.latest.insert(step.id.clone(), self.report.steps.len());
        self.report.counts.steps += 1;
        self.report.counts.unfinished += 1;
        self.report.steps.push(step);
    }

    fn exchanged(&mut self, exchange: &Exchange, at: Timestamp) {
        self.report.counts.requests += 1;
        self.report.exchanges.add(exchange);
        if let Some(step) = &exchange.step {
            self.step(step, at, |step| step.exchanged(exchange, at));
        }
    }

    fn changed(&mut self, change: &Change, settled: &Settled, at: Timestamp) {
        let report = ChangeReport::of(change, settled);
        self.report.counts.changes += usize::from(report.is_applied());
        self.step(&change.step, at, |step| {
            step.changed |= report.is_applied();
            step.changes.push(report);
        });
    }

    fn noted(&mut self, note: &Note, at: Timestamp) {
        let text = note.text.clone();
        match &note.step {
            Some(step) => self.step(step, at, |step| step.notes.push(text)),
            None => self.report.notes.push(text),
        }
    }

    fn warned(&mut self, note: &Note, at: Timestamp) {
        let text = note.text.clone();
        match &note.step {
            Some(step) => self.step(step, at, |step| step.warnings.push(text)),
            None => self.report.warnings.push(text),
        }
    }

    fn asked(&mut self, question: &str, answer: &str, at: Timestamp) {
        self.report.asked.push(Asked { at, question: question.to_owned(), answer: answer.to_owned() });
    }

    fn interrupted(&mut self, reason: CancelReason, at: Timestamp) {
        self.report.interruptions.push(Interruption { at, reason });
    }

    fn step_finished(&mut self, end: &StepEnd, at: Timestamp) {
        let mut before = None;
        self.step(&end.step, at, |step| {
            before = step.status;
            step.finish(end);
        });
        *self.report.counts.of(before) -= 1;
        *self.report.counts.of(Some(end.verdict.status())) += 1;
        self.report.tolerated += usize::from(end.tolerated);
    }

    fn finish(&mut self, end: &RunEnd, at: Timestamp) {
        let report = &mut self.report;
        report.run.ended = Some(at);
        report.run.elapsed_ms = end.elapsed_ms;
        report.outcome = Some(end.outcome);
        report.tolerated = end.tolerated;
        report.outputs.clone_from(&end.outputs);
        report.left = end.left.clone();
        report.exit = Some(Exit::of(end));
    }

    /// Turns to the latest entry of a step, which has just given a sign of life.
    ///
    /// A journal that lost its head still folds: an unknown step gets an entry.
    fn step(&mut self, id: &StepId, at: Timestamp, change: impl FnOnce(&mut StepReport)) {
        if !self.latest.contains_key(id) {
            self.enter(StepReport::of(&unknown(id), at));
        }
        let index = self.latest.get(id).copied();
        if let Some(step) = index.and_then(|index| self.report.steps.get_mut(index)) {
            step.alive(at);
            change(step);
        }
    }
}

/// Whether a step broke off or was stopped, so that a later process goes on with it.
fn goes_on(step: &StepReport) -> bool {
    matches!(step.verdict, None | Some(Verdict::Cancelled(_)))
}

impl StepReport {
    /// A step that begins.
    fn of(head: &StepHead, at: Timestamp) -> Self {
        Self {
            id: head.step.clone(),
            name: head.name.clone(),
            action: head.action.clone(),
            place: head.place.clone(),
            phase: head.phase,
            depth: head.depth,
            status: None,
            verdict: None,
            class: None,
            tolerated: false,
            superseded: false,
            changed: false,
            attempts: 0,
            failed_attempts: Vec::new(),
            started: Some(at),
            elapsed_ms: 0,
            wait: None,
            expectations: 0,
            changes: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            artifacts: Vec::new(),
            outputs: BTreeMap::new(),
            info: Value::Null,
            exchanges: Exchanges::default(),
            requests: Vec::new(),
        }
    }

    fn exchanged(&mut self, exchange: &Exchange, at: Timestamp) {
        self.exchanges.add(exchange);
        if self.requests.len() < KEPT {
            self.requests.push(RequestReport {
                at_ms: between(self.started, at).saturating_sub(exchange.elapsed_us / 1000),
                method: exchange.method.clone(),
                path: exchange.path.clone(),
                end: exchange.end.clone(),
                elapsed_us: exchange.elapsed_us,
            });
        }
    }

    fn waits(&mut self, line: &str, at: Timestamp) {
        let at_ms = between(self.started, at);
        let fresh = || WaitReport { line: String::new(), since: at, waited_ms: 0, lines: Vec::new() };
        let wait = self.wait.get_or_insert_with(fresh);
        if wait.line != line && wait.lines.len() < KEPT {
            wait.lines.push(WaitLine { at_ms, line: line.to_owned() });
        }
        line.clone_into(&mut wait.line);
    }

    fn attempt_failed(&mut self, attempt: &Attempt) {
        self.attempts = attempt.attempt;
        self.failed_attempts.push(AttemptReport {
            attempt: attempt.attempt,
            verdict: attempt.verdict.clone(),
            next_in_ms: attempt.next_in_ms,
        });
    }

    /// Stretches the times up to now, unless the step has ended.
    fn alive(&mut self, at: Timestamp) {
        if self.status.is_some() {
            return;
        }
        self.elapsed_ms = between(self.started, at);
        if let Some(wait) = &mut self.wait {
            wait.waited_ms = between(Some(wait.since), at);
        }
    }

    fn finish(&mut self, end: &StepEnd) {
        self.elapsed_ms = end.elapsed_ms;
        self.status = Some(end.verdict.status());
        self.class = end.verdict.class();
        self.verdict = Some(end.verdict.clone());
        self.tolerated = end.tolerated;
        self.changed = end.changed;
        self.attempts = end.attempts;
        self.expectations = end.expectations;
        self.outputs.clone_from(&end.outputs);
        self.info = end.info.clone();
    }
}

fn unknown(id: &StepId) -> StepHead {
    StepHead {
        step: id.clone(),
        name: String::new(),
        action: String::new(),
        place: Place::default(),
        phase: Phase::default(),
        depth: 0,
    }
}

fn between(from: Option<Timestamp>, to: Timestamp) -> u64 {
    let from = from.unwrap_or(to);
    u64::try_from((to - from).num_milliseconds()).unwrap_or(0)
}
