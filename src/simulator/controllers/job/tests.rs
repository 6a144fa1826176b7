use serde_json::{Value, json};

use super::super::kit::{Cluster, reason};
use super::is_tracked;
use crate::simulator::object::{is_deleting, name, number, text};
use crate::simulator::store::Propagation;

fn job(spec: &Value) -> Value {
    let mut job = json!({
        "metadata": {"name": "migrate"},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "migrate", "image": "registry.example/migrate:1.0"}],
        }}},
    });
    json_patch::merge(&mut job, &json!({ "spec": spec }));
    job
}

fn numbers(job: &Value) -> [i64; 3] {
    ["active", "succeeded", "failed"].map(|field| number(job, &format!("/status/{field}")).unwrap_or_default())
}

fn failing(times: Option<u32>) -> Cluster {
    Cluster::fated(json!([{"match": {"name-prefix": "migrate-"}, "becomes": "fail", "times": times,
        "exit-code": 3, "says": ["no such table"]}]))
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_to_completion() {
    let cluster = Cluster::start();
    cluster.create("jobs", job(&json!({})));
    cluster.pass(500).await;
    let done = cluster.get("jobs", "migrate");
    assert_eq!(numbers(&done), [0, 1, 0]);
    assert_eq!(reason(&done, "Complete"), "CompletionsReached");
    assert!(done.pointer("/status/startTime").is_some() && done.pointer("/status/completionTime").is_some());
    assert_eq!(cluster.history("jobs", "migrate", numbers), [[0, 0, 0], [1, 0, 0], [0, 1, 0]]);
    let pod = cluster.list("pods").remove(0);
    assert_eq!(text(&pod, "/status/phase"), "Succeeded");
    assert_eq!(text(&pod, "/status/containerStatuses/0/state/terminated/reason"), "Completed");
    assert!(!is_tracked(&pod));
    assert_eq!(cluster.reasons("Job"), ["SuccessfulCreate", "Completed"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_works_in_parallel_until_enough_have_succeeded() {
    let cluster = Cluster::start();
    cluster.create("jobs", job(&json!({"completions": 5, "parallelism": 2})));
    cluster.pass(1_000).await;
    let seen = cluster.history("jobs", "migrate", numbers);
    assert!(seen.iter().all(|numbers| numbers[0] <= 2), "{seen:?}");
    assert_eq!(seen.last(), Some(&[0, 5, 0]));
    assert_eq!(cluster.list("pods").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_retried_until_its_limit() {
    let cluster = failing(None);
    cluster.create("jobs", job(&json!({"backoffLimit": 2})));
    cluster.pass(3_000).await;
    let failed = cluster.get("jobs", "migrate");
    assert_eq!(numbers(&failed), [0, 0, 3]);
    assert_eq!(reason(&failed, "Failed"), "BackoffLimitExceeded");
    assert_eq!(cluster.list("pods").len(), 3);
    let pod = cluster.list("pods").remove(0);
    assert_eq!(number(&pod, "/status/containerStatuses/0/state/terminated/exitCode"), Some(3));
    let log = cluster.store.pod_log("shop", name(&pod), "migrate");
    assert!(log.current.iter().any(|line| line.text == "no such table"));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_at_first_succeeds_in_the_end_after_growing_pauses() {
    let cluster = failing(Some(2));
    cluster.create("jobs", job(&json!({})));
    cluster.pass(3_000).await;
    assert_eq!(numbers(&cluster.get("jobs", "migrate")), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_container_is_started_again_in_place_until_the_limit() {
    let cluster = failing(None);
    let again = json!({"backoffLimit": 2, "template": {"spec": {"restartPolicy": "OnFailure"}}});
    cluster.create("jobs", job(&again));
    cluster.pass(120).await;
    let pod = cluster.list("pods").remove(0);
    assert_eq!(text(&pod, "/status/containerStatuses/0/state/waiting/reason"), "CrashLoopBackOff");
    cluster.pass(3_000).await;
    assert_eq!(reason(&cluster.get("jobs", "migrate"), "Failed"), "BackoffLimitExceeded");
    assert_eq!(cluster.list("pods").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn suspending_stops_the_pods_without_counting_them() {
    let cluster = Cluster::start();
    cluster.create("jobs", job(&json!({"parallelism": 2, "completions": 2})));
    cluster.pass(40).await;
    cluster.patch("jobs", "migrate", &json!({"spec": {"suspend": true}}));
    cluster.pass(500).await;
    let idle = cluster.get("jobs", "migrate");
    assert_eq!((numbers(&idle), reason(&idle, "Suspended")), ([0, 0, 0], "JobSuspended"));
    assert!(idle.pointer("/status/startTime").is_none());
    assert!(cluster.list("pods").is_empty());
    cluster.patch("jobs", "migrate", &json!({"spec": {"suspend": false}}));
    cluster.pass(500).await;
    assert_eq!(numbers(&cluster.get("jobs", "migrate")), [0, 2, 0]);
    assert_eq!(reason(&cluster.get("jobs", "migrate"), "Suspended"), "JobResumed");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_of_a_running_job_counts_as_failed_and_is_replaced() {
    let cluster = Cluster::start();
    cluster.create("jobs", job(&json!({})));
    cluster.pass(40).await;
    let first = cluster.list("pods").remove(0);
    cluster.delete("pods", name(&first), Propagation::Background);
    cluster.pass(1_000).await;
    assert_eq!(numbers(&cluster.get("jobs", "migrate")), [0, 1, 1]);
    assert_eq!(cluster.list("pods").len(), 1);
    assert_ne!(name(&cluster.list("pods")[0]), name(&first));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_takes_too_long_is_stopped() {
    let cluster = Cluster::fated(json!([{"match": {"namespace": "shop"}, "becomes": "unschedulable"}]));
    cluster.create("jobs", job(&json!({"activeDeadlineSeconds": 2})));
    cluster.pass(1_000).await;
    assert_eq!(numbers(&cluster.get("jobs", "migrate")), [1, 0, 0]);
    cluster.pass(2_000).await;
    let late = cluster.get("jobs", "migrate");
    assert_eq!((numbers(&late), reason(&late, "Failed")), ([0, 0, 1], "DeadlineExceeded"));
    assert!(cluster.list("pods").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_finished_job_goes_when_its_time_to_live_is_over() {
    let cluster = Cluster::start();
    cluster.create("jobs", job(&json!({"ttlSecondsAfterFinished": 5})));
    cluster.pass(4_000).await;
    assert_eq!(numbers(&cluster.get("jobs", "migrate")), [0, 1, 0]);
    cluster.pass(3_000).await;
    assert!(cluster.find("jobs", "migrate").is_none() && cluster.list("pods").is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_pods_of_a_deleted_job_go_too_though_they_are_tracked() {
    for rule in [Propagation::Background, Propagation::Foreground] {
        let cluster = Cluster::start();
        cluster.create("jobs", job(&json!({"parallelism": 2, "completions": 4})));
        cluster.pass(40).await;
        assert!(cluster.list("pods").iter().all(|pod| is_tracked(pod)));
        cluster.delete("jobs", "migrate", rule);
        cluster.pass(10).await;
        assert!(cluster.list("pods").iter().all(|pod| is_deleting(pod)));
        cluster.pass(500).await;
        assert!(cluster.find("jobs", "migrate").is_none() && cluster.list("pods").is_empty(), "{rule:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_indexed_job_does_each_number_once() {
    let cluster = failing(Some(1));
    cluster.create("jobs", job(&json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3})));
    cluster.pass(2_000).await;
    let done = cluster.get("jobs", "migrate");
    assert_eq!((numbers(&done), text(&done, "/status/completedIndexes")), ([0, 3, 1], "0-2"));
}
