use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::action::stage::{Stage, complaints, deployment, pod, pod_of, ready, refusal};
use crate::cluster::testing::typed;

fn logs(more: &str) -> Box<dyn Action> {
    ready(&ROW, &format!("{{pod: shop/web-1{more}}}"))
}

fn plain(text: &'static str) -> crate::cluster::testing::Turn {
    typed(200, "text/plain", text)
}

fn not_started() -> crate::cluster::testing::Turn {
    refusal(400, "BadRequest", "container \"web\" in pod \"web-1\" is waiting to start: ContainerCreating")
}

#[tokio::test(start_paused = true)]
async fn one_container_has_no_prefix() {
    let stage = Stage::new([pod("shop", "web-1", "p1")])
        .refusing(|_, path, _| path.ends_with("/log").then(|| plain("listening\nready\n")));
    let seen = logs(", tail: 20, artifact: web.log").act(&stage.context()).await.unwrap();
    assert_eq!(seen.result, json!({"lines": ["listening", "ready"], "text": "listening\nready\n"}));
    assert_eq!(seen.info, json!({"containers": 1, "missing": [], "artifact": "web.log"}));
}

#[tokio::test(start_paused = true)]
async fn several_pods_are_told_apart_and_one_without_a_log_is_told_of() {
    let mut set = deployment("shop", "web", 2);
    set["kind"] = "StatefulSet".into();
    let stage =
        Stage::new([set.clone(), pod_of(&set, "web-1", "p1"), pod_of(&set, "web-2", "p2")]).refusing(|_, path, _| {
            match path {
                path if path.ends_with("web-1/log") => Some(plain("ready\n")),
                path if path.ends_with("web-2/log") => Some(not_started()),
                _ => None,
            }
        });
    let seen = ready(&ROW, "statefulset: shop/web").act(&stage.context()).await.unwrap();
    assert_eq!(seen.result["lines"], json!(["web-1/web: ready"]));
    assert_eq!(seen.info["missing"][0]["container"], "web-2/web");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_has_not_started_is_a_clear_failure() {
    let stage =
        Stage::new([pod("shop", "web-1", "p1")]).refusing(|_, path, _| path.ends_with("/log").then(not_started));
    let failure = logs("").act(&stage.context()).await.unwrap_err();
    assert!(failure.message.contains("is waiting to start: ContainerCreating"), "{failure}");
    assert!(failure.help.unwrap().contains("has no log before it starts"));
}

#[tokio::test(start_paused = true)]
async fn a_workload_without_pods_is_a_failure() {
    let stage = Stage::new([deployment("shop", "web", 0)]);
    let failure = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.message, "Deployment shop/web has no pods, and so no logs");
}

#[tokio::test(start_paused = true)]
async fn following_begins_before_the_container_and_ends_with_the_line() {
    let stage = Stage::new([pod("shop", "web-1", "p1")]).refusing(|_, path, count| {
        path.ends_with("/log").then(|| match count {
            1 => not_started(),
            2 => plain("2026-01-01T00:00:01Z warming up\n"),
            _ => plain(
                "2026-01-01T00:00:01Z warming up\n2026-01-01T00:00:02Z listening on :80\n2026-01-01T00:00:03Z more\n",
            ),
        })
    });
    let seen = logs(", follow: {until-line: '^listening'}").act(&stage.context()).await.unwrap();
    assert_eq!(seen.result["lines"], json!(["warming up", "listening on :80"]));
    assert_eq!(seen.info["found"], "listening on :80");
}

#[tokio::test(start_paused = true)]
async fn moments_are_kept_where_they_are_asked_for_and_do_not_hide_the_line() {
    let stage = Stage::new([pod("shop", "web-1", "p1")])
        .refusing(|_, path, _| path.ends_with("/log").then(|| plain("2026-01-01T00:00:01Z listening\n")));
    let seen = logs(", timestamps: true, follow: {until-line: '^listening'}").act(&stage.context()).await.unwrap();
    assert_eq!(seen.result["lines"], json!(["2026-01-01T00:00:01Z listening"]));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_ends_without_the_line_is_a_failure() {
    let mut over = pod("shop", "web-1", "p1");
    over["status"]["phase"] = "Succeeded".into();
    let stage =
        Stage::new([over]).refusing(|_, path, _| path.ends_with("/log").then(|| plain("2026-01-01T00:00:01Z bye\n")));
    let failure = logs(", follow: {until-line: listening}").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Expectation);
    assert_eq!(failure.cause, ["bye"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_pattern_a_log_is_followed_to_its_end() {
    let looks = AtomicUsize::new(0);
    let stage = Stage::new([pod("shop", "web-1", "p1")])
        .refusing(|_, path, count| {
            path.ends_with("/log").then(|| match count {
                1 => plain("2026-01-01T00:00:01Z one\n"),
                _ => plain("2026-01-01T00:00:01Z one\n2026-01-01T00:00:02Z two\n"),
            })
        })
        .on(move |objects, _, path| {
            // The target, the look before the first reading; the next look finds it ended.
            if path.ends_with("/web-1") && looks.fetch_add(1, Ordering::Relaxed) == 1 {
                for pod in objects.values_mut() {
                    pod["status"]["phase"] = "Succeeded".into();
                }
            }
        });
    let seen = logs(", follow: {}").act(&stage.context()).await.unwrap();
    assert_eq!((&seen.result["lines"], &seen.info["found"]), (&json!(["one", "two"]), &Value::Null));
}

#[derive(Debug, Default)]
struct Heard(std::sync::Mutex<Vec<String>>);

impl crate::action::Ear for Heard {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_as_it_comes_is_not_kept_and_holds_no_secret() {
    let mut over = pod("shop", "web-1", "p1");
    over["status"]["phase"] = "Succeeded".into();
    let stage = Stage::new([over])
        .refusing(|_, path, _| path.ends_with("/log").then(|| plain("2026-01-01T00:00:01Z pw hunter2hunter2\n")));
    let heard = std::sync::Arc::new(Heard::default());
    let context = stage.context().heard_by(heard.clone());
    context.conceal(&json!("hunter2hunter2"));
    let seen = logs(", follow: {}").act(&context).await.unwrap();
    assert_eq!(seen.result["lines"], json!([]));
    assert_eq!(*heard.0.lock().unwrap(), ["pw ***"]);
}

#[test]
fn what_contradicts_itself_is_named_at_its_key() {
    let of = |yaml: &str| complaints(&ROW, yaml).into_iter().map(|complaint| complaint.message).collect::<Vec<_>>();
    assert!(of("{pod: shop/web-1, previous: true, follow: {until-line: x}}")[0].contains("not both"));
    assert!(of("{pod: shop/web-1, timeout: 5m}")[0].contains("goes with `follow`"));
    assert!(of("{container: shop/web-1/web, all-containers: true}")[0].contains("one container is named"));
    assert!(of("{pod: shop/web-1, follow: {until-line: '('}}")[0].contains("until-line"));
}

#[test]
fn the_part_is_what_was_asked_for() {
    let node = crate::document::read(&crate::source::Source::new("b", "{tail: 5, since: 1500ms}")).0.unwrap();
    let arguments: Arguments = crate::document::decode(&node, crate::document::Mode::Whole, &mut Vec::new()).unwrap();
    let target = Target::Object(crate::document::CustomObject {
        api_version: "v1".into(),
        kind: "Pod".into(),
        namespace: None,
        name: "x".into(),
    });
    let part = Logs { target, arguments }.part();
    assert_eq!((part.tail, part.since_seconds), (Some(5), Some(2)));
}
