//! The end of a run: the table of runbook-format §10, first true line wins.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::pause::Pause;
use super::run::Run;
use crate::action::MadeChange;
use crate::event::{
    CancelReason, Class, Failure, Left, NotUndoable, Outcome, Phase, Reversal, RunEnd, StepId, StillChanged, Verdict,
};

/// The step that decided how the run ends.
#[derive(Debug, Clone)]
pub(super) struct Decisive {
    pub(super) step: StepId,
    pub(super) name: String,
    pub(super) verdict: Verdict,
    pub(super) failure: Option<Failure>,
}

/// The exit code that goes with an outcome.
pub fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Passed => 0,
        Outcome::Failed => 1,
        Outcome::Refused => 4,
        Outcome::Undone => 5,
        Outcome::Handled => 6,
        Outcome::Paused => 7,
        Outcome::Unreachable => 8,
        Outcome::UndoFailed => 9,
        Outcome::Cancelled => 130,
    }
}

/// What the table looks at.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the lines of the table")]
struct Facts {
    paused: bool,
    undo_failed: bool,
    interrupted: bool,
    class: Option<Class>,
    failed: bool,
    handled: bool,
    sent: usize,
    applied: usize,
    standing: usize,
}

fn decide(facts: &Facts) -> Outcome {
    if facts.paused {
        Outcome::Paused
    } else if facts.undo_failed {
        Outcome::UndoFailed
    } else if facts.interrupted {
        Outcome::Cancelled
    } else if facts.failed && facts.applied > 0 && facts.standing == 0 {
        Outcome::Undone
    } else if facts.failed && facts.handled {
        Outcome::Handled
    } else if facts.failed && facts.sent == 0 && is_refusal(facts.class) {
        Outcome::Refused
    } else if facts.failed && facts.sent == 0 && is_unreachable(facts.class) {
        Outcome::Unreachable
    } else if facts.failed {
        Outcome::Failed
    } else {
        Outcome::Passed
    }
}

fn is_refusal(class: Option<Class>) -> bool {
    matches!(class, Some(Class::Budget | Class::Guard | Class::Consent | Class::Forbidden | Class::Drift))
}

fn is_unreachable(class: Option<Class>) -> bool {
    matches!(class, Some(Class::Transport | Class::Login | Class::Unrouted))
}

/// How the run would end if it ended now; what `run.outcome` says in `always`.
pub(super) fn so_far(run: &Run) -> Outcome {
    decide(&facts(run, false))
}

fn facts(run: &Run, handled: bool) -> Facts {
    let decisive = run.decisive.lock().unwrap_or_else(PoisonError::into_inner);
    let made = run.shared.made.all();
    let class = decisive.as_ref().and_then(|decisive| decisive.verdict.class());
    let interrupted = matches!(run.cancel.reason(), Some(CancelReason::Interrupt | CancelReason::SecondInterrupt));
    Facts {
        paused: run.pending().is_some(),
        undo_failed: run.undo_failed.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
        interrupted: interrupted || run.past.was_interrupted(),
        class,
        failed: decisive.is_some(),
        handled,
        sent: made.len(),
        applied: made.iter().filter(|made| made.is_applied() && leaves_a_mark(made)).count(),
        standing: made.iter().filter(|made| made.stands() && leaves_a_mark(made)).count(),
    }
}

/// Whether a change leaves anything that could be taken back or regretted.
fn leaves_a_mark(made: &MadeChange) -> bool {
    made.change.reversal != Reversal::Nothing
}

/// The end of a run that went through its phases.
pub(super) fn conclude(run: &Run, handled: bool, outputs: BTreeMap<String, Json>, started: Instant) -> RunEnd {
    let outcome = decide(&facts(run, handled));
    if let Some(pause) = run.pending() {
        return waiting(run, pause, started);
    }
    let decisive = run.decisive.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let undo = run.undo_failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let tolerated = run.tolerated.load(Ordering::Relaxed);
    let strict = run.order.options.strict && tolerated > 0 && outcome == Outcome::Passed;
    let class = if undo.is_some() {
        Some(Class::Undo)
    } else {
        decisive.as_ref().and_then(|decisive| decisive.verdict.class())
    };
    let failed_step = decisive.as_ref().map(|decisive| decisive.step.clone());
    let failure = decisive.and_then(|decisive| decisive.failure);
    RunEnd {
        outcome,
        exit_code: if strict { 1 } else { exit_code(outcome) },
        class,
        failed_step,
        failure: match undo {
            Some(undo) => Some(with_cause_of_undo(undo, failure)),
            None if strict => Some(not_tolerated(tolerated)),
            None => failure,
        },
        tolerated,
        elapsed_ms: elapsed(started),
        outputs,
        left: if outcome == Outcome::Passed { Left::default() } else { left(run) },
    }
}

/// The end of a process whose run goes on later.
fn waiting(run: &Run, mut pause: Pause, started: Instant) -> RunEnd {
    if pause.next.is_empty() {
        pause.next.push(format!("runhub resume {}", run.shared.facts.run));
    }
    RunEnd {
        outcome: Outcome::Paused,
        exit_code: exit_code(Outcome::Paused),
        failed_step: pause.step,
        tolerated: run.tolerated.load(Ordering::Relaxed),
        left: Left { next: pause.next, ..left(run) },
        ..never_began(&pause.failure, started)
    }
}

