//! The answer of any reading action, as a table where it is one.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::objects::{self, View};
use super::style::Style;
use super::table::{Cell, Table};

/// The items of an answer in columns: objects of Kubernetes in their own, others in those of their fields.
///
/// None where the answer has no items; YAML shows it better.
pub fn table(result: &Value, view: &View, style: &Style) -> Option<String> {
    let items = result.get("items")?.as_array()?;
    let kinds = kinds(items);
    let is_object = |item: &Value| item.get("metadata").is_some() && item.get("kind").is_some();
    if items.iter().all(is_object) {
        let of_kind = |kind: &&str| {
            let own: Vec<Value> = items.iter().filter(|item| kind_of(item) == *kind).cloned().collect();
            objects::table(kind, &own, view, style)
        };
        return Some(kinds.iter().map(of_kind).collect::<Vec<_>>().join("\n"));
    }
    let rows: Option<Vec<&Map<String, Value>>> = items.iter().map(Value::as_object).collect();
    Some(flat(&rows?, style))
}

fn kind_of(item: &Value) -> &str {
    item.get("kind").and_then(Value::as_str).unwrap_or_default()
}

/// The kinds in the order in which they come.
fn kinds(items: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = Vec::new();
    for kind in items.iter().map(kind_of) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// A column for every field that any row has; what is nested stands there as JSON.
fn flat(rows: &[&Map<String, Value>], style: &Style) -> String {
    let mut fields: Vec<&str> = Vec::new();
    for field in rows.iter().flat_map(|row| row.keys()) {
        if !fields.contains(&field.as_str()) {
            fields.push(field);
        }
    }
    let heading = |field: &&str| field.to_uppercase().replace('_', "-");
    let mut table = Table::new(fields.iter().map(heading).map(Cow::Owned));
    for row in rows {
        table.push(fields.iter().map(|field| Cell::plain(row.get(*field).map(in_words).unwrap_or_default())).collect());
    }
    table.draw(style)
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(in_words).collect::<Vec<_>>().join(",")
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(result: &Value) -> Option<String> {
        let view = View { namespaces: false, wide: false, now: "2026-01-01T00:00:00Z".parse().unwrap() };
        table(result, &view, &Style::default())
    }

    #[test]
    fn rows_get_the_columns_of_their_fields() {
        let rows =
            json!({"items": [{"name": "a", "ports": [80, 443], "last_seen": null}, {"name": "b", "extra": {"x": 1}}]});
        assert_eq!(
            shown(&rows).unwrap(),
            "NAME   PORTS    LAST-SEEN   EXTRA\na      80,443\nb                           {\"x\":1}\n"
        );
        assert_eq!(shown(&json!({"items": []})).unwrap(), "");
        assert_eq!(shown(&json!({"items": [1]})), None);
        assert_eq!(shown(&json!({"user": "mira"})), None);
    }

    #[test]
    fn objects_get_the_columns_of_their_kind() {
        let object =
            |kind: &str, name: &str| json!({"kind": kind, "metadata": {"name": name}, "status": {"phase": "Active"}});
        let text =
            shown(&json!({"items": [object("Namespace", "shop"), object("ConfigMap", "x"), object("Namespace", "b")]}));
        let text = text.unwrap();
        assert!(text.starts_with("NAME   STATUS   AGE\nshop   Active   <unknown>\nb "), "{text}");
        assert!(text.contains("\n\nNAME   DATA   AGE\nx "), "{text}");
    }
}
