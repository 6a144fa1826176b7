//! One step on the page: its line with its bar, and its story under it.

use serde_json::Value;

use super::super::run::Run;
use super::super::step::{ChangeReport, StepReport, WaitReport};
use super::super::words::{causes, elapsed, mark, standing, value};
use super::page::Page;
use crate::event::{ExchangeEnd, Settled, Verdict};

/// Writes a step; `run` gives the scale of its bar.
pub(super) fn write(page: &mut Page, step: &StepReport, run: &Run) {
    page.raw("<details class=\"step ").raw(standing(step)).raw("\"><summary><span class=\"mark\">").raw(mark(step));
    page.raw("</span><span class=\"name\">");
    (0..step.depth).for_each(|_| {
        page.raw("&ensp;");
    });
    page.raw("<b>").text(&step.id.0).raw("</b> <span>").text(&step.name).raw("</span></span>");
    track(page, step, run);
    page.raw("<span class=\"took\">").text(elapsed(step.elapsed_ms)).raw("</span></summary><div class=\"body\">");
    verdict(page, step);
    attempts(page, step);
    step.changes.iter().for_each(|change| changed(page, change));
    if let Some(wait) = &step.wait {
        waited(page, wait, step.elapsed_ms);
    }
    lines(page, "Notes", &step.notes);
    lines(page, "Warnings", &step.warnings);
    values(page, step);
    requests(page, step);
    page.raw("</div></details>");
}

/// The step on the time of the run: all of it, what it waited, its requests.
fn track(page: &mut Page, step: &StepReport, run: &Run) {
    let whole = run.elapsed_ms.max(1);
    let begin = match (run.started, step.started) {
        (Some(run), Some(step)) => u64::try_from((step - run).num_milliseconds()).unwrap_or(0),
        _ => 0,
    };
    page.raw("<span class=\"track\" aria-hidden=\"true\">");
    bar(page, "all", (begin, step.elapsed_ms), whole);
    if let Some(wait) = &step.wait {
        bar(page, "wait", (begin + step.elapsed_ms.saturating_sub(wait.waited_ms), wait.waited_ms), whole);
    }
    for request in &step.requests {
        bar(page, "req", (begin + request.at_ms, request.elapsed_us / 1000), whole);
    }
    page.raw("</span>");
}

fn bar(page: &mut Page, kind: &'static str, (from, length): (u64, u64), whole: u64) {
    page.raw("<i class=\"").raw(kind).raw("\" data-at=\"").percent(from, whole).raw(" ").percent(length, whole);
    page.raw("\" style=\"left:").percent(from, whole).raw("%;width:").percent(length, whole).raw("%\"></i>");
}

fn verdict(page: &mut Page, step: &StepReport) {
    let bad = match &step.verdict {
        None => vec!["the run broke off in this step".to_owned()],
        Some(Verdict::Passed) => Vec::new(),
        Some(verdict) => causes(verdict),
    };
    if !bad.is_empty() {
        page.raw("<h3>").raw(standing(step));
        page.raw(if step.tolerated { ", tolerated</h3><pre>" } else { "</h3><pre>" })
            .text(bad.join("\n"))
            .raw("</pre>");
    }
    if let Some(Verdict::Failed(mismatches)) = &step.verdict {
        page.raw("<div class=\"scroll\"><table><tr><th>where<th>expected<th>found</tr>");
        for mismatch in mismatches {
            page.raw("<tr><td class=\"mono\">").text(&mismatch.subject).raw("<td><ins>").text(&mismatch.expected);
            page.raw("</ins><td><del>").text(value(mismatch.found.as_ref())).raw("</del></tr>");
        }
        page.raw("</table></div>");
    }
    page.raw("<p class=\"legend\">").text(&step.action);
    if !step.place.file.is_empty() {
        page.raw(" at ").text(step.place.to_string());
    }
    if step.superseded {
        page.raw(", begun again later");
    }
    page.raw("</p>");
}

fn attempts(page: &mut Page, step: &StepReport) {
    if step.failed_attempts.is_empty() {
        return;
    }
    page.raw("<h3>Earlier attempts</h3><table>");
    for attempt in &step.failed_attempts {
        page.raw("<tr><td class=\"n\">").text(attempt.attempt.to_string()).raw("<td>").text(attempt.verdict.line());
        page.raw("<td class=\"n\">next in ").text(elapsed(attempt.next_in_ms)).raw("</tr>");
    }
    page.raw("</table>");
}

fn changed(page: &mut Page, change: &ChangeReport) {
    page.raw("<h3>Change</h3><div>").text(change.object.to_string()).raw(" ").text(&change.summary);
    match &change.settled {
        Settled::Applied { .. } => page.raw("</div>"),
        Settled::Refused(failure) => {
            page.raw(" <span class=\"bad\">refused: ").text(&failure.message).raw("</span></div>")
        }
        Settled::Unknown(why) => page.raw(" <span class=\"warn\">nobody knows: ").text(why).raw("</span></div>"),
    };
    if change.written.is_empty() {
        return;
    }
    page.raw("<div class=\"scroll\"><table><tr><th>field<th>before<th>after</tr>");
    for field in &change.written {
        page.raw("<tr><td class=\"mono\">").text(&field.pointer).raw("<td><del>").text(value(field.before.as_ref()));
        page.raw("</del><td><ins>").text(value(field.after.as_ref())).raw("</ins></tr>");
    }
    page.raw("</table></div>");
}

