//! One controller's look at one object: what it may know, and what it wants written.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::timers::Timers;
use super::view::{Id, View};
use crate::clock::Timestamp;
use crate::simulator::fate::{Becomes, PodFates, PodRule};
use crate::simulator::object::{annotations, is_deleting, stamp, uid};
use crate::simulator::scenario::Timing;
use crate::simulator::store::{DeleteOptions, Propagation};

/// What a controller wants changed. Writes are carried out in order.
#[derive(Debug, Clone)]
pub(super) enum Write {
    /// A new object; if it is refused, `owner` hears of it.
    Create { resource: &'static str, object: Value, owner: Id },
    /// A merge patch of everything but the status.
    Patch { id: Id, uid: String, patch: Value },
    /// A new status, with annotations merged in.
    Status { id: Id, uid: String, status: Value, annotations: Map<String, Value> },
    /// A deletion.
    Delete { id: Id, options: DeleteOptions },
    /// Words about an object.
    Event { regarding: Arc<Value>, kind: &'static str, reason: &'static str, message: String, component: &'static str },
    /// A line of a container's output.
    Log { id: Id, container: String, line: String },
    /// A new life of a container: its output so far becomes that of the life before.
    NewLife { id: Id, container: String },
}

/// What the controllers remember between turns.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) timers: Timers,
    pub(super) fates: PodFates,
}

/// One look at one object.
pub(super) struct Turn<'a> {
    /// All other objects.
    pub(super) view: &'a View,
    /// The present moment.
    pub(super) now: Timestamp,
    /// The pace of the cluster.
    pub(super) timing: &'a Timing,
    memory: &'a mut Memory,
    id: &'a Id,
    uid: &'a str,
    component: &'static str,
    writes: Vec<Write>,
}

impl<'a> Turn<'a> {
    /// A look at the object at `id`.
    pub(super) fn new(
        (view, memory): (&'a View, &'a mut Memory),
        (now, timing): (Timestamp, &'a Timing),
        (id, uid): (&'a Id, &'a str),
    ) -> Self {
        Self { view, now, timing, memory, id, uid, component: "", writes: Vec::new() }
    }

    /// The component in whose name events are recorded from here on.
    pub(super) fn speak_as(&mut self, component: &'static str) {
        self.component = component;
    }

    /// What the controller wants.
    pub(super) fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    /// The place of the object in turn.
    pub(super) fn id(&self) -> &'a Id {
        self.id
    }

    /// The present moment as Kubernetes writes it.
    pub(super) fn stamp(&self) -> String {
        stamp(self.now)
    }

    /// Whether `span` has passed since this was first asked for the purpose; if not, another
    /// look follows when it has.
    pub(super) fn elapsed(&mut self, purpose: &str, span: Duration) -> bool {
        let moment = self.now + TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        self.memory.timers.ask(self.uid, self.id, purpose, moment) <= self.now
    }

    /// Whether a moment has come; if not, another look follows when it has.
    pub(super) fn reached(&mut self, moment: Timestamp) -> bool {
        if moment > self.now {
            self.memory.timers.ask(self.uid, self.id, &stamp(moment), moment);
        }
        moment <= self.now
    }

    /// Whether this is asked for the first time in the object's life.
    pub(super) fn first(&mut self, purpose: &'static str) -> bool {
        self.tally(purpose) == 1
    }

    /// Lets a purpose's span begin anew.
    pub(super) fn reset(&mut self, purpose: &str) {
        self.memory.timers.clear(self.uid, purpose);
    }

    /// Counts one more of something that happens to the object.
    pub(super) fn tally(&mut self, what: &'static str) -> i64 {
        self.memory.timers.tally(self.uid, what)
    }

    /// How often something has happened to the object.
    pub(super) fn count(&self, what: &str) -> i64 {
        self.memory.timers.count(self.uid, what)
    }

