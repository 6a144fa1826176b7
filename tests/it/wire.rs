//! What goes over the wire when the wire or the server is in a bad mood.

use std::fs;

use crate::kit::{Case, Ended, WORLD};
use crate::running::Server;

const GROW: &str = "\
runbook: v1
name: grow
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: 5}
";

const LOOKS: &str = "\
runbook: v1
name: look
steps:
  - {id: one, get: {deployment: shop/web}}
  - {id: two, get: {deployment: shop/web}}
  - {id: three, get: {deployment: shop/web}}
";

fn in_mood(book: &str, mood: &str) -> Ended {
    let world = fs::read_to_string(WORLD).expect("the world");
    Case::book(book).world(&format!("{world}{mood}")).run()
}

fn count(ended: &Ended, start: &str) -> usize {
    ended.requests().iter().filter(|request| request.starts_with(start)).count()
}

const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

#[test]
fn a_write_whose_answer_was_lost_is_looked_up_and_not_sent_again() {
    let mood = "faults: [{on: {resource: deployments, verb: patch}, do: drop-after}]\n";
    let ended = in_mood(GROW, mood).exits(0);
    assert_eq!(count(&ended, "PATCH"), 1, "{:?}", ended.requests());
    assert_eq!(ended.step("grow")["changed"], true);
}

#[test]
fn a_write_that_never_arrived_is_no_change() {
    let mood = "faults: [{on: {resource: deployments, verb: patch}, times: 9, do: drop-before}]\n";
    let ended = in_mood(GROW, mood).exits(1);
    assert_eq!(ended.report()["left"]["still-changed"], serde_json::json!([]));
    assert_eq!(ended.report()["counts"]["changes"], 0);
}

#[test]
fn reads_are_tried_again_when_the_server_is_busy_or_broken() {
    let mood = "\
faults:
  - {on: {resource: deployments, verb: get}, do: {throttle: {}}}
  - {on: {resource: deployments, verb: get}, after: 2, do: {status: 503}}
  - {on: {resource: deployments, verb: get}, after: 4, do: drop-before}
";
    let ended = in_mood(LOOKS, mood).exits(0);
    assert_eq!(count(&ended, &format!("GET {WEB}")), 6, "{:?}", ended.requests());
    assert_eq!(ended.report()["counts"]["passed"], 3);
}

#[test]
fn a_throttled_write_is_sent_again_because_it_was_not_done() {
    let mood = "faults: [{on: {resource: deployments, verb: patch}, do: {throttle: {retry-after: 0}}}]\n";
    let ended = in_mood(GROW, mood).exits(0);
    assert!(count(&ended, "PATCH") >= 2, "{:?}", ended.requests());
    assert_eq!(ended.report()["counts"]["changes"], 1);
}

#[test]
fn an_expired_token_is_refreshed_once_and_the_request_sent_again() {
    let ended = in_mood(LOOKS, "tokens: {requests: 2}\n").exits(0);
    assert_eq!(count(&ended, "POST /api/refresh"), 1, "{:?}", ended.requests());
}

#[test]
fn a_refresh_token_that_rotates_is_kept() {
    let ended = in_mood(LOOKS, "tokens: {requests: 1, refresh: rotates}\nswitches: {expired: '401'}\n").exits(0);
    assert_eq!(count(&ended, "POST /api/refresh"), 2, "{:?}", ended.requests());
}

#[test]
fn a_forbidden_read_never_burns_the_login() {
    let mood = "faults: [{on: {resource: deployments, verb: get}, do: forbid}]\n";
    let ended = in_mood(LOOKS, mood).exits(4);
    assert_eq!(count(&ended, "POST /api/refresh"), 0, "{:?}", ended.requests());
    assert_eq!(ended.report()["exit"]["class"], "forbidden");
}

#[test]
fn a_change_by_someone_else_is_left_alone_when_ours_is_taken_back() {
    let server = Server::of(WORLD);
    let book = "\
runbook: v1
name: first
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: 5, wait: true}
  - id: seen
    wait: {deployment: shop/web, until: [{path: $.spec.replicas, equals: 7}], timeout: 1m}
  - fail: enough
on-failure:
  - undo-steps: all
";
    let other = GROW.replace("replicas: 5", "replicas: 7");
    let first = crate::running::Running::start(server.take(Case::book(book))).says("… seen");
    let _ = server.take(Case::book(&other)).run().exits(0);
    let ended = first.ends().exits(9);
    assert_eq!(ended.report()["outcome"], "undo-failed");
    assert_eq!(ended.report()["left"]["still-changed"][0]["field"], "/spec/replicas");
    assert!(ended.said().contains('7'), "{}", ended.said());
    let check = LOOKS.replace(
        "get: {deployment: shop/web}}",
        "get: {deployment: shop/web}, expect: [{path: $.spec.replicas, equals: 7}]}",
    );
    let _ = server.take(Case::book(&check)).run().exits(0);
}
