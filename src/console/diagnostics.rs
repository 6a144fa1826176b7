//! Complaints about a document, drawn as the Rust compiler draws its own, or as JSON.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

use super::style::{Style, Tone};
use super::text::count;
use crate::source::{Diagnostic, Severity, Source, Span};

/// Columns where the writer is no terminal.
const DEFAULT_WIDTH: usize = 140;

/// All complaints about one source, in the order of the text, and a last line that counts them.
///
/// Without complaints it is empty.
pub fn draw(source: &Source, diagnostics: &[Diagnostic], style: &Style) -> String {
    draw_all(&[(source.clone(), diagnostics.to_vec())], source.name(), style)
}

/// Complaints about several sources as about one, and a last line that counts them together.
pub fn draw_all(complaints: &[(Source, Vec<Diagnostic>)], name: &str, style: &Style) -> String {
    let mut out = String::new();
    for (source, diagnostics) in complaints {
        excerpts(source, diagnostics, style, &mut out);
    }
    let all: Vec<&Diagnostic> = complaints.iter().flat_map(|(_, diagnostics)| diagnostics).collect();
    if let Some(line) = closing(name, &all, style) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn excerpts(source: &Source, diagnostics: &[Diagnostic], style: &Style, out: &mut String) {
    let renderer = renderer(style);
    let drawn = with_last_line(source);
    for diagnostic in sorted(diagnostics) {
        out.push_str(&renderer.render(&groups(&drawn, diagnostic)));
        out.push_str("\n\n");
    }
}

/// A place behind the last newline is drawn on a line of its own, not on the end of the line before.
fn with_last_line(source: &Source) -> Source {
    if source.text().ends_with('\n') {
        Source::new(source.name(), format!("{}\n", source.text()))
    } else {
        source.clone()
    }
}

fn renderer(style: &Style) -> Renderer {
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    let decor = if style.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    renderer.decor_style(decor).term_width(style.width.unwrap_or(DEFAULT_WIDTH))
}

fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.span);
    sorted
}

/// The excerpt with its helps; a correction stands below as a diff, under the first help.
fn groups<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let primary = AnnotationKind::Primary.span(fitting(source, diagnostic.span)).label(label(&diagnostic.label));
    let others = diagnostic
        .labels
        .iter()
        .map(|other| AnnotationKind::Context.span(fitting(source, other.span)).label(label(&other.text)));
    let snippet = excerpt(source).annotation(primary).annotations(others);
    let (title, helps) = match diagnostic.helps.split_first() {
        Some((first, rest)) if !diagnostic.patches.is_empty() => (first.as_str(), rest),
        Some(_) | None => ("write it like this", diagnostic.helps.as_slice()),
    };
    let helps = helps.iter().map(|help| Level::HELP.message(help));
    let main = level.primary_title(&diagnostic.message).element(snippet).elements(helps);
    let mut groups = vec![main];
    if !diagnostic.patches.is_empty() {
        let patches =
            diagnostic.patches.iter().map(|patch| Patch::new(fitting(source, patch.span), &patch.replacement));
        let title = Level::HELP.secondary_title(title);
        groups.push(title.element(excerpt(source).patches(patches)));
    }
    groups
}

fn excerpt<T: Clone>(source: &Source) -> Snippet<'_, T> {
    Snippet::source(source.text()).path(source.name())
}

fn label(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A range that lies inside the text, on whole characters.
fn fitting(source: &Source, span: Span) -> Range<usize> {
    let text = source.text();
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end).max(start);
    start..end
}

/// `error: 3 mistakes and 1 warning in restart-app.yaml`.
fn closing(name: &str, diagnostics: &[&Diagnostic], style: &Style) -> Option<String> {
    let total = diagnostics.len() as u64;
    let mistakes = diagnostics.iter().filter(|one| one.is_error()).count() as u64;
    let warnings = total - mistakes;
    let (tone, word, what) = match (mistakes, warnings) {
        (0, 0) => return None,
        (0, _) => (Tone::Odd, "warning", count(warnings, "warning")),
        (_, 0) => (Tone::Bad, "error", count(mistakes, "mistake")),
        _ => {
            let (mistakes, warnings) = (count(mistakes, "mistake"), count(warnings, "warning"));
            (Tone::Bad, "error", format!("{mistakes} and {warnings}"))
        }
    };
    Some(format!("{}: {what} in {name}", style.paint(tone, word)))
}

/// A complaint as programs read it; lines and columns count from 1, bytes from 0.
#[derive(Debug, Serialize)]
struct Complaint<'a> {
    severity: Severity,
    message: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    span: Span,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    labels: Vec<Complement<'a>>,
    helps: &'a [String],
    patches: &'a [crate::source::Patch],
}

/// A second place of a complaint.
#[derive(Debug, Serialize)]
struct Complement<'a> {
    text: &'a str,
    line: usize,
    column: usize,
    span: Span,
}

