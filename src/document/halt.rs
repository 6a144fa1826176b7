//! Why a reading stopped, and what had just been read.

use granit_parser::ScanError;

use crate::source::Span;

/// How deep lists and mappings may nest; all walks over the tree rely on it.
pub(super) const MAX_DEPTH: usize = 64;

/// Why the reading stopped, and what was open at that moment.
pub(super) struct Halt {
    pub(super) cause: Cause,
    pub(super) context: Context,
}

/// What stopped the reading.
pub(super) enum Cause {
    /// The YAML library could not go on.
    Syntax(ScanError),
    /// Lists and mappings nest too deep.
    TooDeep(Span),
    /// Aliases copy too much.
    AliasBomb(Span),
}

/// What the builder had just read: tells a slip from a mere mistake.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    /// The last scalar that is not empty.
    pub(super) last: Option<Last>,
    /// The collections that are open, the innermost last.
    pub(super) open: Vec<Open>,
}

/// The last scalar that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) span: Span,
    pub(super) plain: bool,
}

/// A list or mapping that is not closed yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) start: usize,
    pub(super) flow: bool,
    pub(super) list: bool,
}

/// The place of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) span: Span,
    pub(super) tag: Option<Span>,
}

impl Place {
    /// The place that the YAML library gave.
    pub(super) fn of(span: &granit_parser::Span) -> Self {
        let convert = |span: &granit_parser::Span| span.byte_range().map(|range| Span::new(range.start, range.end));
        Self { span: convert(span).unwrap_or_default(), tag: span.tag_span().as_ref().and_then(convert) }
    }

    /// The end of a closing bracket; nothing where the collection has none.
    pub(super) fn closing(&self) -> usize {
        if self.span.start < self.span.end { self.span.end } else { 0 }
    }
}
