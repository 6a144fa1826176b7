use std::time::Duration;

use serde_json::{Value, json};

use super::{DEPLOYMENTS, config, kit};
use crate::simulator::store::ChangeKind;
use crate::simulator::testkit::Kit;

#[tokio::test]
async fn a_watch_tells_each_change_as_its_filter_sees_it() {
    let kit = Kit::admin(json!({}));
    let store = kit.simulator.store().clone();
    let version = store.version();
    let path = format!("/api/v1/configmaps?watch=1&labelSelector=on&resourceVersion={version}");
    let mut events = kit.watch(&path).await;
    let label = |on: bool| {
        move |object: &mut Value| {
            object["metadata"]["labels"] = if on { json!({"on": ""}) } else { json!({}) };
            Ok(())
        }
    };
    store.create("configmaps", config("c")).expect("created");
    store.update("configmaps", "shop", "c", None, label(true)).expect("labelled");
    store.update("configmaps", "shop", "c", None, label(false)).expect("bared");
    let (added, object) = events.next().await.expect("an event");
    assert_eq!((added.as_str(), &object["kind"]), ("ADDED", &json!("ConfigMap")));
    let (deleted, object) = events.next().await.expect("an event");
    assert_eq!((deleted.as_str(), &object["metadata"]["labels"]), ("DELETED", &json!({"on": ""})));
    let last = store.log(version).expect("kept").pop().expect("a change");
    assert_eq!(
        (last.kind, object["metadata"]["resourceVersion"].as_str()),
        (ChangeKind::Modified, Some(last.version.to_string().as_str()))
    );
}

#[tokio::test]
async fn a_watch_without_a_version_begins_with_what_is_there() {
    let kit = kit();
    let mut events = kit.watch(&format!("{DEPLOYMENTS}?watch=true")).await;
    let (kind, web) = events.next().await.expect("an event");
    assert_eq!((kind.as_str(), &web["metadata"]["name"]), ("ADDED", &json!("web")));
}

#[tokio::test]
async fn a_watch_from_a_forgotten_past_hears_so() {
    let kit = kit();
    let mut events = kit.watch(&format!("{DEPLOYMENTS}?watch=true&resourceVersion=1")).await;
    let (kind, status) = events.next().await.expect("an event");
    assert_eq!((kind.as_str(), &status["code"], &status["reason"]), ("ERROR", &json!(410), &json!("Expired")));
    assert_eq!(events.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_a_bookmark_when_its_time_is_over() {
    let kit = kit();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let version = kit.simulator.store().version();
    let path = format!("{DEPLOYMENTS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion={version}");
    let mut events = kit.watch(&path).await;
    let (kind, object) = events.next().await.expect("a bookmark");
    assert_eq!((kind.as_str(), &object["metadata"]["resourceVersion"]), ("BOOKMARK", &json!(version.to_string())));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_watch_ends_with_its_server() {
    let kit = kit();
    let version = kit.simulator.store().version();
    let mut events = kit.watch(&format!("/api/v1/secrets?watch=1&resourceVersion={version}")).await;
    drop(kit);
    assert_eq!(events.next().await, None);
}
