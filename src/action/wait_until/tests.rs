use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::action::stage::{Stage, complaints, decoded, pod, ready, refusal};
use crate::cluster::testing::typed;

fn job(name: &str, active: u32) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "4"},
        "spec": {}, "status": {"active": active}})
}

/// A stage whose objects are moved when they are read for the n-th time.
fn moved(objects: Vec<Value>, act: impl Fn(&mut Value, usize) + Send + Sync + 'static) -> Stage {
    let looks = AtomicUsize::new(0);
    Stage::new(objects).on(move |objects, _, _| {
        let look = looks.fetch_add(1, Ordering::Relaxed) + 1;
        for object in objects.values_mut() {
            act(object, look);
        }
    })
}

#[tokio::test(start_paused = true)]
async fn it_looks_until_the_expectation_holds() {
    let stage = moved(vec![pod("shop", "web-1", "p1")], |pod, look| {
        pod["status"]["phase"] = if look < 3 { "Pending" } else { "Succeeded" }.into();
    });
    let wait = ready(&ROW, "{pod: shop/web-1, until: [{path: $.status.phase, equals: Succeeded}], every: 1s}");
    let context = stage.context();
    let seen = wait.act(&context).await.unwrap();
    assert_eq!(seen.result["status"]["phase"], "Succeeded");
    assert_eq!(seen.info, json!({"waited": 3000, "observations": 4}));
    assert!(context.last_words().0.starts_with("$.status.phase should be: equals"), "{:?}", context.last_words());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_there_or_goes_away_is_a_failure() {
    let wait = ready(&ROW, "{pod: shop/web-1, until: [{path: $.status.phase, equals: Succeeded}]}");
    let failure = wait.act(&Stage::new([]).context()).await.unwrap_err();
    assert_eq!(failure.class, Class::NotFound);
    let stage = Stage::new([pod("shop", "web-1", "p1")]).on(|objects, _, _| objects.clear());
    let failure = wait.act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.message, "pod shop/web-1 was deleted while it was waited for");
}

