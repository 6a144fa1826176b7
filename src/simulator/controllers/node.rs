//! The node controller: the taint of a cordoned node, and the status of one that has none.

use std::sync::Arc;

use serde_json::{Value, json};

use super::turn::Turn;
use crate::simulator::object::{flag, is_deleting, list, name, text};

const CORDONED: &str = "node.kubernetes.io/unschedulable";

/// Marks a cordoned node, and gives a node without a status that of a healthy one.
pub(super) fn reconcile(turn: &mut Turn, node: &Arc<Value>) {
    turn.speak_as("kubelet");
    if is_deleting(node) {
        return;
    }
    mark(turn, node);
    if list(node, "/status/conditions").is_empty() {
        let status = healthy(turn, node);
        turn.status(status);
    }
}

fn mark(turn: &mut Turn, node: &Arc<Value>) {
    let cordoned = flag(node, "/spec/unschedulable");
    let mut taints = list(node, "/spec/taints").to_vec();
    let marked = taints.iter().any(|taint| text(taint, "/key") == CORDONED);
    if cordoned == marked {
        return;
    }
    let reason = if cordoned {
        taints.push(json!({"key": CORDONED, "effect": "NoSchedule", "timeAdded": turn.stamp()}));
        "NodeNotSchedulable"
    } else {
        taints.retain(|taint| text(taint, "/key") != CORDONED);
        "NodeSchedulable"
    };
    let taints = if taints.is_empty() { Value::Null } else { taints.into() };
    turn.patch("nodes", node, json!({"spec": {"taints": taints}}));
    turn.normal(node, reason, format!("Node {} status is now: {reason}", name(node)));
}

/// The status of a node that has just joined.
fn healthy(turn: &Turn, node: &Value) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "lastHeartbeatTime": turn.stamp(),
            "lastTransitionTime": turn.stamp(), "reason": reason, "message": message})
    };
    let room = json!({"cpu": "8", "memory": "32768Mi", "pods": "110", "ephemeral-storage": "200Gi"});
    let sum = name(node).bytes().fold(0_u32, |sum, byte| sum + u32::from(byte));
    json!({
        "capacity": room, "allocatable": room,
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        "addresses": [
            {"type": "InternalIP", "address": format!("192.168.40.{}", 2 + sum % 250)},
            {"type": "Hostname", "address": name(node)},
        ],
        "nodeInfo": {
            "architecture": "amd64", "operatingSystem": "linux", "osImage": "Ubuntu 24.04.2 LTS",
            "kernelVersion": "6.8.0-60-generic", "kubeletVersion": "v1.33.3",
            "containerRuntimeVersion": "containerd://1.7.27", "kubeProxyVersion": "v1.33.3",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::conditions::holds;
    use super::super::kit::{Cluster, workload};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cordoned_node_is_tainted_and_takes_no_new_pods() {
        let cluster = Cluster::start();
        let cordon = |on: Value| {
            let merge = |node: &mut Value| {
                json_patch::merge(node, &json!({"spec": {"unschedulable": on}}));
                Ok(())
            };
            cluster.store.update("nodes", "", "node-a", None, merge).expect("there");
        };
        cordon(json!(true));
        cluster.create("deployments", workload("web", &json!({})));
        cluster.pass(500).await;
        assert!(cluster.list("pods").iter().all(|pod| text(pod, "/spec/nodeName") == "node-b"));
        let node = cluster.store.get("nodes", "", "node-a").expect("there");
        assert_eq!(text(&node, "/spec/taints/0/key"), CORDONED);
        cordon(Value::Null);
        cluster.pass(10).await;
        let node = cluster.store.get("nodes", "", "node-a").expect("there");
        assert!(node.pointer("/spec/taints").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_joins_becomes_ready() {
        let cluster = Cluster::start();
        cluster.store.create("nodes", json!({"metadata": {"name": "node-c"}})).expect("new");
        cluster.pass(10).await;
        let node = cluster.store.get("nodes", "", "node-c").expect("there");
        assert!(holds(&node, "Ready"));
        assert_eq!(text(&node, "/status/allocatable/pods"), "110");
    }
}
