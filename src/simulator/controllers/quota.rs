//! The quota controller: says how much of its limits a namespace uses.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::turn::Turn;
use crate::simulator::object::namespace;
use crate::simulator::quota::usage;
use crate::simulator::resource::by_plural;

/// Counts anew what is used.
pub(super) fn reconcile(turn: &mut Turn, quota: &Arc<Value>) {
    let objects = |plural: &str| {
        let known = by_plural(plural).map(|resource| resource.plural);
        known.map(|plural| turn.view.list(plural, Some(namespace(quota))).cloned().collect()).unwrap_or_default()
    };
    let used: Map<String, Value> =
        usage(quota, &objects).into_iter().map(|(what, amount)| (what, amount.to_string().into())).collect();
    turn.status(json!({ "hard": quota.pointer("/spec/hard").cloned().unwrap_or_default(), "used": used }));
}

#[cfg(test)]
mod tests {
    use super::super::kit::{Cluster, workload};
    use super::*;
    use crate::simulator::object::{number, text};

    #[tokio::test(start_paused = true)]
    async fn pods_beyond_the_quota_are_refused_until_there_is_room() {
        let cluster = Cluster::start();
        cluster.create("resourcequotas", json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}));
        cluster.create("deployments", workload("web", &json!({})));
        cluster.pass(1_000).await;
        assert_eq!(number(&cluster.get("deployments", "web"), "/status/readyReplicas"), Some(2));
        assert_eq!(text(&cluster.get("resourcequotas", "q"), "/status/used/pods"), "2");
        let words = cluster.words("ReplicaSet").join("\n");
        assert!(words.contains("exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"), "{words}");
        cluster.patch("resourcequotas", "q", &json!({"spec": {"hard": {"pods": "5"}}}));
        cluster.pass(600_000).await;
        assert_eq!(number(&cluster.get("deployments", "web"), "/status/readyReplicas"), Some(3));
        assert_eq!(text(&cluster.get("resourcequotas", "q"), "/status/used/pods"), "3");
    }
}
