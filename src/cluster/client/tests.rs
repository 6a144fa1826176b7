use std::time::Duration;

use serde_json::json;

use super::*;
use crate::cluster::identity::LoginEnded;
use crate::cluster::resource::{DEPLOYMENT, POD};
use crate::cluster::testing::{Badge, Script, answer, client, client_as, typed};
use crate::cluster::transport::TransportError;
use crate::cluster::verbs::Deletion;

fn get() -> Request<Read> {
    DEPLOYMENT.at(Some("shop"), "web").unwrap().get()
}

fn delete() -> Request<Write> {
    POD.at(Some("shop"), "web-1").unwrap().delete(&Deletion::default())
}

fn forbidden() -> String {
    json!({"kind": "Status", "reason": "Forbidden", "message": "pods is forbidden", "code": 403}).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_on_through_passing_trouble() {
    let script = Script::new([
        answer(500, "{}"),
        Script::fail(TransportError::Broken("reset".into())),
        answer(429, "{}"),
        answer(200, r#"{"kind":"Deployment"}"#),
    ]);
    let found = client(&script).read_json(&get()).await.unwrap();
    assert_eq!(found["kind"], "Deployment");
    assert_eq!(script.seen(), ["GET /apis/apps/v1/namespaces/shop/deployments/web"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_not_sent_again_when_it_may_have_applied() {
    for turn in [answer(500, "{}"), answer(503, "{}"), Script::fail(TransportError::Broken("reset".into()))] {
        let script = Script::new([turn]);
        let error = client(&script).write(&delete()).await.unwrap_err();
        assert!(error.may_have_applied(), "{error:?}");
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_cannot_have_arrived_is_sent_again() {
    let script =
        Script::new([Script::fail(TransportError::NotSent("refused".into())), answer(429, "{}"), answer(200, "{}")]);
    assert_eq!(client(&script).write(&delete()).await.unwrap().status, 200);
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_renewed_and_the_request_sent_once_more() {
    let script = Script::new([answer(459, "{}"), answer(200, "{}")]);
    let badge = Badge::new([Ok(true)]);
    client_as(&script, &badge).write(&delete()).await.unwrap();
    let tokens: Vec<_> = script.wires().iter().map(|wire| wire.headers["x-authorization"].clone()).collect();
    assert_eq!(tokens, ["token-0", "token-1"]);
    assert_eq!(script.wires()[0].body, script.wires()[1].body);
}

#[tokio::test(start_paused = true)]
async fn a_login_is_renewed_at_most_once_a_request() {
    let script = Script::new([answer(401, "{}"), answer(401, "{}")]);
    let badge = Badge::new([Ok(true), Ok(true), Ok(true)]);
    let error = client_as(&script, &badge).read(&get()).await.unwrap_err();
    assert!(error.refusal().is_some_and(Refusal::is_unauthenticated));
    assert_eq!((badge.renewals(), script.seen().len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn where_there_is_nothing_newer_the_refusal_stands() {
    let script = Script::new([answer(401, "{}")]);
    let badge = Badge::new([Ok(false)]);
    let error = client_as(&script, &badge).read(&get()).await.unwrap_err();
    assert_eq!(error.refusal().map(|refusal| refusal.status), Some(401));
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_never_touches_the_login() {
    for turn in [answer(403, forbidden()), typed(403, "text/html", "<title>403</title>"), typed(403, "text/plain", "")]
    {
        let badge = Badge::new([Ok(true)]);
        let error = client_as(&Script::new([turn]), &badge).read(&get()).await.unwrap_err();
        assert!(error.refusal().is_some_and(Refusal::is_forbidden));
        assert_eq!(badge.renewals(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ended_login_says_so_and_is_not_tried_again() {
    let script = Script::new([answer(401, "{}")]);
    let badge = Badge::new([Err(LoginEnded::new("it ended", "log in"))]);
    let error = client_as(&script, &badge).read(&get()).await.unwrap_err();
    assert_eq!(error.to_string(), "it ended; log in");
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_json_is_named_where_json_is_needed() {
    let script = Script::new([typed(200, "text/plain", "hello")]);
    let response = client(&script).read(&get()).await.unwrap();
    assert_eq!(response.text(), "hello");
    assert!(matches!(response.json(), Err(Error::Body(_))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_cut_off_or_too_large_is_an_error_of_its_body() {
    let status = http::StatusCode::OK;
    let script = Script::new([Script::fail(TransportError::TooLarge { status, limit: 9 })]);
    let error = client(&script).read(&get()).await.unwrap_err();
    assert_eq!(error.to_string(), "the answer (HTTP 200) is larger than 9 bytes");
    let script = Script::new([Script::fail(TransportError::Truncated { status, cause: "reset".into() })]);
    let error = client(&script).write(&delete()).await.unwrap_err();
    assert!(matches!(error, Error::Body(_)) && error.may_have_applied());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_refused_is_a_refusal_after_one_renewal() {
    let pods = POD.within(Some("shop")).unwrap();
    let script = Script::new([answer(401, "{}"), answer(403, forbidden())]);
    let badge = Badge::new([Ok(true)]);
    let error = client_as(&script, &badge).stream(&pods.watch("1", 60)).await.unwrap_err();
    assert_eq!(error.to_string(), "pods is forbidden (HTTP 403 Forbidden)");
    assert_eq!(badge.renewals(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_waits_the_same_time() {
    let mut times = Vec::new();
    for _ in 0..2 {
        let began = tokio::time::Instant::now();
        let script = Script::new([answer(500, "{}"), answer(500, "{}"), answer(200, "{}")]);
        client(&script).with_retry(RetryPolicy::seeded(7)).read(&get()).await.unwrap();
        times.push(began.elapsed());
    }
    assert_eq!(times[0], times[1]);
    assert!(times[0] > Duration::from_millis(300), "{times:?}");
}
