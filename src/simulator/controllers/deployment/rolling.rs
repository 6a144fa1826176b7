//! A rolling update: how far the new set may grow and the old ones must shrink.

use std::sync::Arc;

use serde_json::Value;

use super::super::turn::Turn;
use super::desired;
use super::sets::Sets;
use crate::simulator::object::text;

/// How far a rolling update may leave the wanted number of pods, up and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) surge: i64,
    pub(super) unavailable: i64,
}

impl Window {
    /// The window of a Deployment; none for one that recreates its pods.
    pub(super) fn of(deployment: &Value) -> Self {
        if text(deployment, "/spec/strategy/type") == "Recreate" {
            return Self { surge: 0, unavailable: 0 };
        }
        let wanted = desired(deployment);
        let bound = |field: &str, up| {
            let bound = deployment.pointer(&format!("/spec/strategy/rollingUpdate/{field}"));
            share(bound.unwrap_or(&Value::from("25%")), wanted, up)
        };
        let (surge, unavailable) = (bound("maxSurge", true), bound("maxUnavailable", false));
        let stuck = surge == 0 && unavailable == 0;
        Self { surge, unavailable: if stuck { 1 } else { unavailable.min(wanted) } }
    }
}

/// A number, or a percentage of `total` rounded up or down.
pub(in super::super) fn share(bound: &Value, total: i64, up: bool) -> i64 {
    if let Some(number) = bound.as_i64() {
        return number;
    }
    let percent = bound.as_str().and_then(|text| text.strip_suffix('%'));
    let hundredfold = percent.and_then(|text| text.parse::<i64>().ok()).unwrap_or_default() * total;
    if up { hundredfold.div_euclid(100) + i64::from(hundredfold % 100 != 0) } else { hundredfold / 100 }
}

/// How many pods the new set may have now.
pub(super) fn new_replicas(deployment: &Value, sets: &Sets) -> i64 {
    let (wanted, present) = (desired(deployment), sets.new.as_ref().map_or(0, |set| set.replicas));
    if present >= wanted {
        return wanted;
    }
    let room = wanted + Window::of(deployment).surge - sets.total();
    present + room.clamp(0, wanted - present)
}

/// Lets the new set grow as far as it may; says whether it did.
pub(super) fn grow_new(turn: &mut Turn, deployment: &Arc<Value>, sets: &mut Sets) -> bool {
    let to = new_replicas(deployment, sets);
    sets.scale_new(turn, deployment, to)
}

/// Takes pods off the old sets as far as enough stay available: first those that are not
/// available anyway, then others; says whether it did.
pub(super) fn shrink_old(turn: &mut Turn, deployment: &Arc<Value>, sets: &mut Sets) -> bool {
    let keep = desired(deployment) - Window::of(deployment).unavailable;
    let new_down = sets.new.as_ref().map_or(0, |set| set.replicas - set.status("availableReplicas"));
    let mut allowed = sets.total() - keep - new_down;
    if allowed <= 0 || sets.old.iter().all(|set| set.replicas == 0) {
        return false;
    }
    let mut spare = sets.sum("availableReplicas") - keep;
    sets.scale_old(turn, deployment, |set| {
        let broken = (set.replicas - set.status("availableReplicas")).clamp(0, allowed.max(0));
        allowed -= broken;
        let healthy = (set.replicas - broken).clamp(0, spare.max(0));
        spare -= healthy;
        set.replicas - broken - healthy
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn surge_rounds_up_and_unavailable_down() {
        let deployment = json!({"spec": {"replicas": 3, "strategy": {"rollingUpdate":
            {"maxSurge": "25%", "maxUnavailable": "25%"}}}});
        assert_eq!(Window::of(&deployment), Window { surge: 1, unavailable: 0 });
    }

    #[test]
    fn a_window_of_nothing_lets_one_pod_go() {
        let deployment = json!({"spec": {"replicas": 3, "strategy": {"rollingUpdate":
            {"maxSurge": 0, "maxUnavailable": "10%"}}}});
        assert_eq!(Window::of(&deployment), Window { surge: 0, unavailable: 1 });
        let recreate = json!({"spec": {"strategy": {"type": "Recreate"}}});
        assert_eq!(Window::of(&recreate), Window { surge: 0, unavailable: 0 });
    }
}
