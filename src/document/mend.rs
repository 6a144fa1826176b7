//! A text in which slips were mended, and the way back to the places of the
//! text as it was written.

use std::borrow::Cow;

use crate::source::{Diagnostic, Span};

use super::node::{Kind, Node};

/// A text with its mends, the first mend first.
pub(super) struct Mended<'t> {
    text: Cow<'t, str>,
    mends: Vec<Mend>,
}

/// One replacement: where it was before, and how long it is now.
struct Mend {
    before: Span,
    length: usize,
}

impl<'t> Mended<'t> {
    /// A text that needs no mending so far.
    pub(super) fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), mends: Vec::new() }
    }

    /// The text as it is now.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How often it was mended.
    pub(super) fn count(&self) -> usize {
        self.mends.len()
    }

    /// Puts other words where `span` is.
    pub(super) fn replace(&mut self, span: Span, replacement: &str) {
        self.text.to_mut().replace_range(span.range(), replacement);
        self.mends.push(Mend { before: span, length: replacement.len() });
    }

    /// A complaint about the mended text, moved to the text as written.
    pub(super) fn place(&self, mut complaint: Diagnostic) -> Diagnostic {
        if !self.mends.is_empty() {
            complaint.span = self.back(complaint.span);
            complaint.labels.iter_mut().for_each(|label| label.span = self.back(label.span));
            complaint.patches.iter_mut().for_each(|patch| patch.span = self.back(patch.span));
        }
        complaint
    }

    /// A tree of the mended text, moved to the text as written.
    pub(super) fn place_node(&self, mut node: Node) -> Node {
        if !self.mends.is_empty() {
            self.move_node(&mut node);
        }
        node
    }

    fn move_node(&self, node: &mut Node) {
        node.span = self.back(node.span);
        match &mut node.kind {
            Kind::Null | Kind::Scalar(_) => {}
            Kind::Sequence(items) => items.iter_mut().for_each(|item| self.move_node(item)),
            Kind::Mapping(entries) => {
                for entry in entries {
                    entry.key.span = self.back(entry.key.span);
                    self.move_node(&mut entry.value);
                }
            }
        }
    }

    fn back(&self, span: Span) -> Span {
        self.mends.iter().rev().fold(span, |span, mend| Span::new(mend.back(span.start), mend.back(span.end)))
    }
}

impl Mend {
    fn back(&self, offset: usize) -> usize {
        if offset <= self.before.start {
            offset
        } else if offset >= self.before.start + self.length {
            offset - self.length + (self.before.end - self.before.start)
        } else {
            (offset - 1).clamp(self.before.start, self.before.end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_behind_and_inside_of_mends_come_back() {
        let mut mended = Mended::new("a: {b: $.x[0], c: y[1]}");
        mended.replace(Span::new(7, 13), "\"$.x[0]\"");
        mended.replace(Span::new(20, 24), "\"y[1]\"");
        assert_eq!(mended.text(), "a: {b: \"$.x[0]\", c: \"y[1]\"}");
        let back = |start, end| mended.place(Diagnostic::error("", Span::new(start, end))).span;
        assert_eq!(back(7, 15), Span::new(7, 13));
        assert_eq!(back(17, 18), Span::new(15, 16));
        assert_eq!(back(20, 26), Span::new(18, 22));
        assert_eq!(back(26, 27), Span::new(22, 23));
    }
}
