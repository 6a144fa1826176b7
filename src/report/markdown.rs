//! Markdown, for an incident's ticket, a pull request or a job's summary.
//!
//! The answer first: how it ended, why, what is left and what to do next;
//! then the steps. Whatever comes from a book or a server is escaped, so that
//! no name becomes a heading, a mention or HTML. Long runs are cut, and say so:
//! GitHub refuses a summary over 1 MiB.

use std::fmt::Write as _;

use super::Error;
use super::run::Report;
use super::step::StepReport;
use super::words::{change, elapsed, mark, phase_word, standing, trouble_of, value};
use crate::clock::rfc3339;
use crate::event::{Phase, StepStatus};

/// Rows of the table of steps.
const ROWS: usize = 500;
/// Steps whose trouble is told in full.
const TOLD: usize = 50;

/// The report as Markdown.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every format")]
pub(super) fn write(report: &Report) -> Result<Vec<u8>, Error> {
    let mut out = Markdown::default();
    head(&mut out, report);
    trouble(&mut out, report);
    left(&mut out, report);
    steps(&mut out, report);
    changes(&mut out, report);
    outputs(&mut out, report);
    Ok(out.0.into_bytes())
}

/// Text that grows; only [`Markdown::text`] and [`Markdown::block`] take what others wrote.
#[derive(Debug, Default)]
struct Markdown(String);

impl Markdown {
    /// Markup of ours.
    fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// What others wrote, in one line, as nothing but text.
    fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            match letter {
                '\n' | '\r' | '\t' => self.0.push(' '),
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                // A mention or a reference would call people who have nothing to do with it.
                '@' => self.0.push_str("&#64;"),
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                    self.0.push('\\');
                    self.0.push(letter);
                }
                other => self.0.push(other),
            }
        }
        self
    }

    /// What others wrote, line by line, in a fence that is longer than any in it.
    fn block(&mut self, text: &str) -> &mut Self {
        let longest = text.lines().map(|line| line.chars().filter(|letter| *letter == '`').count()).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "{fence}text\n{text}\n{fence}");
        self
    }

    fn row(&mut self, name: &str, text: &str) {
        self.raw("| ").raw(name).raw(" | ").text(text).raw(" |\n");
    }
}

fn head(out: &mut Markdown, report: &Report) {
    let run = &report.run;
    let sign = if report.exit.as_ref().is_some_and(|exit| exit.code == 0) { "✓" } else { "✗" };
    out.raw("# ").raw(sign).raw(" ").text(&run.book).raw(": ").raw(report.outcome_word()).raw("\n\n");
    if let Some(text) = &run.description {
        out.text(text).raw("\n\n");
    }
    out.raw("| | |\n| --- | --- |\n");
    out.row("run", &run.id);
    out.row("target", &format!("{} ({}) {}", run.target.name, run.target.provider, run.target.url));
    out.row("as", &format!("{}, by {}", run.target.user, run.actor));
    if let Some(started) = run.started {
        out.row("began", &rfc3339(started));
    }
    out.row("took", &elapsed(run.elapsed_ms));
    if let Some(exit) = &report.exit {
        let class = exit.class.map(|class| format!(", {}", class.word())).unwrap_or_default();
        out.row("exit code", &format!("{}{class}", exit.code));
    }
    let counts = &report.counts;
    out.row("counts", &format!("{} steps, {} changes, {} requests", counts.steps, counts.changes, counts.requests));
    for (name, input) in &run.inputs {
        out.row("input", &format!("{name} = {}", value(Some(input))));
    }
    if let Some(root) = &run.journal_root {
        out.row("journal root", root);
    }
    out.raw("\n");
}

fn is_bad(step: &StepReport) -> bool {
    !matches!(step.status, Some(StepStatus::Passed | StepStatus::Skipped))
}

