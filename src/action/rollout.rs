//! Whether a workload has arrived where its spec wants it: pure, by kind.
//!
//! The rules are those of runbook-format §7: the observed generation first,
//! then updated, old and available counts; a surge window is not the end of a
//! rollout (wire §6.2, the surge row), and a condition that was there before
//! our own write says nothing about it.

use serde_json::Value;

use crate::event::{Class, Failure, ObjectId};

/// How far a rollout has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Progress {
    /// It has arrived.
    Done,
    /// It is under way, in one line.
    Waiting(String),
    /// It will not arrive unless somebody acts; becomes a failure when it stays so.
    Stuck(String),
    /// It cannot arrive.
    Failed(Failure),
}

/// What a look is held against: the object as our own write, or the first look, returned it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline {
    generation: i64,
    deadline_condition: Option<Value>,
    /// Only the number of pods was changed, or is asked for: which revision they run does not matter.
    counts: bool,
}

impl Baseline {
    /// After our own write: an old verdict on the rollout does not count.
    pub(crate) fn after_write(object: &Value) -> Self {
        let deadline_condition = condition(object, "Progressing").cloned();
        Self { generation: generation(object), deadline_condition, counts: false }
    }

    /// Without a write of ours: what the server says now is the truth.
    pub(crate) fn first_look(object: &Value) -> Self {
        Self { generation: generation(object), deadline_condition: None, counts: false }
    }

    /// Held against a number of pods: where pods are replaced only when they are deleted, they are counted.
    #[must_use]
    pub(crate) fn counting(self) -> Self {
        Self { counts: true, ..self }
    }
}

/// The wanted number of replicas of a workload; Kubernetes' default is 1.
pub(crate) fn replicas(object: &Value) -> i64 {
    object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1)
}

/// How far the rollout of `object` has come.
pub(crate) fn judge(object: &Value, baseline: &Baseline) -> Progress {
    let wanted = generation(object).max(baseline.generation);
    let observed = object.pointer("/status/observedGeneration").and_then(Value::as_i64).unwrap_or(0);
    let kind = object.pointer("/kind").and_then(Value::as_str).unwrap_or_default();
    let refusal = refused(object, kind);
    if let Some(refusal) = refusal.clone().filter(|_| !baseline.counts) {
        return Progress::Failed(refusal);
    }
    if observed < wanted {
        return Progress::Waiting(format!("the controller has seen generation {observed} of {wanted}"));
    }
    match kind {
        "StatefulSet" if refusal.is_some() => {
            counted(replicas(object), status(object, "replicas"), status(object, "readyReplicas"))
        }
        "DaemonSet" if refusal.is_some() => {
            let wanted = status(object, "desiredNumberScheduled");
            counted(wanted, status(object, "currentNumberScheduled"), status(object, "numberAvailable"))
        }
        "Deployment" => deployment(object, baseline),
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => daemon_set(object),
        "ReplicaSet" => counted(replicas(object), status(object, "replicas"), status(object, "availableReplicas")),
        other => Progress::Failed(Failure::new(Class::Unsupported, format!("a {other} has no rollout"))),
    }
}

/// Kinds and strategies whose rollout never ends by itself.
fn refused(object: &Value, kind: &str) -> Option<Failure> {
    let strategy = object.pointer("/spec/updateStrategy/type").and_then(Value::as_str);
    (matches!(kind, "StatefulSet" | "DaemonSet") && strategy == Some("OnDelete")).then(|| {
        Failure::new(
            Class::Unsupported,
            format!(
                "{} has the update strategy OnDelete: its pods are only replaced when they are deleted",
                ObjectId::of(object)
            ),
        )
        .help("delete its pods (`restart` with `strategy: delete-pods`), then `wait` for what you need")
    })
}

