use serde_json::json;

use super::super::stage::{Stage, deployment, ready};
use super::super::{Back, take_back};
use super::*;

fn web() -> Value {
    let mut web = deployment("shop", "web", 2);
    web["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "5"});
    web["spec"]["template"]["metadata"]["annotations"] = json!({"restarted": "yesterday"});
    web
}

fn set(owner: &Value, revision: &str, image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"namespace": "shop", "name": format!("web-{revision}"),
            "uid": revision, "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": owner["metadata"]["uid"]}]},
        "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "6c9f"}, "creationTimestamp": null},
            "spec": {"containers": [{"name": "web", "image": image}]}}}})
}

fn stage() -> Stage {
    let web = web();
    let mut foreign = set(&web, "4", "foreign:1");
    foreign["metadata"]["ownerReferences"][0]["uid"] = json!("someone else");
    foreign["metadata"]["name"] = json!("foreign");
    let sets = [set(&web, "2", "web:0.8"), set(&web, "3", "web:0.9"), set(&web, "5", "registry.example/web:1.0")];
    Stage::new(sets.into_iter().chain([foreign, web]))
}

#[tokio::test(start_paused = true)]
async fn the_template_before_comes_back_without_the_hash() {
    let stage = stage();
    let seen = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap();
    assert_eq!(seen.info, json!({"before": 5, "after": 3}));
    let template = &seen.result["spec"]["template"];
    assert_eq!(template["spec"]["containers"][0]["image"], "web:0.9");
    assert_eq!(template["metadata"], json!({"labels": {"app": "web"}}));
    let [made] = stage.made().try_into().unwrap();
    assert_eq!((made.change.summary.as_str(), made.change.pods), ("revision 5 → 3", 2));
}

#[tokio::test(start_paused = true)]
async fn it_is_taken_back() {
    let stage = stage();
    ready(&ROW, "{deployment: shop/web, to-revision: 2}").act(&stage.context()).await.unwrap();
    assert_eq!(take_back(&stage.context(), &stage.made()[0]).await, Ok(Back::Done));
    assert_eq!(stage.object(&web()).unwrap()["spec"], web()["spec"]);
}

#[tokio::test(start_paused = true)]
async fn the_present_revision_is_no_change() {
    let mut same = web();
    same["spec"]["template"]["metadata"].as_object_mut().unwrap().remove("annotations");
    let stage = Stage::new([set(&same, "5", "registry.example/web:1.0"), same]);
    let rollback = ready(&ROW, "{deployment: shop/web, to-revision: 5}");
    assert!(!rollback.act(&stage.context()).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_not_remembered_is_named_with_those_that_are() {
    let failure = ready(&ROW, "{deployment: shop/web, to-revision: 9}").act(&stage().context()).await.unwrap_err();
    assert_eq!(failure.message, "Deployment shop/web remembers no revision 9");
    assert_eq!(failure.help.as_deref(), Some("it is at 5 and remembers: 2, 3, 5"));
}

#[tokio::test(start_paused = true)]
async fn a_paused_rollout_is_refused() {
    let mut paused = web();
    paused["spec"]["paused"] = json!(true);
    let stage = Stage::new([set(&paused, "3", "web:0.9"), paused]);
    let failure = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap_err();
    assert!(failure.message.contains("paused"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_stateful_set_has_its_past_in_controller_revisions() {
    let template = |image: &str| json!({"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": image}]}});
    let db = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"namespace": "shop", "name": "db", "uid": "db-uid", "resourceVersion": "7", "generation": 3},
        "spec": {"replicas": 1, "template": template("db:2")}, "status": {"updateRevision": "db-b", "observedGeneration": 3}});
    let revision = |name: &str, number: u64, image: &str| {
        let mut data = template(image);
        data["$patch"] = json!("replace");
        json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": number, "data": {"spec": {"template": data}},
            "metadata": {"namespace": "shop", "name": name, "uid": name,
                "ownerReferences": [{"kind": "StatefulSet", "name": "db", "uid": "db-uid"}]}})
    };
    let stage = Stage::new([db, revision("db-a", 1, "db:1"), revision("db-b", 2, "db:2")]);
    let seen = ready(&ROW, "statefulset: shop/db").act(&stage.context()).await.unwrap();
    assert_eq!(seen.info, json!({"before": 2, "after": 1}));
    assert_eq!(seen.result["spec"]["template"], template("db:1"));
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_does_not_see_the_newest_spec_is_waited_for_and_then_named() {
    let mut unseen = web();
    unseen["metadata"]["generation"] = json!(9);
    let stage = Stage::new([set(&unseen, "3", "web:0.9"), unseen]);
    let failure = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Timeout);
    assert!(failure.message.contains("has not seen the newest spec for 30s"), "{failure}");
    assert!(stage.made().is_empty());
}
