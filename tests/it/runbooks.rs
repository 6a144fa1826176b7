//! The shipped runbooks, each through the real binary against the demo world.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A run that ended: what it said, and what it left.
struct Ended {
    code: Option<i32>,
    said: String,
    report: Value,
    state: TempDir,
}

fn runhub(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runhub"));
    command.current_dir(ROOT).env_clear().env("HOME", state).env("XDG_STATE_HOME", state);
    command.timeout(std::time::Duration::from_mins(2));
    command
}

/// Runs a shipped runbook on the embedded ControlHub, with `--report json` beside what is given.
fn run(book: &str, arguments: &[&str]) -> Ended {
    let state = tempfile::tempdir().unwrap();
    let written = state.path().join("report.json");
    let output = runhub(state.path())
        .args(["run", &format!("runbooks/{book}.yaml"), "--sim"])
        .arg(format!("--report=json={}", written.display()))
        .args(arguments)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report = fs::read(&written).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    Ended { code: output.status.code(), said, report, state }
}

impl Ended {
    fn expect(self, code: i32, outcome: &str) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.said);
        assert_eq!(self.report["outcome"], outcome, "{}", self.said);
        self
    }

    fn passed(self) -> Self {
        self.expect(0, "passed")
    }

    fn step(&self, id: &str) -> &Value {
        let steps = self.report["steps"].as_array().into_iter().flatten();
        let mut found = steps.filter(|step| step["id"] == id);
        found.next().unwrap_or_else(|| panic!("no step {id}:\n{}", self.said))
    }

    /// `object: summary` of every change, in order.
    fn changes(&self) -> Vec<String> {
        let steps = self.report["steps"].as_array().into_iter().flatten();
        let changes = steps.flat_map(|step| step["changes"].as_array().into_iter().flatten());
        changes.map(|change| text(&change["summary"])).collect()
    }

    /// The text of an artifact, wherever in the run's folder it lies.
    fn artifact(&self, name: &str) -> String {
        let found = files_below(self.state.path()).into_iter().find(|path| path.ends_with(name));
        fs::read_to_string(found.unwrap_or_else(|| panic!("no {name}:\n{}", self.said))).unwrap()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The runbooks of a folder, in order.
fn books(folder: &str) -> Vec<PathBuf> {
    let mut books = files_below(&Path::new(ROOT).join(folder));
    books.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    books.retain(|path| !stem(path).ends_with(".scenario"));
    books.sort();
    assert!(!books.is_empty(), "{folder} holds runbooks");
    books
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_shipped_runbook_is_checked_without_a_word() {
    let state = tempfile::tempdir().unwrap();
    for book in [books("runbooks"), books("tests/books")].concat() {
        let output = runhub(state.path()).arg("check").arg(&book).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{}:\n{said}", book.display());
    }
}

#[test]
fn every_shipped_runbook_bears_the_name_of_its_file_and_points_to_its_schema() {
    for book in books("runbooks") {
        let text = fs::read_to_string(&book).unwrap();
        let first = text.lines().next().unwrap_or_default();
        let schema = first.strip_prefix("# yaml-language-server: $schema=").expect("the first line names the schema");
        assert!(book.parent().unwrap().join(schema).is_file(), "{}: {schema}", book.display());
        assert!(text.contains(&format!("\nname: {}\n", stem(&book))), "{}", book.display());
    }
}

#[test]
fn every_shipped_runbook_passes_as_it_is() {
    for book in books("runbooks") {
        let ended = run(&stem(&book), &["--yes"]).passed();
        assert_eq!(ended.report["tolerated"], 0, "{}", ended.said);
    }
}

#[test]
fn books_that_only_read_need_no_consent_and_the_others_send_nothing_without_it() {
    for book in books("runbooks").iter().map(|path| stem(path)) {
        if ["first-steps", "incident-triage"].contains(&book.as_str()) {
            assert!(run(&book, &[]).passed().changes().is_empty(), "{book} changes nothing");
        } else {
            let ended = run(&book, &[]).expect(4, "refused");
            assert_eq!(ended.report["exchanges"]["count"], 0, "{book}: {}", ended.said);
        }
    }
}

#[test]
fn restart_app_replaces_every_pod_and_nothing_else() {
    let ended = run("restart-app", &["--yes"]).passed();
    assert_eq!(ended.changes().len(), 1, "{}", ended.said);
    assert_eq!(ended.step("restart")["info"]["pods"], 3, "{}", ended.said);
    assert_eq!(ended.step("serves")["status"], "skipped");
}

#[test]
fn rerun_failed_job_says_why_it_failed_before_it_runs_again() {
    let ended = run("rerun-failed-job", &["--yes"]).passed();
    assert_eq!(ended.report["outputs"]["reason"], "BackoffLimitExceeded");
    assert!(ended.artifact("before.log").contains("No space left on device"));
    assert_eq!(ended.step("again")["info"]["strategy"], "recreate");
}

#[test]
fn rerun_failed_job_of_a_job_that_is_not_there_changes_nothing() {
    let ended = run("rerun-failed-job", &["--yes", "--set=job=shop/web"]).expect(1, "failed");
    assert!(ended.said.contains("\"web\" not found"), "{}", ended.said);
    assert!(ended.changes().is_empty());
}

#[test]
fn incident_triage_finds_the_pods_of_the_failed_jobs() {
    let ended = run("incident-triage", &["--set=fail_on_findings=true"]).expect(1, "failed");
    assert_eq!(ended.step("verdict")["status"], "failed");
    let logs = files_below(ended.state.path());
    let log = logs.iter().find(|path| stem(path).starts_with("shop_migrate-")).expect("a log of the shop's migration");
    assert!(fs::read_to_string(log).unwrap().contains("lock timeout"));
}

#[test]
fn nightly_pause_puts_to_sleep_and_wakes_only_what_it_put_to_sleep() {
    let ended = run("nightly-pause", &["--yes"]).passed();
    assert_eq!(ended.changes().len(), 2, "the cronjob and the deployment: {}", ended.said);
    assert_eq!(ended.report["outputs"]["failed"], Value::Array(Vec::new()));
    let woken = run("nightly-pause", &["--yes", "--set=mode=wake"]).passed();
    assert!(woken.changes().is_empty(), "nothing was asleep: {}", woken.said);
}

#[test]
fn scale_for_maintenance_leaves_nothing_changed() {
    let ended = run("scale-for-maintenance", &["--yes"]).passed();
    assert_eq!(ended.step("down")["changed"], true);
    assert_eq!(ended.report["left"]["still-changed"].as_array().map_or(0, Vec::len), 0, "{}", ended.said);
    for proof in ["quiet", "back", "apps_after", "asleep_after"] {
        assert_eq!(ended.step(proof)["status"], "passed", "{proof}: {}", ended.said);
    }
}

#[test]
fn scale_and_wait_hands_on_how_many_there_were() {
    let ended = run("scale-and-wait", &["--yes", "--set=replicas=4"]).passed();
    assert_eq!(ended.report["outputs"]["before"], 3);
    assert_eq!(ended.changes().len(), 1);
}

#[test]
fn suspend_cronjob_resumes_when_it_is_told_to() {
    assert_eq!(run("suspend-cronjob", &["--yes"]).passed().step("awake")["status"], "skipped");
    let ended = run("suspend-cronjob", &["--yes", "--set=resume=true"]).passed();
    assert_eq!(ended.changes().len(), 2, "{}", ended.said);
}
