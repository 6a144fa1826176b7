use serde_json::{Value, json};

use super::super::kit::{Cluster, image, workload};
use crate::simulator::object::{number, text};
use crate::simulator::store::{DeleteOptions, Propagation};

fn images(cluster: &Cluster) -> Vec<String> {
    let pods = cluster.list("pods");
    pods.iter()
        .map(|pod| text(pod, "/spec/containers/0/image").trim_start_matches("registry.example/").to_owned())
        .collect()
}

fn numbers(set: &Value) -> [i64; 4] {
    ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas"]
        .map(|field| number(set, &format!("/status/{field}")).unwrap_or_default())
}

async fn settled(spec: Value) -> Cluster {
    let cluster = Cluster::start();
    cluster.create("statefulsets", workload("db", &spec));
    cluster.pass(1_000).await;
    cluster
}

#[tokio::test(start_paused = true)]
async fn pods_come_one_by_one() {
    let cluster = settled(json!({})).await;
    let db = cluster.get("statefulsets", "db");
    assert_eq!(numbers(&db), [3, 3, 3, 3]);
    assert_eq!(text(&db, "/status/currentRevision"), text(&db, "/status/updateRevision"));
    let seen = cluster.history("statefulsets", "db", |db| numbers(db)[..2].to_vec());
    assert_eq!(seen, [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [3, 2], [3, 3]]);
    assert_eq!(cluster.words("StatefulSet")[0], "create Pod db-0 in StatefulSet db successful");
}

#[tokio::test(start_paused = true)]
async fn parallel_pods_come_together() {
    let cluster = settled(json!({"podManagementPolicy": "Parallel"})).await;
    let seen = cluster.history("statefulsets", "db", |db| numbers(db)[..2].to_vec());
    assert_eq!(seen, [[0, 0], [3, 0], [3, 3]]);
}

#[tokio::test(start_paused = true)]
async fn an_update_goes_from_the_last_pod_to_the_first() {
    let cluster = settled(json!({})).await;
    let before = text(&cluster.get("statefulsets", "db"), "/status/currentRevision").to_owned();
    cluster.patch("statefulsets", "db", &image("registry.example/db:2"));
    cluster.pass(60).await;
    assert_eq!(images(&cluster), ["web:1.0", "web:1.0", "db:2"]);
    let db = cluster.get("statefulsets", "db");
    assert_eq!(text(&db, "/status/currentRevision"), before);
    assert_ne!(text(&db, "/status/updateRevision"), before);
    cluster.pass(1_000).await;
    assert_eq!(images(&cluster), ["db:2"; 3]);
    let db = cluster.get("statefulsets", "db");
    assert_eq!(numbers(&db), [3, 3, 3, 3]);
    assert_eq!(text(&db, "/status/currentRevision"), text(&db, "/status/updateRevision"));
    assert_eq!(cluster.list("controllerrevisions").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_partition_holds_the_lower_pods_back() {
    let cluster = settled(json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}})).await;
    cluster.patch("statefulsets", "db", &image("registry.example/db:2"));
    cluster.pass(1_000).await;
    assert_eq!(images(&cluster), ["web:1.0", "web:1.0", "db:2"]);
    let db = cluster.get("statefulsets", "db");
    assert_eq!(numbers(&db), [3, 3, 2, 1]);
    assert_ne!(text(&db, "/status/currentRevision"), text(&db, "/status/updateRevision"));
    cluster.delete("pods", "db-0", Propagation::Background);
    cluster.pass(1_000).await;
    assert_eq!(images(&cluster), ["web:1.0", "web:1.0", "db:2"]);
}

#[tokio::test(start_paused = true)]
async fn on_delete_leaves_pods_until_someone_deletes_them() {
    let cluster = settled(json!({"updateStrategy": {"type": "OnDelete"}})).await;
    cluster.patch("statefulsets", "db", &image("registry.example/db:2"));
    cluster.pass(1_000).await;
    assert_eq!(images(&cluster), ["web:1.0"; 3]);
    cluster.delete("pods", "db-1", Propagation::Background);
    cluster.pass(1_000).await;
    assert_eq!(images(&cluster), ["web:1.0", "db:2", "web:1.0"]);
    assert_eq!(number(&cluster.get("statefulsets", "db"), "/status/updatedReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_highest_pod_goes_first_and_its_claim_stays() {
    let claims = json!([{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}]);
    let cluster = settled(json!({ "volumeClaimTemplates": claims })).await;
    cluster.patch("statefulsets", "db", &json!({"spec": {"replicas": 1}}));
    cluster.pass(1_000).await;
    let pods: Vec<_> = cluster.list("pods").iter().map(|pod| text(pod, "/metadata/name").to_owned()).collect();
    assert_eq!(pods, ["db-0"]);
    assert_eq!(cluster.list("persistentvolumeclaims").len(), 3);
    assert_eq!(text(&cluster.get("persistentvolumeclaims", "data-db-0"), "/status/phase"), "Bound");
    let gone: Vec<_> = cluster.words("StatefulSet").into_iter().filter(|words| words.starts_with("delete")).collect();
    assert_eq!(gone, ["delete Pod db-2 in StatefulSet db successful", "delete Pod db-1 in StatefulSet db successful"]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_comes_back_under_its_name() {
    let cluster = settled(json!({})).await;
    let before = text(&cluster.get("pods", "db-1"), "/metadata/uid").to_owned();
    cluster.store.delete("pods", "shop", "db-1", &DeleteOptions::now()).expect("there");
    cluster.pass(1_000).await;
    assert_ne!(text(&cluster.get("pods", "db-1"), "/metadata/uid"), before);
    assert_eq!(numbers(&cluster.get("statefulsets", "db")), [3, 3, 3, 3]);
}
