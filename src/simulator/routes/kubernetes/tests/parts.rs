use std::time::Duration;

use serde_json::{Value, json};

use crate::simulator::store::{LogLine, Store};
use crate::simulator::testkit::Kit;

const POD: &str = "/api/v1/namespaces/shop/pods/web-1";

/// A pod that nobody looks after: its node has no agent.
fn pod(containers: &[&str]) -> Value {
    let containers: Vec<_> = containers.iter().map(|name| json!({"name": name, "image": "i"})).collect();
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"nodeName": "node-x", "containers": containers},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn say(store: &Store, second: i64, text: &str) {
    let at = chrono::DateTime::from_timestamp(1_780_000_000 + second, 500_000_000).expect("a moment");
    store.append_log_at("shop", "web-1", "web", LogLine { at, text: text.into() });
}

fn kit() -> Kit {
    let kit = Kit::admin(json!({"objects": [pod(&["web"])]}));
    for (second, text) in [(0, "one"), (1, "two"), (2, "three")] {
        say(kit.simulator.store(), second, text);
    }
    kit
}

async fn log(kit: &Kit, query: &str) -> String {
    let (status, text) = kit.get(&format!("{POD}/log?{query}")).await;
    assert_eq!(status, 200, "{text}");
    text.as_str().map_or_else(|| text.to_string(), str::to_owned)
}

#[tokio::test]
async fn a_log_is_cut_as_the_query_says() {
    let kit = kit();
    for (query, expected) in [
        ("", "one\ntwo\nthree\n"),
        ("tailLines=1", "three\n"),
        ("limitBytes=6", "one\ntw"),
        ("sinceTime=2026-05-28T20:26:41.900Z", "two\nthree\n"),
        ("tailLines=1&timestamps=true", "2026-05-28T20:26:42.500000000Z three\n"),
    ] {
        assert_eq!(log(&kit, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_log_needs_a_container_that_is_there_and_has_started() {
    let mut waiting = pod(&["web", "log"]);
    waiting["status"]["containerStatuses"] =
        json!([{"name": "web", "state": {"waiting": {"reason": "ContainerCreating"}}}]);
    let kit = Kit::admin(json!({"objects": [waiting]}));
    for (query, words) in [
        ("", "a container name must be specified for pod web-1, choose one of: [web log]"),
        ("container=x", "container x is not valid for pod web-1"),
        ("container=web", "container \"web\" in pod \"web-1\" is waiting to start: ContainerCreating"),
        ("container=log&previous=true", "previous terminated container \"log\" in pod \"web-1\" not found"),
    ] {
        let (status, body) = kit.get(&format!("{POD}/log?{query}")).await;
        assert_eq!((status, &body["message"], &body["reason"]), (400, &json!(words), &json!("BadRequest")));
    }
}

#[tokio::test]
async fn a_restarted_container_keeps_its_last_words() {
    let kit = kit();
    kit.simulator.store().restart_log("shop", "web-1", "web");
    say(kit.simulator.store(), 9, "again");
    assert_eq!(log(&kit, "").await, "again\n");
    assert_eq!(log(&kit, "previous=true&tailLines=1").await, "three\n");
}

#[tokio::test]
async fn a_followed_log_goes_on_until_its_pod_is_gone() {
    use futures_util::StreamExt as _;
    let kit = kit();
    let response = kit.call("GET", &format!("{POD}/log?follow=true&tailLines=1"), "", String::new()).await;
    let mut body = response.into_body().into_data_stream();
    assert_eq!(body.next().await.expect("a chunk").expect("whole"), "three\n");
    say(kit.simulator.store(), 5, "four");
    assert_eq!(body.next().await.expect("a chunk").expect("whole"), "four\n");
    kit.send("DELETE", &format!("{POD}?gracePeriodSeconds=0"), None).await;
    assert!(body.next().await.is_none());
}

fn budget(allowed: i64) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1}})
}

#[tokio::test]
async fn an_eviction_is_a_deletion_that_a_budget_may_forbid() {
    let eviction = || Some(json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-1"}}));
    let kit = kit();
    let (status, body) = kit.send("POST", &format!("{POD}/eviction"), eviction()).await;
    assert_eq!((status, &body["status"]), (201, &json!("Success")));
    assert!(kit.get(POD).await.1["metadata"].get("deletionTimestamp").is_some());
    let kit = Kit::admin(json!({"objects": [pod(&["web"]), budget(0)]}));
    let (status, body) = kit.send("POST", &format!("{POD}/eviction"), eviction()).await;
    assert_eq!((status, &body["reason"]), (429, &json!("TooManyRequests")));
    let words = "The disruption budget web needs 1 healthy pods and has 1 currently";
    assert_eq!(body["details"]["causes"][0]["message"], json!(words));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_when_it_is_empty() {
    let kit = Kit::admin(json!({"objects": [super::config("c")]}));
    let (_, marked) = kit.send("DELETE", "/api/v1/namespaces/shop", None).await;
    assert_eq!(marked["status"]["phase"], json!("Terminating"));
    let (status, body) = kit.send("POST", "/api/v1/namespaces/shop/configmaps", Some(super::config("d"))).await;
    let cause = &body["details"]["causes"][0]["reason"];
    assert_eq!((status, cause), (403, &json!("NamespaceTerminating")));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(kit.get("/api/v1/namespaces/shop").await.0, 404);
}
