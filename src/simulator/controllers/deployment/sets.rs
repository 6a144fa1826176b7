//! The `ReplicaSets` of a Deployment: which is the new one, and their revisions.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::ownership::reference;
use super::super::template::Template;
use super::super::turn::Turn;
use super::{desired, rolling, template_of};
use crate::simulator::object::{annotations, is_deleting, map, name, namespace, number, put, text, uid};

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations that stay with the object that carries them.
const OWN: &[&str] = &[REVISION, HISTORY, DESIRED, MAX, "kubectl.kubernetes.io/last-applied-configuration"];

/// A `ReplicaSet`, and how many pods it is to have from this turn on.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) object: Arc<Value>,
    pub(super) replicas: i64,
}

impl Set {
    fn new(object: Arc<Value>) -> Self {
        let replicas = number(&object, "/spec/replicas").unwrap_or(1);
        Self { object, replicas }
    }

    /// A number in the set's status, zero when Kubernetes omits it.
    pub(super) fn status(&self, field: &str) -> i64 {
        number(&self.object, &format!("/status/{field}")).unwrap_or_default()
    }

    /// The revision that the set carries.
    pub(super) fn revision(&self) -> i64 {
        annotation(&self.object, REVISION)
    }

    /// The number of pods that the Deployment could have had when this set was last scaled.
    pub(super) fn max_replicas(&self) -> Option<i64> {
        Some(annotation(&self.object, MAX)).filter(|max| *max > 0)
    }
}

/// The `ReplicaSets` of a Deployment, old ones from the oldest on.
#[derive(Debug)]
pub(super) struct Sets {
    pub(super) new: Option<Set>,
    pub(super) old: Vec<Set>,
}

impl Sets {
    /// Tells the set of the present template from the others.
    pub(super) fn find(deployment: &Value, owned: Vec<Arc<Value>>) -> Self {
        let mut old: Vec<_> = owned.into_iter().map(Set::new).collect();
        old.sort_by_key(|set| (age(&set.object), name(&set.object).to_owned()));
        let wanted = template_of(deployment);
        let is_new = |set: &Set| Template::of(&set.object, "pod-template-hash").is_same(&wanted);
        let new = old.iter().position(is_new).map(|index| old.remove(index));
        Self { new, old }
    }

    /// All sets, the new one last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    /// How many pods all sets are to have.
    pub(super) fn total(&self) -> i64 {
        self.all().map(|set| set.replicas).sum()
    }

    /// The sum of a number over the statuses of all sets.
    pub(super) fn sum(&self, field: &str) -> i64 {
        self.all().map(|set| set.status(field)).sum()
    }

    /// Whether `spec.replicas` is what changed since the sets were last scaled.
    pub(super) fn is_scaling_event(&self, deployment: &Value) -> bool {
        self.all()
            .filter(|set| set.replicas > 0 && annotations(&set.object).contains_key(DESIRED))
            .any(|set| annotation(&set.object, DESIRED) != desired(deployment))
    }

    /// Makes the new set if it is not there, with as many pods as `replicas` says.
    pub(super) fn ensure_new(&mut self, turn: &mut Turn, deployment: &Arc<Value>, replicas: impl FnOnce(&Self) -> i64) {
        if self.new.is_some() {
            return self.refresh_revision(turn, deployment);
        }
        let replicas = replicas(self);
        let object = self.fresh(deployment, replicas);
        turn.create("replicasets", object.clone());
        if replicas > 0 {
            let message = format!("Scaled up replica set {} from 0 to {replicas}", name(&object));
            turn.normal(deployment, "ScalingReplicaSet", message);
        }
        self.new = Some(Set { object: Arc::new(object), replicas });
    }

