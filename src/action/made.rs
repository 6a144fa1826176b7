//! The changes that a run has made, in order: what undo goes back over.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::event::{Change, ObjectId, Reversal, Settled, StepId};

/// One change with what came of it.
#[derive(Debug, Clone)]
pub struct MadeChange {
    /// Its number in the run, counted from 0.
    pub number: usize,
    /// The ledger's number of its intent.
    pub ticket: u64,
    /// The change.
    pub change: Change,
    /// The object before it, where one was read.
    pub before: Option<Arc<Value>>,
    /// What came of it; absent: still in flight.
    pub settled: Option<Settled>,
    /// Whether it was taken back since.
    pub taken_back: bool,
}

impl MadeChange {
    /// Whether it stands: applied or perhaps applied, and not taken back.
    pub fn stands(&self) -> bool {
        !self.taken_back && !matches!(self.settled, Some(Settled::Refused(_)))
    }

    /// Whether it was surely applied.
    pub fn is_applied(&self) -> bool {
        matches!(self.settled, Some(Settled::Applied { .. }))
    }
}

/// The run-wide list of changes; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Made(Arc<Mutex<Vec<MadeChange>>>);

impl Made {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<MadeChange>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a change that is about to be sent, and gives its number.
    pub fn begin(&self, change: Change, before: Option<Arc<Value>>, ticket: u64) -> usize {
        self.with(|list| {
            let number = list.len();
            list.push(MadeChange { number, ticket, change, before, settled: None, taken_back: false });
            number
        })
    }

    /// Notes what came of it, and what the server made of the fields we wrote (`0.5` becomes `500m`).
    pub fn settle(&self, number: usize, settled: Settled, answer: Option<&Value>) {
        self.with(|list| {
            if let Some(made) = list.get_mut(number) {
                for field in made.change.written.iter_mut().filter(|field| field.after.is_some()) {
                    if let Some(held) = answer.and_then(|object| object.pointer(&field.pointer)) {
                        field.after = Some(held.clone());
                    }
                }
                if let Settled::Applied { uid, .. } = &settled
                    && made.change.object.uid.is_empty()
                {
                    made.change.object.uid.clone_from(uid);
                }
                made.settled = Some(settled);
            }
        });
    }

    /// Notes that it was taken back.
    pub fn take_back(&self, number: usize) {
        self.with(|list| {
            if let Some(made) = list.get_mut(number) {
                made.taken_back = true;
            }
        });
    }

    /// Replaces how a change is taken back, where the book says so.
    pub fn reverse_by(&self, step: &StepId, reversal: &Reversal) {
        self.with(|list| {
            for made in list.iter_mut().filter(|made| made.change.step.is_within(step)) {
                made.change.reversal = reversal.clone();
            }
        });
    }

    /// All changes, oldest first.
    pub fn all(&self) -> Vec<MadeChange> {
        self.with(|list| list.clone())
    }

    /// How many changes were ever sent.
    pub fn count(&self) -> usize {
        self.with(|list| list.len())
    }

    /// Changes whose outcome nobody knows yet.
    pub fn in_flight(&self) -> Vec<MadeChange> {
        self.with(|list| list.iter().filter(|made| made.settled.is_none()).cloned().collect())
    }

    /// Whether anything applied by a step, or inside it, still stands.
    pub fn changed(&self, step: &StepId) -> bool {
        self.with(|list| list.iter().any(|made| made.change.step.is_within(step) && made.is_applied()))
    }

    /// The distinct objects that were changed.
    pub fn objects(&self) -> Vec<ObjectId> {
        self.with(|list| {
            let mut objects: Vec<ObjectId> = Vec::new();
            for made in list.iter().filter(|made| !matches!(made.settled, Some(Settled::Refused(_)))) {
                if !objects.iter().any(|known| known.same_name(&made.change.object)) {
                    objects.push(made.change.object.clone());
                }
            }
            objects
        })
    }
}
