//! `JUnit` XML, as the test views of GitLab, GitHub, Jenkins and others read it.
//!
//! One suite a list of the book, one case a step, groups and loops included.
//! - GitLab shows of two equal names only the first, so a name begins with
//!   the step's number. It cuts the text of a failure at 80 lines, so the
//!   cause stands first.
//! - *Failed* is a `failure`, *errored* an `error`. A step that was stopped
//!   because its neighbour failed is `skipped`; one that was stopped for any
//!   other reason, or broke off, is an `error`.
//! - A tolerated step is a passed case that says so in `system-out`: as a
//!   failure it would turn the test view red beside a green job, as skipped
//!   it would deny that it ran. Under `--strict`, where it costs the run its
//!   exit code, it is the failure that it is.
//! - A run that went badly without a bad step (no consent, no answer) gets a
//!   case of its own, so that no bad run looks green.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::run::Report;
use super::step::StepReport;
use super::words::{causes, change, phase_word};
use super::{Error, wire};
use crate::event::{CancelReason, Class, Outcome, Phase, StepId, StepStatus, Verdict};

/// The report as `JUnit` XML.
pub(super) fn write(report: &Report) -> Result<Vec<u8>, Error> {
    let mut junit = quick_junit::Report::new(report.run.book.as_str());
    junit.set_time(Duration::from_millis(report.run.elapsed_ms));
    if let Some(started) = report.run.started {
        junit.set_timestamp(started);
    }
    let cases = Cases::of(report);
    for phase in [Phase::Steps, Phase::OnFailure, Phase::Always, Phase::Undo] {
        junit.add_test_suites(cases.suite(phase));
    }
    if let Some(case) = run_case(report, junit.failures + junit.errors) {
        let mut suite = TestSuite::new(format!("{} / run", report.run.book));
        suite.add_test_case(case);
        junit.add_test_suite(suite);
    }
    let mut bytes = Vec::new();
    junit.serialize(&mut bytes)?;
    Ok(bytes)
}

/// What a case must know beyond its step.
struct Cases<'a> {
    report: &'a Report,
    /// Steps that are tolerated, with all that is inside them; none in a strict run.
    tolerated: Vec<&'a StepId>,
    /// The entries that later ones replaced, by step.
    tries: BTreeMap<&'a StepId, Vec<&'a StepReport>>,
}

impl<'a> Cases<'a> {
    fn of(report: &'a Report) -> Self {
        let tolerated = report.present_steps().filter(|step| step.tolerated && !is_strict(report));
        let mut tries: BTreeMap<&StepId, Vec<&StepReport>> = BTreeMap::new();
        for step in report.steps.iter().filter(|step| step.superseded) {
            tries.entry(&step.id).or_default().push(step);
        }
        Self { report, tolerated: tolerated.map(|step| &step.id).collect(), tries }
    }

    /// The steps of one list of the book; none when nothing of it began.
    fn suite(&self, phase: Phase) -> Option<TestSuite> {
        let run = &self.report.run;
        let mut suite = TestSuite::new(format!("{} / {}", run.book, phase_word(phase)));
        let mut time = Duration::ZERO;
        for (index, step) in self.report.present_steps().enumerate() {
            if step.phase == phase {
                time += outermost_time(step);
                suite.add_test_case(self.case(step, index + 1));
            }
        }
        if suite.test_cases.is_empty() {
            return None;
        }
        suite.set_time(time);
        suite.add_properties([
            Property::new("run", run.id.as_str()),
            Property::new("target", run.target.name.as_str()),
            Property::new("outcome", self.report.outcome_word()),
        ]);
        Some(suite)
    }

    fn case(&self, step: &StepReport, number: usize) -> TestCase {
        let within = |outer: &&StepId| step.id.is_within(outer);
        let is_tolerated = self.tolerated.iter().any(within);
        let mut case =
            TestCase::new(format!("{number:02} {} {}", step.id, step.name).trim_end(), status(step, is_tolerated));
        case.set_classname(self.report.run.book.as_str());
        case.set_time(Duration::from_millis(step.elapsed_ms));
        case.status.add_reruns(self.reruns(step));
        if let Some(started) = step.started {
            case.set_timestamp(started);
        }
        if step.expectations > 0 {
            case.set_assertions(step.expectations);
        }
        add_place(&mut case, step);
        let told = told(step, is_tolerated);
        if !told.is_empty() {
            case.set_system_out(told);
        }
        case
    }

    /// The attempts that another followed.
    fn reruns(&self, step: &StepReport) -> Vec<TestRerun> {
        let earlier = self.tries.get(&step.id).into_iter().flatten();
        earlier
            .flat_map(|earlier| failed_attempts(earlier).chain(&earlier.verdict))
            .chain(failed_attempts(step))
            .filter_map(rerun)
            .collect()
    }
}

