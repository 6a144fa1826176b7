//! The pods of a `StatefulSet`: their numbers, names and volumes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::ownership::{named, pod_of};
use super::super::revisions::LABEL;
use super::super::turn::Turn;
use super::super::view::Id;
use crate::simulator::object::{list, map, name, namespace, put, text};

/// The number of a pod, if it has the name of one of the set's pods.
pub(super) fn ordinal(set: &Value, pod: &Value) -> Option<i64> {
    name(pod).strip_prefix(name(set))?.strip_prefix('-')?.parse().ok()
}

/// Whether a pod has ended.
pub(super) fn is_over(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// Makes the pod with a number, and the claims that it mounts.
pub(super) fn make(turn: &mut Turn, set: &Arc<Value>, ordinal: i64, (template, revision): (&Value, &str)) {
    let pod_name = format!("{}-{ordinal}", name(set));
    let mut pod = pod_of(set, template);
    put(&mut pod, &["metadata", "name"], pod_name.as_str());
    for (label, value) in [
        (LABEL, revision),
        ("statefulset.kubernetes.io/pod-name", &pod_name),
        ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
    ] {
        put(&mut pod, &["metadata", "labels", label], value);
    }
    put(&mut pod, &["spec", "hostname"], pod_name.as_str());
    put(&mut pod, &["spec", "subdomain"], text(set, "/spec/serviceName"));
    mount_claims(turn, set, &mut pod);
    turn.create("pods", named(pod));
    let message = format!("create Pod {pod_name} in StatefulSet {} successful", name(set));
    turn.normal(set, "SuccessfulCreate", message);
}

fn mount_claims(turn: &mut Turn, set: &Arc<Value>, pod: &mut Value) {
    let mut volumes = list(pod, "/spec/volumes").to_vec();
    for template in list(set, "/spec/volumeClaimTemplates") {
        let volume = name(template);
        let claim = format!("{volume}-{}", name(pod));
        volumes.retain(|present| text(present, "/name") != volume);
        volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}}));
        let place = Id::new("persistentvolumeclaims", namespace(set), &claim);
        if turn.view.get(&place).is_none() {
            make_claim(turn, set, (template, &claim), name(pod));
        }
    }
    if !volumes.is_empty() {
        put(pod, &["spec", "volumes"], volumes);
    }
}

fn make_claim(turn: &mut Turn, set: &Arc<Value>, (template, claim): (&Value, &str), pod: &str) {
    let object = json!({
        "metadata": {
            "name": claim, "namespace": namespace(set),
            "labels": map(set, "/spec/selector/matchLabels"),
        },
        "spec": template.get("spec"),
    });
    turn.create("persistentvolumeclaims", object);
    let message = format!("create Claim {claim} Pod {pod} in StatefulSet {} success", name(set));
    turn.normal(set, "SuccessfulCreate", message);
}
