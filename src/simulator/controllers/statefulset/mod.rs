//! The `StatefulSet` controller: pods with numbers, made, updated and taken away one by one.

mod pods;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions::holds;
use super::ownership::claim;
use super::replicaset::is_available;
use super::revisions::{LABEL, Revision, Revisions};
use super::turn::Turn;
use crate::simulator::object::{is_deleting, labels, name, namespace, number, put, text};

/// A `StatefulSet` in its turn.
struct Set<'a> {
    object: &'a Arc<Value>,
    /// Its pods by number.
    pods: BTreeMap<i64, Arc<Value>>,
    revisions: Revisions,
    /// The name of the revision that pods had before the present update.
    current: String,
    update: Revision,
}

/// Brings a `StatefulSet` one step nearer to its spec.
pub(super) fn reconcile(turn: &mut Turn, object: &Arc<Value>) {
    turn.speak_as("statefulset-controller");
    let generation = number(object, "/metadata/generation").unwrap_or_default();
    if !turn.elapsed(&format!("observe {generation}"), turn.timing.observed) {
        return;
    }
    let owned = claim(turn, object, "pods");
    let pods = owned.into_iter().filter_map(|pod| Some((pods::ordinal(object, &pod)?, pod))).collect();
    let revisions = Revisions::of(turn, object);
    let update = revisions.present(turn, object);
    let current = match text(object, "/status/currentRevision") {
        "" => update.name.clone(),
        known => known.to_owned(),
    };
    let set = Set { object, pods, revisions, current, update };
    if !is_deleting(object) {
        set.step(turn);
        let mut used: HashSet<_> = set.pods.values().map(|pod| revision_of(pod).to_owned()).collect();
        used.extend([set.current.clone(), set.update.name.clone()]);
        set.revisions.prune(turn, object, &used);
    }
    set.write_status(turn);
}

/// The revision that a pod was made from.
fn revision_of(pod: &Value) -> &str {
    labels(pod).get(LABEL).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a pod serves and stays.
fn is_healthy(pod: &Value) -> bool {
    holds(pod, "Ready") && !is_deleting(pod)
}

impl Set<'_> {
    fn start(&self) -> i64 {
        number(self.object, "/spec/ordinals/start").unwrap_or_default()
    }

    fn end(&self) -> i64 {
        self.start() + self.replicas()
    }

    fn replicas(&self) -> i64 {
        number(self.object, "/spec/replicas").unwrap_or(1)
    }

    fn is_ordered(&self) -> bool {
        text(self.object, "/spec/podManagementPolicy") != "Parallel"
    }

    fn is_updated_on_delete(&self) -> bool {
        text(self.object, "/spec/updateStrategy/type") == "OnDelete"
    }

    /// Pods with lower numbers keep the revision of before.
    fn partition(&self) -> i64 {
        let partition = number(self.object, "/spec/updateStrategy/rollingUpdate/partition");
        if self.is_updated_on_delete() { 0 } else { self.start() + partition.unwrap_or_default() }
    }

    fn steady(&self) -> i64 {
        number(self.object, "/spec/minReadySeconds").unwrap_or_default()
    }

    /// Makes, takes away and updates pods, as far as their order lets it now.
    fn step(&self, turn: &mut Turn) {
        if self.fill(turn) && self.shrink(turn) && !self.is_updated_on_delete() {
            self.update(turn);
        }
    }

    /// Makes the pods that lack; says whether the next step may follow.
    fn fill(&self, turn: &mut Turn) -> bool {
        for ordinal in self.start()..self.end() {
            let done = match self.pods.get(&ordinal) {
                None => {
                    self.make(turn, ordinal);
                    false
                }
                Some(pod) if pods::is_over(pod) => {
                    self.recreate(turn, pod);
                    false
                }
                Some(pod) => is_healthy(pod) && is_available(turn, pod, self.steady()),
            };
            if !done && self.is_ordered() {
                return false;
            }
        }
        true
    }

    fn make(&self, turn: &mut Turn, ordinal: i64) {
        let (template, revision) = if ordinal < self.partition() {
            (self.revisions.template(&self.current), self.current.as_str())
        } else {
            (None, self.update.name.as_str())
        };
        let present = || self.object.pointer("/spec/template").cloned().unwrap_or_default();
        let template = template.unwrap_or_else(present);
        pods::make(turn, self.object, ordinal, (&template, revision));
    }

    fn recreate(&self, turn: &mut Turn, pod: &Arc<Value>) {
        let whole = format!("{}/{}", namespace(self.object), name(self.object));
        let message = format!("StatefulSet {whole} is recreating failed Pod {}", name(pod));
        turn.warn(self.object, "RecreatingFailedPod", message);
        turn.delete("pods", pod);
    }

    /// Takes away pods with too high a number, the highest first; says whether the next step may
    /// follow.
    fn shrink(&self, turn: &mut Turn) -> bool {
        let beyond = |ordinal: &i64| *ordinal < self.start() || *ordinal >= self.end();
        let condemned: Vec<_> = self.pods.iter().filter(|(ordinal, _)| beyond(ordinal)).map(|(_, pod)| pod).collect();
        let weakest = condemned.iter().position(|pod| !is_healthy(pod));
        for (index, pod) in condemned.iter().enumerate().rev() {
            let held = !is_healthy(pod) && weakest != Some(index);
            if self.is_ordered() && (is_deleting(pod) || held) {
                return false;
            }
            self.take(turn, pod);
            if self.is_ordered() {
                return false;
            }
        }
        true
    }

    /// Replaces the pod with the highest number that is not of the present revision.
    fn update(&self, turn: &mut Turn) {
        for pod in self.pods.range(self.partition()..self.end()).rev().map(|(_, pod)| pod) {
            if revision_of(pod) != self.update.name && !is_deleting(pod) {
                return self.take(turn, pod);
            }
            if !is_healthy(pod) {
                return;
            }
        }
    }

    fn take(&self, turn: &mut Turn, pod: &Arc<Value>) {
        if is_deleting(pod) {
            return;
        }
        turn.delete("pods", pod);
        let (pod, set) = (name(pod), name(self.object));
        let message = format!("delete Pod {pod} in StatefulSet {set} successful");
        turn.normal(self.object, "SuccessfulDelete", message);
    }

    fn write_status(&self, turn: &mut Turn) {
        let pods: Vec<_> = self.pods.values().collect();
        let steady = self.steady();
        let of = |revision: &str| pods.iter().filter(|pod| revision_of(pod) == revision && !is_deleting(pod)).count();
        let (mut current, updated) = (of(&self.current), of(&self.update.name));
        let ready = pods.iter().filter(|pod| holds(pod, "Ready")).count();
        let available = pods.iter().filter(|pod| is_available(turn, pod, steady)).count();
        let wanted = usize::try_from(self.replicas()).unwrap_or_default();
        let mut current_revision = self.current.as_str();
        if !self.is_updated_on_delete() && updated == wanted && ready == wanted && pods.len() == wanted {
            current_revision = &self.update.name;
            current = updated;
        }
        let mut status = json!({
            "observedGeneration": number(self.object, "/metadata/generation").unwrap_or_default(),
            "replicas": pods.len(), "availableReplicas": available, "collisionCount": 0,
            "currentRevision": current_revision, "updateRevision": self.update.name,
        });
        let counted = [("readyReplicas", ready), ("currentReplicas", current), ("updatedReplicas", updated)];
        for (field, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
            put(&mut status, &[field], count);
        }
        turn.status(status);
    }
}

#[cfg(test)]
mod tests;