fn failed_attempts(step: &StepReport) -> impl Iterator<Item = &Verdict> {
    step.failed_attempts.iter().map(|attempt| &attempt.verdict)
}

/// Attributes that GitLab and the common GitHub actions turn into a link.
fn add_place(case: &mut TestCase, step: &StepReport) {
    if step.place.file.is_empty() {
        return;
    }
    let (file, line) = (step.place.file.as_str(), step.place.line.to_string());
    case.extra.insert("file".into(), file.into());
    case.extra.insert("line".into(), line.into());
}

/// A group's time holds that of its members.
fn outermost_time(step: &StepReport) -> Duration {
    match step.depth {
        0 => Duration::from_millis(step.elapsed_ms),
        _ => Duration::ZERO,
    }
}

/// Whether tolerated steps cost this run its exit code.
fn is_strict(report: &Report) -> bool {
    report.outcome == Some(Outcome::Passed) && report.exit.as_ref().is_some_and(|exit| exit.code != 0)
}

fn status(step: &StepReport, tolerated: bool) -> TestCaseStatus {
    let line = step.verdict.as_ref().map_or_else(String::new, Verdict::line);
    let bad = |kind| {
        if tolerated {
            return TestCaseStatus::success();
        }
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(line.as_str());
        status.set_type(step.class.map_or_else(String::new, Class::word));
        status.set_description(description(step));
        status
    };
    match (step.status, &step.verdict) {
        (Some(StepStatus::Passed), _) => TestCaseStatus::success(),
        (Some(StepStatus::Skipped), _) => left_out(line),
        (Some(StepStatus::Cancelled), Some(Verdict::Cancelled(CancelReason::StepFailed))) => {
            left_out(format!("cancelled: {line}"))
        }
        (Some(StepStatus::Failed), _) => bad(NonSuccessKind::Failure),
        (Some(StepStatus::Errored | StepStatus::Cancelled), _) => bad(NonSuccessKind::Error),
        (Some(StepStatus::Pending) | None, _) => broke_off(step),
    }
}

fn left_out(reason: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(reason);
    status
}

fn broke_off(step: &StepReport) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(wire::UNFINISHED);
    status.set_message("the run broke off in this step");
    status.set_description(description(step));
    status
}

/// The cause first, then the way to it.
fn description(step: &StepReport) -> String {
    let mut lines = step.verdict.as_ref().map(causes).unwrap_or_default();
    if let Some(wait) = &step.wait {
        lines.push(format!("waited {} ms: {}", wait.waited_ms, wait.line));
    }
    if !step.place.file.is_empty() {
        lines.push(format!("at {}", step.place));
    }
    lines.join("\n")
}

fn rerun(verdict: &Verdict) -> Option<TestRerun> {
    let kind = match verdict.status() {
        StepStatus::Failed => NonSuccessKind::Failure,
        StepStatus::Errored => NonSuccessKind::Error,
        StepStatus::Pending | StepStatus::Passed | StepStatus::Skipped | StepStatus::Cancelled => {
            return None;
        }
    };
    let mut rerun = TestRerun::new(kind);
    rerun.set_message(verdict.line());
    rerun.set_type(verdict.class().map_or_else(String::new, Class::word));
    rerun.set_description(causes(verdict).join("\n"));
    Some(rerun)
}

/// What the step has to tell beside its verdict.
fn told(step: &StepReport, tolerated: bool) -> String {
    let mut lines = Vec::new();
    if tolerated
        && let Some(verdict) = &step.verdict
        && verdict.status().is_bad()
    {
        lines.push(format!("tolerated: {}", verdict.line()));
        lines.extend(causes(verdict).into_iter().skip(1));
    }
    lines.extend(step.notes.iter().cloned());
    lines.extend(step.warnings.iter().map(|text| format!("warning: {text}")));
    lines.extend(step.changes.iter().map(change));
    for artifact in &step.artifacts {
        lines.push(format!("artifact {}:", artifact.name));
        lines.push(format!("[[ATTACHMENT|{}]]", artifact.path));
    }
    lines.join("\n")
}

/// The case of a run that went badly although none of its steps did.
fn run_case(report: &Report, bad_cases: usize) -> Option<TestCase> {
    let is_good = match report.outcome {
        Some(Outcome::Passed) => !is_strict(report),
        Some(_) | None => false,
    };
    if is_good || bad_cases > 0 {
        return None;
    }
    let reason = report.exit.as_ref().map_or("the run broke off", |exit| &exit.reason);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(format!("{}: {reason}", report.outcome_word()));
    let class = report.exit.as_ref().and_then(|exit| exit.class);
    status.set_type(class.map_or(report.outcome_word().to_owned(), Class::word));
    let mut case = TestCase::new("00 run", status);
    case.set_classname(report.run.book.as_str());
    Some(case)
}
