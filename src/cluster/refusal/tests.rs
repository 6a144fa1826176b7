use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::*;
use crate::cluster::transport::RawResponse;

fn answer(status: u16, kind: &str, body: &str) -> RawResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
    RawResponse { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body.to_owned()) }
}

fn refused(layer: Layer, status: u16, kind: &str, body: &str) -> Refusal {
    Refusal::of(layer, &answer(status, kind, body), now()).expect("a refusal")
}

fn now() -> crate::clock::Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn status(code: u16, reason: &str, message: &str, details: &Value) -> Refusal {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "details": details, "code": code});
    refused(Layer::Kubernetes, code, "application/json", &body.to_string())
}

#[test]
fn a_status_keeps_reason_words_and_details() {
    let refusal = status(404, "NotFound", "pods \"ghost\" not found", &json!({"name": "ghost", "kind": "pods"}));
    assert!(refusal.is_not_found() && !refusal.is_unrouted());
    assert_eq!(refusal.to_string(), "pods \"ghost\" not found (HTTP 404 NotFound)");
    assert_eq!(refusal.details.unwrap()["name"], "ghost");
    assert_eq!(refusal.layer, Layer::Kubernetes);
}

#[test]
fn an_unknown_api_is_not_an_absent_object() {
    let refusal = status(404, "NotFound", "the server could not find the requested resource", &json!({}));
    assert!(refusal.is_unrouted() && !refusal.is_not_found());
    let bare = refused(Layer::Kubernetes, 404, "text/plain", "404 page not found\n");
    assert!(bare.is_unrouted() && !bare.is_not_found());
    let kapis = refused(Layer::Kapis, 404, "text/plain", "404: Page Not Found");
    assert!(kapis.is_unrouted() && !kapis.is_not_found());
}

#[test]
fn the_words_of_conflict_are_told_apart() {
    let conflict = status(409, "Conflict", "the object has been modified", &json!({}));
    assert!(conflict.is_conflict() && !conflict.is_already_exists() && !conflict.is_precondition());
    let exists = status(409, "AlreadyExists", "jobs.batch \"x\" already exists", &json!({"name": "x"}));
    assert!(exists.is_already_exists() && !exists.is_conflict());
    for words in [
        "Operation cannot be fulfilled on pods \"x\": Precondition failed: UID in precondition: a, UID in object meta: b",
        "Operation cannot be fulfilled on Pod \"x\": the UID in the precondition (a) does not match the UID in record (b)",
    ] {
        assert!(status(409, "Conflict", words, &json!({})).is_precondition());
    }
}

#[test]
fn gone_invalid_and_forbidden_have_their_words() {
    assert!(status(410, "Expired", "too old resource version", &json!({})).is_gone());
    assert!(status(422, "Invalid", "spec.replicas: must be >= 0", &json!({})).is_invalid());
    let forbidden =
        status(403, "Forbidden", "nodes is forbidden: User &#34;tomo&#34; cannot list", &json!({"kind": "nodes"}));
    assert!(forbidden.is_forbidden() && !forbidden.is_unauthenticated());
    assert!(forbidden.message.contains("User \"tomo\""), "{}", forbidden.message);
}

