//! How a run is shown: piped, in colour, quiet, as a report, told again.

use std::fs;

use serde_json::Value;

use crate::kit::Case;

const BOOK: &str = "\
runbook: v1
name: shown
steps:
  - note: hello
  - id: grow
    scale: {deployment: shop/web, replicas: 4, wait: true}
  - id: gone
    get: {deployment: shop/gone}
    continue-on-error: true
";

const ESCAPE: char = '\u{1b}';

#[test]
fn a_pipe_gets_plain_lines() {
    let ended = Case::book(BOOK).run().exits(0);
    assert!(!ended.said().contains(ESCAPE) && !ended.said().contains('\r'), "{:?}", ended.said());
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    let forced = Case::book(BOOK).env("NO_COLOR", "").env("CLICOLOR_FORCE", "1").run().exits(0);
    assert!(forced.stdout.contains(ESCAPE), "{:?}", forced.stdout);
    let asked = Case::book(BOOK).args(["--color", "always"]).run().exits(0);
    assert!(asked.stdout.contains(ESCAPE), "a flag wins over NO_COLOR: {:?}", asked.stdout);
    let never = Case::book(BOOK).env("CLICOLOR_FORCE", "1").args(["--color", "never"]).run().exits(0);
    assert!(!never.stdout.contains(ESCAPE), "{:?}", never.stdout);
    let both = Case::book(BOOK).env("CLICOLOR_FORCE", "1").run().exits(0);
    assert!(!both.stdout.contains(ESCAPE), "NO_COLOR wins over CLICOLOR_FORCE: {:?}", both.stdout);
}

#[test]
fn an_ascii_locale_gets_ascii() {
    let ended = Case::book(BOOK).env("LANG", "C").run().exits(0);
    assert!(ended.said().is_ascii(), "{}", ended.said());
}

#[test]
fn a_quiet_run_that_passes_says_nothing() {
    let ended = Case::book("runbook: v1\nname: quiet\nsteps: [{note: hello}]\n").args(["--quiet"]).run().exits(0);
    assert_eq!(ended.said(), "");
}

#[test]
fn a_report_to_the_standard_output_is_alone_there() {
    let ended = Case::book(BOOK).without_reports().args(["--report", "json=-"]).run().exits(0);
    let report: Value = serde_json::from_str(&ended.stdout).expect("nothing but JSON");
    assert_eq!(report["outcome"], "passed");
    assert!(ended.stderr.contains("hello"), "{}", ended.stderr);
}

#[test]
fn several_reports_are_written_in_one_run_also_after_a_failure() {
    let broken = BOOK.replace("    continue-on-error: true\n", "");
    let ended = Case::book(&broken).run().exits(1);
    assert_eq!(ended.report()["exit"]["step"], "gone");
    let junit = ended.junit();
    assert!(junit.contains("tests=\"3\"") && junit.contains("errors=\"1\""), "{junit}");
    let is_half = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let half: Vec<_> = ended.files().into_iter().filter(|path| path.file_name().is_some_and(is_half)).collect();
    assert!(half.is_empty(), "{half:?}");
}

#[test]
fn a_report_in_place_of_an_older_one_is_whole() {
    let ended = Case::book(BOOK)
        .without_reports()
        .file("out.json", "x".repeat(1 << 20))
        .args(["--report=json=out.json"])
        .run()
        .exits(0);
    let path = ended.files().into_iter().find(|path| path.ends_with("out.json")).expect("the report");
    let report: Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON to its end");
    assert_eq!(report["counts"]["steps"], 3);
}

#[test]
fn a_past_run_is_listed_and_told_again_as_it_was() {
    let ended = Case::book(BOOK).without_reports().run().exits(0);
    let live = ended.normal();
    let listed = Case::new(["runs", "--output", "json"]).at_home_of(ended).run().exits(0);
    let runs: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let (id, outcome) = (runs["runs"][0]["id"].as_str().expect("an id"), &runs["runs"][0]["outcome"]);
    assert_eq!(outcome, "passed");
    let again = Case::new(["show", id]).at_home_of(listed).run().exits(0);
    let told: String = again.normal().split_inclusive('\n').filter(|line| !line.starts_with("  root: ")).collect();
    assert_eq!(told, live);
}

#[test]
fn a_run_that_is_not_there_is_no_crash() {
    let ended = Case::new(["show", "20260101-000000-beef"]).run().exits(1);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    let ended = Case::new(["show", "../../etc/passwd"]).run().exits(1);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
}

#[test]
fn the_report_is_what_its_schema_says() {
    let ended = Case::book(BOOK).run().exits(0);
    let schema: Value = serde_json::from_str(&Case::new(["schema", "report"]).run().exits(0).stdout).expect("JSON");
    let known = schema["properties"].as_object().expect("properties");
    let report = ended.report();
    let strange: Vec<&String> =
        report.as_object().expect("an object").keys().filter(|key| !known.contains_key(*key)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let required = schema["required"].as_array().expect("required keys");
    assert!(required.iter().all(|key| !report[key.as_str().expect("a name")].is_null()), "{report}");
}
