//! The status of a pod as the node's agent writes it.

use serde_json::{Value, json};

use super::super::conditions::{Condition, Conditions, Stamps};
use super::super::turn::Turn;
use super::containers::{address, fresh, unready};
use crate::simulator::object::{list, map, name, put, text};

/// The status of a pod that has just come to its node.
pub(super) fn admitted(turn: &Turn, pod: &Value) -> Value {
    let mut status = pod.get("status").cloned().unwrap_or_default();
    let has_init = !list(pod, "/spec/initContainers").is_empty();
    let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    put(&mut status, &["startTime"], turn.stamp());
    put(&mut status, &["hostIP"], host_address(turn, pod));
    put(&mut status, &["qosClass"], quality(pod));
    if has_init {
        put(&mut status, &["initContainerStatuses"], fresh(pod, "initContainers", "PodInitializing"));
    }
    with_containers(turn, pod, status, ("Pending", fresh(pod, "containers", reason)))
}

/// A pod's present status with new containers, and the phase and conditions that follow.
pub(super) fn with_containers(
    turn: &Turn,
    pod: &Value,
    mut status: Value,
    (phase, containers): (&str, Vec<Value>),
) -> Value {
    let mut conditions = Conditions::of(pod, Stamps::Probe);
    note_conditions(turn, &mut conditions, phase, &unready(&containers));
    put(&mut status, &["phase"], phase);
    put(&mut status, &["conditions"], conditions.into_value());
    if phase != "Pending" && text(&status, "/podIP").is_empty() {
        let address = address(pod);
        put(&mut status, &["podIPs"], json!([{ "ip": address }]));
        put(&mut status, &["podIP"], address);
    }
    put(&mut status, &["containerStatuses"], containers);
    status
}

fn note_conditions(turn: &Turn, conditions: &mut Conditions, phase: &str, unready: &str) {
    let over = match phase {
        "Succeeded" => Some("PodCompleted"),
        "Failed" => Some("PodFailed"),
        _ => None,
    };
    let mut initialized = Condition::plain("Initialized", true);
    initialized.reason = over.filter(|reason| *reason == "PodCompleted").unwrap_or_default();
    conditions.set(&initialized, &turn.stamp());
    for kind in ["Ready", "ContainersReady"] {
        let condition = match over {
            Some(reason) => Condition::new(kind, "False", reason, ""),
            None if unready.is_empty() => Condition::plain(kind, true),
            None => {
                let message = format!("containers with unready status: [{unready}]");
                Condition::new(kind, "False", "ContainersNotReady", message)
            }
        };
        conditions.set(&condition, &turn.stamp());
    }
    conditions.set(&Condition::plain("PodScheduled", true), &turn.stamp());
}

fn host_address(turn: &Turn, pod: &Value) -> String {
    let wanted = text(pod, "/spec/nodeName");
    let node = turn.view.list("nodes", None).find(|node| name(node) == wanted);
    let addresses = node.map(|node| list(node, "/status/addresses")).unwrap_or_default();
    let internal = addresses.iter().find(|address| text(address, "/type") == "InternalIP");
    internal.map(|address| text(address, "/address")).unwrap_or_default().to_owned()
}

/// The class of service that a pod's requests and limits give it.
fn quality(pod: &Value) -> &'static str {
    let containers = list(pod, "/spec/containers");
    let asks = |container: &Value| {
        !map(container, "/resources/limits").is_empty() || !map(container, "/resources/requests").is_empty()
    };
    let is_fixed = |container: &Value| {
        let (limits, requests) = (map(container, "/resources/limits"), map(container, "/resources/requests"));
        ["cpu", "memory"].into_iter().all(|what| limits.contains_key(what))
            && (requests.is_empty() || requests == limits)
    };
    if !containers.iter().any(asks) {
        "BestEffort"
    } else if containers.iter().all(is_fixed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_service_follows_requests_and_limits() {
        let pod = |resources: Value| json!({"spec": {"containers": [{"resources": resources}]}});
        assert_eq!(quality(&pod(json!({}))), "BestEffort");
        assert_eq!(quality(&pod(json!({"requests": {"cpu": "1"}}))), "Burstable");
        assert_eq!(quality(&pod(json!({"limits": {"cpu": "1", "memory": "1Gi"}}))), "Guaranteed");
    }
}
