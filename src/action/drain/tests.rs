use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::super::stage::{Stage, complaints, pod, ready, refusal};
use super::super::{Back, take_back};
use super::*;
use crate::cluster::testing::{Turn, answer};
use crate::event::{Class, Verb};

fn node() -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "n", "resourceVersion": "1"}, "spec": {}})
}

fn on_node(name: &str, uid: &str, owner: &str) -> Value {
    let mut pod = pod("shop", name, uid);
    pod["metadata"]["ownerReferences"] = json!([{"kind": owner, "name": "x", "uid": "x", "controller": true}]);
    pod["spec"]["nodeName"] = "n1".into();
    pod
}

fn protected() -> Turn {
    answer(
        429,
        json!({"kind": "Status", "status": "Failure", "reason": "TooManyRequests", "code": 429,
        "message": "Cannot evict pod as it would violate the pod's disruption budget.",
        "details": {"causes": [{"reason": "DisruptionBudget", "message": "needs 1 healthy pods"}]}})
        .to_string(),
    )
}

async fn drained(stage: &Stage, yaml: &str) -> Result<Observed, Failure> {
    ready(&ROW, yaml).act(&stage.context()).await
}

#[tokio::test(start_paused = true)]
async fn a_node_is_closed_and_its_pods_evicted_and_waited_for() {
    let stage =
        Stage::new([node(), on_node("a", "1", "ReplicaSet"), on_node("log", "2", "DaemonSet"), pod("shop", "b", "3")]);
    let seen = drained(&stage, "node: n1").await.unwrap();
    assert_eq!(stage.writes(), ["PATCH /api/v1/nodes/n1", "POST /api/v1/namespaces/shop/pods/a/eviction"]);
    assert_eq!(
        (&seen.info["evicted"], &seen.info["left"], &seen.info["complete"]),
        (&json!(1), &json!(["shop/log"]), &json!(true))
    );
    assert_eq!(seen.result["spec"]["unschedulable"], true);
    assert_eq!(take_back(&stage.context(), &stage.made()[0]).await, Ok(Back::Done));
    assert_eq!(stage.object(&node()).unwrap()["spec"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_would_lose_something_changes_nothing() {
    let mut bare = pod("shop", "bare", "1");
    bare["spec"]["nodeName"] = "n1".into();
    let stage = Stage::new([node(), bare]);
    let failure = drained(&stage, "node: n1").await.unwrap_err();
    assert_eq!(failure.message, "node n1 is not drained: nothing replaces: shop/bare");
    assert!(stage.writes().is_empty());
    assert!(drained(&stage, "{node: n1, unmanaged: delete}").await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn a_protected_pod_is_asked_again_and_holds_no_other_up() {
    let refused = AtomicUsize::new(0);
    let stage = Stage::new([node(), on_node("a", "1", "StatefulSet"), on_node("b", "2", "StatefulSet")]).refusing(
        move |_, path, _| {
            (path.ends_with("/a/eviction") && refused.fetch_add(1, Ordering::Relaxed) < 2).then(protected)
        },
    );
    let seen = drained(&stage, "node: n1").await.unwrap();
    assert_eq!(seen.info["evicted"], 2);
    assert!(seen.info["waited"].as_u64().unwrap() >= 4000, "{:?}", seen.info);
    // Sent, rehearsed and still protected, rehearsed and sent.
    let asked = stage.writes().iter().filter(|line| line.ends_with("/a/eviction")).count();
    assert_eq!(asked, 2);
    assert!(stage.made().iter().filter(|made| made.change.verb == Verb::Evict && made.is_applied()).count() == 2);
}

#[tokio::test(start_paused = true)]
async fn what_it_waits_for_is_said_with_the_budget_that_holds_it() {
    let stage = Stage::new([node(), on_node("a", "1", "StatefulSet")])
        .refusing(|_, path, _| path.ends_with("/eviction").then(protected));
    let context = stage.context();
    let drain = ready(&ROW, "node: n1");
    assert!(tokio::time::timeout(Duration::from_secs(30), drain.act(&context)).await.is_err());
    let (line, cause) = context.last_words();
    assert!(line.starts_with("1 pod to go: shop/a; evict pod shop/a: Cannot evict pod"), "{line}");
    assert_eq!(cause.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_pod_of_the_same_name_is_sent_away_too_and_one_elsewhere_is_not_ours() {
    let come = AtomicUsize::new(0);
    let stage = Stage::new([node(), on_node("db-0", "1", "StatefulSet")]).on(move |objects, _, path| {
        // The first goes; one of its name comes back to the same node once, and then elsewhere.
        if path.ends_with("/eviction") {
            let mut next = on_node("db-0", "2", "StatefulSet");
            if come.fetch_add(1, Ordering::Relaxed) > 0 {
                next["spec"]["nodeName"] = "n2".into();
                next["metadata"]["uid"] = "3".into();
            }
            objects.insert("/api/v1/namespaces/shop/pods/db-0".into(), next);
        }
    });
    let seen = drained(&stage, "node: n1").await.unwrap();
    assert_eq!(seen.info["evicted"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_another_kind_ends_it_in_the_servers_words() {
    let stage = Stage::new([node(), on_node("a", "1", "ReplicaSet")]).refusing(|_, path, _| {
        path.ends_with("/eviction")
            .then(|| refusal(500, "InternalError", "This pod has more than one PodDisruptionBudget"))
    });
    let failure = drained(&stage, "node: n1").await.unwrap_err();
    assert!(failure.message.contains("more than one PodDisruptionBudget"), "{failure}");
    let absent = drained(&Stage::new([]), "node: n1").await.unwrap_err();
    assert_eq!(absent.class, Class::NotFound);
}

#[tokio::test(start_paused = true)]
async fn without_waiting_it_ends_when_all_were_asked() {
    let mut slow = on_node("a", "1", "ReplicaSet");
    slow["metadata"]["finalizers"] = json!(["x/y"]);
    let stage = Stage::new([node(), slow]);
    let seen = drained(&stage, "{node: n1, wait: false, grace-period: 60s}").await.unwrap();
    assert_eq!((&seen.info["complete"], seen.info.get("waited")), (&json!(false), None));
    assert_eq!(stage.sent()["deleteOptions"]["gracePeriodSeconds"], 60);
}

#[test]
fn both_losses_are_refused_unless_written() {
    assert_eq!(Loss::default(), Loss::Refuse);
    assert!(ready(&ROW, "{node: n1, emptydir: delete, unmanaged: refuse, grace-period: 60s}").waits());
    assert!(complaints(&ROW, "{node: n1, emptydir: keep}")[0].message.contains("refuse, delete"));
}

#[test]
fn there_is_one_clock() {
    let out = complaints(&ROW, "{node: n1, timeout: 5m, wait: 5m}");
    assert_eq!(out[0].message, "`timeout` and `wait` are one clock: write one of them");
    assert_eq!(ready(&ROW, "{node: n1, timeout: 20m}").timeout(), Some(Duration::from_mins(20)));
}
