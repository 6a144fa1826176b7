//! What differs from run to run, put on one form.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// A pattern in text, and what stands for it.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"(?m)^ *… .*\n", ""),
        (r"\b\d{8}-\d{6}-[0-9a-f]{4}\b", "<run>"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
        (r"\b(after|in) (\d+h)?(\d+m)?[\d.]+(ms|s|m)\b", "$1 <time>"),
        (r"(?m)  (\d+h)?(\d+m)?[\d.]+(ms|s|m)(, \d+ attempts)?$", "  <time>$4"),
        // Which of a pod's events is the last one is chance.
        (r"(?m)^ *event .*\n", ""),
        // Whether a controller writes between our look and our change is chance; we look again.
        (r"(?m)^ *x .*HTTP 409 Conflict\)\n", ""),
        (r"\b\d+ requests?\b", "<n> requests"),
        (r"\b\d+ bytes\b", "<n> bytes"),
        (r"tester@\S+", "tester@<host>"),
        // The names that a controller gives: of a ReplicaSet's pods, a Job's pod, a triggered Job.
        (r"\b(web|api)-[0-9a-z]{8,10}-[0-9a-z]{5}\b", "$1-<hash>-<pod>"),
        (r"\b(web|api)-[0-9a-f]{8,10}\b", "$1-<hash>"),
        (r"\b(migrate)-[0-9a-z]{5}\b", "$1-<pod>"),
        (r"\b(nightly)-[0-9a-z]{5,12}\b", "$1-<job>"),
        (r#"(resourceVersion"?: ?"?)\d+"#, "$1<version>"),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
    .into()
});

/// A console's text: no run ids, times, ports or UIDs, and no lines that only show progress.
pub(crate) fn text(found: &str, places: &[(&str, &str)]) -> String {
    let named = places.iter().fold(found.to_owned(), |text, (path, word)| text.replace(path, word));
    let patterned = PATTERNS.iter().fold(named, |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned());
    in_one_order(&patterned)
}

/// The objects of a set are changed side by side: neighbouring lines of changes in the order of the alphabet.
pub(crate) fn in_one_order(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_change = |line: &str| line.trim_start().starts_with("~ ");
    for neighbours in lines.chunk_by_mut(|one, other| is_change(one) && is_change(other)) {
        neighbours.sort_unstable();
    }
    lines.concat()
}

/// Keys of a report whose values differ from run to run.
const PASSING: [&str; 13] = [
    "actor",
    "book-hash",
    "elapsed-ms",
    "elapsed-us",
    "ended",
    "id",
    "received-bytes",
    "requests",
    "resource-version",
    "since",
    "started",
    "waited-ms",
    "waited",
];

/// The parts of a report that `shape` names, with what differs from run to run taken out.
///
/// A list that is longer or shorter than its shape is whole, each item in the shape of the first.
pub(crate) fn in_shape(shape: &Value, found: &Value) -> Value {
    match (shape, found) {
        (Value::Object(shape), Value::Object(found)) => {
            let pick = |(key, part): (&String, &Value)| {
                let inside = found.get(key).map_or(Value::Null, |value| in_shape(part, value));
                (key.clone(), if PASSING.contains(&key.as_str()) && inside.is_number() { "<n>".into() } else { inside })
            };
            Value::Object(shape.iter().map(pick).collect())
        }
        (_, Value::Array(items)) if items.is_empty() => found.clone(),
        (Value::Array(shapes), Value::Array(items)) if !shapes.is_empty() => {
            let each = items.iter().enumerate();
            let shape = |index: usize| shapes.get(index).unwrap_or(&shapes[0]);
            Value::Array(each.map(|(index, item)| in_shape(shape(index), item)).collect())
        }
        (_, Value::String(found)) => text(found, &[]).into(),
        (_, Value::Object(_) | Value::Array(_)) => in_shape(found, found),
        (_, Value::Null | Value::Bool(_) | Value::Number(_)) => found.clone(),
    }
}
