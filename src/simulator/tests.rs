use std::time::Duration;

use axum::extract::Request;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::Dropped;
use super::testkit::Kit;
use crate::clock::Clock;

const PODS: &str = "/api/v1/namespaces/shop/pods";
const CONFIG: &str = "/api/v1/namespaces/shop/configmaps/c";

fn config() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}})
}

/// One request goes wrong, the next is well.
fn faulty(effect: &Value) -> Kit {
    Kit::admin(json!({"objects": [config()], "faults": [{"on": {"namespace": "shop"}, "do": effect}]}))
}

#[tokio::test]
async fn each_fault_strikes_once_in_its_shape() {
    for (effect, status, part) in [
        (json!({"status": 500}), 500, "InternalError"),
        (json!({"status": 502}), 502, "502 Bad Gateway"),
        (json!({"status": 459}), 459, "session_id"),
        (json!({"throttle": {"retry-after": 3}}), 429, "\"retryAfterSeconds\":3"),
        (json!("conflict"), 409, "the object has been modified"),
        (json!("forbid"), 403, "User \"mira\" cannot list resource \"pods\""),
        (json!("html"), 200, "<!DOCTYPE html>"),
        (json!("gone-410"), 410, "too old resource version"),
        (json!("garble"), 200, "\u{1f}"),
    ] {
        let kit = faulty(&effect);
        let (found, body) = kit.get(PODS).await;
        let text = body.as_str().map_or_else(|| body.to_string().replace("\\\"", "\""), str::to_owned);
        assert_eq!(found, status, "{effect}: {text}");
        assert!(text.contains(part), "{effect}: {text}");
        assert_eq!(kit.get(PODS).await.1["kind"], json!("PodList"), "{effect}");
    }
}

#[tokio::test]
async fn a_throttled_client_is_told_when_to_come_back() {
    let response = faulty(&json!({"throttle": {"retry-after": 3}})).call("GET", PODS, "", String::new()).await;
    assert_eq!(response.headers().get("retry-after").map(http::HeaderValue::as_bytes), Some(&b"3"[..]));
}