#[tokio::test(start_paused = true)]
async fn every_one_of_a_set_must_hold() {
    let stage = moved(vec![job("a", 0), job("b", 1)], |job, look| {
        if look == 4 {
            job["status"]["active"] = 0.into();
        }
    });
    let wait = ready(&ROW, "{jobs: {in: shop}, until: [{path: $.status.active, default: 0, equals: 0}]}");
    let context = stage.context();
    let seen = wait.act(&context).await.unwrap();
    assert_eq!(seen.result["total"], 2);
    assert!(context.last_words().0.starts_with("1 of 2 not yet; Job shop/b: "), "{:?}", context.last_words());
}

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_a_failure_unless_it_may_be_empty() {
    let wait = |min: &str| ready(&ROW, &format!("{{jobs: {{in: shop{min}}}, until: [{{path: $.x, exists: true}}]}}"));
    let stage = Stage::new([]);
    assert_eq!(wait("").act(&stage.context()).await.unwrap_err().class, Class::Expectation);
    assert_eq!(wait(", min: 0").act(&stage.context()).await.unwrap().result["total"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_is_not_waited_for() {
    let mut failed = job("migrate", 0);
    failed["status"]["conditions"] = json!([{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]);
    let wait = ready(&ROW, "{job: shop/migrate, until: [{path: $.status.succeeded, default: 0, at-least: 1}]}");
    let failure = wait.act(&Stage::new([failed]).context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Hopeless);
    assert!(failure.message.contains("DeadlineExceeded"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_known_by_its_uid() {
    let stage = moved(vec![pod("shop", "web-1", "p1")], |pod, look| {
        if look == 3 {
            pod["metadata"]["uid"] = "p2".into();
        }
    });
    let wait = ready(&ROW, "{pod: shop/web-1, deleted: true}");
    let seen = wait.act(&stage.context()).await.unwrap();
    assert!(seen.info["observations"].as_u64() > Some(1));
    let stage = Stage::new([pod("shop", "a", "p1"), pod("shop", "b", "p2")]).on(|objects, _, _| {
        let first = objects.keys().next().cloned();
        first.and_then(|first| objects.remove(&first));
    });
    let wait = ready(&ROW, "{pods: {in: shop}, deleted: true}");
    let seen = wait.act(&stage.context()).await.unwrap();
    assert_eq!(seen.result, json!({"items": [], "total": 0}));
    assert!(seen.info["observations"].as_u64() > Some(1));
}

#[tokio::test(start_paused = true)]
async fn what_must_stay_fails_when_it_breaks() {
    let stage = moved(vec![pod("shop", "web-1", "p1")], |pod, look| {
        pod["status"]["phase"] = if look < 5 { "Running" } else { "Failed" }.into();
    });
    let wait = ready(
        &ROW,
        "{pod: shop/web-1, until: [{path: $.status.phase, equals: Running}], stays: 1m, every: 5s, fail-on-break: true}",
    );
    let failure = wait.act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Expectation);
    assert!(failure.message.starts_with("it held for 25s and then broke: $.status.phase"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn what_stays_is_done_in_time() {
    let stage = Stage::new([pod("shop", "web-1", "p1")]);
    let wait =
        ready(&ROW, "{pod: shop/web-1, until: [{path: $.status.phase, equals: Running}], stays: 12s, every: 5s}");
    assert_eq!(wait.act(&stage.context()).await.unwrap().info, json!({"waited": 12000, "observations": 4}));
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_an_action_is_waited_for() {
    let stage = Stage::new([pod("shop", "web-1", "p1")]).refusing(|_, path, count| {
        path.ends_with("/log").then(|| match count {
            1 => refusal(400, "BadRequest", "container \"web\" is waiting to start"),
            2 => typed(200, "text/plain", "warming up\n"),
            _ => typed(200, "text/plain", "warming up\nready\n"),
        })
    });
    let wait = ready(&ROW, "{logs: {pod: shop/web-1}, until: [{path: $.text, contains: ready}], every: 2s}");
    let seen = wait.act(&stage.context()).await.unwrap();
    assert_eq!(seen.result["lines"], json!(["warming up", "ready"]));
    assert_eq!(seen.info["observations"], 3);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_time_does_not_mend_ends_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let stage = Stage::new([]).refusing(move |_, _, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Some(refusal(403, "Forbidden", "jobs is forbidden"))
    });
    let wait = ready(&ROW, "{jobs: {in: shop}, until: [{path: $.x, exists: true}]}");
    assert_eq!(wait.act(&stage.context()).await.unwrap_err().class, Class::Forbidden);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn of_a_request_any_status_is_an_answer() {
    let wait = ready(&ROW, "{http: {url: 'https://x.example/'}, until: [{path: $.status, equals: 503}]}");
    assert!(format!("{wait:?}").contains("first: 100, last: 599"), "{wait:?}");
    let wait =
        ready(&ROW, "{http: {url: 'https://x.example/', ok-status: 503}, until: [{path: $.status, equals: 503}]}");
    assert!(!format!("{wait:?}").contains("last: 599"), "{wait:?}");
}

#[test]
fn what_makes_no_sense_is_named() {
    let first = |yaml: &str| complaints(&ROW, yaml).remove(0).message;
    let until = "until: [{path: $.x, exists: true}]";
    assert!(first("{pod: shop/a}").contains("waits for nothing"));
    assert!(first("{pod: shop/a, until: []}").contains("is empty"));
    assert!(first(&format!("{{pod: shop/a, deleted: true, {until}}}")).contains("not both"));
    assert!(first(&format!("{{pod: shop/a, {until}, tolerate: 1}}")).contains("goes with `stays`"));
    assert!(first(&format!("{{pod: shop/a, logs: {{pod: shop/a}}, {until}}}")).contains("looks at one thing"));
    assert!(first("{logs: {pod: shop/a}, deleted: true}").contains("only objects can be gone"));
    let post = format!("{{http: {{url: 'http://x/', method: POST}}, {until}}}");
    assert!(first(&post).contains("a wait only reads"));
    assert!(first(&format!("{{pdo: shop/a, {until}}}")).contains("pdo"));
}

#[test]
fn the_conditions_of_a_wait_are_known_to_check() {
    let yaml =
        "{deployment: '{{ inputs.app }}', until: [{that: result.status.replicas == inputs.replicas}], timeout: 5m}";
    let (wait, out) = decoded(&ROW, yaml, Mode::Holes);
    assert!(out.is_empty(), "{out:?}");
    let wait = wait.unwrap();
    assert_eq!(wait.conditions().len(), 1);
    let canary = "{http: {url: '{{ inputs.health }}', headers: {X-Canary: always}}, until: [{path: $.status, equals: 200}], \
                  stays: 5m, every: 5s, fail-on-break: true, tolerate: 1}";
    let (wait_for_canary, out) = decoded(&ROW, canary, Mode::Holes);
    assert!(out.is_empty() && wait_for_canary.is_some(), "{out:?}");
    assert_eq!(wait.timeout(), Some(Duration::from_mins(5)));
}