/// All complaints about one source as a JSON array, in the order of the text.
pub fn json(source: &Source, diagnostics: &[Diagnostic]) -> serde_json::Result<String> {
    let complaints: Vec<Complaint<'_>> =
        sorted(diagnostics).into_iter().map(|diagnostic| complaint(source, diagnostic)).collect();
    serde_json::to_string_pretty(&complaints)
}

fn complaint<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Complaint<'a> {
    let place = source.place(diagnostic.span.start);
    let labels = diagnostic.labels.iter().map(|other| {
        let place = source.place(other.span.start);
        Complement { text: &other.text, line: place.line, column: place.column, span: other.span }
    });
    Complaint {
        severity: diagnostic.severity,
        message: &diagnostic.message,
        file: source.name(),
        line: place.line,
        column: place.column,
        span: diagnostic.span,
        label: &diagnostic.label,
        labels: labels.collect(),
        helps: &diagnostic.helps,
        patches: &diagnostic.patches,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = "\
runbook: v1
name: restart-app
steps:
  - id: grow
    scael: {deployment: shop/web, replicas: 3}
  - id: grow
    wait: 10
    note: Grüße, 世界 at no
";

    const ASCII: Style = Style {
        colour: false,
        unicode: false,
        width: None,
        interactive: false,
        loudness: crate::console::Loudness::Normal,
    };

    fn source() -> Source {
        Source::new("restart-app.yaml", BOOK)
    }

    fn span(text: &str) -> Span {
        let start = BOOK.rfind(text).unwrap();
        Span::new(start, start + text.len())
    }

    fn complaints() -> Vec<Diagnostic> {
        let first = BOOK.find("grow").unwrap();
        vec![
            Diagnostic::warning("`no` is text here", span("no"))
                .label("not false")
                .help("quote it, to say so")
                .patch(span("no"), "'no'"),
            Diagnostic::error("the id `grow` is used twice", span("grow"))
                .label("here again")
                .also(Span::new(first, first + 4), "first used here")
                .help("give each step an id of its own")
                .help("ids name steps in expressions"),
            Diagnostic::error("unknown action `scael`", span("scael"))
                .help("did you mean `scale`?")
                .patch(span("scael"), "scale"),
            Diagnostic::error("a duration needs a unit", span("10")).patch(span("10"), "10s"),
        ]
    }

    #[test]
    fn complaints_stand_in_the_order_of_the_text_and_are_counted() {
        insta::assert_snapshot!(draw(&source(), &complaints(), &ASCII));
    }

    #[test]
    fn complaints_in_unicode() {
        let style = Style { unicode: true, ..ASCII };
        insta::assert_snapshot!(draw(&source(), &complaints()[..2], &style));
    }

    #[test]
    fn complaints_in_colour() {
        let style = Style { colour: true, ..ASCII };
        let drawn = draw(&source(), &complaints()[2..3], &style);
        insta::assert_snapshot!(drawn.replace('\u{1b}', "ESC"));
    }

    #[test]
    fn complaints_as_json() {
        insta::assert_snapshot!(json(&source(), &complaints()).unwrap());
    }

    #[test]
    fn nothing_wrong_says_nothing() {
        assert_eq!(draw(&source(), &[], &ASCII), "");
        assert_eq!(json(&source(), &[]).unwrap(), "[]");
    }

    #[test]
    fn the_count_knows_one_from_many_and_mistakes_from_warnings() {
        let complaints = complaints();
        let closing = |range: Range<usize>| {
            let some: Vec<&Diagnostic> = complaints[range].iter().collect();
            closing("restart-app.yaml", &some, &ASCII).unwrap()
        };
        assert_eq!(closing(0..1), "warning: 1 warning in restart-app.yaml");
        assert_eq!(closing(1..2), "error: 1 mistake in restart-app.yaml");
        assert_eq!(closing(0..4), "error: 3 mistakes and 1 warning in restart-app.yaml");
    }

    #[test]
    fn a_missing_end_of_the_text_can_be_pointed_at() {
        let end = Span::new(BOOK.len(), BOOK.len());
        let complaint = Diagnostic::error("`steps` is missing", end).patch(end, "steps: []\n");
        insta::assert_snapshot!(draw(&source(), &[complaint], &ASCII));
    }

    proptest::proptest! {
        #[test]
        fn no_text_and_no_span_break_the_drawing(
            text in "(\\PC|[\n\r\t\u{1b}é世]){0,60}",
            start in 0_usize..80, length in 0_usize..20, insert in "[a-z\n]{0,5}",
        ) {
            let span = Span::new(start, start + length);
            let complaint = Diagnostic::error("wrong", span)
                .also(Span::new(length, start), "there")
                .patch(span, insert);
            let source = Source::new("a.yaml", text);
            let drawn = draw(&source, &[complaint], &ASCII);
            proptest::prop_assert!(drawn.ends_with("error: 1 mistake in a.yaml\n"));
        }
    }
}