#[tokio::test]
async fn a_connection_breaks_before_or_after_the_deed() {
    for (effect, done) in [("drop-before", false), ("drop-after", true)] {
        let kit = faulty(&json!(effect));
        let response = kit.call("DELETE", CONFIG, "", String::new()).await;
        assert!(response.extensions().get::<Dropped>().is_some(), "{effect}");
        assert!(response.into_body().collect().await.is_err(), "{effect}");
        assert_eq!(kit.get(CONFIG).await.0 == 404, done, "{effect}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_answer_never_comes_though_the_deed_may_be_done() {
    for (effect, done) in [("stall", false), ("stall-after", true)] {
        let kit = faulty(&json!(effect));
        let call = kit.send("DELETE", CONFIG, None);
        assert!(tokio::time::timeout(Duration::from_mins(1), call).await.is_err(), "{effect}");
        assert_eq!(kit.get(CONFIG).await.0 == 404, done, "{effect}");
    }
}

#[tokio::test]
async fn a_truncated_answer_breaks_in_the_middle() {
    let response = faulty(&json!("truncate")).call("GET", CONFIG, "", String::new()).await;
    let mut body = response.into_body().into_data_stream();
    let first = body.next().await.expect("a chunk").expect("whole");
    assert!(first.starts_with(b"{") && !first.ends_with(b"}"), "{first:?}");
    assert!(body.next().await.expect("an end").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_watch_may_be_closed_or_held_back() {
    let kit = faulty(&json!("close-watch"));
    let mut events = kit.watch("/api/v1/namespaces/shop/configmaps?watch=1").await;
    assert_eq!(events.next().await.map(|(kind, _)| kind), Some("ADDED".into()));
    assert_eq!(events.next().await, None);
    let kit = faulty(&json!("buffer-watch"));
    let mut events = kit.watch("/api/v1/namespaces/shop/configmaps?watch=1&timeoutSeconds=1").await;
    let soon = tokio::time::timeout(Duration::from_millis(500), events.next());
    assert!(soon.await.is_err(), "held back until the watch ends");
    assert_eq!(events.next().await.map(|(kind, _)| kind), Some("ADDED".into()));
}

#[tokio::test]
async fn another_actor_may_change_the_object_in_between() {
    let kit = faulty(&json!({"meddle": {"data": {"colour": "red"}}}));
    let mut mine = config();
    mine["metadata"]["resourceVersion"] = kit.simulator.store().version().to_string().into();
    let (status, body) = kit.send("PUT", CONFIG, Some(mine)).await;
    assert_eq!((status, &body["reason"]), (409, &json!("Conflict")), "{body}");
    let kit = faulty(&json!({"meddle": {"data": {"colour": "red"}}}));
    let (status, body) = kit.patch(CONFIG, "merge-patch+json", json!({"data": {"size": "big"}})).await;
    assert_eq!((status, &body["data"]), (200, &json!({"colour": "red", "size": "big"})));
    assert_eq!(body["metadata"]["managedFields"][0]["manager"], "someone-else");
}

#[tokio::test]
async fn the_clock_of_the_server_may_be_wrong() {
    let kit = Kit::admin(json!({"clock-skew": "-2m", "objects": [config()]}));
    let (_, body) = kit.get(CONFIG).await;
    let born: crate::clock::Timestamp = body["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
    let late = (Clock::system().now() - born).num_seconds();
    assert!((119..=125).contains(&late), "{late}");
}

#[tokio::test]
async fn permissions_may_be_lost_midway() {
    let fault = json!([{"on": {"verb": "patch"}, "after": 1, "times": 99, "do": "forbid"}]);
    let kit = Kit::admin(json!({"objects": [config()], "faults": fault}));
    let patch = || kit.patch(CONFIG, "merge-patch+json", json!({"data": {"a": "b"}}));
    assert_eq!(patch().await.0, 200);
    for _ in 0..3 {
        let (status, body) = patch().await;
        assert_eq!((status, &body["reason"]), (403, &json!("Forbidden")));
    }
    assert_eq!(kit.get(CONFIG).await.0, 200);
}

#[tokio::test]
async fn a_foreign_origin_is_a_forgery() {
    let kit = Kit::admin(json!({})).with_header("origin", "https://evil.example");
    let (status, body) = kit.get(PODS).await;
    assert_eq!(status, 400);
    assert!(body.as_str().is_some_and(|text| text.starts_with("<html>")), "{body}");
}

#[tokio::test]
async fn strangers_are_sent_to_the_login() {
    let kit = Kit::admin(json!({})).without_headers();
    let response = kit.call("GET", PODS, "", String::new()).await;
    assert_eq!((response.status().as_u16(), response.headers().contains_key("location")), (302, true));
    let kit = kit.with_header("x-unauth-error", "Non-Redirect");
    let (status, body) = kit.get(PODS).await;
    assert_eq!((status, &body["method"]), (459, &json!("GET")));
    let kit = kit.with_header("authorization", "Bearer unknown");
    let (status, body) = kit.get(PODS).await;
    assert_eq!((status, &body["reason"]), (401, &json!("Unauthorized")));
}

#[tokio::test]
async fn an_unknown_path_is_the_page_of_the_application() {
    let (status, body) = Kit::admin(json!({})).get("/nowhere").await;
    assert_eq!(status, 200);
    assert!(body.as_str().is_some_and(|text| text.starts_with("<!DOCTYPE html>")), "{body}");
    let plain = Kit::admin(json!({"switches": {"anonymous": "admin"}})).without_headers();
    assert_eq!(plain.get("/nowhere").await, (404, json!("404 page not found\n")));
    assert_eq!(plain.get("/api/v1/nodes").await.0, 200);
}

#[tokio::test]
async fn an_old_server_reads_the_cookie_alone() {
    let kit = Kit::admin(json!({"switches": {"cookie": "required"}}));
    assert_eq!(kit.get("/capi/app/detail").await, (401, json!("Not Login")));
    let (status, body) = kit.get("/api/v1/nodes").await;
    assert_eq!(status, 403);
    assert!(body["message"].as_str().is_some_and(|text| text.contains("system:anonymous")), "{body}");
    let token = kit.simulator.token("mira").expect("a user");
    let kit = kit.with_token(&token).with_header("cookie", &format!("auth_token={token}"));
    assert_eq!(kit.get("/capi/app/detail").await.0, 200);
}

#[tokio::test]
async fn a_body_must_be_json_and_not_too_large() {
    let kit = Kit::admin(json!({}));
    let path = "/api/v1/namespaces/default/configmaps";
    let response = kit.call("POST", path, "application/xml", "<a/>".into()).await;
    assert_eq!(response.status().as_u16(), 415);
    let response = kit.call("POST", path, "application/json", "x".repeat(2_000_000)).await;
    assert_eq!(response.status().as_u16(), 413);
}

#[tokio::test]
async fn requests_are_on_record() {
    let kit = Kit::admin(json!({"objects": [config()]}));
    kit.patch(CONFIG, "merge-patch+json", json!({"data": {"a": "b"}})).await;
    kit.get(&format!("{PODS}?limit=5")).await;
    let seen = kit.simulator.requests();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str(), seen[0].body_digest.len()), ("PATCH", CONFIG, 64));
    assert_eq!((seen[1].query.as_str(), seen[1].status, seen[1].user.as_deref()), ("limit=5", 200, Some("mira")));
}

#[tokio::test]
async fn the_service_can_be_called_without_a_kit() {
    let kit = Kit::admin(json!({}));
    let request = Request::get("/capi/app/detail").body(axum::body::Body::empty()).expect("a request");
    assert_eq!(kit.service().oneshot(request).await.expect("infallible").status(), 302);
}

async fn raw(address: std::net::SocketAddr, token: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nhost: sim\r\nx-authorization: {token}\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("text");
    answer
}

#[tokio::test]
async fn on_a_socket_a_dropped_answer_sends_nothing() {
    let kit = faulty(&json!("drop-before"));
    let token = kit.simulator.token("mira").expect("a user");
    let serving = kit.simulator.serve(0).await.expect("a port");
    assert_eq!(raw(serving.address, &token, PODS).await, "");
    assert!(raw(serving.address, &token, PODS).await.starts_with("HTTP/1.1 200 OK"));
    let address = serving.address;
    drop(serving);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
