//! How far a change reaches: running pods that it takes away at most, and sets without a limit.

use serde_json::Value;

use super::rollout::{replicas, status};
use crate::document::Target;
use crate::event::ObjectId;
use crate::source::Diagnostic;

/// The running pods of an object that go when all of its pods are replaced or go with it.
pub(super) fn running_pods(object: &Value) -> u32 {
    let pods = match ObjectId::of(object).kind.as_str() {
        "Deployment" | "StatefulSet" | "ReplicaSet" => replicas(object).max(status(object, "replicas")),
        "DaemonSet" => status(object, "currentNumberScheduled").max(status(object, "desiredNumberScheduled")),
        "Job" => status(object, "active"),
        "CronJob" => object
            .pointer("/status/active")
            .and_then(Value::as_array)
            .map_or(0, |jobs| i64::try_from(jobs.len()).unwrap_or(i64::MAX)),
        _ => 0,
    };
    u32::try_from(pods.max(0)).unwrap_or(u32::MAX)
}

/// Whether a pod still runs or will: one that has ended keeps nobody waiting.
pub(super) fn is_active(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    !matches!(phase, Some("Succeeded" | "Failed"))
}

/// A change of a set says how many objects it may touch at most (runbook-format §6).
pub(super) fn needs_max(verb: &str, target: Option<&Target>, out: &mut Vec<Diagnostic>) {
    if let Some(Target::Set(set)) = target
        && set.max.is_none()
    {
        let complaint = Diagnostic::error(format!("`{verb}` changes a set, and this set has no `max`"), set.span);
        out.push(complaint.help("say how many objects it may be at most: `max: 10`"));
    }
}

/// A `DaemonSet` has no number of replicas: refused where the book is read, not by a server that ignores the field.
pub(super) fn refuse_daemon_set(verb: &str, target: Option<&Target>, out: &mut Vec<Diagnostic>) {
    let (kind, span) = match target {
        Some(Target::One(reference)) => (reference.kind, reference.span),
        Some(Target::Set(set)) => (set.kind, set.span),
        _ => return,
    };
    if kind.kind == "DaemonSet" {
        let complaint = Diagnostic::error(format!("`{verb}` takes no DaemonSet: it has no number of replicas"), span);
        out.push(complaint.help("its pods follow the nodes; `restart` replaces them"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pods_are_counted_by_kind_and_never_too_few() {
        let of = |kind: &str, spec: Value, status: Value| {
            running_pods(&json!({"kind": kind, "spec": spec, "status": status}))
        };
        assert_eq!(of("Deployment", json!({"replicas": 3}), json!({"replicas": 4})), 4);
        assert_eq!(of("StatefulSet", json!({"replicas": 3}), json!({})), 3);
        assert_eq!(of("DaemonSet", json!({}), json!({"currentNumberScheduled": 5})), 5);
        assert_eq!(of("Job", json!({}), json!({"active": 2})), 2);
        assert_eq!(of("CronJob", json!({}), json!({"active": [{}, {}]})), 2);
        assert_eq!(of("Secret", json!({}), json!({})), 0);
    }

    #[test]
    fn a_pod_that_has_ended_is_not_active() {
        assert!(is_active(&json!({"status": {"phase": "Pending"}})) && is_active(&json!({})));
        assert!(!is_active(&json!({"status": {"phase": "Failed"}})));
    }
}
