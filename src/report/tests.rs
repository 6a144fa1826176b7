//! Every story, folded and written.

use quick_junit::TestCaseStatus;

use super::story::all;
use super::*;
use crate::event::{Event, Outcome};

fn report(name: &str) -> Report {
    let (_, events) = all().into_iter().find(|(story, _)| *story == name).expect("a story of that name");
    Report::of(&events)
}

fn junit(report: &Report) -> (String, quick_junit::Report) {
    let xml = String::from_utf8(junit::write(report).unwrap()).unwrap();
    let parsed = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    (xml, parsed)
}

#[test]
fn every_story_has_its_json() {
    for (name, events) in all() {
        let bytes = json::write(&Report::of(&events)).unwrap();
        insta::assert_snapshot!(format!("json_{name}"), String::from_utf8(bytes).unwrap());
    }
}

#[test]
fn every_story_has_its_junit_and_it_can_be_read_back() {
    for (name, events) in all() {
        let (xml, _) = junit(&Report::of(&events));
        insta::assert_snapshot!(format!("junit_{name}"), xml);
    }
}

#[test]
fn json_reads_back_as_the_same_report() {
    for (name, events) in all() {
        let report = Report::of(&events);
        let read: Report = serde_json::from_slice(&json::write(&report).unwrap()).unwrap();
        assert_eq!(read, report, "{name}");
    }
}

#[test]
fn a_case_stands_for_each_step_and_a_bad_run_never_looks_green() {
    for (name, events) in all() {
        let report = Report::of(&events);
        let (_, junit) = junit(&report);
        let is_good = report.outcome == Some(Outcome::Passed);
        let is_green = junit.failures + junit.errors == 0;
        assert_eq!(is_green, is_good, "{name}");
        let of_steps: usize = junit
            .test_suites
            .iter()
            .filter(|suite| !suite.name.as_str().ends_with("/ run"))
            .map(|suite| suite.tests)
            .sum();
        assert_eq!(of_steps, report.counts.steps, "{name}");
    }
}

#[test]
fn names_of_cases_are_unique() {
    for (name, events) in all() {
        let (_, junit) = junit(&Report::of(&events));
        let suites = junit.test_suites.iter();
        let cases = suites.flat_map(|suite| &suite.test_cases);
        let mut names: Vec<&str> = cases.map(|case| case.name.as_str()).collect();
        let total = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), total, "{name}");
    }
}

#[test]
fn a_tolerated_step_is_a_passed_case_unless_the_run_is_strict() {
    let mut report = report("skips_and_tolerates");
    let bad = |report: &Report| {
        let (_, junit) = junit(report);
        junit.failures + junit.errors
    };
    assert_eq!(bad(&report), 0);
    report.exit.as_mut().unwrap().code = 1;
    assert_eq!(bad(&report), 2);
}

#[test]
fn an_earlier_try_is_a_rerun_of_the_last() {
    let (_, junit) = junit(&report("tries_again"));
    let flaky: Vec<usize> = junit
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| match &case.status {
            TestCaseStatus::Success { flaky_runs } => flaky_runs.len(),
            TestCaseStatus::NonSuccess { .. } | TestCaseStatus::Skipped { .. } => 0,
        })
        .collect();
    assert_eq!(flaky, [1, 1, 1]);
}

#[test]
fn control_characters_do_not_reach_the_xml() {
    let (xml, _) = junit(&report("meets_hostile_text"));
    let is_odd = |character: char| character.is_control() && character != '\n';
    assert!(!xml.contains(is_odd), "{xml}");
}

#[test]
fn counts_add_up_and_a_resumed_step_counts_once() {
    for (name, events) in all() {
        let Report { counts, .. } = Report::of(&events);
        let by_status =
            counts.passed + counts.failed + counts.errored + counts.skipped + counts.cancelled + counts.unfinished;
        assert_eq!(by_status, counts.steps, "{name}");
    }
    let resumed = report("breaks_off_and_is_resumed");
    assert_eq!((resumed.counts.steps, resumed.counts.passed), (1, 1));
    assert_eq!(resumed.run.resumed.len(), 1);
}

#[test]
fn a_run_that_breaks_off_is_unfinished_and_its_wait_is_measured() {
    let report = report("breaks_off");
    assert_eq!(report.outcome_word(), "unfinished");
    assert_eq!(report.run.elapsed_ms, 4_080);
    let step = report.steps.first().unwrap();
    assert_eq!(step.elapsed_ms, 4_080);
    assert_eq!(step.wait.as_ref().unwrap().waited_ms, 4_000);
    assert_eq!(step.exchanges.unanswered, 1);
}

#[test]
fn a_journal_without_its_head_still_folds() {
    let (_, events) = all().remove(0);
    let report = Report::of(events.iter().skip(4));
    assert_eq!(report.outcome, Some(Outcome::Passed));
    assert_eq!(report.counts.steps, 2);
}

#[test]
fn the_collector_holds_what_the_sink_heard() {
    use crate::event::{Sink as _, Told};
    let collector = Collector::default();
    let mut sink = collector.clone();
    let (_, events) = all().remove(0);
    for event in &events {
        sink.take(&Told { event, line: "" }).unwrap();
    }
    assert_eq!(collector.report(), Report::of(&events));
}

#[test]
fn the_schemas_name_every_field_of_a_report_and_an_event() {
    let text = |schema: Schema| serde_json::to_string(&schema).unwrap();
    let (report, event) = (text(schema()), text(event_schema()));
    for key in ["still-changed", "unfinished", "failed-attempts", "waited-ms"] {
        assert!(report.contains(key), "{key}");
    }
    for key in ["run-started", "next-in-ms", "book-hash"] {
        assert!(event.contains(key), "{key}");
    }
}

/// The events of some story up to some point, as a killed run leaves them.
fn any_events() -> impl proptest::strategy::Strategy<Value = Vec<Event>> {
    use proptest::prelude::*;
    let stories: Vec<_> = all().into_iter().map(|(_, events)| events).collect();
    (proptest::sample::select(stories), any::<prop::sample::Index>())
        .prop_map(|(events, end)| events[..=end.index(events.len())].to_vec())
}

proptest::proptest! {
    #[test]
    fn the_fold_of_a_journal_is_the_fold_made_live(events in any_events()) {
        let mut live = Fold::default();
        for event in &events {
            live.take(event);
        }
        let lines: Vec<String> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let read: Vec<Event> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let folded = Report::of(&read);
        proptest::prop_assert_eq!(live.report(), &folded);
        let again: Report = serde_json::from_slice(&json::write(&folded).unwrap()).unwrap();
        proptest::prop_assert_eq!(again, folded);
    }
}
