use std::time::Duration;

use serde_json::{Value, json};

use crate::simulator::store::ChangeKind;
use crate::simulator::testkit::Kit;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

fn web() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}]}}}})
}

fn config(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {}})
}

fn kit() -> Kit {
    Kit::admin(json!({"objects": [web()]}))
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().into_iter().flatten();
    items
        .filter_map(|item| item["metadata"]["name"].as_str())
        .collect()
}

#[tokio::test]
async fn an_object_is_got_with_its_kind_and_a_list_without() {
    let kit = kit();
    let (status, web) = kit.get(WEB).await;
    assert_eq!(
        (status, &web["kind"], &web["apiVersion"]),
        (200, &json!("Deployment"), &json!("apps/v1"))
    );
    let (_, list) = kit.get(DEPLOYMENTS).await;
    assert_eq!(
        (&list["kind"], list["items"][0].get("kind")),
        (&json!("DeploymentList"), None)
    );
}

#[tokio::test]
async fn a_missing_object_is_a_status() {
    let (status, body) = kit().get("/api/v1/namespaces/shop/pods/ghost").await;
    let expected = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "pods \"ghost\" not found", "reason": "NotFound",
        "details": {"name": "ghost", "kind": "pods"}, "code": 404});
    assert_eq!((status, body), (404, expected));
}

#[tokio::test]
async fn a_path_that_nobody_serves_is_plain_text() {
    assert_eq!(
        kit().get("/apis/example.org/v1/gadgets").await,
        (404, json!("404 page not found\n"))
    );
}

#[tokio::test]
async fn selectors_pick_and_nonsense_is_refused() {
    let kit = kit();
    let (_, list) = kit
        .get("/apis/apps/v1/deployments?labelSelector=app%3Dweb")
        .await;
    assert_eq!(names(&list), ["web"]);
    let (_, list) = kit
        .get("/apis/apps/v1/deployments?fieldSelector=metadata.name%21%3Dweb")
        .await;
    assert_eq!(names(&list), [""; 0]);
    assert_eq!(
        kit.get("/apis/apps/v1/deployments?labelSelector=a%20b")
            .await
            .0,
        400
    );
    assert_eq!(
        kit.get("/apis/apps/v1/deployments?fieldSelector=spec.x%3D1")
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn pages_show_one_state_whatever_happens_between() {
    let kit = Kit::admin(json!({"objects": [config("a"), config("b"), config("c")]}));
    let path = "/api/v1/namespaces/shop/configmaps";
    let (_, first) = kit.get(&format!("{path}?limit=2")).await;
    assert_eq!(
        (names(&first), &first["metadata"]["remainingItemCount"]),
        (vec!["a", "b"], &json!(1))
    );
    let token = first["metadata"]["continue"].as_str().expect("more");
    kit.send("DELETE", &format!("{path}/c"), None).await;
    kit.send("POST", path, Some(config("d"))).await;
    let (_, second) = kit.get(&format!("{path}?limit=2&continue={token}")).await;
    assert_eq!(
        (names(&second), second["metadata"].get("continue")),
        (vec!["c"], None)
    );
    kit.simulator.store().forget_log();
    let (status, gone) = kit.get(&format!("{path}?limit=2&continue={token}")).await;
    assert_eq!((status, &gone["reason"]), (410, &json!("Expired")));
}

#[tokio::test]
async fn a_version_of_the_future_is_too_large() {
    let (status, body) = kit()
        .get(&format!("{DEPLOYMENTS}?resourceVersion=999999"))
        .await;
    assert_eq!(
        (
            status,
            &body["reason"],
            &body["details"]["retryAfterSeconds"]
        ),
        (504, &json!("Timeout"), &json!(1))
    );
}

#[tokio::test]
async fn a_merge_patch_raises_the_generation_and_leaves_the_status() {
    let kit = kit();
    let (status, web) = kit
        .patch(
            WEB,
            "merge-patch+json",
            json!({"spec": {"replicas": 2}, "status": {"x": 1}}),
        )
        .await;
    assert_eq!(
        (
            status,
            &web["metadata"]["generation"],
            web["status"].get("x")
        ),
        (200, &json!(2), None)
    );
}

#[tokio::test]
async fn a_strategic_patch_changes_one_container() {
    let body = json!({"spec": {"template": {"spec": {"containers": [{"name": "log", "image": "log:2"}]}}}});
    let (status, web) = kit().patch(WEB, "strategic-merge-patch+json", body).await;
    let containers = web["spec"]["template"]["spec"]["containers"]
        .as_array()
        .expect("containers");
    let images: Vec<_> = containers
        .iter()
        .map(|container| container["image"].as_str().unwrap_or_default())
        .collect();
    assert_eq!((status, images), (200, vec!["web:1", "log:2"]));
}

#[tokio::test]
async fn a_stale_or_foreign_patch_is_a_conflict() {
    let kit = kit();
    for (field, value, words) in [
        ("resourceVersion", "1", "the object has been modified"),
        (
            "uid",
            "other",
            "Precondition failed: UID in precondition: other",
        ),
    ] {
        let (status, body) = kit
            .patch(WEB, "merge-patch+json", json!({"metadata": {field: value}}))
            .await;
        assert_eq!((status, &body["reason"]), (409, &json!("Conflict")));
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|text| text.contains(words)),
            "{body}"
        );
    }
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
    let (status, body) = kit()
        .patch(WEB, "merge-patch+json", json!({"spec": {"replicas": -1}}))
        .await;
    let words = "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0";
    assert_eq!((status, &body["message"]), (422, &json!(words)));
    assert_eq!(
        body["details"]["causes"][0]["field"],
        json!("spec.replicas")
    );
    let (status, body) = kit()
        .patch(WEB, "merge-patch+json", json!({"spec": {"replicas": "3"}}))
        .await;
    assert_eq!(status, 422);
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| text.contains("cannot unmarshal string")),
        "{body}"
    );
}