#[test]
fn a_disruption_budget_is_not_throttling() {
    let budget = status(
        429,
        "TooManyRequests",
        "Cannot evict pod",
        &json!({"causes": [{"reason": "DisruptionBudget", "message": "m"}]}),
    );
    assert!(budget.is_disruption_budget() && !budget.is_throttled() && !budget.is_transient());
    let throttled = status(429, "TooManyRequests", "slow down", &json!({"retryAfterSeconds": 7}));
    assert!(throttled.is_throttled() && throttled.is_transient());
    assert_eq!(throttled.retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn kubesphere_speaks_plain_text_escaped_for_a_page() {
    let refusal = refused(Layer::Kapis, 500, "text/plain; charset=utf-8", "nodes &#34;n9&#34; not found\n");
    assert_eq!(refusal.message, "nodes \"n9\" not found");
    assert!(refusal.is_not_found() && !refusal.is_transient());
    assert_eq!(refusal.layer, Layer::Kapis);
    let broken = refused(Layer::Kapis, 500, "text/plain", "Internal server error");
    assert!(broken.is_server_error() && broken.is_transient() && !broken.is_not_found());
}

#[test]
fn message_and_error_bodies_are_read() {
    let message = refused(Layer::Kapis, 400, "application/json", r#"{"message":"invalid operation x"}"#);
    assert_eq!(message.to_string(), "invalid operation x (HTTP 400)");
    let error = refused(Layer::Other, 500, "application/json", r#"{"error":"boom","code":7}"#);
    assert_eq!((error.message.as_str(), error.code), ("boom", Some(7)));
    let nested = refused(Layer::Other, 403, "application/json", r#"{"error":{"message":"denied"}}"#);
    assert_eq!(nested.message, "denied");
    let absent =
        refused(Layer::Other, 404, "application/json", r#"{"code":"ResourceNotFound","message":"no cluster x"}"#);
    assert!(absent.is_not_found());
}

#[test]
fn a_login_challenge_is_never_repeated() {
    let body = r#"{"fa2":false,"method":"GET","session_id":"s3cr3t","target_url":"https://x/?token=s3cr3t"}"#;
    for status in [459, 401] {
        let refusal = refused(Layer::Capi, status, "application/json", body);
        assert!(refusal.is_unauthenticated());
        assert_eq!(refusal.layer, Layer::Edge);
        assert!(!format!("{refusal:?} {refusal}").contains("s3cr3t"));
    }
}

#[test]
fn a_bff_without_a_token_means_a_login_whatever_its_status() {
    assert!(refused(Layer::Capi, 401, "text/plain", "Not Login").is_unauthenticated());
    assert!(refused(Layer::Capi, 500, "text/plain", "Not Login").is_unauthenticated());
    assert!(!refused(Layer::Kapis, 500, "text/plain", "Not Login").is_unauthenticated());
}

#[test]
fn a_page_behind_200_is_an_unrouted_path() {
    let refusal = refused(Layer::Kapis, 200, "text/html; charset=utf-8", "<!doctype html><title>Control Hub</title>");
    assert!(refusal.is_unrouted() && !refusal.is_not_found());
    assert_eq!(refusal.layer, Layer::Router);
    assert!(!refusal.message.contains("doctype"));
}

#[test]
fn a_page_behind_an_error_is_its_title() {
    let refusal = refused(
        Layer::Kubernetes,
        502,
        "text/html",
        "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    );
    assert_eq!(refusal.message, "502 Bad Gateway");
    assert!(refusal.is_transient());
    let without = refused(Layer::Kubernetes, 400, "text/html", "<html>forged</html>");
    assert_eq!(without.message, "bad request");
}

#[test]
fn the_middleware_says_no_inside_a_200() {
    let denied = refused(
        Layer::Middleware,
        200,
        "application/json",
        r#"{"code":403,"message":"Must be platform admin","data":null}"#,
    );
    assert!(denied.is_forbidden());
    assert_eq!((denied.code, denied.message.as_str()), (Some(403), "Must be platform admin"));
    let token = refused(Layer::Middleware, 200, "application/json", r#"{"code":401,"message":"Auth token not found"}"#);
    assert!(token.is_unauthenticated());
    for good in [r#"{"code":200,"data":[]}"#, r#"{"code":0}"#, r#"{"data":[]}"#] {
        assert_eq!(Refusal::of(Layer::Middleware, &answer(200, "application/json", good), now()), None);
    }
    assert_eq!(Refusal::of(Layer::Kubernetes, &answer(200, "application/json", r#"{"code":403}"#), now()), None);
}

#[test]
fn the_middleware_handlers_speak_plain_text() {
    let refusal = refused(Layer::Middleware, 501, "text/plain", "Not Implemented");
    assert_eq!(refusal.message, "Not Implemented");
    assert!(refusal.is_server_error() && !refusal.is_transient() && !refusal.may_have_applied());
}

#[test]
fn a_redirect_names_its_goal_without_the_query() {
    let mut answer = answer(302, "text/html", "<a>Found</a>");
    answer.headers.insert(header::LOCATION, "https://auth.x.example/login?rd=https%3A%2F%2Fsecret".parse().unwrap());
    let refusal = Refusal::of(Layer::Kubernetes, &answer, now()).unwrap();
    assert_eq!(refusal.message, "the server redirects to https://auth.x.example/login");
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    for (text, seconds) in [("12", 12), ("Fri, 02 Jan 2026 03:05:05 GMT", 60), ("Fri, 02 Jan 2026 03:00:00 GMT", 0)] {
        let mut answer = answer(503, "text/plain", "");
        answer.headers.insert(header::RETRY_AFTER, text.parse().unwrap());
        let refusal = Refusal::of(Layer::Kubernetes, &answer, now()).unwrap();
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(seconds)), "{text}");
        assert_eq!(refusal.message, "service unavailable");
    }
}

#[test]
fn long_words_are_cut_and_success_is_no_refusal() {
    let refusal = refused(Layer::Other, 500, "text/plain", &"é".repeat(900));
    assert_eq!(refusal.message.chars().count(), 501);
    assert_eq!(Refusal::of(Layer::Kubernetes, &answer(200, "application/json", "{}"), now()), None);
    assert_eq!(Refusal::of(Layer::Kubernetes, &answer(200, "text/plain", "<html> is a line of a log"), now()), None);
}

proptest::proptest! {
    #[test]
    fn no_answer_is_too_strange(status in 200u16..600, kind in "(text/html|application/json|text/plain|)", body in "\\PC{0,200}") {
        for layer in [Layer::Kubernetes, Layer::Kapis, Layer::Capi, Layer::Middleware, Layer::Other] {
            let found = Refusal::of(layer, &answer(status, &kind, &body), now());
            proptest::prop_assert!(found.is_some() || status < 300);
        }
    }
}
