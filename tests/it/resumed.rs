//! A run that broke off, and goes on.

use std::io::Write as _;

use serde_json::Value;

use crate::kit::{Case, Ended, WORLD};
use crate::running::{Running, Server};

const BOOK: &str = "\
runbook: v1
name: three-changes
vars:
  token: {value: '{{ random_text(24) }}', secret: true}
steps:
  - id: look
    get: {deployment: shop/web}
    outputs: {replicas: {path: $.spec.replicas, default: 1}}
  - id: grow
    scale: {deployment: shop/web, replicas: 4, wait: true}
  - id: halt
    pause: 10m
  - id: told
    note: it had {{ steps.look.outputs.replicas }}
";

/// The book, stopped in the middle by SIGKILL.
fn killed(server: &Server, book: &str) -> Ended {
    let case = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", book));
    Running::start(case).says("✓ grow").signal("KILL").ends()
}

fn run_of(ended: &Ended) -> String {
    let name = |path: &std::path::PathBuf| path.parent()?.file_name()?.to_str().map(str::to_owned);
    let journal = ended.files().into_iter().find(|path| path.ends_with("journal.jsonl"));
    journal.as_ref().and_then(name).expect("a run")
}

fn again(server: &Server, ended: Ended, words: &[&str]) -> Ended {
    let run = run_of(&ended);
    let words = words.iter().map(|word| word.replace("RUN", &run)).collect::<Vec<_>>();
    server.take(Case::new(words).reporting().at_home_of(ended)).run()
}

#[test]
fn a_killed_run_goes_on_and_changes_nothing_twice() {
    let server = Server::of(WORLD);
    let left = killed(&server, BOOK);
    let home = left.files();
    let book = home.iter().find(|path| path.ends_with("runbook.yaml")).unwrap();
    let text = BOOK.replace("pause: 10m", "pause: 1ms");
    std::fs::File::create(book).unwrap().write_all(text.as_bytes()).unwrap();
    let refused = again(&server, left, &["resume", "RUN"]).exits(4);
    assert!(
        refused.stderr.contains("-     pause: 10m") && refused.stderr.contains("+     pause: 1ms"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--accept-changes halt"), "{}", refused.stderr);
    let ended = again(&server, refused, &["resume", "RUN", "--accept-changes", "halt"]).exits(0);
    let report = ended.report();
    assert_eq!(report["outcome"], "passed", "{}", ended.said());
    assert_eq!(report["counts"]["steps"], 4);
    assert_eq!(report["counts"]["changes"], 1);
    assert_eq!(report["run"]["resumed"].as_array().map(Vec::len), Some(1));
    assert!(report["run"]["journal-root"].is_string());
    assert_eq!(ended.step("told")["notes"][0], "it had 3", "{}", ended.said());
    let patches = server.requests().into_iter().filter(|seen| seen.starts_with("PATCH")).count();
    assert_eq!(patches, 1);
    let over = again(&server, ended, &["resume", "RUN"]).exits(2);
    assert!(over.stderr.contains("the run has ended (passed)"), "{}", over.stderr);
}

#[test]
fn an_approval_pauses_the_run_and_its_fields_are_outputs() {
    let book = "\
runbook: v1
name: approved
steps:
  - id: go
    approve: {message: cut over?, fields: {ticket: {type: string}}, by: [tester]}
  - id: grow
    scale: {deployment: shop/web, replicas: 4, wait: true}
  - id: told
    note: by {{ steps.go.outputs.ticket }}
";
    let server = Server::of(WORLD);
    let case = || server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", book).reporting());
    let paused = case().run().exits(7);
    assert_eq!(paused.report()["outcome"], "paused");
    assert!(paused.stdout.contains("runhub approve"), "{}", paused.said());
    let incomplete = again(&server, paused, &["approve", "RUN"]).exits(7);
    assert!(incomplete.said().contains("ticket"), "{}", incomplete.said());
    let ended = again(&server, incomplete, &["approve", "RUN", "--set", "ticket=OPS-7"]).exits(0);
    assert_eq!(ended.step("told")["notes"][0], "by OPS-7");
    let rejected = again(&server, case().run().exits(7), &["reject", "RUN", "not tonight"]).exits(4);
    assert!(rejected.said().contains("not tonight"), "{}", rejected.said());
    assert_eq!(rejected.step("go")["class"], "consent");
}

#[test]
fn a_failure_waits_for_a_decision() {
    let book = "\
runbook: v1
name: decided
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: 4, wait: true}
  - id: bad
    get: {configmap: shop/absent}
  - id: told
    note: went on
on-failure: pause
always:
  - id: swept
    note: swept
";
    let server = Server::of(WORLD);
    let paused = || {
        let case = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", book).reporting());
        case.run().exits(7)
    };
    let skipped = again(&server, paused(), &["resume", "RUN", "--choose", "skip"]).exits(0);
    assert_eq!(skipped.report()["tolerated"], 1);
    assert_eq!(skipped.step("told")["status"], "passed");
    let server = Server::of(WORLD);
    let paused = || {
        let case = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", book).reporting());
        case.run().exits(7)
    };
    let retried = again(&server, paused(), &["resume", "RUN", "--choose", "retry"]).exits(7);
    let undone = again(&server, retried, &["resume", "RUN", "--choose", "undo"]).exits(5);
    assert_eq!(undone.report()["left"]["still-changed"], Value::Array(Vec::new()));
    assert_eq!(undone.step("swept")["status"], "passed");
    let aborted = again(&server, paused(), &["resume", "RUN", "--choose", "abort"]).exits(1);
    assert_eq!(aborted.step("swept")["status"], "passed");
}

const CHANGES: &str = "\
runbook: v1
name: changes
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: 5, wait: true}
  - id: paint
    patch: {configmap: shop/settings, body: {data: {colour: red}}}
  - id: sleep
    suspend: {cronjob: shop/nightly}
    undo: {none: someone must look first}
