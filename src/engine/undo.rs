//! Taking back, newest first.
//!
//! A step with steps of its own for it is taken back by those; every other
//! change by its before-image. What someone else changed since is left alone
//! and reported. The rollouts that a taking-back causes are waited for.

use std::sync::PoisonError;

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::run::{Run, Surroundings};
use super::step::Tried;
use crate::action::{Back, Context, MadeChange, settle_rollouts, take_back};
use crate::event::{
    CancelReason, Class, EventKind, Failure, ObjectId, Phase, Record, Reversal, StepHead, StepId, Verdict,
};
use crate::runbook::{Step, UndoPolicy, UndoWhich};

/// What came of a taking-back, in words.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) done: Vec<String>,
    pub(super) conflicts: Vec<String>,
    pub(super) cannot: Vec<String>,
    pub(super) stopped: Option<CancelReason>,
    /// A new login came: what is left is tried once more.
    again: bool,
}

impl Undone {
    /// The facts of a taking-back.
    pub(super) fn info(&self) -> Json {
        json!({"undone": self.done, "conflicts": self.conflicts, "not_undoable": self.cannot})
    }

    /// How it went.
    pub(super) fn verdict(&self) -> Verdict {
        if let Some(reason) = self.stopped {
            return Verdict::Cancelled(reason);
        }
        if self.conflicts.is_empty() {
            return Verdict::Passed;
        }
        let failure = Failure::new(Class::Undo, format!("not taken back: {}", self.conflicts.join("; ")));
        Verdict::Errored(
            failure.help("a person must look: another writer changed what this run left, or the way back is broken"),
        )
    }
}

impl Run {
    /// Takes back what the named steps changed.
    pub(super) async fn undo(&self, which: &UndoWhich, context: &Context, around: &Surroundings) -> Undone {
        let (mut undone, mut touched) = (Undone::default(), Vec::new());
        loop {
            self.undo_standing(which, (context, around), &mut undone, &mut touched).await;
            if !std::mem::take(&mut undone.again) {
                break;
            }
        }
        if undone.stopped.is_none()
            && let Err(failure) = settle_rollouts(context, &touched).await
        {
            undone.conflicts.push(failure.message);
        }
        undone
    }

    async fn undo_standing(
        &self,
        which: &UndoWhich,
        (context, around): (&Context, &Surroundings),
        undone: &mut Undone,
        touched: &mut Vec<ObjectId>,
    ) {
        let mut by_steps: Vec<String> = Vec::new();
        let mut standing: Vec<MadeChange> = self.shared.made.all().into_iter().filter(MadeChange::stands).collect();
        standing.retain(|made| is_meant(which, made) && made.change.reversal != Reversal::Nothing);
        for made in standing.iter().rev() {
            if undone.again {
                return;
            }
            if let Some(reason) = self.stopped(around) {
                undone.stopped = Some(reason);
                break;
            }
            match self.own_undo(made) {
                Some(step) if by_steps.contains(&step.id) => {}
                Some(step) => {
                    by_steps.push(step.id.clone());
                    self.undo_by_steps(step, &standing, around, undone).await;
                }
                None => self.undo_one(made, context, undone, touched).await,
            }
        }
    }

    /// The step whose own undo steps take a change back, if it has them.
    pub(super) fn own_undo(&self, made: &MadeChange) -> Option<&Step> {
        self.order.book.walk().find(|step| {
            matches!(step.undo, UndoPolicy::Steps(_)) && step.named && bears(&made.change.step.0, &step.id)
        })
    }

    /// Why the book says that a change is never taken back, where it does.
    pub(super) fn never_undone(&self, made: &MadeChange) -> Option<String> {
        self.order.book.walk().find_map(|step| match &step.undo {
            UndoPolicy::Never(reason) if step.named && bears(&made.change.step.0, &step.id) => Some(reason.clone()),
            _ => None,
        })
    }

