//! The changes that a run has made, in order: what undo goes back over.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::event::{Change, ObjectId, Reversal, Settled, StepId, Verb};

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
    /// Whether an earlier try made it, and the try that is begun again has not come to it yet.
    pub unclaimed: bool,
}

impl MadeChange {
    /// Whether it stands: applied or perhaps applied, and not taken back.
    pub fn stands(&self) -> bool {
        !self.taken_back && !matches!(self.settled, Some(Settled::Refused(_)))
    }

    /// Whether a step that is begun again may still come to it.
    fn is_open_to(&self, step: &StepId) -> bool {
        self.unclaimed && self.change.step == *step && self.is_applied() && !self.taken_back
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
            list.push(MadeChange {
                number,
                ticket,
                change,
                before,
                settled: None,
                taken_back: false,
                unclaimed: false,
            });
            number
        })
    }

    /// Notes what came of it, and what the server made of the fields we wrote (`0.5` becomes `500m`).
    ///
    /// Says whether it made something else of them.
    pub fn settle(&self, number: usize, settled: Settled, answer: Option<&Value>) -> bool {
        self.with(|list| {
            let mut landed = false;
            if let Some(made) = list.get_mut(number) {
                for field in made.change.written.iter_mut().filter(|field| field.after.is_some()) {
                    if let Some(held) = answer.and_then(|object| object.pointer(&field.pointer)) {
                        landed |= field.after.as_ref() != Some(held);
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
            landed
        })
    }

    /// Notes that it was taken back.
    pub fn take_back(&self, number: usize) {
        self.with(|list| {
            if let Some(made) = list.get_mut(number) {
                made.taken_back = true;
            }
        });
    }

    /// Takes over the changes of an earlier process, in order; each gets its number here.
    pub fn restore(&self, earlier: Vec<MadeChange>) {
        self.with(|list| {
            for made in earlier {
                let number = list.len();
                list.push(MadeChange { number, ..made });
            }
        });
    }

    /// A change that was found made is still to be come to by its step.
    pub fn unclaim(&self, number: usize) {
        self.with(|list| {
            if let Some(made) = list.get_mut(number) {
                made.unclaimed = true;
            }
        });
    }

    /// From now on the changes of a step, and of those inside it, are of an earlier try.
    pub fn release(&self, step: &StepId) {
        self.with(|list| {
            for made in list.iter_mut().filter(|made| made.change.step.is_within(step)) {
                made.unclaimed = made.settled.is_some();
            }
        });
    }

    /// What an earlier try of a step, or of those inside it, has made is nobody's to come to any more.
    pub fn close(&self, step: &StepId) {
        self.with(|list| {
            for made in list.iter_mut().filter(|made| made.change.step.is_within(step)) {
                made.unclaimed = false;
            }
        });
    }

    /// An object before the first change of a step that is still to be come to.
    pub(super) fn image(&self, step: &StepId, meant: impl Fn(&ObjectId) -> bool) -> Option<Arc<Value>> {
        self.images(step, meant).into_iter().next()
    }

    /// Objects before the first change of each that is still to be come to.
    pub(super) fn images(&self, step: &StepId, meant: impl Fn(&ObjectId) -> bool) -> Vec<Arc<Value>> {
        self.with(|list| {
            let mut seen: Vec<&ObjectId> = Vec::new();
            let mut images = Vec::new();
            let open = list.iter().filter(|made| made.is_open_to(step) && made.change.verb != Verb::Create);
            for made in open.filter(|made| meant(&made.change.object)) {
                if !seen.contains(&&made.change.object) {
                    seen.push(&made.change.object);
                    images.extend(made.before.clone());
                }
            }
            images
        })
    }

    /// Comes to a change that an earlier try of the step has made, if it made this one.
    ///
    /// A creation under a fresh name is known by what it is for.
    pub(super) fn claim(&self, step: &StepId, verb: Verb, object: &ObjectId, summary: &str) -> Option<MadeChange> {
        self.with(|list| {
            let fits = |made: &MadeChange, exactly: bool| {
                let other = &made.change.object;
                let same = if exactly {
                    other.same_name(object) && (object.uid.is_empty() || other.uid == object.uid)
                } else {
                    verb == Verb::Create
                        && (&other.kind, &other.namespace) == (&object.kind, &object.namespace)
                        && made.change.summary == summary
                };
                same && made.change.verb == verb && made.is_open_to(step)
            };
            let at = list
                .iter()
                .position(|made| fits(made, true))
                .or_else(|| list.iter().position(|made| fits(made, false)))?;
            let made = list.get_mut(at)?;
            made.unclaimed = false;
            Some(made.clone())
        })
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
