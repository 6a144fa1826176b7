//! The Deployment controller: one `ReplicaSet` a pod template, and the way from one to the next.
//!
//! The steps and their order are those of kube-controller-manager: a turn makes at most one
//! move (grow the new set, or shrink the old ones) and then writes the status, so that a watch
//! sees the same states in between.

mod progress;
mod rolling;
mod scaling;
mod sets;

use std::sync::Arc;

use serde_json::Value;

use super::ownership::{claim, is_active};
use super::template::Template;
use super::turn::Turn;
use crate::simulator::object::{flag, is_deleting, number, text, uid};
pub(super) use rolling::share;
use sets::Sets;

/// Brings a Deployment one step nearer to its spec.
pub(super) fn reconcile(turn: &mut Turn, deployment: &Arc<Value>) {
    turn.speak_as("deployment-controller");
    let generation = number(deployment, "/metadata/generation").unwrap_or_default();
    if !turn.elapsed(&format!("observe {generation}"), turn.timing.observed) {
        return;
    }
    let owned = claim(turn, deployment, "replicasets");
    let mut sets = Sets::find(deployment, owned);
    if is_deleting(deployment) {
        return progress::write_plain_status(turn, deployment, &sets);
    }
    if flag(deployment, "/spec/paused") || sets.is_scaling_event(deployment) {
        if !flag(deployment, "/spec/paused") {
            sets.refresh_revision(turn, deployment);
        }
        scaling::scale(turn, deployment, &mut sets);
        return progress::write_plain_status(turn, deployment, &sets);
    }
    if text(deployment, "/spec/strategy/type") == "Recreate" {
        recreate(turn, deployment, &mut sets);
    } else {
        roll(turn, deployment, &mut sets);
    }
    progress::write_rollout_status(turn, deployment, &sets);
}

fn roll(turn: &mut Turn, deployment: &Arc<Value>, sets: &mut Sets) {
    sets.ensure_new(turn, deployment, |sets| rolling::new_replicas(deployment, sets));
    let moved = rolling::grow_new(turn, deployment, sets) || rolling::shrink_old(turn, deployment, sets);
    if !moved && progress::is_complete(deployment, sets) {
        sets.prune(turn, deployment);
    }
}

/// Old pods end before new ones begin.
fn recreate(turn: &mut Turn, deployment: &Arc<Value>, sets: &mut Sets) {
    let shrunk = sets.scale_old(turn, deployment, |_| 0);
    if shrunk || old_pods_left(turn, sets) {
        return;
    }
    sets.ensure_new(turn, deployment, |_| desired(deployment));
    sets.scale_new(turn, deployment, desired(deployment));
    if progress::is_complete(deployment, sets) {
        sets.prune(turn, deployment);
    }
}

/// Pods on their way out count: they still run.
fn old_pods_left(turn: &Turn, sets: &Sets) -> bool {
    let runs = |pod: &Arc<Value>| is_active(pod) || is_deleting(pod);
    sets.old.iter().any(|set| turn.view.controlled(uid(&set.object), "pods").any(runs))
}

/// How many pods the Deployment wants.
fn desired(deployment: &Value) -> i64 {
    number(deployment, "/spec/replicas").unwrap_or(1)
}

/// The pod template of a Deployment.
fn template_of(deployment: &Value) -> Template<'_> {
    Template::of(deployment, "pod-template-hash")
}

#[cfg(test)]
mod tests;
