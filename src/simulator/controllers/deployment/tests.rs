use serde_json::{Value, json};

use super::super::kit::{Cluster, image, reason, workload};
use crate::simulator::object::{is_deleting, labels, number, text};
use crate::simulator::store::Propagation;

fn numbers(deployment: &Value) -> [i64; 5] {
    ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]
        .map(|field| number(deployment, &format!("/status/{field}")).unwrap_or_default())
}

async fn settled(spec: Value) -> Cluster {
    let cluster = Cluster::start();
    cluster.create("deployments", workload("web", &spec));
    cluster.pass(500).await;
    cluster
}

#[tokio::test(start_paused = true)]
async fn a_new_deployment_becomes_available() {
    let cluster = settled(json!({})).await;
    let web = cluster.get("deployments", "web");
    assert_eq!(numbers(&web), [3, 3, 3, 3, 0]);
    assert!(web.pointer("/status/unavailableReplicas").is_none());
    assert_eq!(reason(&web, "Progressing"), "NewReplicaSetAvailable");
    assert_eq!(reason(&web, "Available"), "MinimumReplicasAvailable");
    assert_eq!(text(&web, "/metadata/annotations/deployment.kubernetes.io~1revision"), "1");
    assert_eq!(number(&web, "/status/observedGeneration"), number(&web, "/metadata/generation"));
    let reasons = cluster.history("deployments", "web", |web| reason(web, "Progressing").to_owned());
    assert_eq!(reasons, ["", "NewReplicaSetCreated", "ReplicaSetUpdated", "NewReplicaSetAvailable"]);
    let set = cluster.list("replicasets").remove(0);
    assert_eq!(
        cluster.words("Deployment"),
        [format!("Scaled up replica set {} from 0 to 3", text(&set, "/metadata/name"))]
    );
    assert!(cluster.list("pods").iter().all(|pod| labels(pod).contains_key("pod-template-hash")));
}

