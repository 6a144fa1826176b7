//! The page of an action: what it is aimed at, its keys with their types, its result, an example, its wire.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::action::{ActionKind, Changes, page_of};

/// The whole page.
pub(super) fn page(kind: &ActionKind) -> String {
    let mut generator = schemars::SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.definitions().clone();
    let schema = resolved(&schema, &definitions).clone();
    let mut text = format!("{}: {}\n", kind.name, kind.help);
    let keys = kind.target.keys();
    section(&mut text, "aimed at", in_lines(&keys));
    section(&mut text, "keys", keys_of(&schema, &definitions));
    if let Some(page) = page_of(kind.name) {
        let brace = |text: &str| if text.starts_with('{') { text.to_owned() } else { format!("{{{text}}}") };
        section(&mut text, "result", [format!("$     {}", page.result), format!("info  {}", page.info)]);
        section(&mut text, "example", [format!("- {}: {}", kind.name, brace(page.example))]);
        section(&mut text, "over the wire", page.wire.iter().map(|line| (*line).to_owned()));
    }
    section(&mut text, "changes", [changes(kind).to_owned()]);
    text
}

fn changes(kind: &ActionKind) -> &'static str {
    match (kind.changes, kind.repeatable) {
        (Changes::No, _) => "nothing",
        (Changes::Yes, true) => "the target; it may be tried again",
        (Changes::Yes, false) => "the target; it is never tried again by itself",
        (Changes::Says, _) => "what its author says (`effect`, the method)",
    }
}

fn section(text: &mut String, title: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = write!(text, "\n{title}:\n");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// A line for each key: its name, its type, what it means.
fn keys_of(schema: &Value, definitions: &Map<String, Value>) -> Vec<String> {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let rows: Vec<(String, String, String)> = properties
        .into_iter()
        .flatten()
        .map(|(key, schema)| {
            let help = schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
            let needed = if required.contains(&key.as_str()) { ", required" } else { "" };
            (key.clone(), format!("{}{needed}", type_of(schema, definitions)), help)
        })
        .collect();
    let width = |of: fn(&(String, String, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (name, kind) = (width(|row| row.0.chars().count()), width(|row| row.1.chars().count()));
    rows.iter().map(|(key, what, help)| format!("{key:<name$}  {what:<kind$}  {help}")).collect()
}

/// A type in words; `duration` and the like have their unit in their text.
fn type_of(schema: &Value, definitions: &Map<String, Value>) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return match name {
            "Duration" | "DurationText" => "duration (300ms, 30s, 5m, 1h30m)".to_owned(),
            _ => match resolved(schema, definitions) {
                text if text.get("type").is_some_and(|kind| kind == "string") && text.get("enum").is_none() => {
                    text.get("description").and_then(Value::as_str).unwrap_or("text").to_owned()
                }
                other => type_of(other, definitions),
            },
        };
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(kinds) = schema.get(word).and_then(Value::as_array) {
            return either(kinds.iter().map(|kind| type_of(kind, definitions)));
        }
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return either(values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    if let Some(value) = schema.get("const").and_then(Value::as_str) {
        return value.to_owned();
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) => {
            either(kinds.iter().filter_map(Value::as_str).map(|kind| word(kind, schema, definitions)))
        }
        Some(Value::String(kind)) => word(kind, schema, definitions),
        _ => "any value".to_owned(),
    }
}

fn word(kind: &str, schema: &Value, definitions: &Map<String, Value>) -> String {
    match kind {
        "array" => {
            format!("list of {}", schema.get("items").map_or("values".to_owned(), |items| type_of(items, definitions)))
        }
        "string" => "text".to_owned(),
        "object" => "mapping".to_owned(),
        "integer" => match (schema.get("minimum"), schema.get("maximum")) {
            (Some(min), Some(max)) => format!("integer {min} to {max}"),
            _ => "integer".to_owned(),
        },
        other => other.to_owned(),
    }
}

/// The kinds with `or` between them; that a key may be left out is no kind.
fn either(kinds: impl Iterator<Item = String>) -> String {
    let mut known: Vec<String> = Vec::new();
    for kind in kinds.filter(|kind| kind != "null") {
        if !known.contains(&kind) {
            known.push(kind);
        }
    }
    known.join(" or ")
}

fn resolved<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    name.and_then(|name| definitions.get(name)).unwrap_or(schema)
}

/// Words with commas between them, in lines that fit a narrow terminal.
fn in_lines(words: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 74 => {
                line.push_str(", ");
                line.push_str(word);
            }
            Some(line) => {
                line.push(',');
                lines.push((*word).to_owned());
            }
            None => lines.push((*word).to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{ACTIONS, find};

    #[test]
    fn a_page_tells_types_units_result_example_and_wire() {
        let text = page(find("drain").unwrap());
        for line in [
            "grace-period  duration (300ms, 30s, 5m, 1h30m)",
            "emptydir      refuse or delete",
            "- drain: {node: node-a, emptydir: delete, grace-period: 60s, timeout: 20m}",
            "`evicted`",
            "POST /api/v1/namespaces/<ns>/pods/<name>/eviction",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(page(find("exec").unwrap()).contains("list of text, required"));
        assert!(page(find("get").unwrap()).contains("- get: {deployment: shop/web}"));
    }

    #[test]
    fn every_key_of_every_action_has_a_type_and_a_meaning() {
        for row in ACTIONS {
            let text = page(row);
            let keys = text.split("\nkeys:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
            for line in keys.lines() {
                let parts: Vec<&str> = line.trim().split("  ").filter(|part| !part.is_empty()).collect();
                assert_eq!(parts.len(), 3, "{}: {line}", row.name);
            }
        }
    }
}
