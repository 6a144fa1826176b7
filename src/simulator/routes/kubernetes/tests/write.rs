use serde_json::json;

use super::{WEB, config, kit, names};
use crate::simulator::testkit::Kit;

#[tokio::test]
async fn a_merge_patch_raises_the_generation_and_leaves_the_status() {
    let kit = kit();
    let (status, web) = kit.patch(WEB, "merge-patch+json", json!({"spec": {"replicas": 2}, "status": {"x": 1}})).await;
    assert_eq!((status, &web["metadata"]["generation"], web["status"].get("x")), (200, &json!(2), None));
}

#[tokio::test]
async fn a_strategic_patch_changes_one_container() {
    let body = json!({"spec": {"template": {"spec": {"containers": [{"name": "log", "image": "log:2"}]}}}});
    let (status, web) = kit().patch(WEB, "strategic-merge-patch+json", body).await;
    let containers = web["spec"]["template"]["spec"]["containers"].as_array().expect("containers");
    let images: Vec<_> = containers.iter().map(|container| container["image"].as_str().unwrap_or_default()).collect();
    assert_eq!((status, images), (200, vec!["web:1", "log:2"]));
}

#[tokio::test]
async fn a_stale_patch_is_a_conflict_and_a_foreign_one_invalid() {
    let kit = kit();
    let stale = json!({"metadata": {"resourceVersion": "1"}});
    let (status, body) = kit.patch(WEB, "merge-patch+json", stale).await;
    assert_eq!((status, &body["reason"]), (409, &json!("Conflict")));
    assert!(body["message"].as_str().is_some_and(|text| text.contains("the object has been modified")), "{body}");
    let foreign = json!({"metadata": {"uid": "other"}});
    let (status, body) = kit.patch(WEB, "merge-patch+json", foreign).await;
    let words = "Deployment.apps \"web\" is invalid: metadata.uid: Invalid value: \"other\": field is immutable";
    assert_eq!((status, &body["message"]), (422, &json!(words)));
    let mut whole = super::web();
    whole["metadata"]["uid"] = json!("other");
    let (status, body) = kit.send("PUT", WEB, Some(whole)).await;
    assert_eq!(status, 409);
    let words = "Precondition failed: UID in precondition: other";
    assert!(body["message"].as_str().is_some_and(|text| text.contains(words)), "{body}");
}

#[tokio::test]
async fn a_deleted_object_takes_no_new_finalizers() {
    let kit = kit();
    let held = |name: &str| json!({"metadata": {"finalizers": [name]}});
    kit.patch(WEB, "merge-patch+json", held("example.org/a")).await;
    kit.send("DELETE", WEB, None).await;
    let (status, body) = kit.patch(WEB, "merge-patch+json", held("example.org/b")).await;
    assert_eq!((status, &body["details"]["causes"][0]["field"]), (422, &json!("metadata.finalizers")));
    let (status, _) = kit.patch(WEB, "merge-patch+json", json!({"metadata": {"finalizers": null}})).await;
    assert_eq!((status, kit.get(WEB).await.0), (200, 404));
}

#[tokio::test]
async fn a_job_that_brings_another_jobs_labels_is_refused() {
    let job = |labels: serde_json::Value| {
        Some(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"suspend": true,
            "template": {"metadata": {"labels": labels},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}))
    };
    let kit = kit();
    let path = "/apis/batch/v1/namespaces/shop/jobs";
    for key in ["controller-uid", "batch.kubernetes.io/controller-uid"] {
        let (status, body) = kit.send("POST", path, job(json!({key: "zzz"}))).await;
        let field = format!("spec.template.metadata.labels[{key}]");
        assert_eq!((status, &body["details"]["causes"][0]["field"]), (422, &json!(field)));
    }
    let (status, made) = kit.send("POST", path, job(json!({"app": "j"}))).await;
    assert_eq!((status, &made["metadata"]["labels"]["job-name"]), (201, &json!("j")));
}

#[tokio::test]
async fn a_false_test_of_a_json_patch_is_invalid() {
    let patch = json!([{"op": "test", "path": "/spec/replicas", "value": 5}]);
    let (status, body) = kit().patch(WEB, "json-patch+json", patch).await;
    assert_eq!((status, &body["reason"]), (422, &json!("Invalid")));
}

#[tokio::test]
async fn a_patch_of_no_known_type_is_refused() {
    assert_eq!(kit().patch(WEB, "json", json!({})).await.0, 415);
}

#[tokio::test]
async fn an_invalid_object_is_refused_in_the_servers_words() {
    let (status, body) = kit().patch(WEB, "merge-patch+json", json!({"spec": {"replicas": -1}})).await;
    let words =
        "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0";
    assert_eq!((status, &body["message"]), (422, &json!(words)));
    assert_eq!(body["details"]["causes"][0]["field"], json!("spec.replicas"));
    let (status, body) = kit().patch(WEB, "merge-patch+json", json!({"spec": {"replicas": "3"}})).await;
    assert_eq!(status, 422);
    assert!(body["message"].as_str().is_some_and(|text| text.contains("cannot unmarshal string")), "{body}");
}

