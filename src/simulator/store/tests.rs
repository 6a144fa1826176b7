use super::*;
use crate::simulator::object;
use serde_json::json;

fn store() -> Store {
    Store::new(Clock::system())
}

fn web() -> Value {
    json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 1}})
}

#[tokio::test]
async fn a_created_object_gets_identity_and_version() {
    let store = store();
    let made = store.create("deployments", web()).expect("created");
    assert_eq!(object::version(&made), store.version());
    assert_eq!(object::number(&made, "/metadata/generation"), Some(1));
    assert_eq!(object::text(&made, "/apiVersion"), "apps/v1");
    assert!(!object::uid(&made).is_empty());
    assert_eq!(store.get("deployments", "shop", "web"), Some(made));
    let again = store.create("deployments", web()).expect_err("taken");
    assert_eq!((again.code, again.reason), (409, "AlreadyExists"));
}

#[tokio::test]
async fn a_generated_name_ends_in_five_letters() {
    let pod = json!({"metadata": {"generateName": "web-", "namespace": "shop"}});
    let made = store().create("pods", pod).expect("created");
    assert_eq!(object::name(&made).len(), "web-".len() + 5);
}

#[tokio::test]
async fn only_a_new_spec_raises_the_generation() {
    let store = store();
    let made = store.create("deployments", web()).expect("created");
    let same = store.update("deployments", "shop", "web", None, |_| Ok(())).expect("kept");
    assert_eq!(same, made, "no change keeps the version");
    let status = |object: &mut Value| {
        object::put(object, &["status", "replicas"], 1);
        object::put(object, &["spec", "replicas"], 9);
        Ok(())
    };
    let after = store.update_status("deployments", "shop", "web", None, status).expect("kept");
    assert_eq!(object::number(&after, "/metadata/generation"), Some(1));
    assert_eq!(object::number(&after, "/spec/replicas"), Some(1), "a status write leaves the spec");
    let spec = |object: &mut Value| {
        object::put(object, &["spec", "replicas"], 2);
        object::put(object, &["status", "replicas"], 7);
        Ok(())
    };
    let after = store.update("deployments", "shop", "web", None, spec).expect("kept");
    assert_eq!(object::number(&after, "/metadata/generation"), Some(2));
    assert_eq!(object::number(&after, "/status/replicas"), Some(1), "a spec write leaves the status");
}

#[tokio::test]
async fn a_stale_writer_is_refused() {
    let store = store();
    let made = store.create("deployments", web()).expect("created");
    let stale =
        store.update("deployments", "shop", "web", Some(object::version(&made) - 1), |_| Ok(())).expect_err("stale");
    assert_eq!((stale.code, stale.reason), (409, "Conflict"));
}

#[tokio::test]
async fn a_running_pod_is_marked_and_goes_when_its_grace_is_over() {
    let store = store();
    let pod = json!({"metadata": {"name": "p", "namespace": "shop"}, "spec": {"nodeName": "node-a"}});
    store.create("pods", pod).expect("created");
    let marked = store.delete("pods", "shop", "p", &DeleteOptions::default()).expect("marked");
    assert!(matches!(&marked, Deleted::Marked(pod) if object::is_deleting(pod)));
    assert_eq!(object::number(marked.object(), "/metadata/deletionGracePeriodSeconds"), Some(30));
    let gone = store.delete("pods", "shop", "p", &DeleteOptions::now()).expect("gone");
    assert!(matches!(gone, Deleted::Gone(_)));
    assert_eq!(store.get("pods", "shop", "p"), None);
}

#[tokio::test]
async fn a_foreground_deletion_waits_for_its_finalizer() {
    let store = store();
    store.create("deployments", web()).expect("created");
    let options = DeleteOptions { propagation: Some(Propagation::Foreground), ..Default::default() };
    let marked = store.delete("deployments", "shop", "web", &options).expect("marked");
    assert_eq!(object::list(marked.object(), "/metadata/finalizers"), [json!("foregroundDeletion")]);
    let release = |object: &mut Value| {
        object::remove(object, &["metadata", "finalizers"]);
        Ok(())
    };
    store.update("deployments", "shop", "web", None, release).expect("released");
    assert_eq!(store.get("deployments", "shop", "web"), None);
    let last = store.log(0).map(|_| ()).expect_err("from before the beginning");
    assert_eq!(last.code, 410);
}

#[tokio::test]
async fn a_foreign_uid_keeps_an_object_from_deletion() {
    let store = store();
    store.create("deployments", web()).expect("created");
    let options = DeleteOptions { uid: Some("other".into()), ..Default::default() };
    let refused = store.delete("deployments", "shop", "web", &options).expect_err("foreign");
    assert_eq!(refused.code, 409);
    assert!(refused.message.contains("the UID in the precondition (other)"), "{refused}");
}

#[tokio::test]
async fn the_log_tells_what_happened_since() {
    let store = store();
    let start = store.version();
    let mut news = store.changes();
    store.create("deployments", web()).expect("created");
    assert!(news.has_changed().expect("a living store"));
    assert_eq!(*news.borrow_and_update(), start + 1);
    store.delete("deployments", "shop", "web", &DeleteOptions::default()).expect("gone");
    let kinds: Vec<_> = store.log(start).expect("kept").iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Added, ChangeKind::Deleted]);
    store.forget_log();
    assert_eq!(store.log(start).map(|_| ()).expect_err("forgotten").reason, "Expired");
    assert_eq!(store.log(store.version()).expect("the present").len(), 0);
}

#[tokio::test]
async fn a_dry_run_answers_and_keeps_nothing() {
    let store = store();
    let before = store.version();
    store.dry_run().create("deployments", web()).expect("answered");
    assert_eq!((store.version(), store.get("deployments", "shop", "web")), (before, None));
}

#[tokio::test]
async fn dependants_are_found_by_their_owner() {
    let store = store();
    let pod = json!({"metadata": {"name": "p", "namespace": "shop", "ownerReferences": [{"uid": "u"}]}});
    store.create("pods", pod).expect("created");
    assert_eq!(store.owned_by("u").len(), 1);
    store.delete("pods", "shop", "p", &DeleteOptions::default()).expect("gone");
    assert_eq!(store.owned_by("u").len(), 0);
}

#[tokio::test]
async fn repeated_events_are_counted() {
    let store = store();
    let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop", "uid": "u"}});
    for _ in 0..3 {
        store.record_event(&pod, "Warning", "BackOff", "Back-off restarting failed container", "kubelet");
    }
    let (events, _) = store.list("events", Some("shop"));
    assert_eq!(events.len(), 1);
    assert_eq!(object::number(&events[0], "/count"), Some(3));
}

#[tokio::test]
async fn the_words_of_the_life_before_are_kept() {
    let store = store();
    store.append_log("shop", "p", "web", "first");
    store.restart_log("shop", "p", "web");
    store.append_log("shop", "p", "web", "second");
    let log = store.pod_log("shop", "p", "web");
    assert_eq!(log.current[0].text, "second");
    assert_eq!(log.previous.expect("a life before")[0].text, "first");
}
