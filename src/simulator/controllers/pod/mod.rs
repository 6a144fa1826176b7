//! A pod's life: the scheduler gives it a node, the node's agent runs and ends it.

mod containers;
mod kubelet;
mod scheduler;
mod status;
mod words;

use std::sync::Arc;

use serde_json::Value;

use super::turn::Turn;
use crate::simulator::object::{is_deleting, text};

/// Brings a pod one step on.
pub(super) fn reconcile(turn: &mut Turn, pod: &Arc<Value>) {
    if matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
        return kubelet::bury(turn, pod);
    }
    match (text(pod, "/spec/nodeName").is_empty(), is_deleting(pod)) {
        (true, true) => turn.delete_now(),
        (true, false) => scheduler::reconcile(turn, pod),
        (false, true) => kubelet::stop(turn, pod),
        (false, false) => kubelet::sync(turn, pod),
    }
}
