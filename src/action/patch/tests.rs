use serde_json::json;

use super::super::stage::{Stage, complaints, decoded, deployment, ready, refusal};
use super::super::{Back, take_back};
use super::*;

fn auth() -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": "b2xkLXNlY3JldA=="},
        "metadata": {"namespace": "shop", "name": "auth", "uid": "auth-uid", "resourceVersion": "5"}})
}

#[tokio::test(start_paused = true)]
async fn what_it_writes_is_known_from_the_rehearsal() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let patch =
        ready(&ROW, "{deployment: shop/web, body: {spec: {replicas: 1, paused: true}, metadata: {labels: {a: b}}}}");
    let seen = patch.act(&stage.context()).await.unwrap();
    assert!(seen.changed);
    let [made] = stage.made().try_into().unwrap();
    assert_eq!(made.change.summary, "labels nothing → {\"a\":\"b\"}, paused nothing → true, replicas 3 → 1");
    let pointers: Vec<&str> = made.change.written.iter().map(|field| field.pointer.as_str()).collect();
    assert_eq!(pointers, ["/metadata/labels", "/spec/paused", "/spec/replicas"]);
    assert_eq!((made.change.pods, made.change.reversal), (2, Reversal::Fields));
    assert_eq!(stage.sent()["metadata"], json!({"labels": {"a": "b"}, "uid": "web-uid", "resourceVersion": "7"}));
}

#[tokio::test(start_paused = true)]
async fn it_is_taken_back_field_by_field() {
    let web = deployment("shop", "web", 3);
    let stage = Stage::new([web.clone()]);
    let patch = ready(&ROW, "{deployment: shop/web, type: json, body: [{op: add, path: /spec/paused, value: true}]}");
    patch.act(&stage.context()).await.unwrap();
    assert_eq!(take_back(&stage.context(), &stage.made()[0]).await, Ok(Back::Done));
    assert_eq!(stage.object(&web).unwrap()["spec"], web["spec"]);
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_is_not_sent() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let patch = ready(&ROW, "{deployment: shop/web, body: {spec: {replicas: 3}}}");
    assert!(!patch.act(&stage.context()).await.unwrap().changed);
    assert!(stage.writes().is_empty() && stage.made().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_secret_is_shown() {
    let stage = Stage::new([auth()]);
    let context = stage.context();
    let patch = ready(&ROW, "{secret: shop/auth, body: {data: {password: bmV3LXNlY3JldC0xMjM0NTY=}}}");
    patch.act(&context).await.unwrap();
    assert_eq!(stage.made()[0].change.summary, "password changed");
    let shown = "old-secret b2xkLXNlY3JldA== new-secret-123456 bmV3LXNlY3JldC0xMjM0NTY=";
    assert_eq!(context.shared.fan.redactor().text(shown), "*** *** *** ***");
}

#[tokio::test(start_paused = true)]
async fn taking_a_long_secret_back_shows_no_part_of_it() {
    let stage = Stage::new([auth()]);
    let long = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk=";
    let patch = ready(&ROW, &format!("{{secret: shop/auth, body: {{data: {{password: {long}}}}}}}"));
    patch.act(&stage.context()).await.unwrap();
    take_back(&stage.context(), &stage.made()[0]).await.unwrap();
    assert_eq!(stage.made()[1].change.summary, "back: password changed");
}

#[tokio::test(start_paused = true)]
async fn an_operation_on_a_secret_is_concealed_too() {
    let stage = Stage::new([auth()]);
    let context = stage.context();
    let body = "[{op: add, path: /stringData, value: {token: plain-words-here}}]";
    ready(&ROW, &format!("{{secret: shop/auth, type: json, body: {body}}}")).act(&context).await.unwrap();
    assert_eq!(context.shared.fan.redactor().text("plain-words-here"), "***");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_does_not_match_is_left_alone() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let patch = "{deployment: shop/web, body: {spec: {replicas: 1}}, if-match: {resource-version: '6'}}";
    let failure = ready(&ROW, patch).act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Conflict);
    assert_eq!(failure.message, "deployment shop/web is at resourceVersion 7, not 6: left alone");
    assert!(stage.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_faster_writer_is_read_again_and_a_wrong_patch_is_not() {
    let stage = Stage::new([deployment("shop", "web", 3)]).on(|objects, method, _| {
        let web = objects.values_mut().next().unwrap();
        if method == "GET" && web["metadata"]["resourceVersion"] == "7" {
            web["metadata"]["resourceVersion"] = json!("8");
        }
    });
    let patch = ready(&ROW, "{deployment: shop/web, body: {spec: {replicas: 1}}}");
    assert!(patch.act(&stage.context()).await.unwrap().changed);

    let wrong = Stage::new([deployment("shop", "web", 3)]).refusing(|method, _, _| {
        (method == "PATCH").then(|| refusal(422, "Invalid", "spec.replicas: Invalid value: -1"))
    });
    let failure = ready(&ROW, "{deployment: shop/web, body: {spec: {replicas: -1}}}");
    let failure = failure.act(&wrong.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Invalid);
    assert!(failure.message.contains("spec.replicas: Invalid value: -1"), "{failure}");
    assert!(wrong.made().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_appended_item_is_appended_once_for_all_tries_of_a_step() {
    let mut web = deployment("shop", "web", 1);
    web["metadata"]["finalizers"] = json!([]);
    let stage = Stage::new([web.clone()]);
    let patch = "{deployment: shop/web, type: json, body: [{op: add, path: /metadata/finalizers/-, value: a/b}]}";
    let patch = ready(&ROW, patch);
    assert!(patch.act(&stage.context()).await.unwrap().changed);
    assert!(!patch.act(&stage.context()).await.unwrap().changed);
    assert_eq!(stage.object(&web).unwrap()["metadata"]["finalizers"], json!(["a/b"]));
}

#[test]
fn a_body_of_the_wrong_shape_is_named() {
    let first = |yaml: &str| complaints(&ROW, yaml)[0].message.clone();
    assert!(first("{configmap: a/b, body: [1]}").starts_with("a patch is a mapping"));
    assert!(first("{configmap: a/b, type: json, body: {a: 1}}").starts_with("a `json` patch is a list"));
    assert!(first("{configmap: a/b, body: {a: 1}, wait: true}").starts_with("only the rollout"));
    assert!(first("{configmap: a/b}").contains("body"));
    let (_, holes) = decoded(&ROW, "{configmap: a/b, body: '{{ vars.body }}'}", Mode::Holes);
    assert!(holes.is_empty());
}
