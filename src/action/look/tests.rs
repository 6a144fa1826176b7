//! What actions would do, on the stage: nothing is ever written.

use serde_json::{Value, json};

use super::super::stage::{Stage, deployment, pod_of, ready, refusal};
use super::super::{ActionKind, apply, delete, drain, patch, rerun, restart, scale, start, stop, suspend, trigger};
use super::*;

/// What the action would do, and whether nothing was written.
async fn looked(stage: &Stage, foresight: &Foresight, row: &'static ActionKind, text: &str) -> Result<Outlook, Blind> {
    let look = Look::new(stage.context(), foresight.clone(), true);
    let outlook = ready(row, text).look(&look).await;
    assert!(stage.made().is_empty(), "a look changed something");
    outlook
}

fn told(outlook: &Outlook) -> Vec<String> {
    let field = |field: &Written| format!("{} {:?} {:?}", field.pointer, field.before, field.after);
    let told = |effect: &PlannedEffect| {
        let object = effect.object.as_ref().map(ToString::to_string).unwrap_or_default();
        let fields: Vec<String> = effect.fields.iter().map(field).collect();
        format!("{:?} {object}: {} [{}]", effect.kind, effect.summary, fields.join("; "))
    };
    outlook.effects.iter().map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_is_the_difference_that_the_server_rehearses() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let outlook =
        looked(&stage, &Foresight::default(), &scale::ROW, "{deployment: shop/web, replicas: 1}").await.unwrap();
    let lines = ["Change Deployment shop/web: replicas 3 → 1 [/spec/replicas Some(Number(3)) Some(Number(1))]"];
    assert_eq!(told(&outlook), lines);
    assert_eq!((outlook.effects[0].pods, &outlook.effects[0].basis), (2, &Basis::Server));
    assert_eq!(outlook.effects[0].undo, Some(PlannedUndo::Fields));
}

#[tokio::test(start_paused = true)]
async fn a_later_step_is_computed_from_what_an_earlier_one_leaves() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let foresight = Foresight::default();
    looked(&stage, &foresight, &stop::ROW, "deployment: shop/web").await.unwrap();
    let started = looked(&stage, &foresight, &start::ROW, "deployment: shop/web").await.unwrap();
    assert_eq!(started.effects[0].summary, "replicas 0 → 3");
    assert_eq!(started.effects[0].basis, Basis::Computed("after step".into()));
    let set = "deployments: {in: shop, max: 5, held-by: book}";
    let none = looked(&stage, &foresight, &start::ROW, set).await;
    assert!(matches!(none, Err(Blind::Failed(failure)) if failure.message.contains("0 deployments selected")));
}

#[tokio::test(start_paused = true)]
async fn what_perhaps_changes_is_not_computed_from() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let foresight = Foresight::default();
    looked(&stage, &foresight, &stop::ROW, "deployment: shop/web").await.unwrap();
    foresight.forget();
    let blind = looked(&stage, &foresight, &start::ROW, "deployment: shop/web").await.unwrap_err();
    assert_eq!(blind, Blind::Unknown("after step".into()));
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_the_node_and_takes_each_pod_that_is_there() {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "n", "resourceVersion": "1"}, "spec": {}});
    let mut web = pod_of(&deployment("shop", "web", 1), "web-1", "u");
    web["metadata"]["ownerReferences"][0]["controller"] = true.into();
    web["spec"]["nodeName"] = "n1".into();
    let stage = Stage::new([node.clone(), web.clone()]);
    let outlook = looked(&stage, &Foresight::default(), &drain::ROW, "node: n1").await.unwrap();
    assert_eq!(outlook.effects.iter().map(|effect| effect.pods).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(outlook.effects[0].summary, "schedulable → cordoned");
    web["metadata"]["ownerReferences"] = json!([]);
    let refused = looked(&Stage::new([node, web]), &Foresight::default(), &drain::ROW, "node: n1").await.unwrap_err();
    assert!(matches!(refused, Blind::Failed(failure) if failure.message.contains("nothing replaces: shop/web-1")));
}

