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
    let renderer = renderer(style);
    let mut out = String::new();
    for diagnostic in sorted(diagnostics) {
        out.push_str(&renderer.render(&groups(source, diagnostic)));
        out.push_str("\n\n");
    }
    if let Some(line) = closing(source, diagnostics, style) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn renderer(style: &Style) -> Renderer {
    let renderer = if style.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let decor = if style.unicode {
        DecorStyle::Unicode
    } else {
        DecorStyle::Ascii
    };
    renderer
        .decor_style(decor)
        .term_width(style.width.unwrap_or(DEFAULT_WIDTH))
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
    let primary = AnnotationKind::Primary
        .span(fitting(source, diagnostic.span))
        .label(label(&diagnostic.label));
    let others = diagnostic.labels.iter().map(|other| {
        AnnotationKind::Context
            .span(fitting(source, other.span))
            .label(label(&other.text))
    });
    let snippet = excerpt(source).annotation(primary).annotations(others);
    let (title, helps) = match diagnostic.helps.split_first() {
        Some((first, rest)) if !diagnostic.patches.is_empty() => (first.as_str(), rest),
        Some(_) | None => ("write", diagnostic.helps.as_slice()),
    };
    let helps = helps.iter().map(|help| Level::HELP.message(help));
    let main = level
        .primary_title(&diagnostic.message)
        .element(snippet)
        .elements(helps);
    let mut groups = vec![main];
    if !diagnostic.patches.is_empty() {
        let patches = diagnostic
            .patches
            .iter()
            .map(|patch| Patch::new(fitting(source, patch.span), &patch.replacement));
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
fn closing(source: &Source, diagnostics: &[Diagnostic], style: &Style) -> Option<String> {
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
    Some(format!(
        "{}: {what} in {}",
        style.paint(tone, word),
        source.name()
    ))
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
    let complaints: Vec<Complaint<'_>> = sorted(diagnostics)
        .into_iter()
        .map(|diagnostic| complaint(source, diagnostic))
        .collect();
    serde_json::to_string_pretty(&complaints)
}

fn complaint<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Complaint<'a> {
    let place = source.place(diagnostic.span.start);
    let labels = diagnostic.labels.iter().map(|other| {
        let place = source.place(other.span.start);
        Complement {
            text: &other.text,
            line: place.line,
            column: place.column,
            span: other.span,
        }
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
