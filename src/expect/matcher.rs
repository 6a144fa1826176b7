//! The table of matchers, and what one is.
//!
//! To add a matcher: a row in its family's file; the family is listed in
//! [`rows`]. The row brings parsing, the schema and "did you mean".

use serde_json::Value;

use super::{FieldDiff, equality, order, shape, text};

/// How values are read before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Reading {
    /// As JSON values.
    #[default]
    Plain,
    /// As Kubernetes quantities (`500m`, `2Gi`).
    Quantity,
    /// As RFC 3339 moments.
    Time,
}

/// Why a value does not match; may have no words of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Why {
    /// What is not plain from expected and found.
    pub(super) reason: String,
    /// Field by field, where objects were compared.
    pub(super) diff: Vec<FieldDiff>,
}

impl Why {
    pub(super) fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), diff: Vec::new() }
    }

    pub(super) fn plain() -> Self {
        Self::default()
    }
}

/// A matcher applied: its argument, what was found, and how both are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) argument: &'a Value,
    pub(super) found: &'a Value,
    pub(super) reading: Reading,
}

/// One matcher.
#[derive(Debug)]
pub struct Matcher {
    /// Its key in an expectation.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// The JSON Schema of its argument, as JSON text.
    pub schema: &'static str,
    /// What is wrong with an argument, if anything.
    pub(super) accepts: fn(&Value) -> Result<(), String>,
    /// What should be, in words.
    pub(super) words: fn(&Value) -> String,
    /// Whether the found value matches.
    pub(super) check: fn(Given<'_>) -> Result<(), Why>,
}

/// All matchers that look at one value, in the order of the documentation.
pub fn rows() -> impl Iterator<Item = &'static Matcher> {
    [equality::ROWS, text::ROWS, order::ROWS, shape::ROWS].into_iter().flatten()
}

/// Any argument will do.
#[expect(clippy::unnecessary_wraps, reason = "it stands in a table of functions that may refuse")]
pub(super) fn anything(_: &Value) -> Result<(), String> {
    Ok(())
}

/// The kind of a JSON value, as people say it.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
