//! What is wrong with the text of a leaf.

use std::fmt;
use std::ops::Range;

/// Why a text is not what it should be: data, without a place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Mistake {
    /// The fact, in one line, without a full stop.
    pub(super) message: String,
    /// What to do.
    pub(super) help: Option<String>,
    /// The whole text as it should have been.
    pub(super) replacement: Option<String>,
    /// The part of the text that is wrong, in bytes.
    pub(super) range: Option<Range<usize>>,
}

impl Mistake {
    /// A fact.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Says what to do.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers the whole text as it should have been, and says so unless there is other help.
    #[must_use]
    pub(super) fn write(mut self, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        self.help.get_or_insert_with(|| format!("write `{replacement}`"));
        self.replacement = Some(replacement);
        self
    }

    /// Points at a part of the text.
    #[must_use]
    pub(super) fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}
