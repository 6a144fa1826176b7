use serde_json::{Value, json};

use super::super::stage::{Stage, complaints, decoded, deployment, ready, refusal};
use super::super::{Back, take_back};
use super::*;

const MAP: &str =
    "objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: theme, namespace: shop}, data: {colour: red}}]";

fn map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {"name": "theme", "namespace": "shop", "uid": "u", "resourceVersion": "5"}})
}

async fn applied(stage: &Stage, yaml: &str) -> Result<Observed, Failure> {
    ready(&ROW, yaml).act(&stage.context()).await
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_created_and_taken_away_again_by_uid() {
    let stage = Stage::new([]);
    let seen = applied(&stage, MAP).await.unwrap();
    assert_eq!(seen.info, json!({"created": 1, "changed": 0, "unchanged": 0}));
    let [made] = stage.made().try_into().unwrap();
    assert_eq!((made.change.verb, made.change.reversal.clone()), (Verb::Create, Reversal::DeleteCreated));
    assert_eq!(made.change.object.uid, seen.result["objects"][0]["metadata"]["uid"]);
    assert_eq!(take_back(&stage.context(), &made).await, Ok(Back::Done));
    assert_eq!(stage.object(&map(&json!({}))), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_changed_field_by_field_and_goes_back() {
    let before = map(&json!({"colour": "blue", "size": "9"}));
    let stage = Stage::new([before.clone()]);
    let seen = applied(&stage, MAP).await.unwrap();
    assert_eq!(seen.info["changed"], 1);
    let [made] = stage.made().try_into().unwrap();
    assert_eq!(made.change.summary, "colour blue → red");
    assert_eq!(
        stage.sent()["metadata"],
        json!({"name": "theme", "namespace": "shop", "uid": "u", "resourceVersion": "5"})
    );
    assert_eq!(take_back(&stage.context(), &made).await, Ok(Back::Done));
    assert_eq!(stage.object(&before).unwrap()["data"], before["data"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_as_it_should_be_is_left_alone() {
    let stage = Stage::new([map(&json!({"colour": "red"}))]);
    let seen = applied(&stage, MAP).await.unwrap();
    assert!(!seen.changed && stage.writes().is_empty());
    assert_eq!(seen.info["unchanged"], 1);
}

#[tokio::test(start_paused = true)]
async fn fields_of_another_manager_are_refused_with_the_way_out() {
    let words = "Apply failed with 1 conflict: conflict with \"kubectl\" using v1: .data.colour";
    let stage = Stage::new([map(&json!({"colour": "blue"}))])
        .refusing(move |method, _, _| (method == "PATCH").then(|| refusal(409, "Conflict", words)));
    let failure = applied(&stage, MAP).await.unwrap_err();
    assert!(failure.message.contains(words) && failure.help.unwrap().contains("`force: true`"));
    assert!(stage.made().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_changed_template_counts_its_pods_and_a_kind_that_is_not_there_changes_nothing() {
    let web = deployment("shop", "web", 3);
    let stage = Stage::new([web]);
    let template = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {template: {spec: {containers: [{name: web, image: registry.example/web:2.0}]}}}}";
    applied(&stage, &format!("objects: [{template}]")).await.unwrap();
    assert_eq!(stage.made()[0].change.pods, 3);
    let stage = Stage::new([]);
    let unknown = "{apiVersion: x.example/v1, kind: Gadget, metadata: {name: a}}";
    let failure = applied(&stage, &format!("objects: [{template}, {unknown}]")).await.unwrap_err();
    assert!(failure.message.contains("Gadget"), "{failure}");
    assert!(stage.writes().is_empty());
}

#[test]
fn objects_or_a_file_and_not_both() {
    let first = |yaml: &str| complaints(&ROW, yaml)[0].message.clone();
    assert!(first("{}").contains("one of them"));
    assert!(
        first("{file: a.yaml, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]}")
            .contains("one of them")
    );
    assert!(complaints(&ROW, "{file: a.yaml, wait: 5m}").is_empty());
    assert_eq!(first("file: ../a.yaml"), "`file` lies in the folder of the book, or below it");
}

#[test]
fn what_an_object_lacks_is_named() {
    let out = complaints(&ROW, "objects: [{api-version: v1, kind: ConfigMap}]");
    assert_eq!(out[0].message, "this object has no apiVersion, no metadata.name");
    assert!(complaints(&ROW, "objects: []")[0].message.contains("empty"));
    assert!(decoded(&ROW, "objects: ['{{ vars.map }}']", Mode::Holes).1.is_empty());
}
