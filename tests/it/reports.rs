//! Reports for people and other programs, written by the real binary.

use std::process::Command;

use crate::kit::{Case, Ended};

/// A step of each standing; the last one decides.
const BOOK: &str = "\
runbook: v1
name: four-ends
steps:
  - {id: web, get: {deployment: shop/web}}
  - {id: never, when: false, note: not today}
  - {id: missing, continue-on-error: true, get: {deployment: shop/none}}
  - {id: grow, scale: {deployment: shop/web, replicas: 4}}
  - {id: wrong, name: 'a <b>#1</b> name', get: {deployment: shop/web}, expect: [{path: $.spec.replicas, equals: 9}]}
";

fn reported(formats: &str) -> Ended {
    Case::book(BOOK).without_reports().args([format!("--report={formats}")]).run().exits(1)
}

fn chromium() -> Option<&'static str> {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there)
}

#[test]
fn tap_counts_every_step_and_says_what_is_wrong() {
    let tap = reported("tap=run.tap").file("run.tap");
    let lines: Vec<&str> = tap.lines().collect();
    assert_eq!(lines[..2], ["TAP version 14", "1..5"]);
    assert!(lines[2].starts_with("ok 1 - web"), "{tap}");
    assert!(lines[3].starts_with("ok 2 - never") && lines[3].contains(" # SKIP "), "{tap}");
    assert!(lines[4].starts_with("not ok 3 - missing") && lines[4].contains(" tolerated: "), "{tap}");
    assert!(tap.contains("not ok 5 - wrong a <b>\\#1</b> name\n  ---\n  message: "), "{tap}");
    assert!(tap.contains("  class: \"expectation\"\n") && tap.ends_with("  ...\n"), "{tap}");
}

#[test]
fn markdown_begins_with_what_went_wrong_and_holds_no_markup_of_others() {
    let text = reported("md=run.md").file("run.md");
    assert!(text.starts_with("# ✗ four-ends: failed\n"), "{text}");
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words} in {text}"));
    assert!(place("## What went wrong") < place("## Still changed"));
    assert!(place("## Still changed") < place("## Steps"));
    assert!(!text.contains("<b>") && text.contains("&lt;b&gt;\\#1"), "{text}");
}

#[test]
fn annotations_name_file_and_line_and_a_summary_is_added_to_the_job() {
    let case = Case::book(BOOK).without_reports().args(["--report=github=-"]).file("summary.md", "# before\n");
    let ended = case.env("GITHUB_STEP_SUMMARY", "summary.md").run().exits(1);
    let errors: Vec<&str> = ended.stdout.lines().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(errors.len(), 1, "{}", ended.stdout);
    assert!(errors[0].starts_with("::error title=wrong failed,file=runbook.yaml,line=8,col=5::"), "{}", errors[0]);
    assert!(ended.stdout.lines().any(|line| line.starts_with("::warning title=missing ")), "{}", ended.stdout);
    let summary = ended.file("summary.md");
    assert!(summary.starts_with("# before\n# ✗ four-ends: failed\n"), "{summary}");
}

#[test]
fn a_page_tells_all_and_a_past_run_gives_the_same_page() {
    let ended = reported("html=run.html,json=report.json");
    let page = ended.file("run.html");
    assert_eq!(page.matches("<details class=\"step ").count(), 5);
    assert!(page.contains("<title>failed: four-ends</title>") && !page.contains("<b>#1"), "{page}");
    assert!(page.contains("/spec/replicas<td><del>3</del><td><ins>4</ins>"), "the change, before and after");
    let run = ended.report()["run"]["id"].as_str().expect("an id").to_owned();
    let again = Case::new(["report", &run, "html=again.html"]).at_home_of(ended).run().exits(0);
    assert_eq!(again.file("again.html"), page);
}

#[test]
fn a_browser_shows_the_page_without_a_complaint() {
    let Some(browser) = chromium() else {
        eprintln!("!! SKIPPED: no Chromium here; the page was not opened in a browser");
        return;
    };
    let ended = reported("html=run.html");
    let path = ended.files().into_iter().find(|path| path.ends_with("run.html")).expect("the page");
    let shown = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("file://{}", path.display()))
        .output()
        .expect("the browser");
    let (dom, log) = (String::from_utf8_lossy(&shown.stdout), String::from_utf8_lossy(&shown.stderr));
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    assert!(dom.contains("data-theme=\""), "the script has run: {dom}");
}
