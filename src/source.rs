//! Words for text and the places in it: data only, no drawing.
//!
//! Every part that reads a person's text complains with a [`Diagnostic`];
//! `console` alone draws it. A span is a half-open range of bytes.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// A text with the name by which its reader knows it, usually a path.
#[derive(Debug, Clone)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    text: String,
    /// The first byte of each line, found when a place is first asked for.
    lines: OnceLock<Vec<usize>>,
}

impl Source {
    /// Joins a name and its text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Arc::new(Inner { name: name.into(), text: text.into(), lines: OnceLock::new() }))
    }

    /// The name, as the user gave it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text inside a span; empty where the span lies outside.
    pub fn slice(&self, span: Span) -> &str {
        self.0.text.get(span.range()).unwrap_or_default()
    }

    /// The place of a byte: line and column, both counted from 1, the column in characters.
    pub fn place(&self, offset: usize) -> Place {
        let offset = offset.min(self.0.text.len());
        let lines = self.0.lines.get_or_init(|| line_starts(&self.0.text));
        let line = lines.partition_point(|start| *start <= offset);
        let start = lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.0.text.get(start..offset).unwrap_or_default();
        Place { file: self.0.name.clone(), line, column: before.chars().count() + 1 }
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.text == other.0.text
    }
}

impl Eq for Source {}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// A half-open range of bytes in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The same as a range of the standard library.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The part of this span that `inner`, counted from its start, covers.
    #[must_use]
    pub fn within(self, inner: Range<usize>) -> Self {
        Self::new((self.start + inner.start).min(self.end), (self.start + inner.end).min(self.end))
    }
}

/// A place for people: what an editor jumps to.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be run.
    Error,
    /// It can, but probably means something else.
    Warning,
}

/// A second place that a diagnostic points at, with its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// A ready-made correction: put `replacement` where `span` is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// What is replaced; may be empty, then it is an insertion.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

/// A complaint about a document: what is wrong, where, and what to do.
///
/// ```
/// use runhub::source::{Diagnostic, Span};
///
/// let complaint = Diagnostic::error("unknown key `replica`", Span::new(10, 17))
///     .help("did you mean `replicas`?")
///     .patch(Span::new(10, 17), "replicas");
/// assert_eq!(complaint.helps.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The fact, in one line, without a full stop.
    pub message: String,
    /// Where it is.
    pub span: Span,
    /// A few words under the caret; may be empty.
    pub label: String,
    /// Other places that belong to it.
    pub labels: Vec<Label>,
    /// What to do, a line each.
    pub helps: Vec<String>,
    /// Corrections that may be shown as a diff.
    pub patches: Vec<Patch>,
}

impl Diagnostic {
    /// A complaint that keeps the document from running.
    pub fn error(message: impl Into<String>, span: Span) -> Self {
        Self::new(Severity::Error, message.into(), span)
    }

    /// A complaint that does not.
    pub fn warning(message: impl Into<String>, span: Span) -> Self {
        Self::new(Severity::Warning, message.into(), span)
    }

    fn new(severity: Severity, message: String, span: Span) -> Self {
        Self {
            severity,
            message,
            span,
            label: String::new(),
            labels: Vec::new(),
            helps: Vec::new(),
            patches: Vec::new(),
        }
    }

    /// Puts words under the caret.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Offers a correction.
    #[must_use]
    pub fn patch(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.patches.push(Patch { span, replacement: replacement.into() });
        self
    }

    /// Whether the document cannot be run because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The candidate that is near enough to `word` to be what its writer meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (word.len().max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source::new("a.yaml", "é: 1\nname: x\n");
        assert_eq!(source.place(0).to_string(), "a.yaml:1:1");
        assert_eq!(source.place(4).to_string(), "a.yaml:1:4");
        assert_eq!(source.place(7).to_string(), "a.yaml:2:2");
        assert_eq!(source.place(999).line, 3);
    }

    #[test]
    fn a_slip_finds_its_neighbour_and_a_stranger_does_not() {
        let words = ["scale", "suspend", "timeout"];
        assert_eq!(nearest("scael", words), Some("scale"));
        assert_eq!(nearest("tiemout", words), Some("timeout"));
        assert_eq!(nearest("banana", words), None);
    }

    #[test]
    fn an_inner_range_stays_inside_its_span() {
        assert_eq!(Span::new(10, 20).within(2..5), Span::new(12, 15));
        assert_eq!(Span::new(10, 20).within(8..50), Span::new(18, 20));
    }
}
