//! A pod's life: the scheduler gives it a node, the node's agent runs and ends it.

mod containers;
mod kubelet;
mod scheduler;
mod status;
mod words;

use std::sync::Arc;

use serde_json::Value;

use super::job;
use super::turn::Turn;
use crate::simulator::object::{controller, is_deleting, list, text};
pub(super) use scheduler::{is_wanted_node, obstacle};

/// Brings a pod one step on.
pub(super) fn reconcile(turn: &mut Turn, pod: &Arc<Value>) {
    if job::is_tracked(pod) && is_abandoned(turn, pod) {
        job::release(turn, pod);
    }
    if matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
        return kubelet::bury(turn, pod);
    }
    if is_told(pod) {
        return;
    }
    match (text(pod, "/spec/nodeName").is_empty(), is_deleting(pod)) {
        (true, true) => turn.delete_now(),
        (true, false) => scheduler::reconcile(turn, pod),
        (false, true) => kubelet::stop(turn, pod),
        (false, false) => kubelet::sync(turn, pod),
    }
}

/// Whether a scenario only tells of a pod that runs: what it does not say of its containers is
/// not made up.
fn is_told(pod: &Value) -> bool {
    let says_nothing = list(pod, "/status/containerStatuses").is_empty();
    text(pod, "/status/phase") == "Running" && says_nothing && !is_deleting(pod)
}

/// Whether the Job that would count a pod is gone.
fn is_abandoned(turn: &Turn, pod: &Value) -> bool {
    controller(pod).is_none_or(|owner| turn.view.place(text(owner, "/uid")).is_none())
}

#[cfg(test)]
mod tests;
