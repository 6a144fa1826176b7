use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::action::stage::{Stage, complaints, path_of, pod_of, ready, refusal};
use crate::event::{Reversal, Verb};

const JOBS: &str = "/apis/batch/v1/namespaces/shop/jobs";

fn job(conditions: Value) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "shop", "uid": "old", "resourceVersion": "7",
            "labels": {"job-name": "migrate"}, "annotations": {"team": "shop"}},
        "spec": {"selector": {"matchLabels": {"controller-uid": "old"}},
            "template": {"metadata": {"labels": {"app": "shop", "controller-uid": "old"}}, "spec": {"restartPolicy": "Never"}}},
        "status": {"conditions": conditions}})
}

fn failed() -> Value {
    job(json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}]))
}

fn running() -> Value {
    let mut job = job(json!([]));
    job["status"]["active"] = 1.into();
    job
}

fn rerun(more: &str) -> Box<dyn Action> {
    ready(&ROW, &format!("{{job: shop/migrate{more}}}"))
}

#[tokio::test(start_paused = true)]
async fn a_job_that_has_ended_is_rehearsed_deleted_and_created() {
    let stage = Stage::new([failed()]);
    let seen = rerun("").act(&stage.context()).await.unwrap();
    assert_eq!(stage.writes(), [format!("DELETE {JOBS}/migrate"), format!("POST {JOBS}")]);
    assert_eq!(seen.info["strategy"], "recreate");
    assert_eq!((&seen.info["job"], &seen.info["replaced"]), (&json!("migrate"), &json!("old")));
    let created = stage.sent();
    assert_eq!(created["metadata"]["annotations"], json!({"team": "shop", "runhub.dev/run": "run-1"}));
    assert!(created["spec"].get("selector").is_none() && created.get("status").is_none());
    let made = stage.made();
    assert_eq!(made.iter().map(|made| made.change.verb).collect::<Vec<_>>(), [Verb::Delete, Verb::Create]);
    assert_eq!(made[0].before.as_deref(), Some(&failed()));
    assert!(made.iter().all(|made| matches!(made.change.reversal, Reversal::Cannot(_))));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_would_not_take_again_is_not_deleted() {
    let refuse =
        |method: &str, _: &str, _| (method == "POST").then(|| refusal(403, "Forbidden", "exceeded quota: jobs"));
    let stage = Stage::new([failed()]).refusing(refuse);
    let failure = rerun("").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Forbidden);
    assert!(failure.message.contains("left as it is") && failure.message.contains("exceeded quota"), "{failure}");
    assert!(stage.made().is_empty() && stage.object(&failed()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_after_the_deletion_is_tried_until_it_is_made() {
    // The first POST is the rehearsal; the next three fail.
    let refuse = |method: &str, _: &str, count| {
        (method == "POST" && (2..5).contains(&count)).then(|| refusal(403, "Forbidden", "exceeded quota: jobs"))
    };
    let stage = Stage::new([failed()]).refusing(refuse);
    let seen = rerun("").act(&stage.context()).await.unwrap();
    assert_ne!(seen.result["metadata"]["uid"], "old");
    assert!(stage.object(&failed()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_cannot_be_made_again_is_said_to_be_lost_with_its_manifest() {
    let refuse =
        |method: &str, _: &str, count| (method == "POST" && count > 1).then(|| refusal(500, "InternalError", "etcd"));
    let stage = Stage::new([failed()]).refusing(refuse);
    let failure = rerun("").act(&stage.context()).await.unwrap_err();
    assert!(failure.message.contains("job shop/migrate was deleted and is not created again"), "{failure}");
    assert!(failure.help.unwrap().contains("shop_migrate.job.json"));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_let_go_of_still_creates_what_it_deleted() {
    let refuse = |method: &str, _: &str, count| {
        (method == "POST" && count == 2).then(|| refusal(403, "Forbidden", "exceeded quota: jobs"))
    };
    let stage = Stage::new([failed()]).refusing(refuse);
    let context = stage.context();
    let again = rerun("");
    let let_go = tokio::time::timeout(Duration::from_millis(100), again.act(&context)).await;
    assert!(let_go.is_err() && stage.object(&failed()).is_none());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(stage.object(&failed()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_bound_anew_when_only_the_status_has_changed() {
    let looks = Arc::new(AtomicUsize::new(0));
    let stage = Stage::new([failed()]).on(move |objects, method, path| {
        if method == "POST" && looks.fetch_add(1, Ordering::Relaxed) == 0 {
            let job = objects.get_mut(&format!("{path}/migrate")).unwrap();
            job["metadata"]["resourceVersion"] = "8".into();
            job["status"]["failed"] = 4.into();
        }
    });
    rerun("").act(&stage.context()).await.unwrap();
    assert_eq!(stage.made()[1].change.resource_version, "8");
}

#[tokio::test(start_paused = true)]
async fn the_pods_of_a_running_job_are_deleted_by_uid() {
    let own = pod_of(&running(), "migrate-a", "p1");
    let mut over = pod_of(&running(), "migrate-b", "p2");
    over["status"]["phase"] = "Failed".into();
    let mut foreign = pod_of(&running(), "migrate-c", "p3");
    foreign["metadata"]["ownerReferences"][0]["uid"] = "other".into();
    let stage = Stage::new([running(), own.clone(), over.clone(), foreign.clone()]);
    let seen = rerun("").act(&stage.context()).await.unwrap();
    assert_eq!(seen.info, json!({"strategy": "pods", "job": "migrate", "pods": ["migrate-a"], "replaced": null}));
    assert_eq!(stage.sent()["preconditions"], json!({"uid": "p1"}));
    assert!(stage.object(&own).is_none() && stage.object(&over).is_some() && stage.object(&foreign).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_fails_the_step_with_its_pods_words() {
    let stage = Stage::new([failed()]).on(|objects, method, path| {
        if method == "POST"
            && let Some(job) = objects.get_mut(&format!("{path}/migrate"))
        {
            job["status"] = failed()["status"].clone();
            let mut pod = pod_of(job, "migrate-z", "p9");
            pod["status"] = json!({"phase": "Failed", "containerStatuses": [
                {"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]});
            objects.insert(path_of(&pod), pod);
        }
    });
    let failure = rerun(", wait: 10m").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Hopeless);
    assert!(failure.message.contains("Job shop/migrate failed: BackoffLimitExceeded: too often"), "{failure}");
    assert!(failure.cause.iter().any(|line| line.contains("migrate-z/main: exit code 3")), "{:?}", failure.cause);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_for_the_new_job() {
    let stage = Stage::new([failed()]).on(|objects, method, path| {
        if method == "GET"
            && let Some(job) = objects.get_mut(path).filter(|job| job["metadata"]["uid"] != "old")
        {
            job["status"] = json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]});
        }
    });
    let seen = rerun(", wait: true").act(&stage.context()).await.unwrap();
    assert_eq!(seen.result["status"]["succeeded"], 1);
    assert!(seen.info["waited"].is_u64());
}

#[tokio::test(start_paused = true)]
async fn a_copy_leaves_the_job_and_bears_a_name_of_its_own() {
    let stage = Stage::new([failed()]);
    let seen = rerun(", strategy: copy").act(&stage.context()).await.unwrap();
    assert_eq!(stage.writes(), [format!("POST {JOBS}")]);
    let name = seen.info["job"].as_str().unwrap();
    assert!(name.starts_with("migrate-") && name.len() == 13, "{name}");
    assert!(stage.object(&failed()).is_some());
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    let refused = |strategy, job: &Value| chosen(strategy, job).unwrap_err();
    let mut owned = failed();
    owned["metadata"]["ownerReferences"] = json!([{"kind": "CronJob", "name": "nightly", "uid": "c"}]);
    assert!(refused(Strategy::Auto, &owned).help.unwrap().contains("trigger: {cronjob: shop/nightly}"));
    assert!(refused(Strategy::Pods, &failed()).help.unwrap().contains("recreate"));
    let mut suspended = running();
    suspended["spec"]["suspend"] = true.into();
    assert!(refused(Strategy::Auto, &suspended).help.unwrap().contains("resume"));
    assert_eq!(chosen(Strategy::Auto, &running()), Ok(Strategy::Pods));
}

#[test]
fn a_strategy_that_is_none_is_named() {
    assert!(complaints(&ROW, "{job: shop/migrate, strategy: recrate}")[0].message.contains("recrate"));
    assert!(!rerun("").waits() && rerun(", wait: 10m").waits());
}
