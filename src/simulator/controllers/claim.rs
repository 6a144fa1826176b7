//! The volume binder: every claim gets its volume at once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::turn::Turn;
use crate::simulator::object::{is_deleting, list, name, namespace, text, uid};

/// Binds a claim that is not bound; lets one go that is deleted and that no pod mounts.
pub(super) fn reconcile(turn: &mut Turn, claim: &Arc<Value>) {
    if is_deleting(claim) {
        if !is_mounted(turn, claim) {
            release(turn, ("persistentvolumeclaims", claim), "kubernetes.io/pvc-protection");
        }
        return;
    }
    if text(claim, "/status/phase") == "Bound" {
        return;
    }
    let volume = format!("pvc-{}", uid(claim));
    turn.patch("persistentvolumeclaims", claim, json!({"spec": {"volumeName": volume}}));
    let capacity = claim.pointer("/spec/resources/requests").cloned().unwrap_or_default();
    let modes = claim.pointer("/spec/accessModes").cloned().unwrap_or_else(|| json!(["ReadWriteOnce"]));
    turn.status(json!({"phase": "Bound", "accessModes": modes, "capacity": capacity}));
}

/// Lets a volume go that is deleted and bound to no claim; says that one is there to be had.
pub(super) fn volume(turn: &mut Turn, volume: &Arc<Value>) {
    if is_deleting(volume) {
        if text(volume, "/status/phase") != "Bound" {
            release(turn, ("persistentvolumes", volume), "kubernetes.io/pv-protection");
        }
    } else if text(volume, "/status/phase") == "Pending" {
        turn.status(json!({"phase": "Available"}));
    }
}

fn is_mounted(turn: &Turn, claim: &Value) -> bool {
    let mounts = |pod: &Arc<Value>| {
        let volumes = list(pod, "/spec/volumes").iter();
        !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
            && volumes.map(|volume| text(volume, "/persistentVolumeClaim/claimName")).any(|used| used == name(claim))
    };
    turn.view.list("pods", Some(namespace(claim))).any(mounts)
}

fn release(turn: &mut Turn, (resource, object): (&'static str, &Arc<Value>), finalizer: &str) {
    let held = list(object, "/metadata/finalizers");
    let rest: Vec<_> = held.iter().filter(|held| *held != finalizer).collect();
    if rest.len() < held.len() {
        turn.patch(resource, object, json!({"metadata": {"finalizers": rest}}));
    }
}