fn deployment(object: &Value, baseline: &Baseline) -> Progress {
    let wanted = replicas(object);
    let (all, updated) = (status(object, "replicas"), status(object, "updatedReplicas"));
    let available = status(object, "availableReplicas");
    if let Some(verdict) = deadline_exceeded(object, baseline) {
        return Progress::Failed(verdict);
    }
    let pods = |count: i64| if count == 1 { "pod" } else { "pods" };
    let line = if updated < wanted {
        format!("{updated} of {wanted} updated")
    } else if updated > wanted {
        // Scaled down: the counts are those of before until the ReplicaSet has followed.
        format!("{} {} too many to go", updated - wanted, pods(updated - wanted))
    } else if all > updated {
        format!("{updated} of {wanted} updated; {} old {} to go", all - updated, pods(all - updated))
    } else if available != updated {
        format!("{available} of {wanted} available")
    } else {
        return Progress::Done;
    };
    if object.pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
        return Progress::Stuck(format!("the rollout is paused; {line}"));
    }
    match condition(object, "ReplicaFailure").filter(|found| text(found, "status") == "True") {
        Some(failure) => Progress::Stuck(format!("{line}; {}: {}", text(failure, "reason"), text(failure, "message"))),
        None => Progress::Waiting(line),
    }
}

/// The server's own verdict that the rollout hangs, unless it is older than our write.
fn deadline_exceeded(object: &Value, baseline: &Baseline) -> Option<Failure> {
    let found = condition(object, "Progressing").filter(|found| text(found, "reason") == "ProgressDeadlineExceeded")?;
    if baseline.deadline_condition.as_ref().is_some_and(|before| same_verdict(before, found)) {
        return None;
    }
    Some(Failure::new(Class::Hopeless, format!("{}: {}", ObjectId::of(object), text(found, "message"))))
}

fn same_verdict(before: &Value, found: &Value) -> bool {
    ["reason", "lastUpdateTime", "lastTransitionTime"].iter().all(|field| before.get(field) == found.get(field))
}

fn stateful_set(object: &Value) -> Progress {
    let wanted = replicas(object);
    let (all, ready, updated) =
        (status(object, "replicas"), status(object, "readyReplicas"), status(object, "updatedReplicas"));
    let partition = object.pointer("/spec/updateStrategy/rollingUpdate/partition").and_then(Value::as_i64).unwrap_or(0);
    if ready < wanted {
        return Progress::Waiting(format!("{ready} of {wanted} ready"));
    }
    if all > wanted {
        return Progress::Waiting(format!("{} too many pods to go", all - wanted));
    }
    let due = (wanted - partition).max(0);
    if updated < due {
        return Progress::Waiting(format!("{updated} of {due} updated"));
    }
    let revision = |field: &str| object.pointer(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (update, current) = (revision("/status/updateRevision"), revision("/status/currentRevision"));
    if partition == 0 && wanted > 0 && update != current {
        return Progress::Waiting(format!("{updated} of {wanted} at revision {update}"));
    }
    Progress::Done
}

fn daemon_set(object: &Value) -> Progress {
    let wanted = status(object, "desiredNumberScheduled");
    let (updated, available) = (status(object, "updatedNumberScheduled"), status(object, "numberAvailable"));
    if updated < wanted {
        return Progress::Waiting(format!("{updated} of {wanted} updated"));
    }
    if available < wanted {
        return Progress::Waiting(format!("{available} of {wanted} available"));
    }
    Progress::Done
}

fn counted(wanted: i64, all: i64, available: i64) -> Progress {
    if all == wanted && available == wanted {
        return Progress::Done;
    }
    Progress::Waiting(format!("{available} of {wanted} available"))
}

/// The object's generation; 0 where the kind has none.
pub(crate) fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0)
}

/// Whether its controller has seen the newest spec.
pub(crate) fn is_observed(object: &Value) -> bool {
    status(object, "observedGeneration") >= generation(object)
}

/// A count in the status; Kubernetes omits it at zero.
pub(crate) fn status(object: &Value, field: &str) -> i64 {
    object.get("status").and_then(|status| status.get(field)).and_then(Value::as_i64).unwrap_or(0)
}

/// A condition of the status, by its type.
pub(crate) fn condition<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.pointer("/status/conditions")?.as_array()?.iter().find(|condition| text(condition, "type") == name)
}