fn waited(page: &mut Page, wait: &WaitReport, whole: u64) {
    page.raw("<h3>Waited ").text(elapsed(wait.waited_ms)).raw("</h3>");
    chart(page, wait, whole);
    page.raw("<table>");
    for line in &wait.lines {
        page.raw("<tr><td class=\"n\">").text(elapsed(line.at_ms)).raw("<td>").text(&line.line).raw("</tr>");
    }
    page.raw("</table>");
}

/// How far it had come over time, where the lines count (`2 of 3 updated`).
fn chart(page: &mut Page, wait: &WaitReport, whole: u64) {
    let counted: Vec<(u64, u64, u64)> =
        wait.lines.iter().filter_map(|line| share(&line.line).map(|(part, all)| (line.at_ms, part, all))).collect();
    if counted.len() < 2 {
        return;
    }
    page.raw("<svg class=\"chart\" viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" role=\"img\" ")
        .raw("aria-label=\"progress over time\"><polyline points=\"");
    let mut before = None;
    for (at, part, all) in counted {
        if let Some((part, all)) = before {
            // It stays where it was until the next line.
            page.percent(at, whole).raw(",").percent(all - part, all).raw(" ");
        }
        let part = part.min(all);
        page.percent(at, whole).raw(",").percent(all - part, all).raw(" ");
        before = Some((part, all));
    }
    if let Some((part, all)) = before {
        page.raw("100,").percent(all - part, all);
    }
    page.raw("\"/></svg>");
}

/// `2 of 3` at the beginning of a line.
fn share(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_whitespace();
    let part = words.next()?.parse().ok()?;
    let all = words.next().filter(|word| *word == "of").and_then(|_| words.next())?;
    let all: u64 = all.trim_end_matches(|letter: char| !letter.is_ascii_digit()).parse().ok()?;
    (all > 0).then_some((part, all))
}

fn lines(page: &mut Page, title: &'static str, lines: &[String]) {
    if !lines.is_empty() {
        page.raw("<h3>").raw(title).raw("</h3><pre>").text(lines.join("\n")).raw("</pre>");
    }
}

fn values(page: &mut Page, step: &StepReport) {
    if !step.outputs.is_empty() {
        page.raw("<h3>Outputs</h3><table>");
        for (name, output) in &step.outputs {
            page.raw("<tr><td class=\"mono\">")
                .text(name)
                .raw("<td class=\"mono\">")
                .text(value(Some(output)))
                .raw("</tr>");
        }
        page.raw("</table>");
    }
    if step.info.as_object().is_some_and(|info| !info.is_empty()) {
        page.raw("<h3>Facts</h3><pre>").text(pretty(&step.info)).raw("</pre>");
    }
    if !step.artifacts.is_empty() {
        page.raw("<h3>Artifacts</h3><ul>");
        for artifact in &step.artifacts {
            page.raw("<li>").text(&artifact.name).raw(": <code>").text(&artifact.path).raw("</code>");
        }
        page.raw("</ul>");
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn requests(page: &mut Page, step: &StepReport) {
    if step.requests.is_empty() {
        return;
    }
    page.raw("<details><summary>").text(step.exchanges.count.to_string()).raw(" requests, ");
    page.text(elapsed(step.exchanges.elapsed_us / 1000)).raw(" in all</summary><div class=\"scroll\"><table>");
    for request in &step.requests {
        page.raw("<tr><td class=\"n\">").text(elapsed(request.at_ms)).raw("<td>").text(&request.method);
        page.raw("<td class=\"mono\">").text(&request.path).raw("<td class=\"n\">");
        match &request.end {
            ExchangeEnd::Answered { status, bytes } => page.text(format!("{status}, {bytes} bytes")),
            ExchangeEnd::Broken(why) => page.raw("<span class=\"bad\">no answer: ").text(why).raw("</span>"),
            ExchangeEnd::Dropped => page.raw("<span class=\"warn\">dropped</span>"),
        };
        page.raw("<td class=\"n\">").text(elapsed(request.elapsed_us / 1000)).raw("</tr>");
    }
    page.raw("</table></div>");
    if step.exchanges.count > step.requests.len() as u64 {
        page.raw("<p class=\"legend\">the journal has the others</p>");
    }
    page.raw("</details>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_counts_is_a_share() {
        assert_eq!(share("2 of 3 updated"), Some((2, 3)));
        assert_eq!(share("3 of 3; 1 old"), Some((3, 3)));
        assert_eq!(share("0 of 0 updated"), None);
        assert_eq!(share("the controller has seen generation 2 of 3"), None);
    }
}
