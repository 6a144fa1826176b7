//! Scaling without a rollout step: the sets keep their shares of the pods.

use std::sync::Arc;

use serde_json::Value;

use super::super::turn::Turn;
use super::desired;
use super::rolling::Window;
use super::sets::{Set, Sets};
use crate::simulator::object::text;

/// Brings the sets to the wanted number of pods, in proportion where several hold pods.
pub(super) fn scale(turn: &mut Turn, deployment: &Arc<Value>, sets: &mut Sets) {
    let wanted = desired(deployment);
    if let Some(only) = only_active(sets) {
        super::sets::scale(turn, deployment, only, wanted);
    } else if is_saturated(sets, wanted) {
        sets.scale_old(turn, deployment, |_| 0);
    } else if text(deployment, "/spec/strategy/type") != "Recreate" {
        scale_in_proportion(turn, deployment, sets);
    }
}

/// The set that holds all pods; the latest one when there are none.
fn only_active(sets: &mut Sets) -> Option<&mut Set> {
    let active = sets.all().filter(|set| set.replicas > 0).count();
    match active {
        0 if sets.new.is_some() => sets.new.as_mut(),
        0 => sets.old.last_mut(),
        1 => sets.old.iter_mut().chain(&mut sets.new).find(|set| set.replicas > 0),
        _ => None,
    }
}

fn is_saturated(sets: &Sets, wanted: i64) -> bool {
    sets.new
        .as_ref()
        .is_some_and(|new| new.replicas == wanted && new.status("availableReplicas") == wanted && new.revision() > 0)
}

fn scale_in_proportion(turn: &mut Turn, deployment: &Arc<Value>, sets: &mut Sets) {
    let wanted = desired(deployment);
    let allowed = if wanted > 0 { wanted + Window::of(deployment).surge } else { 0 };
    let to_add = allowed - sets.total();
    let mut active: Vec<_> = sets.old.iter_mut().chain(&mut sets.new).filter(|set| set.replicas > 0).collect();
    // The largest sets bear the most; of two of a size, the newer grows and the older shrinks.
    if to_add > 0 {
        active.reverse();
    }
    active.sort_by_key(|set| -set.replicas);
    let mut left = to_add;
    let mut sizes = Vec::new();
    for set in &active {
        let share = share_of(set, wanted, allowed);
        let part = if to_add > 0 { share.clamp(0, left) } else { share.clamp(left, 0) };
        left -= part;
        sizes.push(set.replicas + part);
    }
    if let Some(largest) = sizes.first_mut() {
        *largest = (*largest + left).max(0);
    }
    for (set, size) in active.into_iter().zip(sizes) {
        super::sets::scale(turn, deployment, set, size);
    }
}

/// By how many pods a set would grow if its share of the whole stayed the same.
fn share_of(set: &Set, wanted: i64, allowed: i64) -> i64 {
    if wanted == 0 {
        return -set.replicas;
    }
    let before = set.max_replicas().unwrap_or_else(|| set.status("replicas").max(1));
    let doubled = 2 * set.replicas * allowed;
    let rounded = (doubled + before) / (2 * before);
    rounded - set.replicas
}
