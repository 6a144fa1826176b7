use std::time::Duration;

use serde_json::Value;

use super::build;
use crate::clock::Clock;
use crate::simulator::controllers::Controllers;
use crate::simulator::fate::PodFates;
use crate::simulator::object::{list, name, number, text};
use crate::simulator::scenario::Timing;
use crate::simulator::store::Store;

fn demo() -> Store {
    let noon = "2026-03-04T12:00:00Z".parse().expect("a stamp");
    let store = Store::new(Clock::starting_at(noon));
    build(&store).expect("a legal world");
    store
}

fn count(object: &Value, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn the_world_is_settled_from_the_start() {
    let store = demo();
    for deployment in store.list("deployments", None).0 {
        let wanted = number(&deployment, "/spec/replicas").expect("set");
        assert_eq!(
            count(&deployment, "availableReplicas"),
            wanted,
            "{}",
            name(&deployment)
        );
        assert_eq!(
            count(&deployment, "updatedReplicas"),
            wanted,
            "{}",
            name(&deployment)
        );
        assert_eq!(
            count(&deployment, "observedGeneration"),
            number(&deployment, "/metadata/generation").expect("set")
        );
    }
    for set in store.list("statefulsets", None).0 {
        assert_eq!(count(&set, "readyReplicas"), 1, "{}", name(&set));
    }
    let agent = store.get("daemonsets", "shop", "agent").expect("there");
    assert_eq!(count(&agent, "numberReady"), 2);
    let phases: Vec<_> = store
        .list("pods", None)
        .0
        .iter()
        .map(|pod| text(pod, "/status/phase").to_owned())
        .collect();
    assert!(phases.iter().all(|phase| phase != "Pending"), "{phases:?}");
}

#[tokio::test(start_paused = true)]
async fn the_world_is_at_rest() {
    let store = demo();
    let version = store.version();
    let _controllers = Controllers::start(
        &store,
        store.clock(),
        Timing::default(),
        PodFates::default(),
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    let written = store.log(version).expect("kept");
    let names: Vec<_> = written.iter().map(|change| name(&change.object)).collect();
    assert!(written.is_empty(), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn failed_jobs_keep_their_pods_events_and_last_words() {
    let store = demo();
    for (ns, job, pods, words) in [
        (
            "shop",
            "migrate",
            1,
            "ERROR: canceling statement due to lock timeout",
        ),
        (
            "user-system-alice",
            "migrate-2026-q1",
            2,
            "HINT: Check free disk space.",
        ),
    ] {
        let found = store.get("jobs", ns, job).expect("there");
        assert_eq!(
            (count(&found, "failed"), count(&found, "active")),
            (pods, 0),
            "{job}"
        );
        let failed: Vec<_> = store
            .list("pods", Some(ns))
            .0
            .into_iter()
            .filter(|pod| text(pod, "/status/phase") == "Failed")
            .collect();
        assert_eq!(failed.len(), usize::try_from(pods).expect("small"));
        let log = store.pod_log(ns, name(&failed[0]), "migrate");
        assert!(
            log.current.iter().any(|line| line.text == words),
            "{:?}",
            log.current
        );
        let events = store.list("events", Some(ns)).0;
        assert!(
            events
                .iter()
                .any(|event| text(event, "/reason") == "BackoffLimitExceeded")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn stamps_are_older_than_the_present_and_the_past_has_a_history() {
    let store = demo();
    let web = store.get("deployments", "shop", "web").expect("there");
    assert_eq!(
        text(&web, "/metadata/creationTimestamp"),
        "2026-02-23T12:00:00Z"
    );
    assert_eq!(
        text(
            &web,
            "/metadata/annotations/deployment.kubernetes.io~1revision"
        ),
        "2"
    );
    for pod in store.list("pods", None).0 {
        let ready = list(&pod, "/status/conditions")
            .iter()
            .map(|said| text(said, "/lastTransitionTime"));
        assert!(ready.max() < Some("2026-03-04T12:00:00Z"), "{}", name(&pod));
    }
    let nightly = store.get("cronjobs", "shop", "nightly").expect("there");
    assert_eq!(
        text(&nightly, "/status/lastScheduleTime"),
        "2026-03-04T02:00:00Z"
    );
    let jobs = store.list("jobs", Some("shop")).0;
    assert!(
        jobs.iter()
            .any(|job| name(job).starts_with("nightly-") && count(job, "succeeded") == 1)
    );
}