fn trouble(out: &mut Markdown, report: &Report) {
    let bad: Vec<&StepReport> = report.present_steps().filter(|step| is_bad(step)).collect();
    let reason = report.exit.as_ref().map(|exit| exit.reason.as_str()).filter(|reason| !reason.is_empty());
    if bad.is_empty() && reason.is_none() {
        return;
    }
    out.raw("## What went wrong\n\n");
    if let (Some(reason), true) = (reason, bad.is_empty()) {
        out.block(reason).raw("\n");
    }
    for step in bad.iter().take(TOLD) {
        out.raw("### ").raw(mark(step)).raw(" ").text(&step.id.0).raw(" ").raw(standing(step));
        out.raw(if step.tolerated { ", tolerated\n\n" } else { "\n\n" });
        let lines = trouble_of(step);
        out.text(&step.name).raw("\n\n").block(&lines.join("\n"));
        if !step.place.file.is_empty() {
            out.raw("\nat ").text(&step.place.to_string()).raw("\n");
        }
        out.raw("\n");
    }
    if bad.len() > TOLD {
        out.raw(&format!("… and {} more\n\n", bad.len() - TOLD));
    }
}

fn left(out: &mut Markdown, report: &Report) {
    let left = &report.left;
    if !left.still_changed.is_empty() {
        out.raw("## Still changed\n\n| object | field | before | now | step |\n| --- | --- | --- | --- | --- |\n");
        for field in &left.still_changed {
            out.raw("| ").text(&field.object.to_string()).raw(" | ").text(&field.field).raw(" | ");
            out.text(&value(field.before.as_ref())).raw(" | ").text(&value(field.now.as_ref())).raw(" | ");
            out.text(&field.step.0).raw(" |\n");
        }
        out.raw("\n");
    }
    if !left.not_undoable.is_empty() {
        out.raw("## Not undoable\n\n");
        for change in &left.not_undoable {
            out.raw("- ").text(&change.what).raw(": ").text(&change.reason).raw("\n");
        }
        out.raw("\n");
    }
    if !left.next.is_empty() {
        out.raw("## Next\n\n").block(&left.next.join("\n")).raw("\n");
    }
}

fn steps(out: &mut Markdown, report: &Report) {
    let steps: Vec<&StepReport> = report.present_steps().collect();
    if steps.is_empty() {
        return;
    }
    out.raw("## Steps\n\n| | step | what | took |\n| --- | --- | --- | ---: |\n");
    for step in steps.iter().take(ROWS) {
        let phase = if step.phase == Phase::Steps { "" } else { phase_word(step.phase) };
        out.raw("| ").raw(mark(step)).raw(" | ").raw(&"· ".repeat(step.depth)).text(&step.id.0).raw(" ").text(phase);
        out.raw(" | ").text(&step.name).raw(" | ").raw(&elapsed(step.elapsed_ms)).raw(" |\n");
    }
    if steps.len() > ROWS {
        out.raw(&format!("\n… and {} more steps; the JSON report has them all\n", steps.len() - ROWS));
    }
    out.raw("\n");
}

fn changes(out: &mut Markdown, report: &Report) {
    let all: Vec<String> = report.present_steps().flat_map(|step| step.changes.iter().map(change)).collect();
    if all.is_empty() {
        return;
    }
    out.raw("## Changes\n\n");
    for line in all.iter().take(ROWS) {
        out.raw("- ").text(line).raw("\n");
    }
    if all.len() > ROWS {
        out.raw(&format!("\n… and {} more\n", all.len() - ROWS));
    }
    out.raw("\n");
}

fn outputs(out: &mut Markdown, report: &Report) {
    if report.outputs.is_empty() {
        return;
    }
    out.raw("## Outputs\n\n| | |\n| --- | --- |\n");
    for (name, output) in &report.outputs {
        out.raw("| ").text(name).raw(" | ").text(&value(Some(output))).raw(" |\n");
    }
    out.raw("\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut out = Markdown::default();
        out.text("# a|b <img src=x> @team `x` *y* [z](http://e)\nnext");
        assert_eq!(out.0, "\\# a\\|b &lt;img src=x&gt; &#64;team \\`x\\` \\*y\\* \\[z\\](http://e) next");
    }

    #[test]
    fn a_fence_in_a_text_does_not_end_the_block() {
        let mut out = Markdown::default();
        out.block("a\n```\nb");
        assert!(out.0.starts_with("````text\n") && out.0.ends_with("\n````\n"), "{}", out.0);
    }
}
