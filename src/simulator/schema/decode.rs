//! Decoding as Go does it: types are insisted on, unknown fields are dropped and told, what is empty
//! is left out, and structs that are no pointers are there even when nobody wrote them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Go, Shape, Type};

/// What a decoder passed over: a strict one would have refused it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::simulator) struct Slips(pub(in crate::simulator) Vec<String>);

/// Brings an object into the form that its type has.
///
/// # Errors
/// The decoder's words, when a value is of another type than its field.
pub(in crate::simulator) fn decode(kind: Type, object: &mut Value) -> Result<Slips, String> {
    let mut slips = Slips::default();
    walk(kind, object, &mut Path::default(), &mut slips)?;
    Ok(slips)
}

/// Where the decoder is: the fields on the way, with the struct that has the last one.
#[derive(Debug, Default)]
struct Path {
    fields: Vec<String>,
    owner: &'static str,
}

impl Path {
    /// The path as complaints about unknown fields write it: `spec.containers[0].x`.
    fn dotted(&self, last: &str) -> String {
        let mut all = self.fields.concat();
        all.push('.');
        all.push_str(last);
        all.trim_start_matches('.').to_owned()
    }

    /// The path as complaints about types write it: without indexes.
    fn plain(&self) -> String {
        let named: Vec<_> = self.fields.iter().filter_map(|part| part.strip_prefix('.')).collect();
        named.join(".")
    }
}

fn walk(kind: Type, value: &mut Value, path: &mut Path, slips: &mut Slips) -> Result<(), String> {
    match kind.shape() {
        Shape::Struct => match value {
            Value::Object(fields) => walk_struct(kind, fields, path, slips),
            other => Err(mismatch(kind, other, path)),
        },
        Shape::List => match value {
            Value::Array(items) => walk_list(kind, items, path, slips),
            other => Err(mismatch(kind, other, path)),
        },
        Shape::Map => match value {
            Value::Object(fields) => walk_map(kind, fields, path, slips),
            other => Err(mismatch(kind, other, path)),
        },
        shape if fits(shape, value) => {
            if shape == Shape::Quantity && value.is_number() {
                *value = value.to_string().into();
            }
            Ok(())
        }
        _ => Err(mismatch(kind, value, path)),
    }
}

fn walk_struct(kind: Type, fields: &mut Map<String, Value>, path: &mut Path, slips: &mut Slips) -> Result<(), String> {
    let unknown: Vec<_> = fields.keys().filter(|name| kind.field(name).is_none()).cloned().collect();
    for name in unknown {
        slips.0.push(format!("unknown field \"{}\"", path.dotted(&name)));
        fields.shift_remove(&name);
    }
    for (name, value) in fields.iter_mut().filter(|(_, value)| !value.is_null()) {
        let Some(field) = kind.field(name) else { continue };
        let owner = std::mem::replace(&mut path.owner, kind.short_name());
        path.fields.push(format!(".{name}"));
        walk(field, value, path, slips)?;
        path.fields.pop();
        path.owner = owner;
    }
    settle(kind, fields);
    Ok(())
}

/// Leaves out what Go would leave out, and adds what it would write in any case.
fn settle(kind: Type, fields: &mut Map<String, Value>) {
    fields.retain(|name, value| {
        let go = kind.field(name).and_then(Type::go);
        match go {
            Some(Go::Always) => true,
            Some(Go::Struct) => !value.is_null() || kind.field(name).is_some_and(is_time),
            Some(Go::Plain) => !is_zero(value),
            None => !value.is_null(),
        }
    });
    let present: HashSet<String> = fields.keys().cloned().collect();
    let mut lacking: Vec<_> = kind
        .fields()
        .filter(|(name, field)| !present.contains(*name) && matches!(field.go(), Some(Go::Always | Go::Struct)))
        .collect();
    lacking.sort_unstable_by_key(|(name, _)| *name);
    for (name, field) in lacking {
        fields.insert(name.to_owned(), zero(field));
    }
    if let Some(Value::Null) = fields.get("items") {
        fields.insert("items".into(), json!([]));
    }
}

fn is_time(kind: Type) -> bool {
    matches!(kind.shape(), Shape::Time { .. })
}

