//! The disruption controller: how many pods of a `PodDisruptionBudget` may be evicted now.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions::{Condition, Conditions, Stamps, holds};
use super::deployment::share;
use super::ownership::is_active;
use super::turn::Turn;
use crate::simulator::object::{controller, is_deleting, labels, namespace, number, put, text, uid};
use crate::simulator::selector::Selector;

/// Writes the status of a budget.
pub(super) fn reconcile(turn: &mut Turn, budget: &Arc<Value>) {
    turn.speak_as("controllermanager");
    if is_deleting(budget) {
        return;
    }
    let selector = Selector::of(budget.pointer("/spec/selector").unwrap_or(&Value::Null));
    let view = turn.view;
    let pods: Vec<_> = view
        .list("pods", Some(namespace(budget)))
        .filter(|pod| is_active(pod) && selector.matches(labels(pod)))
        .collect();
    let healthy = count(pods.iter().filter(|pod| holds(pod, "Ready")));
    let (expected, desired) = bounds(turn, budget, &pods);
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let mut conditions = Conditions::of(budget, Stamps::Transition);
    let condition = if allowed > 0 {
        Condition::new("DisruptionAllowed", "True", "SufficientPods", "")
    } else {
        Condition::new("DisruptionAllowed", "False", "InsufficientPods", "")
    };
    conditions.set(&condition, &turn.stamp());
    let mut status = json!({
        "observedGeneration": number(budget, "/metadata/generation").unwrap_or(1),
        "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected,
        "disruptionsAllowed": allowed,
    });
    put(&mut status, &["conditions"], conditions.into_value());
    turn.status(status);
}

/// How many pods there should be, and how many of them must stay healthy.
fn bounds(turn: &Turn, budget: &Value, pods: &[&Arc<Value>]) -> (i64, i64) {
    let present = count(pods.iter());
    if let Some(most) = budget.pointer("/spec/maxUnavailable") {
        let expected = wanted(turn, pods);
        return (expected, (expected - share(most, expected, true)).max(0));
    }
    match budget.pointer("/spec/minAvailable") {
        Some(least) if least.is_string() => {
            let expected = wanted(turn, pods);
            (expected, share(least, expected, true))
        }
        Some(least) => (present, least.as_i64().unwrap_or_default()),
        None => (present, 1),
    }
}

/// How many pods their controllers want, each controller once; for a `ReplicaSet`, its Deployment.
fn wanted(turn: &Turn, pods: &[&Arc<Value>]) -> i64 {
    let mut scales = BTreeMap::new();
    for pod in pods {
        let mut keeper = owner(turn, pod);
        if let Some(above) = keeper.and_then(|keeper| owner(turn, keeper)) {
            keeper = Some(above);
        }
        let (key, scale) =
            keeper.map_or((uid(pod), 1), |keeper| (uid(keeper), number(keeper, "/spec/replicas").unwrap_or(1)));
        scales.insert(key.to_owned(), scale);
    }
    scales.values().sum()
}

fn owner<'a>(turn: &Turn<'a>, object: &Value) -> Option<&'a Arc<Value>> {
    let view = turn.view;
    view.get(view.place(text(controller(object)?, "/uid"))?)
}

fn count<'a>(pods: impl Iterator<Item = &'a &'a Arc<Value>>) -> i64 {
    i64::try_from(pods.count()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::kit::{Cluster, workload};
    use super::*;
    use crate::simulator::store::Propagation;

    fn numbers(budget: &Value) -> [i64; 4] {
        ["expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"]
            .map(|field| number(budget, &format!("/status/{field}")).unwrap_or_default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_allows_what_its_bound_leaves() {
        for (bound, expected) in [
            (json!({"minAvailable": 2}), [3, 2, 3, 1]),
            (json!({"minAvailable": "100%"}), [3, 3, 3, 0]),
            (json!({"maxUnavailable": 1}), [3, 2, 3, 1]),
            (json!({"maxUnavailable": "50%"}), [3, 1, 3, 2]),
        ] {
            let cluster = Cluster::start();
            cluster.create("deployments", workload("web", &json!({})));
            let mut budget = json!({"metadata": {"name": "web"},
                "spec": {"selector": {"matchLabels": {"app": "web"}}}});
            json_patch::merge(&mut budget, &json!({ "spec": bound }));
            cluster.create("poddisruptionbudgets", budget);
            cluster.pass(500).await;
            assert_eq!(numbers(&cluster.get("poddisruptionbudgets", "web")), expected, "{bound}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_on_its_way_out_uses_the_budget_up() {
        let cluster = Cluster::start();
        cluster.create("deployments", workload("web", &json!({})));
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "maxUnavailable": 1});
        cluster.create("poddisruptionbudgets", json!({"metadata": {"name": "web"}, "spec": spec}));
        cluster.pass(500).await;
        let pod = cluster.list("pods").remove(0);
        cluster.delete("pods", text(&pod, "/metadata/name"), Propagation::Background);
        cluster.pass(10).await;
        assert_eq!(numbers(&cluster.get("poddisruptionbudgets", "web")), [3, 2, 2, 0]);
        cluster.pass(500).await;
        assert_eq!(numbers(&cluster.get("poddisruptionbudgets", "web")), [3, 2, 3, 1]);
    }
}
