use serde_json::{Value, json};

use crate::simulator::store::DeleteOptions;
use crate::simulator::testkit::Kit;

const KR: &str = "/kapis/resources.kubesphere.io/v1alpha3";

fn config(ns: &str, name: &str, stamp: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": ns, "labels": {"app": name}, "creationTimestamp": stamp}})
}

fn cron_job(ns: &str, name: &str) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": ns},
        "spec": {"schedule": "0 3 * * *", "suspend": true}})
}

fn kit() -> Kit {
    Kit::admin(json!({"objects": [
        config("shop", "a", "2026-01-01T00:00:00Z"), config("shop", "b", "2026-01-03T00:00:00Z"),
        config("shop", "c", "2026-01-02T00:00:00Z"),
        cron_job("shop", "nightly"), cron_job("shop", "weekly"), cron_job("notes-tomo", "hourly")]}))
}

async fn names(kit: &Kit, uri: &str) -> Vec<String> {
    let (status, list) = kit.get(&format!("{KR}/{uri}")).await;
    assert_eq!(status, 200, "{list}");
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["metadata"]["name"].as_str()).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_list_is_newest_first_and_without_kinds() {
    let kit = kit();
    assert_eq!(names(&kit, "namespaces/shop/configmaps").await, ["b", "c", "a"]);
    assert_eq!(names(&kit, "namespaces/shop/configmaps?sortBy=name&ascending=true").await, ["a", "b", "c"]);
    let (_, list) = kit.get(&format!("{KR}/namespaces/shop/configmaps?limit=1")).await;
    assert_eq!((&list["totalItems"], list["items"][0].get("kind"), list.get("total")), (&json!(3), None, None));
}

#[tokio::test]
async fn pages_and_their_edges() {
    let kit = kit();
    for (query, expected) in [
        ("limit=2&page=1", &["b", "c"][..]),
        ("limit=2&page=2", &["a"]),
        ("limit=2&page=3", &[]),
        ("limit=0", &[]),
        ("limit=-1&page=7", &["b", "c", "a"]),
        ("limit=-2", &[]),
        ("limit=x", &["b", "c", "a"]),
        ("limit=2&page=0", &[]),
    ] {
        assert_eq!(names(&kit, &format!("namespaces/shop/configmaps?{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn an_unknown_filter_matches_nothing_and_a_broken_selector_everything() {
    let kit = kit();
    for (query, count) in [
        ("labelSelector=app%3Da", 1),
        ("labelSelector=a%20b", 3),
        ("fieldSelector=metadata.name%3Da", 0),
        ("name=b", 1),
        ("names=a,b", 2),
        ("namespace=shop", 3),
    ] {
        assert_eq!(names(&kit, &format!("configmaps?{query}")).await.len(), count, "{query}");
    }
    assert_eq!(names(&kit, "namespaces/void/configmaps").await.len(), 0);
}

#[tokio::test]
async fn cron_jobs_go_backwards_and_panic_past_the_end() {
    let kit = kit();
    assert_eq!(names(&kit, "cronjobs?labelSelector=no%3Dsuch").await, ["weekly", "nightly", "hourly"]);
    let answer = kit.get(&format!("{KR}/cronjobs?limit=10&page=3")).await;
    assert_eq!(answer, (500, json!("Internal server error")));
}

#[tokio::test]
async fn a_missing_object_is_a_500_and_an_unknown_kind_a_404() {
    let kit = kit();
    assert_eq!(kit.get(&format!("{KR}/nodes/ghost")).await, (500, json!("nodes \"ghost\" not found\n")));
    assert_eq!(kit.get(&format!("{KR}/gadgets")).await, (404, json!("resource is not supported\n")));
    assert_eq!(kit.get("/kapis/nowhere/v1").await, (404, json!("404: Page Not Found")));
    let (_, node) = kit.get(&format!("{KR}/nodes/node-a")).await;
    assert!(node["metadata"]["annotations"].get("node.kubesphere.io/cpu-requests").is_some());
}

#[tokio::test]
async fn a_regular_user_gets_narrowed_lists_and_refusals_elsewhere() {
    let kit = kit().become_user("tomo");
    let (status, list) = kit.get(&format!("{KR}/cronjobs?limit=2&page=1")).await;
    assert_eq!((status, &list["totalItems"], &list["total"]), (200, &json!(0), &json!(3)));
    let (_, list) = kit.get(&format!("{KR}/cronjobs")).await;
    assert_eq!((&list["items"][0]["metadata"]["name"], &list["totalItems"]), (&json!("hourly"), &json!(1)));
    assert_eq!(names(&kit, "namespaces").await, ["notes-tomo"]);
    for path in ["configmaps", "deployments", "nodes", "namespaces/shop/pods"] {
        let (status, body) = kit.get(&format!("{KR}/{path}")).await;
        assert_eq!((status, &body["reason"]), (403, &json!("Forbidden")), "{path}");
    }
    assert_eq!(names(&kit, "namespaces/notes-tomo/cronjobs").await, ["hourly"]);
}

#[tokio::test]
async fn the_caches_may_be_late() {
    let fault = json!([{"on": {"path": "kapis"}, "do": {"lag": 1}}]);
    let kit = Kit::admin(json!({"faults": fault, "objects": [config("shop", "a", "2026-01-01T00:00:00Z")]}));
    let store = kit.simulator.store();
    store.delete("configmaps", "shop", "a", &DeleteOptions::default()).expect("gone");
    assert_eq!(names(&kit, "configmaps").await, ["a"]);
    assert_eq!(names(&kit, "configmaps").await, [""; 0]);
}

#[tokio::test]
async fn the_operations_api_is_absent_unless_the_scenario_has_it() {
    let path = "/kapis/operations.kubesphere.io/v1alpha2/namespaces/shop/jobs/j?action=rerun&resourceVersion=";
    assert_eq!(kit().send("POST", path, None).await, (404, json!("404: Page Not Found")));
    assert_eq!(kit().become_user("tomo").send("POST", path, None).await.0, 403);
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "shop"},
        "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": []}}}});
    let kit = Kit::admin(json!({"switches": {"operations-api": "present"}, "objects": [job]}));
    assert_eq!(kit.send("POST", path, None).await.0, 409);
    let before = kit.simulator.store().get("jobs", "shop", "j").expect("there");
    let version = before["metadata"]["resourceVersion"].as_str().expect("a version");
    assert_eq!(kit.send("POST", &format!("{path}{version}"), None).await, (200, json!({"message": "success"})));
    let after = kit.simulator.store().get("jobs", "shop", "j").expect("there again");
    assert_ne!(before["metadata"]["uid"], after["metadata"]["uid"]);
}
