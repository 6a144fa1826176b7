//! The difference between what should be and what was, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::source::Place;

/// Reads an optional value in which `null` is a value and only absence is none.
///
/// # Errors
/// What the deserializer says.
pub fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// One expectation that did not hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mismatch {
    /// The `JSONPath` or the condition, as written.
    pub subject: String,
    /// What should have been there, in words (`equals 3`, `at least 1`).
    pub expected: String,
    /// What was found: the selected node, all nodes when several, absent when the path selects nothing.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
    /// Why it does not match where that is not plain (`text "3" is not the number 3`); may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The author's own `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Field by field, where objects were compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<FieldDiff>,
    /// The values in a false condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operands: Vec<Operand>,
    /// Where the expectation stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// One field that differs between two objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FieldDiff {
    /// The field, as a JSON pointer.
    pub field: String,
    /// What should be there; absent: nothing.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What is there; absent: nothing.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
}

/// A piece of a condition with the value it had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Operand {
    /// The piece, as written.
    pub text: String,
    /// Its value; `***` for a secret.
    pub value: Value,
}

impl std::fmt::Display for Mismatch {
    /// The line for people: the author's message, else what was expected and found.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(message) = &self.message {
            write!(formatter, "{message}: ")?;
        }
        write!(formatter, "{} should be: {}", self.subject, self.expected)?;
        match &self.found {
            Some(found) => write!(formatter, "; found {found}")?,
            None if self.operands.is_empty() => write!(formatter, "; found nothing")?,
            None => {}
        }
        for operand in &self.operands {
            write!(formatter, "; {} = {}", operand.text, operand.value)?;
        }
        if !self.reason.is_empty() {
            write!(formatter, " ({})", self.reason)?;
        }
        Ok(())
    }
}