    /// The rule that decides what becomes of a pod; nothing for one that just runs.
    pub(super) fn fate(&self, pod: &Value) -> Option<PodRule> {
        let fated = |rule: &&PodRule| rule.becomes != Becomes::Healthy;
        self.memory.fates.of(pod).filter(fated).cloned()
    }

    /// The pause before the next try after `failures` failed ones; it doubles, up to 32 times.
    pub(super) fn pause(&self, failures: i64) -> Duration {
        let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 5)).unwrap_or_default();
        self.timing.back_off * 2_u32.pow(doublings)
    }

    /// Wants a new object.
    pub(super) fn create(&mut self, resource: &'static str, object: Value) {
        self.writes.push(Write::Create { resource, object, owner: self.id.clone() });
    }

    /// Wants parts of an object changed, by a merge patch.
    pub(super) fn patch(&mut self, resource: &'static str, object: &Value, patch: Value) {
        let (id, uid) = (Id::of(resource, object), uid(object).to_owned());
        self.writes.push(Write::Patch { id, uid, patch });
    }

    /// Wants the status of the object in turn to be this.
    pub(super) fn status(&mut self, status: Value) {
        self.annotated_status(status, Map::new());
    }

    /// Wants the status of the object in turn to be this, and annotations beside it; what is so
    /// already is not written.
    pub(super) fn annotated_status(&mut self, status: Value, extra: Map<String, Value>) {
        let present = self.view.get(self.id);
        let noted = present.map(|object| annotations(object));
        let is_so = present.is_some_and(|object| object.get("status") == Some(&status))
            && noted.is_some_and(|noted| extra.iter().all(|(key, note)| noted.get(key) == Some(note)));
        if !is_so {
            let (id, uid) = (self.id.clone(), self.uid.to_owned());
            self.writes.push(Write::Status { id, uid, status, annotations: extra });
        }
    }

    /// Wants an object gone, in its own time, unless it is already going.
    pub(super) fn delete(&mut self, resource: &'static str, object: &Value) {
        self.delete_by(resource, object, Some(Propagation::Background));
    }

    /// Wants an object gone, its dependants by the given rule, unless it is already going.
    pub(super) fn delete_by(&mut self, resource: &'static str, object: &Value, propagation: Option<Propagation>) {
        if is_deleting(object) {
            return;
        }
        let options = DeleteOptions { propagation, uid: Some(uid(object).into()), ..DeleteOptions::default() };
        self.writes.push(Write::Delete { id: Id::of(resource, object), options });
    }

    /// Wants the object in turn gone this moment.
    pub(super) fn delete_now(&mut self) {
        let options = DeleteOptions { uid: Some(self.uid.into()), ..DeleteOptions::now() };
        self.writes.push(Write::Delete { id: self.id.clone(), options });
    }

    /// Says that something went as it should.
    pub(super) fn normal(&mut self, regarding: &Arc<Value>, reason: &'static str, message: impl Into<String>) {
        self.event(regarding, "Normal", reason, message.into());
    }

    /// Says that something went wrong.
    pub(super) fn warn(&mut self, regarding: &Arc<Value>, reason: &'static str, message: impl Into<String>) {
        self.event(regarding, "Warning", reason, message.into());
    }

    fn event(&mut self, regarding: &Arc<Value>, kind: &'static str, reason: &'static str, message: String) {
        let (regarding, component) = (Arc::clone(regarding), self.component);
        self.writes.push(Write::Event { regarding, kind, reason, message, component });
    }

    /// Lets a container of the pod in turn write a line.
    pub(super) fn log(&mut self, container: &str, line: impl Into<String>) {
        let (id, container) = (self.id.clone(), container.to_owned());
        self.writes.push(Write::Log { id, container, line: line.into() });
    }

    /// Begins a new life of a container of the pod in turn.
    pub(super) fn new_life(&mut self, container: &str) {
        let (id, container) = (self.id.clone(), container.to_owned());
        self.writes.push(Write::NewLife { id, container });
    }
}
