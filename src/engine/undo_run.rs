//! Taking back what a run of the past has changed (`runhub undo`).
//!
//! The same as `undo-steps`, later and from another process: changes and
//! before-images come from the vault. What was taken back is journaled change
//! by change, so that an undo that breaks off goes on where it was.

use super::cancel::Cancel;
use super::order::{Doors, Order};
use super::outcome;
use super::past::Past;
use super::run::{Run, Surroundings, with};
use super::undo::is_meant;
use crate::action::{Back, MadeChange, look_back};
use crate::event::{
    CancelReason, Class, EventKind, Failure, ObjectId, Outcome, Phase, Reversal, RunEnd, StepId, StepStatus, Verdict,
};
use crate::runbook::UndoWhich;

/// One change that an undo comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoLine {
    /// The step that made it.
    pub step: StepId,
    /// Of which object.
    pub object: ObjectId,
    /// The change in words.
    pub change: String,
    /// What would become of it.
    pub way: Way,
}

/// How a change would be taken back.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// From its before-image.
    Back,
    /// By the undo steps of this step.
    Steps(String),
    /// Nothing of it is left.
    Already,
    /// Someone else changed the object since, and how.
    Conflict(String),
    /// It cannot be, and why.
    Cannot(String),
    /// It could not be looked at.
    Unread(Failure),
}

/// Takes back what a run of the past has changed.
pub async fn undo(order: Order, doors: Doors, cancel: Cancel, (past, which): (Past, UndoWhich)) -> RunEnd {
    let before = past.end().cloned();
    with(order, doors, cancel, past, async |run, around| run.undo_all(&which, around, before).await).await
}

/// Says what an undo would come to, newest first; nothing is sent and nothing is journaled.
///
/// # Errors
/// When the run's values cannot be brought back.
pub async fn plan_undo(order: Order, doors: Doors, past: Past, which: &UndoWhich) -> Result<Vec<UndoLine>, Failure> {
    let mut lines = None;
    let end = with(order, doors, Cancel::default(), past, async |run, around| {
        run.remember_reversals();
        lines = Some(run.undo_lines(which, &around).await);
        outcome::conclude(run, false, std::collections::BTreeMap::new(), run.started)
    })
    .await;
    lines
        .ok_or_else(|| end.failure.unwrap_or_else(|| Failure::new(Class::Evaluation, "the run cannot be brought back")))
}

impl Run {
    async fn undo_all(&self, which: &UndoWhich, around: Surroundings, before: Option<RunEnd>) -> RunEnd {
        if !self.settle_lost().await {
            return outcome::conclude(self, false, std::collections::BTreeMap::new(), self.started);
        }
        self.remember_reversals();
        self.shared.fan.tell(EventKind::PhaseStarted(Phase::Undo));
        let around = Surroundings { phase: Phase::Undo, stopped_by: CancelReason::Interrupt, ..around };
        let undone = self.undo_as_a_step(which, &around).await;
        let end = outcome::conclude(self, false, std::collections::BTreeMap::new(), self.started);
        self.after_undo(end, undone.verdict(), before)
    }

    /// How the run stands after an undo: taken back, or as it was but for what was.
    fn after_undo(&self, end: RunEnd, verdict: Verdict, before: Option<RunEnd>) -> RunEnd {
        let left = self.shared.made.all();
        let standing = left.iter().filter(|made| made.stands() && made.change.reversal != Reversal::Nothing).count();
        match (verdict.status(), end.outcome) {
            (StepStatus::Passed, Outcome::Passed) if standing == 0 => {
                RunEnd { outcome: Outcome::Undone, exit_code: 0, left: outcome::left(self), ..end }
            }
            (StepStatus::Passed, Outcome::Passed) => {
                let before = before.unwrap_or_else(|| RunEnd { outcome: Outcome::Failed, ..end.clone() });
                RunEnd { exit_code: 0, left: outcome::left(self), elapsed_ms: end.elapsed_ms, ..before }
            }
            _ => end,
        }
    }

    /// What the book says of taking its steps back, for changes whose steps are not walked again.
    fn remember_reversals(&self) {
        for made in self.shared.made.all() {
            self.shared.made.close(&made.change.step);
            if let Some(reason) = self.never_undone(&made) {
                self.shared.made.reverse_by(&made.change.step, &Reversal::Cannot(reason));
            }
        }
    }

    async fn undo_lines(&self, which: &UndoWhich, around: &Surroundings) -> Vec<UndoLine> {
        let context = self.context_of(&StepId("undo-run".into()), around);
        let mut lines = Vec::new();
        for made in self.shared.made.all().iter().rev() {
            if !made.stands() || made.change.reversal == Reversal::Nothing || !is_meant(which, made) {
                continue;
            }
            let way = match (self.own_undo(made), &made.change.reversal) {
                (Some(step), _) => Way::Steps(step.id.clone()),
                (None, Reversal::Cannot(reason)) => Way::Cannot(reason.clone()),
                (None, _) => match look_back(&context, made).await {
                    Ok(Back::Done) => Way::Back,
                    Ok(Back::Already) => Way::Already,
                    Ok(Back::Conflict(reason)) => Way::Conflict(reason),
                    Err(failure) => Way::Unread(failure),
                },
            };
            lines.push(line(made, way));
        }
        lines
    }
}

fn line(made: &MadeChange, way: Way) -> UndoLine {
    UndoLine {
        step: made.change.step.clone(),
        object: made.change.object.clone(),
        change: made.change.summary.clone(),
        way,
    }
}
