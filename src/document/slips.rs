//! The slips that the format itself provokes, each with its own words and a
//! ready-made correction: `{{` without quotes, `[` in a flow scalar, `: ` or
//! ` #` in a bare expression, kubectl's `{.a.b}`.

use crate::source::{Diagnostic, Span};

use super::extent::{Extent, line_around, quote};
use super::halt::Context;
use super::node::{Entry, Key, Kind, Node, Scalar, shorten};

/// A slip that the YAML library stumbled over: what to say, and the text that
/// lets the reading go on.
pub(super) struct Slip {
    pub(super) complaint: Diagnostic,
    pub(super) span: Span,
    pub(super) replacement: String,
}

impl Slip {
    fn new(text: &str, span: Span, message: &str, help: &str) -> Self {
        let replacement = quote(slice(text, span));
        let complaint = Diagnostic::error(message, span)
            .help(format!("{help}: `{}`", shorten(&with_key(text, span, &replacement))))
            .patch(span, replacement.clone());
        Self { complaint, span, replacement }
    }
}

const TEMPLATE: &str = "a template needs quotes, because `{` opens a mapping in YAML";
const IN_QUOTES: &str = "put the value in quotes";

/// The slip at the place where the YAML library stumbled, if it is one of ours.
pub(super) fn find(text: &str, offset: usize, context: &Context) -> Option<Slip> {
    bare_template(text, offset, context)
        .or_else(|| kubectl_with_index(text, offset, context))
        .or_else(|| cut_scalar(text, offset, context))
}

/// `deployment: {{ vars.web }}/x`: the template that starts a value on this line.
fn bare_template(text: &str, offset: usize, context: &Context) -> Option<Slip> {
    let line = line_around(text, offset);
    let starts = slice(text, line).match_indices("{{").map(|(at, _)| line.start + at);
    let start = starts.filter(|start| *start <= offset).find(|start| starts_value(text, line.start, *start))?;
    let flow = context.open.iter().any(|open| open.flow && open.start < start);
    let span = Extent { flow }.of(text, start);
    Some(Slip::new(text, span, TEMPLATE, IN_QUOTES))
}

fn starts_value(text: &str, line_start: usize, start: usize) -> bool {
    let before = text.get(line_start..start).unwrap_or_default();
    let trimmed = before.trim_end();
    let separated = trimmed.is_empty()
        || (trimmed.len() < before.len() && trimmed.ends_with([':', '-', ',']))
        || before.ends_with(['[', '{']);
    let quotes = |mark| before.matches(mark).count() % 2 == 0;
    separated && quotes('"') && quotes('\'')
}

/// `{.items[0].x}`: the parser stumbles over the bracket.
fn kubectl_with_index(text: &str, offset: usize, context: &Context) -> Option<Slip> {
    let last = context.last.filter(|last| last.plain && last.span.end == offset)?;
    let open = context.open.last().filter(|open| open.flow && open.start + 1 == last.span.start)?;
    if !slice(text, last.span).starts_with('.') {
        return None;
    }
    let inner = Extent { flow: true }.of(text, last.span.start);
    let span = Span::new(open.start, inner.end + 1);
    let path = format!("${}", slice(text, inner));
    let complaint = kubectl_complaint(text, span, &quote(&path));
    Some(Slip { complaint, span, replacement: quote(&path) })
}

/// A plain scalar that YAML ended early: `$.x[0]` in a flow mapping, `a: b`.
fn cut_scalar(text: &str, offset: usize, context: &Context) -> Option<Slip> {
    let last = context.last.filter(|last| last.plain && !slice(text, last.span).contains('\n'))?;
    let between = text.get(last.span.end..offset)?;
    let flow = context.open.last().is_some_and(|open| open.flow);
    if !between.trim_matches(' ').is_empty() {
        return None;
    }
    let (message, help) = match text.get(offset..)?.chars().next()? {
        '{' if flow && text.get(offset..)?.starts_with("{{") => (TEMPLATE, IN_QUOTES),
        '[' if flow => ("`[` ends plain text inside `{ }` and `[ ]`", IN_QUOTES),
        '{' if flow => ("`{` ends plain text inside `{ }` and `[ ]`", IN_QUOTES),
        ':' if is_value(text, last.span.start) => ("`: ` ends plain text and starts a mapping", IN_QUOTES),
        _ => return None,
    };
    let span = Extent { flow }.of(text, last.span.start);
    Some(Slip::new(text, span, message, help))
}

/// Whether a scalar stands behind `key: ` on its line.
fn is_value(text: &str, start: usize) -> bool {
    let line = line_around(text, start);
    let before = text.get(line.start..start).unwrap_or_default();
    before.ends_with(' ') && before.trim_end().ends_with(':')
}

/// A mapping that was meant as a template, and the scalar it was meant to be.
pub(super) fn template(text: &str, span: Span) -> (Diagnostic, Node) {
    let slip = Slip::new(text, span, TEMPLATE, IN_QUOTES);
    (slip.complaint, Node::new(span, Kind::Scalar(Scalar::quoted(slice(text, span)))))
}