#[tokio::test(start_paused = true)]
async fn the_observed_generation_lags_for_a_moment() {
    let cluster = settled(json!({})).await;
    cluster.patch("deployments", "web", &image("registry.example/web:2.0"));
    let web = cluster.get("deployments", "web");
    assert_eq!(number(&web, "/metadata/generation"), Some(2));
    assert_eq!(number(&web, "/status/observedGeneration"), Some(1));
    cluster.pass(10).await;
    assert_eq!(number(&cluster.get("deployments", "web"), "/status/observedGeneration"), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_rolling_update_surges_by_one_and_never_falls_below_three() {
    let cluster = settled(json!({})).await;
    cluster.patch("deployments", "web", &image("registry.example/web:2.0"));
    cluster.pass(2_000).await;
    let seen = cluster.history("deployments", "web", numbers);
    let rolled = seen.iter().skip_while(|numbers| numbers[3] < 3);
    assert!(rolled.clone().all(|numbers| numbers[0] <= 4 && numbers[3] >= 3), "{seen:?}");
    assert!(rolled.clone().any(|numbers| numbers == &[4, 1, 3, 3, 1]), "{seen:?}");
    assert_eq!(seen.last(), Some(&[3, 3, 3, 3, 0]));
    let sizes: Vec<_> = cluster.list("replicasets").iter().map(|set| number(set, "/spec/replicas")).collect();
    assert!(sizes.contains(&Some(0)) && sizes.contains(&Some(3)), "{sizes:?}");
    assert_eq!(
        text(&cluster.get("deployments", "web"), "/metadata/annotations/deployment.kubernetes.io~1revision"),
        "2"
    );
}

#[tokio::test(start_paused = true)]
async fn old_pods_still_end_when_all_are_updated() {
    let cluster = settled(json!({})).await;
    cluster.patch("deployments", "web", &image("registry.example/web:2.0"));
    for _ in 0..2_000 {
        cluster.pass(1).await;
        if numbers(&cluster.get("deployments", "web")) == [3, 3, 3, 3, 0] && cluster.list("pods").len() > 3 {
            let leaving = cluster.list("pods").iter().filter(|pod| is_deleting(pod)).count();
            assert_eq!(leaving, cluster.list("pods").len() - 3);
            return;
        }
    }
    panic!("there was no moment with three updated pods and old ones on their way out");
}

#[tokio::test(start_paused = true)]
async fn percentages_round_the_way_kubernetes_does() {
    let rolling = json!({"maxSurge": 0, "maxUnavailable": "50%"});
    let cluster = settled(json!({"strategy": {"rollingUpdate": rolling}})).await;
    cluster.patch("deployments", "web", &image("registry.example/web:2.0"));
    cluster.pass(2_000).await;
    let seen = cluster.history("deployments", "web", numbers);
    let rolled = seen.iter().skip_while(|numbers| numbers[3] < 3);
    assert!(rolled.clone().all(|numbers| numbers[0] <= 3 && numbers[3] >= 2), "{seen:?}");
    assert_eq!(seen.last(), Some(&[3, 3, 3, 3, 0]));
}

#[tokio::test(start_paused = true)]
async fn recreate_waits_until_the_old_pods_are_gone() {
    let cluster = settled(json!({"strategy": {"type": "Recreate"}})).await;
    cluster.patch("deployments", "web", &image("registry.example/web:2.0"));
    cluster.pass(15).await;
    assert!(cluster.list("pods").iter().all(|pod| is_deleting(pod)));
    assert_eq!(cluster.list("replicasets").len(), 1);
    cluster.pass(500).await;
    assert_eq!(numbers(&cluster.get("deployments", "web")), [3, 3, 3, 3, 0]);
    let images: Vec<_> =
        cluster.list("pods").iter().map(|pod| text(pod, "/spec/containers/0/image").to_owned()).collect();
    assert_eq!(images, vec!["registry.example/web:2.0"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_gets_nowhere_exceeds_its_deadline() {
    let cluster = Cluster::fated(json!([{"match": {"image": ":broken"}, "becomes": "image-pull-error"}]));
    cluster.create("deployments", workload("web", &json!({"progressDeadlineSeconds": 5})));
    cluster.pass(500).await;
    cluster.patch("deployments", "web", &image("registry.example/web:broken"));
    cluster.pass(4_000).await;
    assert_eq!(reason(&cluster.get("deployments", "web"), "Progressing"), "ReplicaSetUpdated");
    cluster.pass(4_000).await;
    let web = cluster.get("deployments", "web");
    assert_eq!(reason(&web, "Progressing"), "ProgressDeadlineExceeded");
    assert_eq!(numbers(&web), [4, 1, 3, 3, 1]);
    cluster.patch("deployments", "web", &image("registry.example/web:1.0"));
    cluster.pass(500).await;
    let web = cluster.get("deployments", "web");
    assert_eq!(reason(&web, "Progressing"), "NewReplicaSetAvailable");
    assert_eq!(text(&web, "/metadata/annotations/deployment.kubernetes.io~1revision"), "3");
}

#[tokio::test(start_paused = true)]
async fn a_paused_deployment_scales_but_does_not_roll() {
    let cluster = settled(json!({"paused": true})).await;
    assert_eq!(cluster.list("pods").len(), 0);
    cluster.patch("deployments", "web", &json!({"spec": {"paused": false}}));
    cluster.pass(500).await;
    cluster.patch("deployments", "web", &json!({"spec": {"paused": true}}));
    cluster.patch("deployments", "web", &image("registry.example/web:2.0"));
    cluster.pass(500).await;
    assert_eq!(reason(&cluster.get("deployments", "web"), "Progressing"), "DeploymentPaused");
    assert_eq!(cluster.list("replicasets").len(), 1);
    cluster.patch("deployments", "web", &json!({"spec": {"replicas": 5}}));
    cluster.pass(500).await;
    assert_eq!(numbers(&cluster.get("deployments", "web")), [5, 0, 5, 5, 0]);
}

#[tokio::test(start_paused = true)]
async fn scaling_down_to_nothing_omits_the_numbers() {
    let cluster = settled(json!({})).await;
    cluster.patch("deployments", "web", &json!({"spec": {"replicas": 0}}));
    cluster.pass(500).await;
    let web = cluster.get("deployments", "web");
    assert!(web.pointer("/status/replicas").is_none() && web.pointer("/status/readyReplicas").is_none());
    assert_eq!(cluster.list("pods").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn scaling_amid_a_rollout_keeps_the_shares() {
    let cluster = Cluster::fated(json!([{"match": {"image": ":slow"}, "becomes": "never-ready"}]));
    let rolling = json!({"maxSurge": 2, "maxUnavailable": 2});
    cluster.create("deployments", workload("web", &json!({"replicas": 10, "strategy": {"rollingUpdate": rolling}})));
    cluster.pass(500).await;
    cluster.patch("deployments", "web", &image("registry.example/web:slow"));
    cluster.pass(500).await;
    cluster.patch("deployments", "web", &json!({"spec": {"replicas": 20}}));
    cluster.pass(15).await;
    let mut sizes: Vec<_> =
        cluster.list("replicasets").iter().filter_map(|set| number(set, "/spec/replicas")).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [7, 15]);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_old_revisions_are_kept() {
    let cluster = settled(json!({"revisionHistoryLimit": 1})).await;
    for tag in ["2.0", "3.0", "4.0"] {
        cluster.patch("deployments", "web", &image(&format!("registry.example/web:{tag}")));
        cluster.pass(1_000).await;
    }
    assert_eq!(cluster.list("replicasets").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_quota_shows_on_the_replica_set_and_the_deployment() {
    let cluster = Cluster::fated(json!([{"match": {"namespace": "shop"}, "becomes": "quota"}]));
    cluster.create("deployments", workload("web", &json!({})));
    cluster.pass(500).await;
    let (web, set) = (cluster.get("deployments", "web"), cluster.list("replicasets").remove(0));
    assert_eq!((reason(&web, "ReplicaFailure"), reason(&set, "ReplicaFailure")), ("FailedCreate", "FailedCreate"));
    let words = cluster.words("ReplicaSet");
    assert!(words[0].starts_with("Error creating: pods \"web-") && words[0].contains("exceeded quota"), "{words:?}");
    assert!((2..10).contains(&words.len()), "{}", words.len());
}

#[tokio::test(start_paused = true)]
async fn a_foreground_deletion_waits_for_the_pods() {
    let cluster = settled(json!({})).await;
    cluster.delete("deployments", "web", Propagation::Foreground);
    cluster.pass(10).await;
    assert!(is_deleting(&cluster.get("deployments", "web")));
    assert!(cluster.list("pods").iter().all(|pod| is_deleting(pod)));
    assert_eq!(cluster.list("pods").len(), 3);
    cluster.pass(500).await;
    assert!(cluster.find("deployments", "web").is_none());
    assert!(cluster.list("replicasets").is_empty() && cluster.list("pods").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_background_deletion_takes_the_pods_later_and_an_orphaning_one_not_at_all() {
    let cluster = settled(json!({})).await;
    cluster.delete("deployments", "web", Propagation::Orphan);
    cluster.pass(500).await;
    assert!(cluster.find("deployments", "web").is_none());
    assert_eq!((cluster.list("replicasets").len(), cluster.list("pods").len()), (1, 3));
    cluster.create("deployments", workload("web", &json!({})));
    cluster.pass(500).await;
    assert_eq!((cluster.list("replicasets").len(), cluster.list("pods").len()), (1, 3));
    cluster.delete("deployments", "web", Propagation::Background);
    assert!(cluster.find("deployments", "web").is_none());
    assert_eq!(cluster.list("pods").len(), 3);
    cluster.pass(500).await;
    assert!(cluster.list("replicasets").is_empty() && cluster.list("pods").is_empty());
}
