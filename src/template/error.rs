//! Why an expression has no value: one line for people, with a place.

use std::fmt;
use std::ops::Range;

use crate::source::{Diagnostic, Span};

/// A text that is not a template, or not an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The fact, in one line, without a full stop.
    pub message: String,
    /// Where it is: bytes of the text that was parsed.
    pub range: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

impl Mistake {
    pub(super) fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Self { message: message.into(), range, help: None }
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The complaint about a document in which the text stands at `place`.
    pub fn diagnostic(&self, place: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.message.as_str(), place.within(self.range.clone()));
        match &self.help {
            Some(help) => diagnostic.help(help.as_str()),
            None => diagnostic,
        }
    }

    /// The same mistake, seen from a text in which this one begins at `offset`.
    pub(super) fn shifted(mut self, offset: usize) -> Self {
        self.range = self.range.start + offset..self.range.end + offset;
        self
    }
}

/// The sort of an [`EvaluationError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A name, a field or an item is not there.
    Undefined,
    /// The value is not known yet: a plan, not a run, asks for it.
    Unknown {
        /// Why it is not known, such as `after step grow`.
        reason: Box<str>,
    },
    /// An operator or a condition got a kind of value that it does not take.
    Mismatch,
    /// A filter or a function could not do its work.
    Failed,
    /// The expression wants more time or memory than any honest one needs.
    Limit,
}

/// Why an expression has no value.
///
/// Its `Display` is one line fit for users and never holds a tainted value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationError {
    /// The sort of it.
    pub cause: Cause,
    /// The fact.
    pub message: Box<str>,
    /// What the failing part itself says; may quote a value, so it is left out where one is tainted.
    detail: Option<Box<str>>,
    /// What to do.
    pub help: Option<String>,
    /// Where it is: bytes of the text that was parsed.
    pub range: Range<usize>,
    /// The names that stand in the failing part, as they were written.
    pub names: Box<[String]>,
    quotes: bool,
}

impl EvaluationError {
    /// Leaves out whatever could quote a value.
    pub(super) fn hidden(mut self) -> Self {
        self.detail = None;
        if self.cause == Cause::Undefined {
            self.help = None;
        }
        if self.quotes {
            self.message = "a secret is used here as the name of something that is not there".into();
        }
        self
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if let Some(detail) = &self.detail {
            write!(formatter, ": {detail}")?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "; {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for EvaluationError {}

/// What an operator, a filter or a function says when it refuses; the walk adds place and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    cause: Cause,
    pub(super) message: Box<str>,
    detail: Option<Box<str>>,
    help: Option<String>,
    quotes: bool,
}

impl Refusal {
    fn new(cause: Cause, message: impl Into<Box<str>>) -> Self {
        Self { cause, message: message.into(), detail: None, help: None, quotes: false }
    }

    pub(super) fn undefined(message: impl Into<Box<str>>) -> Self {
        Self::new(Cause::Undefined, message)
    }

    pub(super) fn unknown(reason: impl Into<Box<str>>) -> Self {
        let reason: Box<str> = reason.into();
        Self::new(Cause::Unknown { reason: reason.clone() }, format!("not known yet: {reason}"))
    }

    pub(super) fn mismatch(message: impl Into<Box<str>>) -> Self {
        Self::new(Cause::Mismatch, message)
    }

    pub(super) fn failed(message: impl Into<Box<str>>) -> Self {
        Self::new(Cause::Failed, message)
    }

    pub(super) fn limit(message: impl Into<Box<str>>) -> Self {
        Self::new(Cause::Limit, message)
    }

    pub(super) fn detail(mut self, text: impl fmt::Display) -> Self {
        self.detail = Some(text.to_string().into());
        self
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Says that the message or the help quotes a value, so that neither is shown where that is secret.
    pub(super) fn quoting(mut self) -> Self {
        self.quotes = true;
        self
    }

    pub(super) fn at(self, range: Range<usize>, names: Vec<String>) -> EvaluationError {
        let Self { cause, message, detail, help, quotes } = self;
        EvaluationError { cause, message, detail, help, range, names: names.into(), quotes }
    }
}