/// `{.status.phase}`, and the path it was meant to be.
pub(super) fn kubectl(text: &str, key: &Key, span: Span) -> Option<(Diagnostic, Node)> {
    let path = key.text.strip_prefix('.').map(|_| format!("${}", key.text))?;
    Some((kubectl_complaint(text, span, &path), Node::new(span, Kind::Scalar(Scalar::plain(path)))))
}

fn kubectl_complaint(text: &str, span: Span, path: &str) -> Diagnostic {
    Diagnostic::error(format!("`{}` is kubectl's way to write a path", shorten(slice(text, span))), span)
        .help(format!("a path here is a JSONPath and starts with `$`: `{path}`"))
        .patch(span, path)
}

/// Text cut short by a comment that was meant to be part of it.
pub(super) fn hash(text: &str, span: Span) -> Option<Diagnostic> {
    let rest = text.get(span.end..)?.lines().next()?;
    let comment = rest.trim_start_matches([' ', '\t']);
    if !comment.starts_with('#') || comment.len() == rest.len() {
        return None;
    }
    let mark = open_quote(slice(text, span)).filter(|mark| comment.contains(*mark))?;
    let start = span.end + rest.len() - comment.len();
    let whole = Span::new(span.start, span.end + rest.trim_end().len());
    let replacement = quote(slice(text, whole));
    Some(
        Diagnostic::warning(
            format!("` #` starts a comment here, although `{mark}` is still open"),
            Span::new(start, whole.end),
        )
        .also(span, "the text ends here")
        .help(format!("if all of it is meant, put it in quotes: `{}`", shorten(&replacement)))
        .patch(whole, replacement),
    )
}

/// The quote that an expression opens and does not close; an apostrophe inside a word is none.
fn open_quote(text: &str) -> Option<char> {
    let mut open = None;
    let mut before = ' ';
    for mark in text.chars() {
        match open {
            Some(quote) if quote == mark => open = None,
            None if matches!(mark, '\'' | '"') && !before.is_alphanumeric() => open = Some(mark),
            _ => {}
        }
        before = mark;
    }
    open
}

/// A flow key without a colon: mostly the rest of a text that a comma cut.
pub(super) fn alone(text: &str, key: &Key, entries: &[Entry]) -> Diagnostic {
    let message = format!("`{}` stands here without a value", shorten(&key.text));
    let before = entries.iter().rev().find(|entry| entry.key.span.end <= key.span.start);
    let cut = before.and_then(|entry| entry.value.scalar().map(|scalar| (entry.value.span, scalar)));
    match cut.filter(|(_, scalar)| is_open(&scalar.text)) {
        Some((value, _)) => {
            let whole = Span::new(value.start, key.span.end);
            let replacement = quote(slice(text, whole));
            Diagnostic::error(message, key.span)
                .also(value, "the comma ended this text")
                .help(format!("{IN_QUOTES}: `{}`", shorten(&replacement)))
                .patch(whole, replacement)
        }
        None => Diagnostic::error(message, key.span).help(format!("write `{}: …`", shorten(&key.text))),
    }
}

fn is_open(text: &str) -> bool {
    text.matches('(').count() > text.matches(')').count() || open_quote(text).is_some()
}

/// A tag, which nothing here understands.
pub(super) fn tag(text: &str, span: Span, tag: &str) -> Diagnostic {
    let rest = Extent { flow: false }.of(text, span.start);
    let quoted = quote(slice(text, rest));
    let complaint = Diagnostic::error(format!("`{}` is a YAML tag, and tags are not used here", shorten(tag)), span);
    match tag {
        "!!str" => complaint.help("put the value in quotes to make it text"),
        _ => complaint.help(format!("if it is text, put it in quotes: `{}`", shorten(&quoted))),
    }
}

/// `*.log`: an alias without an anchor is mostly text.
pub(super) fn unknown_alias(name: &str, span: Span) -> Diagnostic {
    let quoted = quote(&format!("*{name}"));
    Diagnostic::error(format!("`*{}` refers to an anchor that does not exist above", shorten(name)), span)
        .help(format!("if it is text, put it in quotes: `{}`", shorten(&quoted)))
        .patch(span, quoted)
}

/// The value as it should be, with its key where it has one.
fn with_key(text: &str, span: Span, value: &str) -> String {
    let line = line_around(text, span.start);
    let before = text.get(line.start..span.start).unwrap_or_default();
    let key = before.rsplit(['{', '[', ',']).next().unwrap_or(before).trim_start().trim_start_matches("- ");
    if key.trim_end().ends_with(':') { format!("{key}{value}") } else { value.to_owned() }
}

/// The text in a span.
pub(super) fn slice(text: &str, span: Span) -> &str {
    text.get(span.range()).unwrap_or_default()
}
