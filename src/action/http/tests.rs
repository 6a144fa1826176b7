use super::*;
use crate::action::stage::{Stage, complaints, ready};
use crate::cluster::testing::{Script, Turn, answer, typed};
use crate::event::Settled;

const PLACE: &str = "https://shop.example/healthz";

fn http(more: &str) -> Http {
    let node = crate::document::read(&crate::source::Source::new("b", format!("{{url: '{PLACE}'{more}}}"))).0.unwrap();
    let mut out = Vec::new();
    let arguments = crate::document::decode(&node, crate::document::Mode::Whole, &mut out);
    assert!(out.is_empty(), "{out:?}");
    Http { arguments: arguments.unwrap() }
}

async fn sent(http: &Http, turn: Turn) -> (Result<Observed, Failure>, Stage, Wire) {
    let (script, stage) = (Script::new([turn]), Stage::new([]));
    let seen = http.through(&stage.context(), script.as_ref(), &Place::parse(PLACE).unwrap()).await;
    let wire = script.wires().remove(0);
    (seen, stage, wire)
}

#[tokio::test(start_paused = true)]
async fn a_read_is_not_journaled_and_its_json_is_data() {
    let (seen, stage, wire) = sent(&http(", headers: {X-Canary: always}"), answer(200, r#"{"version": "1.9"}"#)).await;
    let seen = seen.unwrap();
    assert_eq!(
        seen.result,
        json!({"status": 200, "headers": {"content-type": "application/json"}, "body": {"version": "1.9"}})
    );
    assert!(!seen.changed && stage.made().is_empty());
    assert_eq!((wire.method, wire.path.as_str()), (http::Method::GET, "/healthz"));
    assert_eq!(wire.headers.len(), 1);
    assert_eq!(wire.headers["x-canary"], "always");
}

#[tokio::test(start_paused = true)]
async fn text_stays_text() {
    let (seen, ..) = sent(&http(""), typed(200, "text/plain", "[1]")).await;
    assert_eq!(seen.unwrap().result["body"], "[1]");
}

#[tokio::test(start_paused = true)]
async fn a_status_outside_the_list_is_a_failure_with_the_servers_words() {
    let (seen, ..) = sent(&http(""), typed(503, "text/plain", "\nno healthy upstream\n")).await;
    let failure = seen.unwrap_err();
    assert_eq!((failure.class, failure.http_status), (Class::Command, Some(503)));
    let words = "answered 503 Service Unavailable, which is not among 200-299: no healthy upstream";
    assert!(failure.message.ends_with(words), "{failure}");
    assert!(sent(&http(", ok-status: [200-299, 503]"), typed(503, "text/plain", "")).await.0.is_ok());
    assert!(sent(&http(", ok-status: 404"), typed(404, "text/plain", "")).await.0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_change_is_journaled_with_what_came_of_it() {
    let (seen, stage, wire) = sent(&http(", method: POST, body: {app: web}"), answer(202, "{}")).await;
    assert!(seen.unwrap().changed);
    assert_eq!(wire.headers["content-type"], "application/json");
    assert_eq!(wire.body.unwrap(), r#"{"app":"web"}"#);
    let made = &stage.made()[0];
    assert!(made.is_applied() && made.change.object.name == PLACE);
    assert!(matches!(made.change.reversal, Reversal::Cannot(_)));
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_change_is_said_as_far_as_it_is_known() {
    let post = http(", method: POST, timeout: 2s");
    let (seen, stage, _) = sent(&post, Script::never()).await;
    assert!(seen.unwrap_err().help.unwrap().contains("nobody knows"));
    assert!(matches!(stage.made()[0].settled, Some(Settled::Unknown(_))));
    let (_, stage, _) = sent(&post, Script::fail(TransportError::NotSent("refused".into()))).await;
    assert!(matches!(stage.made()[0].settled, Some(Settled::Refused(_))));
    let (_, stage, _) = sent(&post, answer(422, "no")).await;
    assert!(matches!(stage.made()[0].settled, Some(Settled::Refused(_))));
    let (_, stage, _) = sent(&post, answer(500, "oops")).await;
    assert!(matches!(stage.made()[0].settled, Some(Settled::Unknown(_))));
}

#[tokio::test(start_paused = true)]
async fn a_host_beside_the_target_is_refused_with_the_flag_to_give() {
    let stage = Stage::new([]);
    let failure = ready(&ROW, &format!("url: {PLACE}")).act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Consent);
    assert_eq!(failure.help.unwrap(), "if it is well, run it with `--allow shop.example`");
}

#[test]
fn the_effect_follows_method_and_word() {
    assert_eq!(http("").effect(), super::super::Effect::Nothing);
    assert!(matches!(http(", method: PUT").effect(), super::super::Effect::Final(_)));
    assert_eq!(http(", method: PUT, effect: repeatable").effect(), super::super::Effect::Passing);
    assert_eq!(http(", method: POST, effect: none").effect(), super::super::Effect::Nothing);
}

#[test]
fn what_makes_no_sense_is_named() {
    let first = |yaml: &str| complaints(&ROW, yaml).remove(0).message;
    assert!(first("url: shop.example").contains("no URL"));
    assert!(first("{url: 'http://x/', effect: once}").contains("only read"));
    assert!(first("{url: 'http://x/', body: a}").contains("no `body`"));
    assert!(first("{url: 'http://x/', ok-status: [2xx]}").contains("ok-status"));
}