#[tokio::test(start_paused = true)]
async fn an_apply_tells_what_would_be_created_and_what_would_change() {
    let there = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theme", "namespace": "shop", "uid": "u", "resourceVersion": "5"}, "data": {"colour": "blue"}});
    let stage = Stage::new([there]);
    let map = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: shop}}, data: {{colour: red}}}}"
        )
    };
    let text = format!("objects: [{}, {}]", map("theme"), map("extra"));
    let foresight = Foresight::default();
    let outlook = looked(&stage, &foresight, &apply::ROW, &text).await.unwrap();
    let summaries: Vec<&str> = outlook.effects.iter().map(|effect| effect.summary.as_str()).collect();
    assert_eq!(summaries, ["colour blue → red", "create"]);
    assert_eq!(outlook.effects[1].undo, Some(PlannedUndo::DeleteCreated));
    assert!(
        outlook.effects[1]
            .fields
            .iter()
            .any(|field| field.after.as_ref().is_some_and(|after| after.to_string().contains("red")))
    );
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_restarted_goes() {
    let mut web = pod_of(&deployment("shop", "web", 1), "web-1", "u");
    let owner = &mut web["metadata"]["ownerReferences"][0];
    (owner["controller"], owner["apiVersion"]) = (true.into(), "apps/v1".into());
    let outlook = looked(&Stage::new([web]), &Foresight::default(), &restart::ROW, "pod: shop/web-1").await.unwrap();
    assert_eq!(told(&outlook), ["Restart Pod shop/web-1: evict the pod []"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do_is_no_effect() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let outlook =
        looked(&stage, &Foresight::default(), &scale::ROW, "{deployment: shop/web, replicas: 3}").await.unwrap();
    assert!(outlook.effects.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_server_would_refuse_is_told() {
    let stage = Stage::new([deployment("shop", "web", 3)])
        .refusing(|method, _, _| (method == "PATCH").then(|| refusal(403, "Forbidden", "exceeded quota: pods")));
    let blind =
        looked(&stage, &Foresight::default(), &scale::ROW, "{deployment: shop/web, replicas: 9}").await.unwrap_err();
    assert!(matches!(blind, Blind::Failed(failure) if failure.message.contains("exceeded quota")));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_takes_no_rehearsal_leaves_the_computed_difference() {
    let stage = Stage::new([deployment("shop", "web", 3)]).refusing(|method, _, _| {
        (method == "PATCH").then(|| refusal(400, "BadRequest", "admission webhook \"w\" does not support dry run"))
    });
    let outlook =
        looked(&stage, &Foresight::default(), &scale::ROW, "{deployment: shop/web, replicas: 1}").await.unwrap();
    assert!(matches!(&outlook.effects[0].basis, Basis::Computed(why) if why.contains("does not support dry run")));
    assert_eq!(outlook.effects[0].fields.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_cannot_be_taken_back_and_nothing_follows_it() {
    let stage = Stage::new([deployment("shop", "web", 3)]);
    let foresight = Foresight::default();
    let outlook = looked(&stage, &foresight, &delete::ROW, "deployment: shop/web").await.unwrap();
    assert!(matches!(outlook.effects[0].undo, Some(PlannedUndo::Cannot(_))));
    assert_eq!((outlook.effects[0].kind, outlook.effects[0].pods), (EffectKind::Delete, 3));
    let blind = looked(&stage, &foresight, &scale::ROW, "{deployment: shop/web, replicas: 1}").await.unwrap_err();
    assert!(
        matches!(blind, Blind::Failed(failure) if failure.message == "deployment shop/web would be gone, after step")
    );
}

fn job(ended: bool) -> Value {
    let conditions = if ended { json!([{"type": "Complete", "status": "True"}]) } else { json!([]) };
    json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "shop", "uid": "j1", "resourceVersion": "4"},
        "spec": {"template": {"spec": {"containers": []}}}, "status": {"conditions": conditions}})
}

#[tokio::test(start_paused = true)]
async fn a_job_that_has_ended_goes_and_is_created_again() {
    let outlook =
        looked(&Stage::new([job(true)]), &Foresight::default(), &rerun::ROW, "job: shop/migrate").await.unwrap();
    let kinds: Vec<EffectKind> = outlook.effects.iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Delete, EffectKind::Create]);
}

#[tokio::test(start_paused = true)]
async fn a_generated_name_is_left_open() {
    let nightly = json!({"apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "shop", "uid": "c1", "resourceVersion": "4"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {}}}}});
    let stage = Stage::new([nightly]);
    let foresight = Foresight::default();
    let outlook = looked(&stage, &foresight, &trigger::ROW, "cronjob: shop/nightly").await.unwrap();
    assert_eq!(outlook.effects[0].object.as_ref().unwrap().name, "nightly-*");
    let off = looked(&stage, &foresight, &suspend::ROW, "cronjob: shop/nightly").await.unwrap();
    assert_eq!(off.effects[0].fields.len(), 2, "{:?}", told(&off));
}

#[tokio::test(start_paused = true)]
async fn what_a_secret_holds_is_in_no_difference() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "pw", "namespace": "shop", "uid": "s1", "resourceVersion": "4"}, "data": {"a": "b2xk"}});
    let text = "{secret: shop/pw, body: {data: {a: bmV3}}}";
    let outlook = looked(&Stage::new([secret]), &Foresight::default(), &patch::ROW, text).await.unwrap();
    let field = &outlook.effects[0].fields[0];
    assert_eq!((field.before.clone(), field.after.clone()), (Some(MASK.into()), Some(MASK.into())));
}