";

const NIGHTLY: &str = "  - apiVersion: batch/v1
    kind: CronJob
    metadata: {name: nightly, namespace: shop}
    spec:
      schedule: '0 3 * * *'
      jobTemplate:
        spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'registry.example/a:1'}]}}}
";

fn with_nightly() -> Server {
    let world = std::fs::read_to_string(WORLD).unwrap();
    Server::of_text(
        &world.replace(
            "  - {apiVersion: v1, kind: ConfigMap",
            &format!("{NIGHTLY}  - {{apiVersion: v1, kind: ConfigMap"),
        ),
    )
}

#[test]
fn an_undo_takes_back_what_it_can_and_names_the_rest() {
    let server = with_nightly();
    let case = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", CHANGES));
    let plan = again(&server, case.run().exits(0), &["undo", "RUN", "--plan"]).exits(0);
    assert!(plan.stdout.contains("cannot be taken back: someone must look first"), "{}", plan.said());
    assert!(plan.stdout.contains("~ ConfigMap shop/settings"), "{}", plan.said());
    let one = again(&server, plan, &["undo", "RUN", "--step", "paint"]).exits(0);
    assert_eq!(one.report()["outcome"], "passed", "what else it did stands: {}", one.said());
    let rest = again(&server, one, &["undo", "RUN"]).exits(0);
    let left = &rest.report()["left"];
    assert_eq!(left["still-changed"], Value::Array(Vec::new()), "{}", rest.said());
    assert_eq!(left["not-undoable"][0]["reason"], "someone must look first");
    let nothing = again(&server, rest, &["undo", "RUN", "--plan", "--step", "grow"]).exits(0);
    assert_eq!(nothing.stdout, "nothing is left to take back\n");
}

#[test]
fn an_undo_leaves_alone_what_someone_else_changed() {
    let server = with_nightly();
    let case = || server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", CHANGES));
    let first = case().run().exits(0);
    let other = CHANGES.replace("replicas: 5", "replicas: 7");
    server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", &other)).run().exits(0);
    let plan = again(&server, first, &["undo", "RUN", "--plan"]).exits(9);
    assert!(plan.stdout.contains("/spec/replicas was 3, we left 5, now it is 7"), "{}", plan.said());
    let undone = again(&server, plan, &["undo", "RUN"]).exits(9);
    assert_eq!(undone.report()["outcome"], "undo-failed");
    assert!(undone.said().contains("was 3, we left 5, now it is 7"), "{}", undone.said());
}

#[test]
fn a_login_that_ends_after_a_change_is_waited_for() {
    let book = "\
runbook: v1
name: long
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: 4, wait: true}
  - id: look
    get: {deployment: shop/web}
  - id: paint
    patch: {configmap: shop/settings, body: {data: {colour: red}}}
on-failure:
  - undo-steps: all
";
    let world = std::fs::read_to_string(WORLD).unwrap();
    let expires = "  - {on: {resource: configmaps, verb: patch}, do: {status: 401}}\n";
    let server = Server::of_text(&format!("{world}faults:\n{expires}"));
    let case = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", book).reporting());
    let paused = case.run().exits(7);
    assert_eq!(paused.report()["exit"]["class"], "login", "{}", paused.said());
    assert!(paused.stdout.contains("runhub resume"), "{}", paused.said());
    let ended = again(&server, paused, &["resume", "RUN"]).exits(0);
    assert_eq!(ended.report()["counts"]["changes"], 2, "{}", ended.said());
}

#[test]
fn two_runs_do_not_fight_over_an_object() {
    let server = Server::of(WORLD);
    let first = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", BOOK));
    let state = first.state();
    let running = Running::start(first).says("✓ grow");
    let other = BOOK.replace("replicas: 4", "replicas: 6");
    let other = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", &other));
    let refused = other.env("XDG_STATE_HOME", &state).run().exits(7);
    let said = refused.said();
    assert!(
        said.contains("Deployment shop/web on http://127.0.0.1") && said.contains("is in the hands of run"),
        "{said}"
    );
    drop(running);
    let free = server.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", BOOK_WITHOUT_HALT));
    free.env("XDG_STATE_HOME", &state).run().exits(0);
}

const BOOK_WITHOUT_HALT: &str = "\
runbook: v1
name: free
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: 2, wait: true}
";