#[tokio::test]
async fn server_side_apply_creates_changes_and_meets_others() {
    let kit = kit();
    let path = "/api/v1/namespaces/shop/configmaps/c";
    let body = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": value}});
    let apply = "apply-patch+yaml";
    assert_eq!(
        kit.patch(path, apply, body("1")).await.0,
        422,
        "a manager must be named"
    );
    assert_eq!(
        kit.patch(&format!("{path}?fieldManager=a"), apply, body("1"))
            .await
            .0,
        201
    );
    assert_eq!(
        kit.patch(&format!("{path}?fieldManager=a"), apply, body("2"))
            .await
            .0,
        200
    );
    let (status, refused) = kit
        .patch(&format!("{path}?fieldManager=b"), apply, body("3"))
        .await;
    assert_eq!(
        (status, &refused["details"]["causes"][0]["field"]),
        (409, &json!(".data.k"))
    );
    let (status, forced) = kit
        .patch(
            &format!("{path}?fieldManager=b&force=true"),
            apply,
            body("3"),
        )
        .await;
    assert_eq!((status, &forced["data"]["k"]), (200, &json!("3")));
}

#[tokio::test]
async fn creation_needs_an_open_namespace_and_no_version() {
    let kit = kit();
    let (status, made) = kit
        .send(
            "POST",
            "/api/v1/namespaces/shop/configmaps",
            Some(config("c")),
        )
        .await;
    assert_eq!((status, &made["kind"]), (201, &json!("ConfigMap")));
    assert_eq!(
        kit.send(
            "POST",
            "/api/v1/namespaces/shop/configmaps",
            Some(config("c"))
        )
        .await
        .0,
        409
    );
    let mut elsewhere = config("c");
    elsewhere["metadata"]["namespace"] = json!("void");
    let (status, body) = kit
        .send(
            "POST",
            "/api/v1/namespaces/void/configmaps",
            Some(elsewhere),
        )
        .await;
    assert_eq!(
        (status, &body["message"]),
        (404, &json!("namespaces \"void\" not found"))
    );
    let mut old = config("d");
    old["metadata"]["resourceVersion"] = json!("5");
    assert_eq!(
        kit.send("POST", "/api/v1/namespaces/shop/configmaps", Some(old))
            .await
            .0,
        500
    );
}

