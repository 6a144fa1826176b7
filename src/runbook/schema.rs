//! The JSON Schema of a runbook, from the tables and types that parse it.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::parse::{STEP_KEYS, TOP_KEYS};
use super::requires::Requires;
use crate::action::{ACTIONS, ActionKind, CONTROLS};
use crate::document::{KINDS, KindRow};

/// The schema of the format.
pub fn schema() -> Schema {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let step = step(&mut generator);
    let mut top: Map<String, Value> =
        TOP_KEYS.iter().map(|(key, help)| ((*key).to_owned(), json!({"description": help}))).collect();
    for (key, part) in [
        ("runbook", json!({"const": "v1"})),
        ("name", json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$"})),
        ("requires", generator.subschema_for::<Requires>().to_value()),
        (
            "inputs",
            json!({"type": "object", "additionalProperties": generator.subschema_for::<super::inputs::Declared>().to_value()}),
        ),
        ("steps", json!({"$ref": "#/$defs/Steps", "minItems": 1})),
        ("always", json!({"$ref": "#/$defs/Steps"})),
        ("on-failure", json!({"anyOf": [{"const": "pause"}, {"$ref": "#/$defs/Branch"}]})),
        ("timeout", json!({"$ref": "#/$defs/Duration"})),
        ("always-timeout", json!({"$ref": "#/$defs/Duration"})),
        ("budget", generator.subschema_for::<super::BudgetLimits>().to_value()),
    ] {
        merge(&mut top, key, part);
    }
    generator.subschema_for::<crate::document::DurationText>();
    let mut definitions = generator.take_definitions(true);
    definitions.insert("Step".into(), step);
    definitions.insert("Steps".into(), json!({"type": "array", "items": {"$ref": "#/$defs/Step"}}));
    definitions.insert("Branch".into(), branch());
    definitions.insert("Expectations".into(), expectations());
    definitions.insert("Set".into(), set());
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "runhub runbook, v1",
        "type": "object",
        "required": ["runbook", "name", "steps"],
        "additionalProperties": false,
        "properties": top,
        "$defs": definitions,
    });
    allow_holes(&mut whole);
    Schema::try_from(whole).unwrap_or_default()
}

fn merge(properties: &mut Map<String, Value>, key: &str, part: Value) {
    if let (Some(Value::Object(known)), Value::Object(part)) = (properties.get_mut(key), part) {
        known.extend(part);
    }
}

fn branch() -> Value {
    json!({"anyOf": [
        {"$ref": "#/$defs/Steps"},
        {"type": "object", "required": ["steps"], "additionalProperties": false,
         "properties": {"handles": {"type": "boolean"}, "steps": {"$ref": "#/$defs/Steps"}}},
    ]})
}

fn step(generator: &mut SchemaGenerator) -> Value {
    let mut properties: Map<String, Value> =
        STEP_KEYS.iter().map(|(key, help)| ((*key).to_owned(), json!({"description": help}))).collect();
    for (key, part) in [
        ("id", json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})),
        ("when", json!({"type": ["string", "boolean"]})),
        ("expect", json!({"$ref": "#/$defs/Expectations"})),
        ("timeout", json!({"$ref": "#/$defs/Duration"})),
        ("attempt-timeout", json!({"$ref": "#/$defs/Duration"})),
        ("continue-on-error", json!({"type": "boolean"})),
        ("on-failure", json!({"$ref": "#/$defs/Branch"})),
        ("always", json!({"$ref": "#/$defs/Branch"})),
        ("tags", json!({"type": "array", "items": {"type": "string"}})),
        ("retry", generator.subschema_for::<super::parse::RetryArguments>().to_value()),
    ] {
        merge(&mut properties, key, part);
    }
    for kind in ACTIONS {
        properties.insert(kind.name.into(), action(kind, generator));
    }
    properties.extend(controls());
    let one: Vec<Value> =
        ACTIONS.iter().map(|kind| kind.name).chain(CONTROLS).map(|name| json!({"required": [name]})).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties, "oneOf": one})
}

/// An action's arguments: its own, and the keys of its target.
fn action(kind: &ActionKind, generator: &mut SchemaGenerator) -> Value {
    let own = (kind.schema)(generator).to_value();
    let resolved = own
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|name| generator.definitions().get(name.rsplit('/').next()?).cloned());
    let mut arguments = resolved.unwrap_or(own);
    if let Some(fields) = arguments.as_object_mut() {
        fields.insert("description".into(), kind.help.into());
        if !kind.target.keys().is_empty() {
            let properties = fields.entry("properties").or_insert_with(|| json!({}));
            if let Some(properties) = properties.as_object_mut() {
                properties.extend(kind.target.keys().into_iter().map(|key| (key.to_owned(), target(key))));
            }
        }
    }
    arguments
}

