//! JSONPath (RFC 9535): compiled once, selecting as often as needed.
//!
//! The library accepts a few shapes that the standard refuses and explains
//! errors in its grammar's words; both are mended here.

use std::fmt;
use std::sync::Arc;

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use super::leaf::leaf_type;

/// A compiled path.
#[derive(Clone)]
pub struct JsonPath {
    text: String,
    query: Arc<JpQuery>,
}

impl JsonPath {
    /// Compiles a path.
    ///
    /// # Errors
    /// What is wrong with it and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(advice) = advice(text) {
            return Err(advice);
        }
        match parse_json_path(text) {
            Ok(query) => Ok(Self { text: text.to_owned(), query: Arc::new(query) }),
            Err(error) => Err(grammar(text, &error.to_string())),
        }
    }

    /// The nodes that it selects, in document order.
    pub fn select<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        js_path_process(&self.query, value)
            .map(|found| found.into_iter().map(jsonpath_rust::query::QueryRef::val).collect())
            .unwrap_or_default()
    }

    /// The path, as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Slips that have an answer of their own.
fn advice(text: &str) -> Option<String> {
    if text.starts_with('{') {
        let inner = text.trim_start_matches('{').trim_end_matches('}');
        return Some(format!("braces are kubectl's spelling: write ${inner}"));
    }
    if text.starts_with('.') {
        return Some(format!("a path begins with $: write ${text}"));
    }
    if !text.starts_with('$') {
        return Some(format!("a path begins with $: write $.{text}"));
    }
    if let Some(found) = unquoted_key(text) {
        return Some(format!("the key `{found}` needs brackets: write ['{found}']"));
    }
    if text.contains("=~") {
        return Some("there is no `=~`: write match(@.name, 'pattern')".into());
    }
    let bare_equals = text.contains("[?")
        && text.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", "").contains('=');
    if bare_equals && !text.contains('\'') {
        return Some("two values are compared with `==`".into());
    }
    ["count(", "length(", "value("]
        .iter()
        .find(|name| bare_test(text, name))
        .map(|name| format!("`{name}…)` gives a value: compare it with something"))
}

/// A key after a dot that holds `-` or `/`: `$.metadata.labels.app-name`.
fn unquoted_key(text: &str) -> Option<String> {
    if text.contains(['[', '\'', '"', '(']) {
        return None;
    }
    text.split('.').skip(1).find(|key| key.contains(['-', '/'])).map(ToOwned::to_owned)
}

/// A function of a value that stands alone as a test, which the standard refuses.
fn bare_test(text: &str, name: &str) -> bool {
    let Some(at) = text.find(&format!("[?{name}")) else {
        return false;
    };
    let rest = text.get(at..).unwrap_or_default();
    rest.find(')').and_then(|close| rest.get(close + 1..)).is_some_and(|after| after.trim_start().starts_with(']'))
}

/// The place of the library's error, without its grammar.
fn grammar(text: &str, error: &str) -> String {
    let column = error
        .lines()
        .find_map(|line| line.trim().strip_prefix("--> ")?.split(':').nth(1)?.trim().parse::<usize>().ok())
        .filter(|column| *column >= 1);
    match column.and_then(|column| Some((column, text.get(column - 1..)?))) {
        Some((column, rest)) if !rest.is_empty() => {
            format!("it cannot be read from character {column} on: `{rest}`")
        }
        _ => "it ends too early, or a bracket or quote is open".into(),
    }
}

impl Default for JsonPath {
    fn default() -> Self {
        Self { text: "$".into(), query: Arc::new(JpQuery::new(Vec::new())) }
    }
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("JsonPath").field(&self.text).finish()
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

leaf_type!(JsonPath, "JsonPath", "a JSONPath such as $.status.phase", Some(r"^\$|\{\{"));

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_of_the_books_select() {
        let pods = json!({"items": [
            {"metadata": {"name": "a", "ownerReferences": [{"kind": "DaemonSet"}]}, "status": {"phase": "Pending"}},
            {"metadata": {"name": "b"}, "status": {"phase": "Running", "containerStatuses": [{"ready": false}]}},
        ]});
        let names = |path: &str| JsonPath::parse(path).unwrap().select(&pods).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(names("$.items[*].metadata.name"), [json!("a"), json!("b")]);
        assert_eq!(names("$.items[?@.status.phase=='Pending'].metadata.name"), [json!("a")]);
        assert_eq!(
            names("$.items[?(@.status.phase=='Running' && @.status.containerStatuses[?@.ready==false])].metadata.name"),
            [json!("b")]
        );
        assert_eq!(
            names("$.items[?!@.metadata.ownerReferences[?@.kind=='DaemonSet' || @.kind=='Node']].metadata.name"),
            [json!("b")]
        );
    }

    #[test]
    fn slips_get_their_own_advice() {
        let advice = |path: &str| JsonPath::parse(path).unwrap_err();
        assert_eq!(advice("{.status.phase}"), "braces are kubectl's spelling: write $.status.phase");
        assert_eq!(advice("status.phase"), "a path begins with $: write $.status.phase");
        assert_eq!(advice(".status"), "a path begins with $: write $.status");
        assert_eq!(advice("$.metadata.labels.app-name"), "the key `app-name` needs brackets: write ['app-name']");
        assert_eq!(advice("$.a[?@.n=1]"), "two values are compared with `==`");
        assert_eq!(advice("$.a[?count(@.x)]"), "`count(…)` gives a value: compare it with something");
        assert!(advice("$.a[").contains("ends too early"), "{}", advice("$.a["));
    }
}