#[tokio::test]
async fn a_put_with_an_old_version_is_a_conflict_and_without_one_is_not() {
    let kit = kit();
    let (_, mut web) = kit.get(WEB).await;
    web["spec"]["replicas"] = json!(1);
    assert_eq!(kit.send("PUT", WEB, Some(web.clone())).await.0, 200);
    web["spec"]["replicas"] = json!(2);
    assert_eq!(kit.send("PUT", WEB, Some(web.clone())).await.0, 409);
    web["metadata"]
        .as_object_mut()
        .expect("a mapping")
        .shift_remove("resourceVersion");
    assert_eq!(kit.send("PUT", WEB, Some(web)).await.0, 200);
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace() {
    let kit = kit();
    let before = kit.simulator.store().version();
    let (_, web) = kit
        .patch(
            &format!("{WEB}?dryRun=All"),
            "merge-patch+json",
            json!({"spec": {"replicas": 5}}),
        )
        .await;
    assert_eq!(web["spec"]["replicas"], json!(5));
    assert_eq!(
        kit.send("DELETE", &format!("{WEB}?dryRun=All"), None)
            .await
            .0,
        200
    );
    assert_eq!(kit.simulator.store().version(), before);
    assert_eq!(kit.get(WEB).await.1["spec"]["replicas"], json!(0));
}

#[tokio::test]
async fn deletion_answers_with_a_status_or_the_marked_object() {
    let kit = kit();
    let (_, marked) = kit
        .send(
            "DELETE",
            &format!("{WEB}?propagationPolicy=Foreground"),
            None,
        )
        .await;
    assert_eq!(
        marked["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    let kit = self::kit();
    let (_, web) = kit.get(WEB).await;
    let uid = json!({"preconditions": {"uid": "other"}});
    assert_eq!(kit.send("DELETE", WEB, Some(uid)).await.0, 409);
    let (status, done) = kit.send("DELETE", WEB, None).await;
    let details = json!({"name": "web", "group": "apps", "kind": "deployments", "uid": web["metadata"]["uid"]});
    assert_eq!(
        (status, &done["status"], &done["details"]),
        (200, &json!("Success"), &details)
    );
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let mut marked = config("a");
    marked["metadata"]["labels"] = json!({"x": "y"});
    let kit = Kit::admin(json!({"objects": [marked, config("b")]}));
    let path = "/api/v1/namespaces/shop/configmaps";
    let (_, gone) = kit
        .send("DELETE", &format!("{path}?labelSelector=x"), None)
        .await;
    assert_eq!(names(&gone), ["a"]);
    assert_eq!(names(&kit.get(path).await.1), ["b"]);
}

#[tokio::test]
async fn a_scale_is_read_and_set() {
    let kit = kit();
    let (_, scale) = kit.get(&format!("{WEB}/scale")).await;
    assert_eq!(
        (&scale["kind"], &scale["status"]["selector"]),
        (&json!("Scale"), &json!("app=web"))
    );
    let (status, scale) = kit
        .patch(
            &format!("{WEB}/scale"),
            "merge-patch+json",
            json!({"spec": {"replicas": 4}}),
        )
        .await;
    assert_eq!((status, &scale["spec"]["replicas"]), (200, &json!(4)));
    assert_eq!(kit.get(WEB).await.1["spec"]["replicas"], json!(4));
    let (status, _) = kit
        .patch(
            &format!("{WEB}/scale"),
            "merge-patch+json",
            json!({"spec": {"replicas": -4}}),
        )
        .await;
    assert_eq!(status, 422);
}

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
    store
        .update("configmaps", "shop", "c", None, label(true))
        .expect("labelled");
    store
        .update("configmaps", "shop", "c", None, label(false))
        .expect("bared");
    let (added, object) = events.next().await.expect("an event");
    assert_eq!(
        (added.as_str(), &object["kind"]),
        ("ADDED", &json!("ConfigMap"))
    );
    let (deleted, object) = events.next().await.expect("an event");
    assert_eq!(
        (deleted.as_str(), &object["metadata"]["labels"]),
        ("DELETED", &json!({"on": ""}))
    );
    let last = store.log(version).expect("kept").pop().expect("a change");
    assert_eq!(
        (last.kind, object["metadata"]["resourceVersion"].as_str()),
        (
            ChangeKind::Modified,
            Some(last.version.to_string().as_str())
        )
    );
}

#[tokio::test]
async fn a_watch_without_a_version_begins_with_what_is_there() {
    let kit = kit();
    let mut events = kit.watch(&format!("{DEPLOYMENTS}?watch=true")).await;
    let (kind, web) = events.next().await.expect("an event");
    assert_eq!(
        (kind.as_str(), &web["metadata"]["name"]),
        ("ADDED", &json!("web"))
    );
}

#[tokio::test]
async fn a_watch_from_a_forgotten_past_hears_so() {
    let kit = kit();
    let mut events = kit
        .watch(&format!("{DEPLOYMENTS}?watch=true&resourceVersion=1"))
        .await;
    let (kind, status) = events.next().await.expect("an event");
    assert_eq!(
        (kind.as_str(), &status["code"], &status["reason"]),
        ("ERROR", &json!(410), &json!("Expired"))
    );
    assert_eq!(events.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_a_bookmark_when_its_time_is_over() {
    let kit = kit();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let version = kit.simulator.store().version();
    let path = format!(
        "{DEPLOYMENTS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion={version}"
    );
    let mut events = kit.watch(&path).await;
    let (kind, object) = events.next().await.expect("a bookmark");
    assert_eq!(
        (kind.as_str(), &object["metadata"]["resourceVersion"]),
        ("BOOKMARK", &json!(version.to_string()))
    );
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_watch_ends_with_its_server() {
    let kit = kit();
    let version = kit.simulator.store().version();
    let mut events = kit
        .watch(&format!(
            "/api/v1/secrets?watch=1&resourceVersion={version}"
        ))
        .await;
    drop(kit);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn another_user_is_forbidden_elsewhere() {
    let kit = kit().become_user("tomo");
    let (status, body) = kit.get("/api/v1/nodes").await;
    let words = "nodes is forbidden: User \"tomo\" cannot list resource \"nodes\" in API group \"\" at the cluster scope";
    assert_eq!(
        (status, &body["message"], &body["reason"]),
        (403, &json!(words), &json!("Forbidden"))
    );
    let (_, body) = kit.send("DELETE", WEB, None).await;
    let words = "deployments.apps \"web\" is forbidden: User \"tomo\" cannot delete resource \"deployments\" in API \
                 group \"apps\" in the namespace \"shop\"";
    assert_eq!(body["message"], json!(words));
}

#[tokio::test]
async fn a_review_says_what_would_be_allowed() {
    let kit = kit().become_user("tomo");
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    for (ns, allowed) in [("shop", false), ("notes-tomo", true)] {
        let attributes =
            json!({"verb": "patch", "group": "apps", "resource": "deployments", "namespace": ns});
        let body =
            json!({"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}});
        let (status, answer) = kit.send("POST", path, Some(body)).await;
        assert_eq!(
            (status, &answer["status"]["allowed"]),
            (201, &json!(allowed)),
            "{ns}"
        );
    }
}

#[tokio::test]
async fn discovery_names_what_is_served() {
    let kit = kit();
    assert_eq!(kit.get("/api").await.1["versions"], json!(["v1"]));
    let (_, groups) = kit.get("/apis").await;
    assert!(
        groups["groups"]
            .as_array()
            .is_some_and(|all| all.iter().any(|group| group["name"] == "apps"))
    );
    let (_, apps) = kit.get("/apis/apps/v1").await;
    let names: Vec<_> = apps["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| row["name"].clone())
        .collect();
    assert!(names.contains(&json!("deployments/scale")), "{names:?}");
    let kit = Kit::admin(json!({"switches": {"batch": "v1beta1"}}));
    assert_eq!(kit.get("/apis/batch/v1beta1/cronjobs").await.0, 200);
    assert_eq!(kit.get("/apis/batch/v1/cronjobs").await.0, 404);
    assert_eq!(kit.get("/version").await.1["minor"], json!("20"));
}