fn zero(kind: Type) -> Value {
    match kind.shape() {
        Shape::Struct => {
            let mut fields = Map::new();
            settle(kind, &mut fields);
            fields.into()
        }
        Shape::Text => "".into(),
        Shape::Quantity => "0".into(),
        Shape::Integer { .. } | Shape::Number | Shape::IntOrString => 0.into(),
        Shape::Boolean => false.into(),
        Shape::List | Shape::Map | Shape::Bytes | Shape::Time { .. } | Shape::Raw => Value::Null,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn walk_list(kind: Type, items: &mut [Value], path: &mut Path, slips: &mut Slips) -> Result<(), String> {
    let Some(item) = kind.item() else { return Ok(()) };
    for (index, value) in items.iter_mut().enumerate() {
        if value.is_null() {
            *value = zero(item);
            continue;
        }
        path.fields.push(format!("[{index}]"));
        walk(item, value, path, slips)?;
        path.fields.pop();
    }
    Ok(())
}

fn walk_map(kind: Type, fields: &mut Map<String, Value>, path: &mut Path, slips: &mut Slips) -> Result<(), String> {
    for (name, value) in fields.iter_mut() {
        let Some(kind) = kind.field(name) else { continue };
        if value.is_null() {
            *value = zero(kind);
            continue;
        }
        path.fields.push(String::new());
        walk(kind, value, path, slips)?;
        path.fields.pop();
    }
    Ok(())
}

fn fits(shape: Shape, value: &Value) -> bool {
    match shape {
        Shape::Text | Shape::Bytes | Shape::Time { .. } => value.is_string(),
        Shape::Integer { .. } => value.is_i64(),
        Shape::Number => value.is_number(),
        Shape::Boolean => value.is_boolean(),
        Shape::IntOrString => value.is_i64() || value.is_string(),
        Shape::Quantity => value.is_number() || value.is_string(),
        Shape::Raw | Shape::Struct | Shape::List | Shape::Map => true,
    }
}

fn mismatch(kind: Type, value: &Value, path: &Path) -> String {
    let found = match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) | Value::Null => "string",
    };
    let (owner, place) = (path.owner, path.plain());
    format!("json: cannot unmarshal {found} into Go struct field {owner}.{place} of type {}", go_type(kind))
}

/// The type as Go writes it.
fn go_type(kind: Type) -> String {
    match kind.shape() {
        Shape::Struct => format!("{}.{}", package(kind.name), kind.short_name()),
        Shape::List => format!("[]{}", kind.item().map(go_type).unwrap_or_default()),
        Shape::Map => format!(
            "map[string]{}",
            kind.property
                .and_then(|all| all.values.as_deref())
                .map(|inner| go_type(Type::of(inner)))
                .unwrap_or_default()
        ),
        Shape::Text | Shape::Quantity | Shape::Time { .. } => "string".into(),
        Shape::Bytes => "[]uint8".into(),
        Shape::Integer { wide } => if wide { "int64" } else { "int32" }.into(),
        Shape::Number => "float64".into(),
        Shape::Boolean => "bool".into(),
        Shape::IntOrString => "intstr.IntOrString".into(),
        Shape::Raw => "interface {}".into(),
    }
}

/// The Go package of a type: its version.
fn package(name: &str) -> &str {
    name.rsplit('.').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::schema::of_kind;

    fn deployment() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
            "replicas": 0, "paused": false, "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [{"name": "c", "image": "i", "args": []}]}}}})
    }

    fn decoded(object: &mut Value) -> Result<Slips, String> {
        decode(of_kind("apps/v1", "Deployment").expect("known"), object)
    }

    #[test]
    fn empty_fields_go_and_structs_come() {
        let mut object = deployment();
        assert_eq!(decoded(&mut object), Ok(Slips::default()));
        assert_eq!(
            object,
            json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "creationTimestamp": null},
                "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}},
                    "template": {"spec": {"containers": [{"name": "c", "image": "i", "resources": {}}]},
                        "metadata": {"creationTimestamp": null}},
                    "strategy": {}},
                "status": {}})
        );
    }

    #[test]
    fn what_nobody_knows_is_dropped_and_told() {
        let mut object = deployment();
        object["spec"]["template"]["spec"]["containers"][0]["imagee"] = json!("x");
        object["sped"] = json!({});
        let slips = decoded(&mut object).expect("decodable");
        assert_eq!(slips.0, ["unknown field \"sped\"", "unknown field \"spec.template.spec.containers[0].imagee\""]);
        assert!(object.get("sped").is_none());
    }

    #[test]
    fn types_are_insisted_on_in_the_words_of_go() {
        for (pointer, value, words) in [
            ("/spec/replicas", json!("3"), "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
            ("/spec/paused", json!(1), "number into Go struct field DeploymentSpec.spec.paused of type bool"),
            (
                "/spec/template/spec/containers",
                json!({}),
                "object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
            ),
        ] {
            let mut object = deployment();
            *object.pointer_mut(pointer).expect(pointer) = value;
            let refused = decoded(&mut object).expect_err(pointer);
            assert_eq!(refused, format!("json: cannot unmarshal {words}"));
        }
    }
}