fn target(key: &str) -> Value {
    match (key, KindRow::of_plural(key)) {
        ("object", _) => json!({"type": "object", "required": ["kind", "name"]}),
        ("container", _) => json!({"type": ["string", "object"], "description": "namespace/pod/container"}),
        (_, Some(_)) => json!({"$ref": "#/$defs/Set"}),
        (_, None) => json!({"type": "string", "description": "namespace/name"}),
    }
}

fn set() -> Value {
    let kinds: Map<String, Value> =
        KINDS.iter().map(|row| (row.singular.to_owned(), json!({"type": "string"}))).collect();
    json!({"anyOf": [{"const": "all"}, {"type": "object", "additionalProperties": false, "properties": {
        "in": {"type": ["string", "array"]}, "selector": {"type": ["string", "object"]}, "field-selector": {"type": "string"},
        "where": {"$ref": "#/$defs/Expectations"}, "of": {"type": "object", "properties": kinds}, "held-by": {"type": "string"},
        "min": {"type": "integer"}, "max": {"type": "integer"}, "max-parallel": {"type": "integer", "minimum": 1},
    }}]})
}

fn controls() -> Map<String, Value> {
    let text = json!({"type": "string"});
    let parts = [
        ("note", text.clone()),
        ("fail", text),
        ("assert", json!({"$ref": "#/$defs/Expectations"})),
        ("pause", json!({"$ref": "#/$defs/Duration"})),
        ("undo-steps", json!({"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}}]})),
        (
            "group",
            json!({"type": "object", "required": ["steps"], "properties": {"steps": {"$ref": "#/$defs/Steps"}, "guards": {"type": "array"}}}),
        ),
        ("use", json!({})),
        ("approve", json!({"type": "object", "required": ["message"]})),
    ];
    parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect()
}

fn expectations() -> Value {
    let mut properties: Map<String, Value> = crate::expect::rows()
        .map(|row| {
            let mut schema: Value = serde_json::from_str(row.schema).unwrap_or(Value::Bool(true));
            if let Some(fields) = schema.as_object_mut() {
                fields.insert("description".into(), row.help.into());
            }
            (row.name.to_owned(), schema)
        })
        .collect();
    for key in crate::expect::KEYS {
        properties.entry(key).or_insert(Value::Bool(true));
    }
    json!({"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": properties}})
}

/// A leaf that takes not any text may also be a template.
fn allow_holes(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(allow_holes);
            if is_narrow_leaf(fields) {
                let own = Value::Object(std::mem::take(fields));
                fields.insert("anyOf".into(), json!([own, {"type": "string", "pattern": r"\{\{"}]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(allow_holes),
        _ => {}
    }
}

fn is_narrow_leaf(fields: &Map<String, Value>) -> bool {
    let types = match fields.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return false,
    };
    let narrow = types.iter().any(|name| matches!(*name, "integer" | "number" | "boolean" | "array"));
    fields.contains_key("enum") || (narrow && !types.contains(&"string"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes_a_template(mut schema: Value) -> bool {
        allow_holes(&mut schema);
        schema["anyOf"][1]["pattern"] == r"\{\{"
    }

    #[test]
    fn a_template_may_stand_for_what_is_no_text() {
        assert!(takes_a_template(json!({"type": "integer"})));
        assert!(takes_a_template(json!({"type": ["integer", "null"], "minimum": 0})));
        assert!(takes_a_template(json!({"type": ["array", "null"], "items": {"type": "string"}})));
        assert!(takes_a_template(json!({"type": "string", "enum": ["merge", "json"]})));
    }

    #[test]
    fn what_takes_any_text_and_what_is_no_leaf_stay_as_they_are() {
        assert!(!takes_a_template(json!({"type": "string"})));
        assert!(!takes_a_template(json!({"type": ["string", "boolean"]})));
        assert!(!takes_a_template(json!({"type": "object", "properties": {}})));
    }

    #[test]
    fn every_reference_leads_to_a_definition() {
        let schema = schema().to_value();
        let text = schema.to_string();
        for (_, rest) in text.match_indices("\"#/$defs/").map(|(at, mark)| text.split_at(at + mark.len())) {
            let name = rest.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
    }
}
