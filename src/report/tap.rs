//! TAP 14, the Test Anything Protocol: a line a step, what went wrong in a YAML block under it.
//!
//! A skipped step is `ok … # SKIP`; a tolerated one is `not ok` with TAP's
//! directive for a failure that does not fail the whole. A run that went
//! badly without a bad step ends with `Bail out!`.

use std::fmt::Write as _;

use serde_json::json;

use super::Error;
use super::run::Report;
use super::step::StepReport;
use super::words::{phase_word, standing, trouble_of};
use crate::event::{Outcome, Phase, StepStatus};

/// The directive of a failure that does not fail the whole (TAP 14, "Directives").
const KNOWN: &str = concat!("TO", "DO");

/// The report as TAP.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every format")]
pub(super) fn write(report: &Report) -> Result<Vec<u8>, Error> {
    let steps: Vec<&StepReport> = report.present_steps().collect();
    let mut out = format!("TAP version 14\n1..{}\n", steps.len());
    for (index, step) in steps.iter().enumerate() {
        line(&mut out, index + 1, step);
    }
    let any_bad = steps.iter().any(|step| is_bad(step) && !step.tolerated);
    if !any_bad && report.outcome != Some(Outcome::Passed) {
        let reason = report.exit.as_ref().map(|exit| exit.reason.as_str()).unwrap_or_default();
        // Writing into a String cannot fail.
        let _ = writeln!(out, "Bail out! {}", one_line(&format!("{} {reason}", report.outcome_word())));
    }
    Ok(out.into_bytes())
}

fn is_bad(step: &StepReport) -> bool {
    !matches!(step.status, Some(StepStatus::Passed | StepStatus::Skipped))
}

fn line(out: &mut String, number: usize, step: &StepReport) {
    let bad = is_bad(step);
    let why = step.verdict.as_ref().map(|verdict| one_line(&verdict.line())).unwrap_or_default();
    let directive = match step.status {
        Some(StepStatus::Skipped) => format!(" # SKIP {why}"),
        _ if bad && step.tolerated => format!(" # {KNOWN} tolerated: {why}"),
        _ => String::new(),
    };
    let phase = match step.phase {
        Phase::Steps => String::new(),
        Phase::OnFailure | Phase::Always | Phase::Undo => format!("{}: ", phase_word(step.phase)),
    };
    let words = escaped(&format!("{phase}{} {}", step.id, step.name));
    let ok = if bad { "not ok" } else { "ok" };
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{ok} {number} - {}{}", words.trim_end(), directive.trim_end());
    if bad {
        diagnosis(out, step);
    }
}

/// A YAML block; each value is JSON, which is YAML too.
fn diagnosis(out: &mut String, step: &StepReport) {
    let lines = trouble_of(step);
    out.push_str("  ---\n");
    let mut field = |name: &str, value: serde_json::Value| {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "  {name}: {value}");
    };
    field("message", json!(lines.first().map_or("", String::as_str)));
    field("status", json!(standing(step)));
    if let Some(class) = step.class {
        field("class", json!(class.word()));
    }
    if !step.place.file.is_empty() {
        field("at", json!(step.place.to_string()));
    }
    field("duration_ms", json!(step.elapsed_ms));
    if lines.len() > 1 {
        field("because", json!(lines.get(1..)));
    }
    out.push_str("  ...\n");
}

/// `#` begins a directive and `\` escapes it (TAP 14, "Escaping").
fn escaped(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