/// A text field, or nothing.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn web(status: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
               "metadata": {"name": "web", "namespace": "shop", "generation": 4}, "spec": {"replicas": 3}, "status": status})
    }

    fn line(object: &Value) -> String {
        match judge(object, &Baseline::first_look(object)) {
            Progress::Done => "done".into(),
            Progress::Waiting(line) => line,
            Progress::Stuck(line) => format!("stuck: {line}"),
            Progress::Failed(failure) => format!("failed: {failure}"),
        }
    }

    #[test]
    fn a_status_of_an_older_generation_says_nothing() {
        let object =
            web(&json!({"observedGeneration": 3, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}));
        assert_eq!(line(&object), "the controller has seen generation 3 of 4");
    }

    #[test]
    fn the_surge_window_is_not_the_end() {
        let surge = json!({"observedGeneration": 4, "replicas": 4, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3});
        assert_eq!(line(&web(&surge)), "3 of 3 updated; 1 old pod to go");
    }

    #[test]
    fn counts_of_before_a_scaling_down_are_not_the_end() {
        let before = json!({"observedGeneration": 4, "replicas": 4, "updatedReplicas": 4, "readyReplicas": 4, "availableReplicas": 4});
        assert_eq!(line(&web(&before)), "1 pod too many to go");
        let between = json!({"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 4, "availableReplicas": 4});
        assert_eq!(line(&web(&between)), "4 of 3 available");
    }

    #[test]
    fn done_means_updated_available_and_nothing_old() {
        let done = json!({"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3});
        assert_eq!(line(&web(&done)), "done");
    }

    #[test]
    fn an_exceeded_deadline_counts_only_when_it_is_newer_than_our_write() {
        let condition = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                               "message": "ReplicaSet \"web-1\" has timed out progressing.", "lastUpdateTime": "2026-01-01T00:00:00Z"});
        let mut object =
            web(&json!({"observedGeneration": 4, "replicas": 3, "updatedReplicas": 1, "conditions": [condition]}));
        let after_write = Baseline::after_write(&object);
        assert_eq!(judge(&object, &after_write), Progress::Waiting("1 of 3 updated".into()));
        assert!(line(&object).starts_with("failed: Deployment shop/web: ReplicaSet"));
        object["status"]["conditions"][0]["lastUpdateTime"] = json!("2026-01-01T00:10:00Z");
        assert!(matches!(judge(&object, &after_write), Progress::Failed(_)));
    }

    #[test]
    fn a_paused_rollout_says_so() {
        let mut object = web(&json!({"observedGeneration": 4, "replicas": 3, "updatedReplicas": 0}));
        object["spec"]["paused"] = json!(true);
        assert_eq!(line(&object), "stuck: the rollout is paused; 0 of 3 updated");
    }

    fn db(spec: &Value, status: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "generation": 2}, "spec": spec, "status": status})
    }

    #[test]
    fn a_partition_is_done_when_its_part_is_updated() {
        let spec =
            json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}});
        let status = json!({"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"});
        assert_eq!(line(&db(&spec, &status)), "done");
    }

    #[test]
    fn a_stateful_set_is_done_when_its_revisions_meet() {
        let status = |current: &str| json!({"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": current});
        assert_eq!(line(&db(&json!({"replicas": 1}), &status("a"))), "1 of 1 at revision b");
        assert_eq!(line(&db(&json!({"replicas": 1}), &status("b"))), "done");
    }

    #[test]
    fn on_delete_is_refused_with_what_to_do() {
        let object = db(&json!({"updateStrategy": {"type": "OnDelete"}}), &json!({}));
        let Progress::Failed(failure) = judge(&object, &Baseline::default()) else { panic!("not refused") };
        assert!(failure.message.contains("OnDelete") && failure.help.is_some());
    }

    #[test]
    fn a_daemon_set_needs_every_node() {
        let object = json!({"kind": "DaemonSet", "metadata": {"name": "agent", "generation": 1},
            "status": {"observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}});
        assert_eq!(line(&object), "1 of 2 available");
    }
}
