//! What holds for all controllers together.

use serde_json::{Value, json};

use super::kit::{Cluster, image, workload};
use crate::simulator::object::{controller, is_deleting, labels, name, number, text, uid};
use crate::simulator::store::Propagation;

const KINDS: [&str; 3] = ["deployments", "statefulsets", "daemonsets"];

/// Does something that a user may do, to some workload.
fn disturb(cluster: &Cluster, random: &mut fastrand::Rng) {
    let kind = KINDS[random.usize(..KINDS.len())];
    let spec = match random.u8(..6) {
        0 => json!({"spec": {"replicas": random.u8(..6)}}),
        1 => image(&format!("registry.example/web:{}", random.u8(..3))),
        2 => json!({"spec": {"minReadySeconds": random.u8(..2)}}),
        3 => json!({"metadata": {"labels": {"touched": random.u32(..).to_string()}}}),
        4 => return kill(cluster, random),
        _ => json!({"spec": {"revisionHistoryLimit": random.u8(..3)}}),
    };
    if kind == "daemonsets" && spec.pointer("/spec/replicas").is_some() {
        return;
    }
    cluster.patch(kind, kind, &spec);
}

fn kill(cluster: &Cluster, random: &mut fastrand::Rng) {
    let pods = cluster.list("pods");
    if let Some(pod) = pods.get(random.usize(..pods.len().max(1))) {
        cluster.delete("pods", name(pod), Propagation::Background);
    }
}

fn pods_of(cluster: &Cluster, app: &str) -> Vec<std::sync::Arc<Value>> {
    let mut pods = cluster.list("pods");
    pods.retain(|pod| labels(pod).get("app").is_some_and(|label| label == app));
    pods
}

#[tokio::test(start_paused = true)]
async fn whatever_is_done_to_workloads_they_converge_and_come_to_rest() {
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let cluster = Cluster::start();
        for kind in KINDS {
            cluster.create(kind, workload(kind, &json!({})));
        }
        for _ in 0..25 {
            disturb(&cluster, &mut random);
            cluster.pass(random.u64(..150)).await;
        }
        cluster.pass(60_000).await;
        for kind in KINDS {
            let object = cluster.get(kind, kind);
            let wanted = number(&object, "/spec/replicas").filter(|_| kind != "daemonsets").unwrap_or(2);
            let pods = pods_of(&cluster, kind);
            assert_eq!(pods.len(), usize::try_from(wanted).expect("small"), "seed {seed}, {kind}");
            let (image, pointer) = ("/spec/template/spec/containers/0/image", "/spec/containers/0/image");
            assert!(pods.iter().all(|pod| text(pod, pointer) == text(&object, image)), "seed {seed}, {kind}");
            assert!(pods.iter().all(|pod| !is_deleting(pod)), "seed {seed}, {kind}");
            let generation = number(&object, "/metadata/generation");
            assert_eq!(number(&object, "/status/observedGeneration"), generation);
        }
        let version = cluster.store.version();
        cluster.pass(60_000).await;
        assert_eq!(cluster.store.version(), version, "seed {seed}: still busy");
    }
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_log_is_made_up_for_by_a_new_look_at_everything() {
    let cluster = Cluster::start();
    cluster.create("deployments", workload("web", &json!({})));
    for _ in 0..20 {
        cluster.store.forget_log();
        cluster.pass(10).await;
    }
    assert_eq!(number(&cluster.get("deployments", "web"), "/status/availableReplicas"), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_released_by_its_label_and_adopted_again() {
    let cluster = Cluster::start();
    cluster.create("deployments", workload("web", &json!({})));
    cluster.pass(300).await;
    let first = cluster.list("pods").remove(0);
    cluster.patch("pods", name(&first), &json!({"metadata": {"labels": {"app": "debug"}}}));
    cluster.pass(300).await;
    assert_eq!(cluster.list("pods").len(), 4);
    assert!(controller(&cluster.get("pods", name(&first))).is_none());
    cluster.patch("pods", name(&first), &json!({"metadata": {"labels": {"app": "web"}}}));
    cluster.pass(300).await;
    assert_eq!(cluster.list("pods").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dependant_whose_owner_never_was_is_collected() {
    let cluster = Cluster::start();
    let owner =
        |kind: &str, group: &str| json!([{"apiVersion": group, "kind": kind, "name": "gone", "uid": "never-was"}]);
    for (config, owners) in
        [("lost", owner("Deployment", "apps/v1")), ("kept", owner("PGCluster", "apr.bytetrade.io/v1"))]
    {
        let metadata = json!({"name": config, "ownerReferences": owners});
        cluster.create("configmaps", json!({ "metadata": metadata }));
    }
    cluster.pass(10).await;
    assert!(cluster.find("configmaps", "lost").is_none());
    assert!(!uid(&cluster.get("configmaps", "kept")).is_empty());
}
