//! The `conditions` of a status, with the stamps that each kind keeps.

use serde_json::{Value, json};

use crate::simulator::object::{list, put, text};

/// One thing that a status says is so, is not so, or is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// What is said to be so.
    pub(super) kind: &'static str,
    /// `True`, `False` or `Unknown`.
    pub(super) status: &'static str,
    /// Why, in one word; empty where Kubernetes gives none.
    pub(super) reason: &'static str,
    /// Why, in words; empty where Kubernetes gives none.
    pub(super) message: String,
}

impl Condition {
    /// A condition with its reason and words.
    pub(super) fn new(
        kind: &'static str,
        status: &'static str,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, status, reason, message: message.into() }
    }

    /// A condition that needs no words.
    pub(super) fn plain(kind: &'static str, holds: bool) -> Self {
        Self::new(kind, if holds { "True" } else { "False" }, "", "")
    }

    fn value(&self, now: &str, since: &str, stamps: Stamps) -> Value {
        let mut value = json!({"type": self.kind, "status": self.status});
        match stamps {
            Stamps::Transition => {}
            Stamps::Probe => put(&mut value, &["lastProbeTime"], Value::Null),
            Stamps::Update => put(&mut value, &["lastUpdateTime"], now),
            Stamps::Probed => put(&mut value, &["lastProbeTime"], now),
        }
        put(&mut value, &["lastTransitionTime"], since);
        if !self.reason.is_empty() {
            put(&mut value, &["reason"], self.reason);
        }
        if !self.message.is_empty() {
            put(&mut value, &["message"], self.message.as_str());
        }
        value
    }
}

/// Which stamps a condition carries beside `lastTransitionTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamps {
    /// None.
    Transition,
    /// `lastProbeTime: null`, as on pods.
    Probe,
    /// `lastProbeTime`, as on Jobs.
    Probed,
    /// `lastUpdateTime`, as on Deployments.
    Update,
}

/// The conditions of an object's status.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conditions {
    all: Vec<Value>,
    stamps: Stamps,
}

impl Conditions {
    /// What the object's status says now.
    pub(super) fn of(object: &Value, stamps: Stamps) -> Self {
        Self { all: list(object, "/status/conditions").to_vec(), stamps }
    }

    /// The condition of a kind.
    pub(super) fn get(&self, kind: &str) -> Option<&Value> {
        self.all.iter().find(|condition| text(condition, "/type") == kind)
    }

    /// The reason of a condition; empty when there is no such condition.
    pub(super) fn reason(&self, kind: &str) -> &str {
        self.get(kind).map_or("", |condition| text(condition, "/reason"))
    }

    /// Whether a condition is there and true.
    pub(super) fn holds(&self, kind: &str) -> bool {
        self.get(kind).is_some_and(|condition| text(condition, "/status") == "True")
    }

    /// Says something, unless the same status and reason are said already.
    pub(super) fn set(&mut self, condition: &Condition, now: &str) {
        let present = self.get(condition.kind);
        let is = |pointer, wanted: &str| present.is_some_and(|said| text(said, pointer) == wanted);
        if !(is("/status", condition.status) && is("/reason", condition.reason)) {
            self.renew(condition, now);
        }
    }

    /// Says something, with new stamps even when it was said before.
    pub(super) fn renew(&mut self, condition: &Condition, now: &str) {
        let present = self.all.iter().position(|said| text(said, "/type") == condition.kind);
        let place = present.and_then(|index| self.all.get_mut(index));
        let unchanged = place.as_deref().filter(|said| text(said, "/status") == condition.status);
        let since = unchanged.map_or(now, |said| text(said, "/lastTransitionTime")).to_owned();
        let value = condition.value(now, &since, self.stamps);
        match (place, self.stamps) {
            (Some(place), Stamps::Probe | Stamps::Probed) => *place = value,
            // What workloads have to say anew stands last.
            (Some(_), Stamps::Transition | Stamps::Update) => {
                self.remove(condition.kind);
                self.all.push(value);
            }
            (None, _) => self.all.push(value),
        }
    }

    /// Says nothing of a kind any more.
    pub(super) fn remove(&mut self, kind: &str) {
        self.all.retain(|condition| text(condition, "/type") != kind);
    }

    /// The list as the status holds it.
    pub(super) fn into_value(self) -> Value {
        self.all.into()
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// Whether an object's status says that something is so.
pub(super) fn holds(object: &Value, kind: &str) -> bool {
    list(object, "/status/conditions").iter().any(|said| text(said, "/type") == kind && text(said, "/status") == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_is_stamped_when_the_status_changes_and_the_update_when_the_reason_does() {
        let mut conditions = Conditions::of(&Value::Null, Stamps::Update);
        let progress = |reason| Condition::new("Progressing", "True", reason, "");
        conditions.set(&progress("NewReplicaSetCreated"), "t1");
        conditions.set(&progress("NewReplicaSetAvailable"), "t2");
        conditions.set(&progress("NewReplicaSetAvailable"), "t3");
        assert_eq!(
            conditions.get("Progressing"),
            Some(&json!({"type": "Progressing", "status": "True", "lastUpdateTime": "t2",
                "lastTransitionTime": "t1", "reason": "NewReplicaSetAvailable"}))
        );
        conditions.set(&Condition::new("Progressing", "False", "ProgressDeadlineExceeded", ""), "t4");
        let said = conditions.get("Progressing").expect("a condition");
        assert_eq!(text(said, "/lastTransitionTime"), "t4");
        conditions.remove("Progressing");
        assert!(conditions.is_empty());
    }
}
