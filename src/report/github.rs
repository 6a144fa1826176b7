//! Annotations for GitHub Actions: workflow commands that the runner reads from the job's output.
//!
//! An `error` for each step that went badly, a `warning` for what was
//! tolerated or odd, with the place in the runbook, so that they show beside
//! its lines. The runner shows ten of each kind and step, so the worst come
//! first. (GitHub docs, "Workflow commands for GitHub Actions".)

use std::fmt::Write as _;

use super::Error;
use super::run::Report;
use super::step::StepReport;
use super::words::{standing, trouble_of};
use crate::event::{Outcome, StepStatus};

/// The report as workflow commands, one a line.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every format")]
pub(super) fn write(report: &Report) -> Result<Vec<u8>, Error> {
    let mut out = String::new();
    let bad = |step: &&StepReport| !matches!(step.status, Some(StepStatus::Passed | StepStatus::Skipped));
    let (tolerated, errors): (Vec<&StepReport>, Vec<&StepReport>) =
        report.present_steps().filter(bad).partition(|step| step.tolerated);
    for step in &errors {
        about(&mut out, "error", step);
    }
    if errors.is_empty() && report.outcome != Some(Outcome::Passed) {
        let reason = report.exit.as_ref().map(|exit| exit.reason.as_str()).unwrap_or_default();
        let title = format!("{}: {}", report.run.book, report.outcome_word());
        command(&mut out, "error", &[("file", &report.run.file), ("title", &title)], reason);
    }
    for step in &tolerated {
        about(&mut out, "warning", step);
    }
    for step in report.present_steps() {
        for text in &step.warnings {
            placed(&mut out, "warning", step, &format!("{}: warning", step.id), text);
        }
    }
    Ok(out.into_bytes())
}

fn about(out: &mut String, level: &str, step: &StepReport) {
    let lines = trouble_of(step);
    let title = format!("{} {}", step.id, standing(step));
    placed(out, level, step, &title, &lines.join("\n"));
}

fn placed(out: &mut String, level: &str, step: &StepReport, title: &str, text: &str) {
    let (line, column) = (step.place.line.to_string(), step.place.column.to_string());
    let mut properties = vec![("title", title)];
    if !step.place.file.is_empty() {
        properties.extend([("file", step.place.file.as_str()), ("line", &line), ("col", &column)]);
    }
    command(out, level, &properties, text);
}

/// `::error file=a.yaml,line=3::text`, with what would end it too early escaped.
fn command(out: &mut String, level: &str, properties: &[(&str, &str)], text: &str) {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    // Writing into a String cannot fail.
    let _ = writeln!(out, "::{level} {}::{}", properties.join(","), data(text));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_the_command() {
        let mut out = String::new();
        command(&mut out, "error", &[("title", "a,b: c")], "one\n::error::two 100%");
        assert_eq!(out, "::error title=a%2Cb%3A c::one%0A::error::two 100%25\n");
    }
}
