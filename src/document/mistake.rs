//! What is wrong with the text of a leaf.

use std::fmt;
use std::ops::Range;

use crate::source::{Diagnostic, Span};

use super::node::Node;

/// Why a text is not what it should be: data, without a place in a document.
///
/// serde carries errors as text only. So the alternate form (`{:#}`) holds all
/// parts, joined by U+001F, from which our deserializer takes them apart
/// again; any other deserializer shows the plain form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mistake {
    /// The fact, in one line, without a full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The whole text as it should have been.
    pub replacement: Option<String>,
    /// The part of the text that is wrong, in bytes.
    pub range: Option<Range<usize>>,
}

const SEPARATOR: char = '\u{1f}';

impl Mistake {
    /// A fact.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers the whole text as it should have been, and says so unless there is other help.
    #[must_use]
    pub fn write(mut self, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        self.help.get_or_insert_with(|| format!("write `{replacement}`"));
        self.replacement = Some(replacement);
        self
    }

    /// Points at a part of the text.
    #[must_use]
    pub fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }

    /// The complaint about a node with this text; `span` where the node has no text.
    pub(super) fn into_diagnostic(self, node: &Node, span: Span) -> Diagnostic {
        let place = match (node.scalar(), &self.range) {
            (Some(_), Some(range)) => node.span_in(range.clone()),
            (Some(_), None) => node.span,
            (None, _) => span,
        };
        let mut complaint = Diagnostic::error(self.message, place);
        complaint.helps.extend(self.help);
        if let Some(replacement) = self.replacement.filter(|_| node.scalar().is_some()) {
            complaint = complaint.patch(node.span, node.in_its_style(&replacement));
        }
        complaint
    }

    /// Takes the alternate form apart.
    pub(super) fn from_wire(text: &str) -> Self {
        let mut parts = text.split(SEPARATOR);
        let message = parts.next().unwrap_or_default().to_owned();
        let mut filled = || parts.next().filter(|part| !part.is_empty());
        let help = filled().map(str::to_owned);
        let replacement = filled().map(str::to_owned);
        let start = filled().and_then(|number| number.parse().ok());
        let end = filled().and_then(|number| number.parse().ok());
        Self { message, help, replacement, range: start.zip(end).map(|(start, end)| start..end) }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if formatter.alternate() {
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            write!(formatter, "{SEPARATOR}{}{SEPARATOR}{}{SEPARATOR}", text(&self.help), text(&self.replacement))?;
            if let Some(range) = &self.range {
                write!(formatter, "{}{SEPARATOR}{}", range.start, range.end)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Mistake {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_survives_the_way_through_serde() {
        let mistakes = [
            Mistake::new("wrong"),
            Mistake::new("wrong").help("do").at(1..3),
            Mistake::new("wrong").write("right"),
            Mistake::new("wrong").help("so").write("right").at(0..0),
        ];
        for mistake in mistakes {
            assert_eq!(Mistake::from_wire(&format!("{mistake:#}")), mistake);
            assert_eq!(mistake.to_string(), "wrong");
        }
    }
}
