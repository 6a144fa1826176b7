//! Ctrl-C and SIGTERM, in the middle of a run.

use crate::kit::Case;
use crate::running::Running;

const SLOW: &str = "\
runbook: v1
name: slow
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: 5, wait: true}
  - id: slow
    pause: 10m
  - id: never
    note: never
on-failure:
  - id: not_this
    note: an interrupt is no failure
always:
  - id: swept
    undo-steps: all
";

/// Interrupted while the second step waits.
fn interrupted(signal: &str) -> crate::kit::Ended {
    Running::start(Case::book(SLOW)).says("grow").signal(signal).ends()
}

#[test]
fn ctrl_c_stops_the_step_runs_always_and_writes_the_report() {
    let ended = interrupted("INT").exits(130);
    let report = ended.report();
    assert_eq!(report["outcome"], "cancelled");
    assert_eq!(report["exit"]["code"], 130);
    assert_eq!(ended.step("swept")["status"], "passed");
    assert_eq!(report["left"]["still-changed"], serde_json::json!([]));
    assert_eq!(report["interruptions"][0]["reason"], "interrupt");
    assert!(!ended.said().contains("an interrupt is no failure"), "{}", ended.said());
    assert!(!ended.said().contains("never"), "{}", ended.said());
    assert!(ended.junit().contains("slow"), "{}", ended.junit());
}

#[test]
fn a_sigterm_is_an_interrupt_too() {
    let ended = interrupted("TERM").exits(130);
    assert_eq!(ended.report()["outcome"], "cancelled");
    assert_eq!(ended.step("swept")["status"], "passed");
}

#[test]
fn the_second_interrupt_sends_nothing_more_and_still_writes_the_report() {
    let book = SLOW.replace("undo-steps: all", "pause: 10m");
    let running = Running::start(Case::book(&book)).says("✓ grow").signal("INT").says("always").signal("INT");
    let ended = running.ends().exits(130);
    assert_eq!(ended.report()["outcome"], "cancelled");
    assert_eq!(ended.report()["left"]["still-changed"][0]["field"], "/spec/replicas");
    assert_eq!(ended.step("swept")["status"], "cancelled");
}
