use serde_json::json;

use super::{DEPLOYMENTS, WEB, config, kit, names};
use crate::simulator::testkit::Kit;

#[tokio::test]
async fn an_object_is_got_with_its_kind_and_a_list_without() {
    let kit = kit();
    let (status, web) = kit.get(WEB).await;
    assert_eq!((status, &web["kind"], &web["apiVersion"]), (200, &json!("Deployment"), &json!("apps/v1")));
    let (_, list) = kit.get(DEPLOYMENTS).await;
    assert_eq!((&list["kind"], list["items"][0].get("kind")), (&json!("DeploymentList"), None));
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
    assert_eq!(kit().get("/apis/example.org/v1/gadgets").await, (404, json!("404 page not found\n")));
}

#[tokio::test]
async fn selectors_pick_and_nonsense_is_refused() {
    let kit = kit();
    let (_, list) = kit.get("/apis/apps/v1/deployments?labelSelector=app%3Dweb").await;
    assert_eq!(names(&list), ["web"]);
    let (_, list) = kit.get("/apis/apps/v1/deployments?fieldSelector=metadata.name%21%3Dweb").await;
    assert_eq!(names(&list), [""; 0]);
    assert_eq!(kit.get("/apis/apps/v1/deployments?labelSelector=a%20b").await.0, 400);
    assert_eq!(kit.get("/apis/apps/v1/deployments?fieldSelector=spec.x%3D1").await.0, 400);
}

#[tokio::test]
async fn pages_show_one_state_whatever_happens_between() {
    let kit = Kit::admin(json!({"objects": [config("a"), config("b"), config("c")]}));
    let path = "/api/v1/namespaces/shop/configmaps";
    let (_, first) = kit.get(&format!("{path}?limit=2")).await;
    assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), (vec!["a", "b"], &json!(1)));
    let token = first["metadata"]["continue"].as_str().expect("more");
    kit.send("DELETE", &format!("{path}/c"), None).await;
    kit.send("POST", path, Some(config("d"))).await;
    let (_, second) = kit.get(&format!("{path}?limit=2&continue={token}")).await;
    assert_eq!((names(&second), second["metadata"].get("continue")), (vec!["c"], None));
    kit.simulator.store().forget_log();
    let (status, gone) = kit.get(&format!("{path}?limit=2&continue={token}")).await;
    assert_eq!((status, &gone["reason"]), (410, &json!("Expired")));
}

#[tokio::test]
async fn a_version_of_the_future_is_too_large() {
    let (status, body) = kit().get(&format!("{DEPLOYMENTS}?resourceVersion=999999")).await;
    assert_eq!((status, &body["reason"], &body["details"]["retryAfterSeconds"]), (504, &json!("Timeout"), &json!(1)));
}

#[tokio::test]
async fn another_user_is_forbidden_elsewhere() {
    let kit = kit().become_user("tomo");
    let (status, body) = kit.get("/api/v1/nodes").await;
    let words =
        "nodes is forbidden: User \"tomo\" cannot list resource \"nodes\" in API group \"\" at the cluster scope";
    assert_eq!((status, &body["message"], &body["reason"]), (403, &json!(words), &json!("Forbidden")));
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
        let attributes = json!({"verb": "patch", "group": "apps", "resource": "deployments", "namespace": ns});
        let body = json!({"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}});
        let (status, answer) = kit.send("POST", path, Some(body)).await;
        assert_eq!((status, &answer["status"]["allowed"]), (201, &json!(allowed)), "{ns}");
    }
}

#[tokio::test]
async fn discovery_names_what_is_served() {
    let kit = kit();
    assert_eq!(kit.get("/api").await.1["versions"], json!(["v1"]));
    let (_, groups) = kit.get("/apis").await;
    assert!(groups["groups"].as_array().is_some_and(|all| all.iter().any(|group| group["name"] == "apps")));
    let (_, apps) = kit.get("/apis/apps/v1").await;
    let names: Vec<_> = apps["resources"].as_array().into_iter().flatten().map(|row| row["name"].clone()).collect();
    assert!(names.contains(&json!("deployments/scale")), "{names:?}");
    let kit = Kit::admin(json!({"switches": {"batch": "v1beta1"}}));
    assert_eq!(kit.get("/apis/batch/v1beta1/cronjobs").await.0, 200);
    assert_eq!(kit.get("/apis/batch/v1/cronjobs").await.0, 404);
    assert_eq!(kit.get("/version").await.1["minor"], json!("20"));
}

#[tokio::test]
async fn events_can_be_read_under_their_newer_names() {
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "p"}, "reason": "Pulled", "message": "done"});
    let kit = Kit::admin(json!({"objects": [event]}));
    let path = "/apis/events.k8s.io/v1/namespaces/shop/events";
    let (status, list) = kit.get(path).await;
    assert_eq!(
        (status, &list["apiVersion"], &list["items"][0]["note"]),
        (200, &json!("events.k8s.io/v1"), &json!("done"))
    );
    let (_, one) = kit.get(&format!("{path}/e")).await;
    assert_eq!((&one["regarding"]["name"], &one["apiVersion"]), (&json!("p"), &json!("events.k8s.io/v1")));
    assert_eq!(kit.send("DELETE", &format!("{path}/e"), None).await.0, 405);
    let (_, rows) = kit.get("/apis/events.k8s.io/v1").await;
    assert_eq!(rows["resources"][0]["verbs"], json!(["get", "list", "watch"]));
}
