//! One self-contained HTML page: outcome, timeline, and each step's story folded under its line.
//!
//! No network, no font, no picture: what it needs is in it. What books and
//! servers said goes through [`page::Page::text`] alone; a content security
//! policy allows no script but the page's own, by its hash. Usable without
//! the script: it only adds keys, a filter, zoom and the theme.

mod page;
mod step;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::Error;
use super::run::Report;
use super::words::{elapsed, phase_word, value};
use crate::clock::rfc3339;
use page::Page;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The report as a page.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every format")]
pub(super) fn write(report: &Report) -> Result<Vec<u8>, Error> {
    let mut page = Page::default();
    open(&mut page, report);
    facts(&mut page, report);
    why(&mut page, report);
    left(&mut page, report);
    steps(&mut page, report);
    rest(&mut page, report);
    page.raw("<script>").raw(SCRIPT).raw("</script></body></html>\n");
    Ok(page.into_bytes())
}

fn open(page: &mut Page, report: &Report) {
    let own = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
    page.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; ")
        .raw("script-src 'sha256-")
        .text(own)
        .raw("'\">")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
        .text(report.outcome_word())
        .raw(": ")
        .text(&report.run.book)
        .raw("</title><style>")
        .raw(STYLE)
        .raw("</style></head><body><main><h1>")
        .text(&report.run.book)
        .raw(" <span class=\"badge ")
        .raw(report.outcome_word())
        .raw("\">")
        .raw(report.outcome_word())
        .raw("</span></h1>");
    if let Some(text) = &report.run.description {
        page.raw("<p>").text(text).raw("</p>");
    }
}

fn facts(page: &mut Page, report: &Report) {
    let run = &report.run;
    page.raw("<dl class=\"facts\">");
    let mut fact = |name: &'static str, text: String| {
        page.raw("<dt>").raw(name).raw("</dt><dd>").text(text).raw("</dd>");
    };
    fact("run", run.id.clone());
    fact("runbook", run.file.clone());
    fact("target", format!("{} ({}) {}", run.target.name, run.target.provider, run.target.url));
    fact("as", format!("{}, by {}", run.target.user, run.actor));
    if let Some(started) = run.started {
        fact("began", rfc3339(started));
    }
    run.resumed.iter().for_each(|moment| fact("resumed", rfc3339(*moment)));
    fact("took", elapsed(run.elapsed_ms));
    if let Some(exit) = &report.exit {
        let class = exit.class.map(|class| format!(", {}", class.word())).unwrap_or_default();
        fact("exit code", format!("{}{class}", exit.code));
    }
    let counts = &report.counts;
    fact(
        "counts",
        format!(
            "{} steps: {} passed, {} failed, {} errored, {} skipped, {} cancelled; {} changes, {} requests",
            counts.steps,
            counts.passed,
            counts.failed,
            counts.errored,
            counts.skipped,
            counts.cancelled,
            counts.changes,
            counts.requests
        ),
    );
    for (name, input) in &run.inputs {
        fact("input", format!("{name} = {}", value(Some(input))));
    }
    for (name, output) in &report.outputs {
        fact("output", format!("{name} = {}", value(Some(output))));
    }
    for (name, link) in &run.links {
        fact("link", format!("{name}: {link}"));
    }
    if let Some(owner) = &run.owner {
        fact("owner", owner.clone());
    }
    page.raw("</dl>");
}

fn why(page: &mut Page, report: &Report) {
    let Some(exit) = report.exit.as_ref().filter(|exit| !exit.reason.is_empty()) else { return };
    page.raw("<section class=\"why\"><strong>");
    if let Some(step) = &exit.step {
        page.text(&step.0).raw(": ");
    }
    page.text(&exit.reason).raw("</strong>");
    if let Some(failure) = &exit.failure {
        if !failure.cause.is_empty() {
            page.raw("<pre>").text(failure.cause.join("\n")).raw("</pre>");
        }
        if let Some(help) = &failure.help {
            page.raw("<div>").text(help).raw("</div>");
        }
    }
    page.raw("</section>");
}

fn left(page: &mut Page, report: &Report) {
    let left = &report.left;
    if !left.still_changed.is_empty() {
        page.raw(
            "<h2>Still changed</h2><div class=\"scroll\"><table><tr><th>object<th>field<th>before<th>now<th>step</tr>",
        );
        for field in &left.still_changed {
            page.raw("<tr><td>").text(field.object.to_string()).raw("<td class=\"mono\">").text(&field.field);
            page.raw("<td><del>").text(value(field.before.as_ref())).raw("</del><td><ins>");
            page.text(value(field.now.as_ref())).raw("</ins><td>").text(&field.step.0).raw("</tr>");
        }
        page.raw("</table></div>");
    }
    if !left.not_undoable.is_empty() {
        page.raw("<h2>Not undoable</h2><ul>");
        for change in &left.not_undoable {
            page.raw("<li>").text(&change.what).raw(": ").text(&change.reason);
        }
        page.raw("</ul>");
    }
    if !left.next.is_empty() {
        page.raw("<h2>Next</h2><pre>").text(left.next.join("\n")).raw("</pre>");
    }
}

fn steps(page: &mut Page, report: &Report) {
    page.raw("<h2>Steps</h2><div class=\"bar-row\" role=\"toolbar\" aria-label=\"Steps\">")
        .raw("<input id=\"filter\" type=\"search\" placeholder=\"filter (/)\" aria-label=\"filter steps\">")
        .raw("<button id=\"bad\" aria-pressed=\"false\">only bad (b)</button>")
        .raw("<button id=\"open\">open all (e)</button><button id=\"close\">close all (c)</button>")
        .raw("<button id=\"out\" aria-label=\"zoom out\">−</button><span id=\"zoom\">1×</span>")
        .raw("<button id=\"in\" aria-label=\"zoom in\">+</button><button id=\"theme\">theme (t)</button></div>")
        .raw("<p class=\"legend\"><b style=\"background:var(--bar)\"></b>step<b style=\"background:var(--wait)\"></b>")
        .raw("waiting<b style=\"background:var(--ink)\"></b>request</p>");
    let mut phase = None;
    for entry in &report.steps {
        if phase != Some(entry.phase) {
            page.raw("<div class=\"phase\">").raw(phase_word(entry.phase)).raw("</div>");
            phase = Some(entry.phase);
        }
        step::write(page, entry, &report.run);
    }
}

fn rest(page: &mut Page, report: &Report) {
    let lines = |page: &mut Page, title: &'static str, lines: &[String]| {
        if !lines.is_empty() {
            page.raw("<h2>").raw(title).raw("</h2><pre>").text(lines.join("\n")).raw("</pre>");
        }
    };
    lines(page, "Notes", &report.notes);
    lines(page, "Warnings", &report.warnings);
    let asked: Vec<String> = report
        .asked
        .iter()
        .map(|asked| format!("{}  {} {}", rfc3339(asked.at), asked.question, asked.answer))
        .collect();
    lines(page, "Asked", &asked);
    page.raw("</main><footer><main>runhub ")
        .text(&report.run.runhub_version)
        .raw(" · book ")
        .text(&report.run.book_hash);
    if let Some(root) = &report.run.journal_root {
        page.raw(" · journal root ").text(root);
    }
    page.raw("</main></footer>");
}

#[cfg(test)]
mod tests;