/// A taking-back that failed, after the trouble that it was to mend.
fn with_cause_of_undo(undo: Failure, trouble: Option<Failure>) -> Failure {
    match trouble {
        Some(trouble) => Failure { message: format!("{trouble}; and then {undo}"), ..undo },
        None => undo,
    }
}

fn not_tolerated(tolerated: usize) -> Failure {
    let steps = if tolerated == 1 { "1 step".to_owned() } else { format!("{tolerated} steps") };
    Failure::new(Class::Assertion, format!("{steps} went badly and the book tolerates that; `--strict` does not"))
}

/// The end of a run that was refused before its first step.
pub(super) fn refused(run: &Run, failure: &Failure, started: Instant) -> RunEnd {
    let outcome = match failure.class {
        _ if run.cancel.reason() >= Some(CancelReason::Interrupt) => Outcome::Cancelled,
        class if is_unreachable(Some(class)) => Outcome::Unreachable,
        class if is_refusal(Some(class)) => Outcome::Refused,
        Class::Unsupported => Outcome::Refused,
        _ => Outcome::Failed,
    };
    RunEnd { outcome, exit_code: exit_code(outcome), ..never_began(failure, started) }
}

/// The end of a run whose values could not even be computed.
pub(super) fn never_began(failure: &Failure, started: Instant) -> RunEnd {
    RunEnd {
        outcome: Outcome::Failed,
        exit_code: exit_code(Outcome::Failed),
        class: Some(failure.class),
        failed_step: None,
        failure: Some(failure.clone()),
        tolerated: 0,
        elapsed_ms: elapsed(started),
        outputs: BTreeMap::new(),
        left: Left::default(),
    }
}

fn elapsed(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What the run leaves behind, newest first.
pub(super) fn left(run: &Run) -> Left {
    let mut left = Left::default();
    for made in run.shared.made.all().iter().rev().filter(|made| made.stands()) {
        match &made.change.reversal {
            Reversal::Nothing => {}
            Reversal::Cannot(reason) => left.not_undoable.push(NotUndoable {
                step: made.change.step.clone(),
                what: format!("{} {}", made.change.object, made.change.summary),
                reason: reason.clone(),
            }),
            Reversal::Fields | Reversal::DeleteCreated => {
                for changed in still_changed(made) {
                    add(&mut left.still_changed, changed);
                }
            }
        }
    }
    left.still_changed.retain(|changed| changed.before != changed.now);
    left.next.extend(next(run));
    left
}

/// The commands that are worth a try now.
fn next(run: &Run) -> Vec<String> {
    let id = &run.shared.facts.run;
    let interrupted = matches!(run.cancel.reason(), Some(CancelReason::Interrupt | CancelReason::SecondInterrupt));
    let over = run.cancel.reason() == Some(CancelReason::Interrupt) && !run.order.book.always.is_empty();
    let mut next = Vec::new();
    if interrupted && !over && !run.past.has_phase(Phase::Always) {
        next.push(format!("runhub resume {id}"));
    }
    let back =
        |made: &MadeChange| made.stands() && matches!(made.change.reversal, Reversal::Fields | Reversal::DeleteCreated);
    if run.shared.made.all().iter().any(back) {
        next.push(format!("runhub undo {id} --plan"));
    }
    next.push(format!("runhub show {id}"));
    next
}

/// A field that was changed several times is told once: as it was at first, as it is now.
fn add(fields: &mut Vec<StillChanged>, older: StillChanged) {
    let same = |known: &&mut StillChanged| known.field == older.field && known.object.same_name(&older.object);
    match fields.iter_mut().find(same) {
        Some(newer) => newer.before = older.before,
        None => fields.push(older),
    }
}

fn still_changed(made: &MadeChange) -> Vec<StillChanged> {
    let change = &made.change;
    let field = |field: String, before, now| StillChanged {
        step: change.step.clone(),
        object: change.object.clone(),
        field,
        before,
        now,
    };
    if change.written.is_empty() {
        return vec![field(String::new(), None, Some(change.summary.clone().into()))];
    }
    change
        .written
        .iter()
        .map(|written| field(written.pointer.clone(), written.before.clone(), written.after.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_true_line_of_the_table_decides() {
        let failed = Facts { failed: true, class: Some(Class::Expectation), ..Facts::default() };
        let cases = [
            (Facts::default(), Outcome::Passed),
            (failed.clone(), Outcome::Failed),
            (Facts { handled: true, ..failed.clone() }, Outcome::Handled),
            (Facts { applied: 2, sent: 2, standing: 1, ..failed.clone() }, Outcome::Failed),
            (Facts { applied: 2, sent: 3, standing: 0, handled: true, ..failed.clone() }, Outcome::Undone),
            (Facts { class: Some(Class::Budget), ..failed.clone() }, Outcome::Refused),
            (Facts { class: Some(Class::Budget), sent: 1, ..failed.clone() }, Outcome::Failed),
            (Facts { class: Some(Class::Transport), ..failed.clone() }, Outcome::Unreachable),
            (Facts { class: Some(Class::Transport), sent: 1, ..failed.clone() }, Outcome::Failed),
            (Facts { interrupted: true, ..failed.clone() }, Outcome::Cancelled),
            (Facts { interrupted: true, undo_failed: true, ..failed.clone() }, Outcome::UndoFailed),
            (Facts { paused: true, undo_failed: true, ..failed }, Outcome::Paused),
        ];
        for (facts, outcome) in cases {
            assert_eq!(decide(&facts), outcome, "{facts:?}");
        }
    }
}
