use serde_json::json;

use super::super::stage::{Stage, complaints, deployment, path_of, pod, ready, refusal};
use super::*;

fn config(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("{name}-uid"), "resourceVersion": "5"}})
}

#[tokio::test(start_paused = true)]
async fn it_is_bound_to_what_was_read_and_cannot_be_taken_back() {
    let stage = Stage::new([config("a")]);
    let seen = ready(&ROW, "configmap: shop/a").act(&stage.context()).await.unwrap();
    assert_eq!((&seen.result["total"], seen.changed), (&json!(1), true));
    assert_eq!(seen.result["items"][0]["metadata"]["name"], "a");
    assert_eq!(stage.sent()["preconditions"], json!({"uid": "a-uid", "resourceVersion": "5"}));
    assert_eq!(stage.sent()["propagationPolicy"], "Background");
    let [made] = stage.made().try_into().unwrap();
    assert_eq!(made.change.reversal, Reversal::Cannot(FOR_GOOD.into()));
}

#[tokio::test(start_paused = true)]
async fn a_workload_goes_with_its_pods_and_is_waited_for() {
    let mut web = deployment("shop", "web", 3);
    web["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
    let path = path_of(&web);
    let stage = Stage::new([web.clone()]).on(move |objects, method, _| {
        let leaving = objects.get(&path).is_some_and(is_leaving);
        if method == "GET" && leaving {
            objects.remove(&path);
        }
    });
    let context = stage.context();
    let seen = ready(&ROW, "deployment: shop/web").act(&context).await.unwrap();
    assert!(seen.changed && stage.object(&web).is_none());
    assert_eq!(stage.sent()["propagationPolicy"], "Foreground");
    assert_eq!(stage.made()[0].change.pods, 3);
    assert_eq!(context.last_words().0, "deployment shop/web is going; what it owns goes first");
}

#[tokio::test(start_paused = true)]
async fn another_object_of_the_same_name_is_not_waited_for() {
    let stage = Stage::new([pod("shop", "db-0", "old")]).on(|objects, method, path| {
        if method == "DELETE" {
            objects.insert(path.to_owned(), pod("shop", "db-0", "new"));
        }
    });
    let seen = ready(&ROW, "{pod: shop/db-0, grace-period: 0s}").act(&stage.context()).await.unwrap();
    assert!(seen.changed);
    assert_eq!(stage.sent()["gracePeriodSeconds"], 0);
    assert_eq!(stage.made()[0].change.reversal, Reversal::Nothing);
}

#[tokio::test(start_paused = true)]
async fn an_absent_object_fails_unless_that_is_well() {
    let stage = Stage::new([]);
    let failure = ready(&ROW, "configmap: shop/a").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::NotFound);
    let seen = ready(&ROW, "{configmap: shop/a, missing: ok}").act(&stage.context()).await.unwrap();
    assert_eq!((seen.result, seen.changed), (json!({"items": [], "total": 0}), false));
    let set = ready(&ROW, "configmaps: {in: shop, max: 3}").act(&stage.context()).await.unwrap_err();
    assert_eq!(set.class, Class::Expectation);
    let seen = ready(&ROW, "{configmaps: {in: shop, max: 3}, missing: ok}").act(&stage.context()).await.unwrap();
    assert_eq!(seen.result["total"], 0);
}

#[tokio::test(start_paused = true)]
async fn of_a_set_only_what_still_meets_it_is_deleted() {
    let stage = Stage::new([config("a"), config("b")]).on(|objects, method, path| {
        if method == "GET" && path.ends_with("/configmaps") {
            let kept = objects.get_mut("/api/v1/namespaces/shop/configmaps/b").unwrap();
            kept["data"] = json!({"keep": "yes"});
        }
    });
    let delete = ready(&ROW, "configmaps: {in: shop, max: 3, where: [{path: $.data.keep, exists: false}]}");
    let failure = delete.act(&stage.context()).await.unwrap_err();
    assert!(failure.message.contains("configmap shop/b was changed and no longer meets"), "{failure}");
    assert_eq!(stage.writes(), ["DELETE /api/v1/namespaces/shop/configmaps/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_met_by_reading_again() {
    let stage = Stage::new([config("a")]).refusing(|method, _, asked| {
        (method == "DELETE" && asked == 1).then(|| refusal(409, "Conflict", "Precondition failed: ResourceVersion"))
    });
    assert!(ready(&ROW, "configmap: shop/a").act(&stage.context()).await.unwrap().changed);
    assert_eq!(stage.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_takes_its_pods_with_it() {
    let shop = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop", "uid": "ns", "resourceVersion": "1"}});
    let stage = Stage::new([shop, pod("shop", "a", "1"), pod("shop", "b", "2"), pod("other", "c", "3")]);
    ready(&ROW, "namespace: shop").act(&stage.context()).await.unwrap();
    assert_eq!(stage.made()[0].change.pods, 2);
}

#[test]
fn mistakes_are_named_when_the_book_is_read() {
    assert!(complaints(&ROW, "pods: {in: shop}")[0].message.contains("no `max`"));
    let odd = complaints(&ROW, "{pod: shop/a, grace-period: 500ms}");
    assert_eq!(odd[0].message, "`grace-period` takes whole seconds");
    assert!(complaints(&ROW, "{pod: shop/a, missing: fine}")[0].message.contains("missing"));
}

#[test]
fn only_pods_come_back() {
    assert_eq!(ready(&ROW, "pod: shop/a").effect(), Effect::Passing);
    assert_eq!(ready(&ROW, "job: shop/a").effect(), Effect::Final(FOR_GOOD.into()));
}