#[tokio::test]
async fn server_side_apply_creates_changes_and_meets_others() {
    let kit = kit();
    let path = "/api/v1/namespaces/shop/configmaps/c";
    let body =
        |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": value}});
    let apply = "apply-patch+yaml";
    assert_eq!(kit.patch(path, apply, body("1")).await.0, 422, "a manager must be named");
    assert_eq!(kit.patch(&format!("{path}?fieldManager=a"), apply, body("1")).await.0, 201);
    assert_eq!(kit.patch(&format!("{path}?fieldManager=a"), apply, body("2")).await.0, 200);
    let (status, refused) = kit.patch(&format!("{path}?fieldManager=b"), apply, body("3")).await;
    assert_eq!((status, &refused["details"]["causes"][0]["field"]), (409, &json!(".data.k")));
    let (status, forced) = kit.patch(&format!("{path}?fieldManager=b&force=true"), apply, body("3")).await;
    assert_eq!((status, &forced["data"]["k"]), (200, &json!("3")));
}

#[tokio::test]
async fn creation_needs_an_open_namespace_and_no_version() {
    let kit = kit();
    let (status, made) = kit.send("POST", "/api/v1/namespaces/shop/configmaps", Some(config("c"))).await;
    assert_eq!((status, &made["kind"]), (201, &json!("ConfigMap")));
    assert_eq!(kit.send("POST", "/api/v1/namespaces/shop/configmaps", Some(config("c"))).await.0, 409);
    let mut elsewhere = config("c");
    elsewhere["metadata"]["namespace"] = json!("void");
    let (status, body) = kit.send("POST", "/api/v1/namespaces/void/configmaps", Some(elsewhere)).await;
    assert_eq!((status, &body["message"]), (404, &json!("namespaces \"void\" not found")));
    let mut old = config("d");
    old["metadata"]["resourceVersion"] = json!("5");
    assert_eq!(kit.send("POST", "/api/v1/namespaces/shop/configmaps", Some(old)).await.0, 500);
}

#[tokio::test]
async fn a_put_with_an_old_version_is_a_conflict_and_without_one_is_not() {
    let kit = kit();
    let (_, mut web) = kit.get(WEB).await;
    web["spec"]["replicas"] = json!(1);
    assert_eq!(kit.send("PUT", WEB, Some(web.clone())).await.0, 200);
    web["spec"]["replicas"] = json!(2);
    assert_eq!(kit.send("PUT", WEB, Some(web.clone())).await.0, 409);
    web["metadata"].as_object_mut().expect("a mapping").shift_remove("resourceVersion");
    assert_eq!(kit.send("PUT", WEB, Some(web)).await.0, 200);
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace() {
    let kit = kit();
    let before = kit.simulator.store().version();
    let (_, web) = kit.patch(&format!("{WEB}?dryRun=All"), "merge-patch+json", json!({"spec": {"replicas": 5}})).await;
    assert_eq!(web["spec"]["replicas"], json!(5));
    assert_eq!(kit.send("DELETE", &format!("{WEB}?dryRun=All"), None).await.0, 200);
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]});
    assert_eq!(kit.send("DELETE", WEB, Some(options)).await.0, 200);
    assert_eq!(kit.simulator.store().version(), before);
    assert_eq!(kit.get(WEB).await.1["spec"]["replicas"], json!(0));
}

#[tokio::test]
async fn deletion_answers_with_a_status_or_the_marked_object() {
    let kit = kit();
    let (_, marked) = kit.send("DELETE", &format!("{WEB}?propagationPolicy=Foreground"), None).await;
    assert_eq!(marked["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    let kit = super::kit();
    let (_, web) = kit.get(WEB).await;
    let uid = json!({"preconditions": {"uid": "other"}});
    assert_eq!(kit.send("DELETE", WEB, Some(uid)).await.0, 409);
    let (status, done) = kit.send("DELETE", WEB, None).await;
    let details = json!({"name": "web", "group": "apps", "kind": "deployments", "uid": web["metadata"]["uid"]});
    assert_eq!((status, &done["status"], &done["details"]), (200, &json!("Success"), &details));
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let mut marked = config("a");
    marked["metadata"]["labels"] = json!({"x": "y"});
    let kit = Kit::admin(json!({"objects": [marked, config("b")]}));
    let path = "/api/v1/namespaces/shop/configmaps";
    let (_, gone) = kit.send("DELETE", &format!("{path}?labelSelector=x"), None).await;
    assert_eq!(names(&gone), ["a"]);
    assert_eq!(names(&kit.get(path).await.1), ["b"]);
}

#[tokio::test]
async fn a_scale_is_read_and_set() {
    let kit = kit();
    let (_, scale) = kit.get(&format!("{WEB}/scale")).await;
    assert_eq!((&scale["kind"], &scale["status"]["selector"]), (&json!("Scale"), &json!("app=web")));
    let (status, scale) =
        kit.patch(&format!("{WEB}/scale"), "merge-patch+json", json!({"spec": {"replicas": 4}})).await;
    assert_eq!((status, &scale["spec"]["replicas"]), (200, &json!(4)));
    assert_eq!(kit.get(WEB).await.1["spec"]["replicas"], json!(4));
    let (status, _) = kit.patch(&format!("{WEB}/scale"), "merge-patch+json", json!({"spec": {"replicas": -4}})).await;
    assert_eq!(status, 422);
}
