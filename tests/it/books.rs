//! The eight books of the design, each to its end against the simulator.
//!
//! `tests/books/<name>.yaml` is the book as it was designed, and
//! `<name>.scenario.yaml` beside it what the demo world lacks. Only spans of
//! time are shortened here: a test does not sit through a maintenance window.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kit::{Case, Ended, ROOT};
use crate::running::Server;

fn path(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/books").join(name)
}

/// The book, with these texts in the place of others.
fn book(name: &str, shorter: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(path(&format!("{name}.yaml"))).expect("the book");
    shorter.iter().fold(text, |text, (long, short)| {
        assert!(text.contains(long), "{name} holds {long}");
        text.replace(long, short)
    })
}

/// The world of a book: the demo, with what stands beside the book.
fn world(name: &str) -> String {
    fs::read_to_string(path(&format!("{name}.scenario.yaml"))).unwrap_or_else(|_| "world: demo\n".into())
}

fn run(name: &str, words: &[&str]) -> Ended {
    Case::book(&book(name, &[])).world(&world(name)).args(words).run()
}

fn passed(ended: Ended) -> Ended {
    let ended = ended.exits(0);
    assert_eq!(ended.report()["outcome"], "passed", "{}", ended.said());
    ended
}

/// `Kind ns/name: summary` of every change.
fn changes(ended: &Ended) -> Vec<String> {
    let report = ended.report();
    let steps = report["steps"].as_array().into_iter().flatten();
    let changes = steps.flat_map(|step| step["changes"].as_array().cloned().unwrap_or_default());
    changes.map(|change| change["summary"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn restart_app() {
    assert_eq!(passed(run("restart-app", &[])).step("all_new")["status"], "passed");
}

#[test]
fn incident_triage() {
    assert!(changes(&passed(run("incident-triage", &[]))).is_empty());
}

#[test]
fn nightly_pause() {
    let ended = passed(run("nightly-pause", &["--set=namespaces=[shop, user-space-alice]"]));
    assert_eq!(ended.report()["outputs"]["failed"], serde_json::json!([]));
}

#[test]
fn rerun_failed_job() {
    assert_eq!(passed(run("rerun-failed-job", &[])).report()["outputs"]["reason"], "BackoffLimitExceeded");
}

#[test]
fn db_maintenance_stops_what_uses_the_database_and_starts_it_again() {
    let ended = passed(run("db-maintenance", &[]));
    assert_eq!(ended.step("quiet")["status"], "passed");
    assert!(
        changes(&ended).iter().any(|change| change == "run vacuumdb --full --analyze shop"),
        "{:?}",
        changes(&ended)
    );
    assert_eq!(ended.report()["left"]["still-changed"], serde_json::json!([]));
}

#[test]
fn rotate_postgres_password_proves_the_new_and_that_the_old_is_refused() {
    let ended = passed(run("rotate-postgres-password", &[]));
    assert_eq!(ended.step("old_refused")["status"], "passed", "{}", ended.said());
    assert_eq!(ended.step("restart_apps")["info"]["changed"], 1);
}

#[test]
fn rotate_postgres_password_goes_back_where_the_new_one_does_not_work() {
    // Whatever the password: the second look at it fails, as where the operator does not follow.
    let broken = book(
        "rotate-postgres-password",
        &[
            ("attempts: 20, backoff: 3s", "attempts: 2, backoff: 1ms"),
            ("stdin: \"{{ vars.fresh }}\\n\", effect: none", "stdin: \"{{ vars.fresh }}x\\n\", effect: none"),
        ],
    );
    let ended = Case::book(&broken).world(&world("rotate-postgres-password")).run().exits(5);
    assert_eq!(ended.report()["outcome"], "undone", "{}", ended.said());
    let set = changes(&ended).iter().filter(|change| change.starts_with("password of postgres")).count();
    assert_eq!(set, 2, "{:?}", changes(&ended));
}

#[test]
fn drain_node_waits_for_a_person_and_opens_the_node_again() {
    let text = book("drain-node", &[("stays: 1m", "stays: 50ms")]);
    let server = Server::of_text(&world("drain-node"));
    let case =
        server.take(Case::new(["run", "runbook.yaml", "--yes", "--set=node=node-b"]).file("runbook.yaml", &text));
    let paused = case.reporting().run().exits(7);
    assert_eq!(paused.step("drain")["info"]["left"].as_array().map(Vec::len), Some(1), "{}", paused.said());
    let next = paused.said();
    let run =
        next.split("runhub approve ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("what to do next");
    let words = ["approve", run, "--set", "ticket=OPS-7"];
    let ended = server.take(Case::new(words).reporting().at_home_of(paused)).run().exits(0);
    assert_eq!(ended.report()["outputs"]["ticket"], "OPS-7");
    assert_eq!(ended.report()["left"]["still-changed"], serde_json::json!([]), "{}", ended.said());
}

/// A service that is well for so many answers; gives its address.
fn health(well: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/healthz", listener.local_addr().expect("its address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let _ = connection.read(&mut [0; 4096]);
            let is_well = counted.fetch_add(1, Ordering::Relaxed) < well;
            let (status, body) = if is_well { ("200 OK", r#"{"version":"2"}"#) } else { ("503 Busy", "{}") };
            let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
            let _ = write!(connection, "{head}content-length: {}\r\n\r\n{body}", body.len());
        }
    });
    (url, asked)
}

fn canary(well: usize) -> Ended {
    let text = book(
        "canary-image",
        &[("stays: 5m", "stays: 100ms"), ("stays: 2m", "stays: 100ms"), ("every: 5s", "every: 20ms")],
    );
    let (url, _) = health(well);
    let words = ["--set=image=registry.example/shop/web:2.0", &format!("--set=health={url}"), "--allow", "127.0.0.1"];
    Case::book(&text).world(&world("canary-image")).args(words).run()
}

#[test]
fn canary_image_goes_to_everyone_where_the_canary_stays_well() {
    let ended = passed(canary(usize::MAX));
    assert_eq!(changes(&ended).len(), 2, "{:?}", changes(&ended));
}

#[test]
fn canary_image_goes_back_where_the_canary_does_not_stay_well() {
    let ended = canary(2).exits(5);
    assert!(!ended.said().contains("everyone"), "{}", ended.said());
    assert_eq!(ended.report()["left"]["still-changed"], serde_json::json!([]));
}
