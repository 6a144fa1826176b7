//! Guards and the part of a budget that counts what is away at one time.

use serde_json::json;

use crate::kit::Case;

const WATCHED: &str = "\
runbook: v1
name: watched
guards:
  - {deployment: shop/web, expect: [{path: $.spec.replicas, at-least: 2}], for: 50ms}
steps:
  - id: shrink
    scale: {deployment: shop/web, replicas: 1}
  - id: rest
    pause: 1m
  - id: never
    scale: {deployment: shop/api, replicas: 1}
on-failure:
  - id: back
    undo-steps: all
";

#[test]
fn a_guard_that_breaks_cancels_the_step_and_on_failure_runs() {
    let ended = Case::book(WATCHED).run().exits(5);
    let report = ended.report();
    assert_eq!(report["exit"]["class"], "guard", "{}", ended.said());
    assert_eq!(ended.step("rest")["status"], "cancelled");
    assert_eq!(ended.step("back")["status"], "passed");
    assert!(ended.said().contains("the guard deployment shop/web broke: $.spec.replicas"), "{}", ended.said());
    let never = report["steps"].as_array().unwrap().iter().find(|step| step["id"] == "never");
    assert!(never.is_none_or(|step| step["status"] != "passed"), "{report:#}");
}

#[test]
fn a_guard_that_is_broken_before_the_first_step_refuses_the_run() {
    let ended = Case::book(&WATCHED.replace("at-least: 2", "at-least: 9")).run().exits(4);
    assert!(ended.said().contains("broken before the first step: deployment shop/web"), "{}", ended.said());
    assert_eq!(ended.report()["counts"]["changes"], 0);
}

#[test]
fn a_short_break_is_borne() {
    let book = WATCHED.replace("50ms", "1m").replace("pause: 1m", "pause: 300ms");
    Case::book(&book).run().exits(0);
}

#[test]
fn the_guard_of_a_group_ends_the_group_alone() {
    let book = "\
runbook: v1
name: grouped
steps:
  - id: risky
    continue-on-error: true
    group:
      guards:
        - {deployment: shop/web, expect: [{path: $.spec.replicas, at-least: 2}], for: 50ms}
      steps:
        - id: shrink
          scale: {deployment: shop/web, replicas: 1}
        - id: rest
          pause: 1m
    on-failure:
      - undo-steps: [shrink]
  - id: after
    get: {deployment: shop/web}
    expect: [{path: $.spec.replicas, equals: 3}]
";
    let ended = Case::book(book).run().exits(0);
    assert_eq!(ended.step("after")["status"], "passed");
    assert_eq!(ended.step("risky")["tolerated"], json!(true), "{}", ended.said());
}

fn away(limit: &str, step: &str) -> Case {
    let text = format!(
        "runbook: v1\nname: away\nbudget: {{unavailable: {limit}}}\nsteps:\n  - wait-for-rollout: {{deployment: shop/web}}\n  - id: step\n    {step}\n"
    );
    Case::book(&text)
}

#[test]
fn more_of_a_workload_away_than_the_budget_says_is_refused() {
    let ended = away("50%", "scale: {deployment: shop/web, replicas: 1}").run().exits(4);
    assert!(ended.said().contains("2 of 3 pods of Deployment shop/web would be away, 50% may be"), "{}", ended.said());
    away("70%", "scale: {deployment: shop/web, replicas: 1, wait: true}").run().exits(0);
}

#[test]
fn a_rollout_that_keeps_its_pods_is_within_any_budget() {
    away("25%", "restart: {deployment: shop/web, wait: true}").run().exits(0);
}

#[test]
fn pods_that_are_sent_away_count_until_they_are_back() {
    // Replacements never become ready: what is away stays away.
    let world = std::fs::read_to_string(crate::kit::WORLD).unwrap().replace("ready: 1ms", "ready: 10m");
    let step = "delete: {pods: {in: shop, selector: {app: web}, max: 3}, wait: false}";
    let ended = away("40%", step).world(&world.replace("age: 1m", "age: 60m")).run().exits(1);
    assert!(ended.said().contains("over the budget, unavailable: 2 of 3 pods"), "{}", ended.said());
    assert_eq!(ended.report()["counts"]["changes"], 1);
}

#[test]
fn a_plan_tells_of_a_broken_guard() {
    let book = WATCHED.replace("at-least: 2", "at-least: 9");
    let ended = Case::new(["plan", "runbook.yaml"]).file("runbook.yaml", book).sim(crate::kit::WORLD).run().exits(4);
    assert!(ended.said().contains("refused: broken before the first step: deployment shop/web"), "{}", ended.said());
}
