//! `JSONPath` (RFC 9535), compiled when it is read.
//!
//! The `JSONPath` library lives only here. What it accepts although the RFC does
//! not, and the one shape that it evaluates wrongly, [`conformity`] refuses;
//! what its errors leave unsaid, [`repair`] says.

mod conformity;
mod repair;

use std::fmt;
use std::sync::Arc;

use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use super::leaf::leaf_type;
use super::mistake::Mistake;

leaf_type!(JsonPath, "JSONPath", "a JSONPath such as $.status.phase", Some(r"^\$|\{\{"));

/// How long a path may be.
const MAX_LENGTH: usize = 1_024;

/// A compiled `JSONPath`; equal to another by its text.
#[derive(Debug, Clone)]
pub struct JsonPath {
    text: Arc<str>,
    query: Arc<JpQuery>,
}

/// A node that a path selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected<'v> {
    /// Where it is, as a normalized path: `$['items'][0]`.
    pub path: String,
    /// What it is.
    pub value: &'v Value,
}

impl JsonPath {
    /// Compiles a path.
    ///
    /// # Errors
    /// What is wrong with it and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).map_err(|mistake| match mistake.help {
            Some(help) => format!("{}: {help}", mistake.message),
            None => mistake.message,
        })
    }

    /// Compiles a path; the mistake keeps its parts.
    fn read(text: &str) -> Result<Self, Mistake> {
        if text.len() > MAX_LENGTH {
            return Err(Mistake::new(format!("the path has {} characters, more than {MAX_LENGTH}", text.len())));
        }
        let query = compile(text)?;
        Ok(Self { text: text.into(), query: Arc::new(query) })
    }

    /// The values that the path selects, in document order.
    pub fn select<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        self.located(root).into_iter().map(|selected| selected.value).collect()
    }

    /// The same with their places.
    pub fn located<'v>(&self, root: &'v Value) -> Vec<Selected<'v>> {
        let found = js_path_process(&self.query, root).unwrap_or_default();
        found.into_iter().map(|found| Selected { path: found.path, value: found.val }).collect()
    }

    /// Whether the path can select no more than one value.
    pub fn is_singular(&self) -> bool {
        self.query
            .segments
            .iter()
            .all(|segment| matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_))))
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Compiles and checks; the mistake says what to write instead.
fn compile(text: &str) -> Result<JpQuery, Mistake> {
    match parse_json_path(text) {
        Ok(query) => conformity::check(&query).map(|()| query),
        Err(error) => Err(repair::explain(text, &error)),
    }
}

/// Whether a text is a path that may be used.
fn is_valid(text: &str) -> bool {
    parse_json_path(text).is_ok_and(|query| conformity::check(&query).is_ok())
}

impl fmt::Display for JsonPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for JsonPath {}

impl Default for JsonPath {
    fn default() -> Self {
        Self { text: "$".into(), query: Arc::new(JpQuery::new(Vec::new())) }
    }
}

#[cfg(test)]
mod tests;
