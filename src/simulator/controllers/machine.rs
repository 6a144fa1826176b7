//! The loop around the controllers: takes in what was written, looks at what that touches,
//! carries out what the controllers want, until nothing is left to do.
//!
//! It has no clock of its own: whoever drives it says what time it is, so that the same loop
//! runs live and plays a past in no time at all.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::timers::Timers;
use super::turn::{Memory, Turn, Write};
use super::view::{Id, View};
use super::{RECONCILERS, garbage, wake};
use crate::clock::Timestamp;
use crate::simulator::fate::PodFates;
use crate::simulator::object::{put, put_default, stamp, uid};
use crate::simulator::resource::RESOURCES;
use crate::simulator::scenario::Timing;
use crate::simulator::status::StatusError;
use crate::simulator::store::{LogLine, Store};

/// The controllers of one cluster and what they know.
pub(super) struct Machine {
    store: Store,
    view: View,
    memory: Memory,
    timing: Timing,
    seen: u64,
    queue: Queue,
}

/// Places that want a look, each once; those that many changes touch come last.
#[derive(Default)]
pub(super) struct Queue {
    urgent: VecDeque<Id>,
    patient: VecDeque<Id>,
    waiting: HashSet<Id>,
}

impl Queue {
    /// Wants a look at a place.
    pub(super) fn push(&mut self, id: Id) {
        if self.waiting.insert(id.clone()) {
            let patient = matches!(id.resource, "poddisruptionbudgets" | "resourcequotas" | "namespaces");
            if patient { &mut self.patient } else { &mut self.urgent }.push_back(id);
        }
    }

    fn pop(&mut self) -> Option<Id> {
        let id = self.urgent.pop_front().or_else(|| self.patient.pop_front())?;
        self.waiting.remove(&id);
        Some(id)
    }
}

impl Machine {
    /// The controllers of a cluster, about to look at every object in it.
    pub(super) fn new(store: Store, timing: Timing, fates: PodFates) -> Self {
        let memory = Memory { fates, timers: Timers::default() };
        let (view, queue) = (View::default(), Queue::default());
        let mut machine = Self { store, view, memory, timing, seen: 0, queue };
        machine.relist();
        machine
    }

    /// Looks at everything that is there at the start, as if it had been seen long ago: whoever enters
    /// finds that each workload has its pods, if not yet that they run.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let observed = std::mem::take(&mut self.timing.observed);
        while self.run(now, usize::MAX) {}
        self.timing.observed = observed;
    }

    /// Looks at up to `steps` objects; says whether more wait.
    pub(super) fn run(&mut self, now: Timestamp, steps: usize) -> bool {
        self.listen();
        while let Some(id) = self.memory.timers.pop(now) {
            self.queue.push(id);
        }
        for _ in 0..steps {
            let Some(id) = self.queue.pop() else {
                return false;
            };
            self.look(&id, now);
            self.listen();
        }
        true
    }

    /// When the next alarm is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.memory.timers.next()
    }

    fn look(&mut self, id: &Id, now: Timestamp) {
        let Some(object) = self.view.get(id).cloned() else {
            return;
        };
        let (known, pace) = ((&self.view, &mut self.memory), (now, &self.timing));
        let mut turn = Turn::new(known, pace, (id, uid(&object)));
        let reconcile = RECONCILERS.iter().find(|(resource, _)| *resource == id.resource);
        if !garbage::collect(&mut turn, &object)
            && let Some((_, reconcile)) = reconcile
        {
            reconcile(&mut turn, &object);
        }
        for write in turn.into_writes() {
            self.carry_out(write, now);
        }
    }

    /// Takes in what was written since the last time.
    fn listen(&mut self) {
        let Ok(changes) = self.store.log(self.seen) else {
            return self.relist();
        };
        for change in changes {
            self.seen = change.version;
            let id = Id::of(change.resource.plural, &change.object);
            let gone = change.kind == crate::simulator::store::ChangeKind::Deleted;
            self.take(&id, (!gone).then_some(&change.object));
        }
    }

    /// Takes in everything, when the log does not reach back far enough.
    fn relist(&mut self) {
        self.seen = self.store.version();
        for resource in RESOURCES.iter().map(|resource| resource.plural) {
            let known: Vec<_> = self.view.list(resource, None).map(|old| Id::of(resource, old)).collect();
            for id in known {
                self.view.take(&id, None);
            }
            for object in self.store.list(resource, None).0 {
                self.take(&Id::of(resource, &object), Some(&object));
            }
        }
    }

    fn take(&mut self, id: &Id, object: Option<&Arc<Value>>) {
        let before = self.view.take(id, object.cloned());
        wake::after(&mut self.queue, &self.view, (id, before.as_deref(), object.map(|object| &**object)));
        let gone = before.filter(|before| object.is_none_or(|now| uid(now) != uid(before)));
        if let Some(gone) = gone {
            self.memory.timers.forget(uid(&gone));
        }
    }

    fn carry_out(&mut self, write: Write, now: Timestamp) {
        match write {
            Write::Create { resource, object, owner } => self.create((resource, object), owner, now),
            Write::Patch { id, uid, patch } => self.patch(&id, &uid, &patch),
            Write::Status { id, uid, status, annotations } => {
                self.status(&id, &uid, (status, annotations));
            }
            Write::Delete { id, options } => {
                tolerate(self.store.delete(id.resource, &id.namespace, &id.name, &options));
            }
            Write::Event { regarding, kind, reason, message, component } => {
                self.store.record_event(&regarding, kind, reason, &message, component);
            }
            Write::Log { id, container, line } => {
                let line = LogLine { at: now, text: line };
                self.store.append_log_at(&id.namespace, &id.name, &container, line);
            }
            Write::NewLife { id, container } => {
                self.store.restart_log(&id.namespace, &id.name, &container);
            }
        }
    }

    /// Adds an object; when it is refused, its owner has another look after a pause.
    fn create(&mut self, (resource, mut object): (&str, Value), owner: Id, now: Timestamp) {
        put_default(&mut object, &["metadata", "creationTimestamp"], stamp(now));
        if self.store.make(resource, object).is_err() {
            self.memory.timers.wake(owner, now + self.timing.back_off);
        }
    }

    /// Merges a patch into an object, if it is still the same one.
    fn patch(&self, id: &Id, uid: &str, patch: &Value) {
        let change = |object: &mut Value| {
            same(object, uid)?;
            json_patch::merge(object, patch);
            Ok(())
        };
        tolerate(self.store.update(id.resource, &id.namespace, &id.name, None, change));
    }

    /// Replaces an object's status, if it is still the same object.
    fn status(&self, id: &Id, uid: &str, (status, annotations): (Value, Map<String, Value>)) {
        let change = |object: &mut Value| {
            same(object, uid)?;
            put(object, &["status"], status);
            for (key, value) in annotations {
                put(object, &["metadata", "annotations", &key], value);
            }
            Ok(())
        };
        tolerate(self.store.update_status(id.resource, &id.namespace, &id.name, None, change));
    }
}

/// Refuses to touch another object that has taken the place of the one that was looked at.
fn same(object: &Value, wanted: &str) -> Result<(), StatusError> {
    if uid(object) == wanted { Ok(()) } else { Err(StatusError::unprocessable("replaced")) }
}

/// A write that came too late is no loss: the change that overtook it brings another look.
fn tolerate<T>(outcome: Result<T, StatusError>) {
    drop(outcome);
}
