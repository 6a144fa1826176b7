use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{SETTLED, build, past};
use crate::clock::Clock;
use crate::simulator::controllers::Controllers;
use crate::simulator::fate::PodFates;
use crate::simulator::object::{list, name, number, text};
use crate::simulator::scenario::Timing;
use crate::simulator::store::Store;

fn demo(now: &str) -> Store {
    let store = Store::new(Clock::starting_at(now.parse().expect("a stamp")));
    build(&store).expect("a legal world");
    store
}

fn count(object: &Value, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or_default()
}

const NOON: &str = "2027-05-06T12:00:00Z";

#[tokio::test(start_paused = true)]
async fn the_settled_world_is_what_its_past_leaves() {
    let written = past::written(&past::play().await);
    for (now, then) in written.lines().zip(SETTLED.lines()) {
        assert_eq!(now, then, "`cargo test --lib write_the_settled_world -- --ignored` writes it anew");
    }
    assert_eq!(written.lines().count(), SETTLED.lines().count());
}

#[tokio::test(start_paused = true)]
#[ignore = "writes settled.json anew; run it after a change of history.json or of a controller"]
async fn write_the_settled_world() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/simulator/world/settled.json");
    let written = past::written(&past::play().await);
    std::fs::write(&file, &written).expect("a writable file");
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), written);
}

#[tokio::test(start_paused = true)]
async fn every_workload_is_ready_in_the_first_millisecond() {
    let store = demo(NOON);
    for deployment in store.list("deployments", None).0 {
        let wanted = number(&deployment, "/spec/replicas").expect("set");
        assert_eq!(count(&deployment, "availableReplicas"), wanted, "{}", name(&deployment));
        assert_eq!(count(&deployment, "updatedReplicas"), wanted, "{}", name(&deployment));
        let generation = number(&deployment, "/metadata/generation").expect("set");
        assert_eq!(count(&deployment, "observedGeneration"), generation);
    }
    for set in store.list("statefulsets", None).0 {
        assert_eq!(count(&set, "readyReplicas"), 1, "{}", name(&set));
    }
    let agent = store.get("daemonsets", "shop", "agent").expect("there");
    assert_eq!(count(&agent, "numberReady"), 2);
    let over = ["Running", "Succeeded", "Failed"];
    let pods = store.list("pods", None).0;
    assert!(pods.iter().all(|pod| over.contains(&text(pod, "/status/phase"))));
}

#[tokio::test(start_paused = true)]
async fn the_world_is_at_rest_at_any_time_of_day() {
    for time in ["12:00:00", "01:59:00", "02:00:30", "03:29:00", "03:31:00", "23:59:59"] {
        let store = demo(&format!("2027-05-06T{time}Z"));
        let version = store.version();
        let controllers = Controllers::start(&store, store.clock(), Timing::default(), PodFates::default());
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(controllers);
        let written = store.log(version).expect("kept");
        let names: Vec<_> = written.iter().map(|change| name(&change.object)).collect();
        assert!(names.is_empty(), "{time}: {names:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_jobs_keep_their_pods_events_and_last_words() {
    let store = demo(NOON);
    for (ns, job, pods, words) in [
        ("shop", "migrate", 1, "ERROR: canceling statement due to lock timeout"),
        ("user-system-alice", "migrate-2026-q1", 2, "HINT: Check free disk space."),
    ] {
        let found = store.get("jobs", ns, job).expect("there");
        assert_eq!((count(&found, "failed"), count(&found, "active")), (pods, 0), "{job}");
        let mut failed = store.list("pods", Some(ns)).0;
        failed.retain(|pod| text(pod, "/status/phase") == "Failed");
        assert_eq!(failed.len(), usize::try_from(pods).expect("small"));
        let log = store.pod_log(ns, name(&failed[0]), "migrate");
        assert!(log.current.iter().any(|line| line.text == words), "{:?}", log.current);
        let events = store.list("events", Some(ns)).0;
        assert!(events.iter().any(|event| text(event, "/reason") == "BackoffLimitExceeded"));
    }
}

#[tokio::test(start_paused = true)]
async fn stamps_lie_in_the_past_and_schedules_keep_their_hours() {
    let store = demo(NOON);
    let web = store.get("deployments", "shop", "web").expect("there");
    assert_eq!(text(&web, "/metadata/creationTimestamp"), "2027-04-27T12:00:00Z");
    assert_eq!(text(&web, "/metadata/annotations/deployment.kubernetes.io~1revision"), "2");
    for pod in store.list("pods", None).0 {
        let stamps = list(&pod, "/status/conditions").iter();
        let last = stamps.map(|said| text(said, "/lastTransitionTime")).max();
        assert!(last < Some(NOON) && last > Some("2027-04"), "{}: {last:?}", name(&pod));
    }
    let nightly = store.get("cronjobs", "shop", "nightly").expect("there");
    assert_eq!(text(&nightly, "/status/lastScheduleTime"), "2027-05-06T02:00:00Z");
    let minutes = nightly.pointer("/status/lastScheduleTime").and_then(Value::as_str);
    let minutes = minutes.and_then(|at| at.parse::<crate::clock::Timestamp>().ok()).expect("a stamp").timestamp() / 60;
    let job = store.get("jobs", "shop", &format!("nightly-{minutes}")).expect("there");
    assert_eq!((count(&job, "succeeded"), text(&job, "/status/startTime")), (1, "2027-05-06T02:00:00Z"));
}

#[tokio::test(start_paused = true)]
async fn no_span_is_left_unread() {
    let store = demo(NOON);
    for resource in ["pods", "jobs", "cronjobs", "events", "nodes"] {
        for object in store.list(resource, None).0 {
            let shown = object.to_string();
            assert!(!shown.contains("\"@") && !shown.contains(".minutes"), "{shown}");
        }
    }
}