    async fn undo_by_steps(&self, step: &Step, standing: &[MadeChange], around: &Surroundings, undone: &mut Undone) {
        let UndoPolicy::Steps(steps) = &step.undo else { return };
        let way = StepId(format!("{}.undo", step.id));
        let inner = Surroundings {
            scope: self.with_failure(&around.scope),
            phase: Phase::Undo,
            depth: around.depth + 1,
            parent: Some(way.clone()),
            wires: Vec::new(),
            ..around.clone()
        };
        if self.list_to_the_end(steps, &inner).await {
            // What the way back changed is the way back: it is not taken back in turn.
            self.shared.made.reverse_by(&way, &Reversal::Nothing);
            self.keep(&Record::WayBack { step: way.0.clone() });
            for made in standing.iter().filter(|made| bears(&made.change.step.0, &step.id)) {
                self.taken_back(made);
            }
            undone.done.push(format!("{} (by its own steps)", step.id));
        } else {
            undone.conflicts.push(format!("the undo steps of `{}` failed", step.id));
        }
    }

    async fn undo_one(&self, made: &MadeChange, context: &Context, undone: &mut Undone, touched: &mut Vec<ObjectId>) {
        let what = format!("{} {}", made.change.object, made.change.summary);
        if let Reversal::Cannot(reason) = &made.change.reversal {
            undone.cannot.push(format!("{what}: {reason}"));
            return;
        }
        match take_back(context, made).await {
            Ok(Back::Done) => {
                self.taken_back(made);
                touched.push(made.change.object.clone());
                undone.done.push(what);
            }
            Ok(Back::Already) => self.taken_back(made),
            Ok(Back::Conflict(reason)) => undone.conflicts.push(format!("{what}: {reason}")),
            Err(failure) if failure.class == Class::Login => {
                self.new_login_for_undo(made, &failure, undone).await;
            }
            Err(failure) => undone.conflicts.push(format!("{what}: {failure}")),
        }
    }

    /// A login that ends in the middle of a taking-back is waited for, too.
    async fn new_login_for_undo(&self, made: &MadeChange, trouble: &Failure, undone: &mut Undone) {
        if self.new_login(&made.change.step, trouble).await {
            undone.again = true;
        } else {
            undone.stopped = Some(CancelReason::Paused);
        }
    }

    fn taken_back(&self, made: &MadeChange) {
        self.shared.made.take_back(made.number);
        self.keep(&Record::TakenBack { ticket: made.ticket });
    }

    fn keep(&self, record: &Record) {
        if let Err(error) = self.shared.ledger.remember(record) {
            self.warn(error.to_string());
        }
    }

    /// Takes back outside any step of the book, and tells of it as of a step.
    pub(super) async fn undo_as_a_step(&self, which: &UndoWhich, around: &Surroundings) -> Undone {
        let (id, started) = (StepId("undo-run".into()), Instant::now());
        self.shared.fan.tell(EventKind::StepStarted(Box::new(StepHead {
            step: id.clone(),
            name: "take back what this run changed".into(),
            action: "undo-steps".into(),
            place: self.order.book.source.place(0),
            phase: Phase::Undo,
            depth: 0,
        })));
        let context = self.context_of(&id, around);
        let undone = self.undo(which, &context, around).await;
        let verdict = undone.verdict();
        if let Verdict::Errored(failure) = &verdict {
            self.undo_failed(failure);
        }
        for cannot in &undone.cannot {
            context.warn(format!("cannot be taken back: {cannot}"));
        }
        let tried = Tried { changed: !undone.done.is_empty(), info: undone.info(), ..Tried::new(verdict) };
        self.end_step(&id, tried, false, started);
        undone
    }

    pub(super) fn undo_failed(&self, failure: &Failure) {
        self.undo_failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| failure.clone());
    }
}

pub(super) fn is_meant(which: &UndoWhich, made: &MadeChange) -> bool {
    match which {
        UndoWhich::All => true,
        UndoWhich::Ids(ids) => ids.iter().any(|(id, _)| bears(&made.change.step.0, id)),
    }
}

/// Whether a full step name has this id on its way: ids are unique in a book.
pub(super) fn bears(step: &str, id: &str) -> bool {
    let mut depth = 0_usize;
    let outside_keys: String = step
        .chars()
        .filter(|letter| {
            match letter {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect();
    outside_keys.split('.').any(|part| part == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_on_the_way_and_not_in_a_key() {
        assert!(bears("pause[shop].apps", "pause"));
        assert!(bears("pause[shop].apps", "apps"));
        assert!(!bears("pause[apps.x].cron", "apps"));
        assert!(!bears("pause[shop].apps", "app"));
    }
}