    fn fresh(&self, deployment: &Value, replicas: i64) -> Value {
        let template = template_of(deployment);
        let hash = template.hash(number(deployment, "/status/collisionCount").unwrap_or_default());
        let mut labels = template.labels().clone();
        labels.insert("pod-template-hash".into(), hash.as_str().into());
        let mut selector = deployment.pointer("/spec/selector").cloned().unwrap_or_default();
        put(&mut selector, &["matchLabels", "pod-template-hash"], hash.as_str());
        let mut set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": format!("{}-{hash}", name(deployment)), "namespace": namespace(deployment),
                "labels": labels, "ownerReferences": [reference(deployment)],
                "annotations": Self::notes(deployment, self.next_revision()),
            },
            "spec": { "replicas": replicas, "selector": selector, "template": template.labelled(&hash) },
        });
        if let Some(seconds) = number(deployment, "/spec/minReadySeconds") {
            put(&mut set, &["spec", "minReadySeconds"], seconds);
        }
        set
    }

    fn next_revision(&self) -> i64 {
        self.old.iter().map(Set::revision).max().unwrap_or_default() + 1
    }

    /// The annotations of the new set: the Deployment's, and the bookkeeping.
    fn notes(deployment: &Value, revision: i64) -> Map<String, Value> {
        let mut notes: Map<_, _> = annotations(deployment)
            .iter()
            .filter(|(key, _)| !OWN.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        notes.insert(REVISION.into(), revision.to_string().into());
        notes.extend(size_notes(deployment));
        notes
    }

    /// The annotations that the Deployment's status write brings along.
    pub(super) fn revision_note(&self) -> Map<String, Value> {
        let revision = self.new.as_ref().map(Set::revision).filter(|revision| *revision > 0);
        revision.map(|revision| (REVISION.to_owned(), revision.to_string().into())).into_iter().collect()
    }

    /// Makes the new set the latest revision, when an older template is back.
    pub(super) fn refresh_revision(&mut self, turn: &mut Turn, deployment: &Value) {
        let next = self.next_revision();
        let Some(new) = &mut self.new else { return };
        let steady = deployment.pointer("/spec/minReadySeconds").cloned().unwrap_or_default();
        if number(&new.object, "/spec/minReadySeconds") != steady.as_i64() {
            let patch = json!({"spec": {"minReadySeconds": steady}});
            turn.patch("replicasets", &new.object, patch);
        }
        let present = new.revision();
        if present >= next {
            return;
        }
        let mut notes = json!({ REVISION: next.to_string() });
        if present > 0 {
            let earlier = text(&new.object, "/metadata/annotations/deployment.kubernetes.io~1revision-history");
            let separator = if earlier.is_empty() { "" } else { "," };
            put(&mut notes, &[HISTORY], format!("{earlier}{separator}{present}"));
        }
        for (key, value) in size_notes(deployment) {
            put(&mut notes, &[&key], value);
        }
        let mut object = Value::clone(&new.object);
        let patch = json!({"metadata": {"annotations": notes}});
        json_patch::merge(&mut object, &patch);
        turn.patch("replicasets", &new.object, patch);
        new.object = Arc::new(object);
    }

    /// Scales the new set; says whether that was a change.
    pub(super) fn scale_new(&mut self, turn: &mut Turn, deployment: &Arc<Value>, to: i64) -> bool {
        self.new.as_mut().is_some_and(|set| scale(turn, deployment, set, to))
    }

    /// Scales each old set to what `to` says; says whether any of that was a change.
    pub(super) fn scale_old(
        &mut self,
        turn: &mut Turn,
        deployment: &Arc<Value>,
        mut to: impl FnMut(&Set) -> i64,
    ) -> bool {
        let mut changed = false;
        for set in &mut self.old {
            let to = to(set);
            changed |= scale(turn, deployment, set, to);
        }
        changed
    }

    /// Deletes the oldest sets beyond the history that the Deployment wants.
    pub(super) fn prune(&self, turn: &mut Turn, deployment: &Value) {
        let limit = number(deployment, "/spec/revisionHistoryLimit").unwrap_or(10);
        let mut old: Vec<_> = self.old.iter().filter(|set| !is_deleting(&set.object)).collect();
        old.sort_by_key(|set| set.revision());
        let excess = old.len().saturating_sub(usize::try_from(limit).unwrap_or_default());
        for set in old.into_iter().take(excess) {
            if set.replicas == 0 && set.status("replicas") == 0 {
                turn.delete("replicasets", &set.object);
            }
        }
    }
}

/// Gives a set another size; says whether it had one.
pub(super) fn scale(turn: &mut Turn, deployment: &Arc<Value>, set: &mut Set, to: i64) -> bool {
    let from = set.replicas;
    let notes: Value = size_notes(deployment).into();
    let known = annotations(&set.object);
    let is_noted = map(&notes, "").iter().all(|(key, value)| known.get(key) == Some(value));
    if from == to && (is_noted || to == 0) {
        return false;
    }
    turn.patch("replicasets", &set.object, json!({"metadata": {"annotations": notes}, "spec": {"replicas": to}}));
    if from == to {
        return false;
    }
    let direction = if to > from { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {} from {from} to {to}", name(&set.object));
    turn.normal(deployment, "ScalingReplicaSet", message);
    set.replicas = to;
    true
}

fn size_notes(deployment: &Value) -> Map<String, Value> {
    let wanted = desired(deployment);
    let max = wanted + rolling::Window::of(deployment).surge;
    [(DESIRED.to_owned(), wanted.to_string().into()), (MAX.to_owned(), max.to_string().into())].into_iter().collect()
}

fn annotation(object: &Value, key: &str) -> i64 {
    annotations(object).get(key).and_then(Value::as_str).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Sets are as old as their stamps; of one second, as their revisions.
fn age(set: &Value) -> (String, i64, String) {
    (text(set, "/metadata/creationTimestamp").into(), annotation(set, REVISION), uid(set).into())
}
