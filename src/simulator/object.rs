//! Reading and writing the parts that every Kubernetes object has.
//!
//! Objects are plain JSON values; a part that is absent or of another type
//! reads as empty, as the API server's decoder would have it.

use chrono::SecondsFormat;
use serde_json::{Map, Value};

use crate::clock::Timestamp;

static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

/// The value at a JSON pointer; pointers without `~` are followed without a copy.
pub fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    if pointer.is_empty() || pointer.contains('~') {
        return value.pointer(pointer);
    }
    pointer.strip_prefix('/')?.split('/').try_fold(value, |here, key| match here {
        Value::Object(fields) => fields.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The text at a JSON pointer, or nothing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer.
pub fn number(value: &Value, pointer: &str) -> Option<i64> {
    at(value, pointer).and_then(Value::as_i64)
}

/// Whether a JSON pointer leads to `true`.
pub fn flag(value: &Value, pointer: &str) -> bool {
    at(value, pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// The list at a JSON pointer, empty when there is none.
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The mapping at a JSON pointer, empty when there is none.
pub fn map<'a>(value: &'a Value, pointer: &str) -> &'a Map<String, Value> {
    at(value, pointer).and_then(Value::as_object).unwrap_or(&EMPTY)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`, empty for objects of the cluster.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// `metadata.resourceVersion` as a number; 0 when there is none.
pub fn version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().unwrap_or_default()
}

/// `metadata.labels`.
pub fn labels(object: &Value) -> &Map<String, Value> {
    map(object, "/metadata/labels")
}

/// `metadata.annotations`.
pub fn annotations(object: &Value) -> &Map<String, Value> {
    map(object, "/metadata/annotations")
}

/// `metadata.ownerReferences`.
pub fn owners(object: &Value) -> &[Value] {
    list(object, "/metadata/ownerReferences")
}

/// The owner that controls the object.
pub fn controller(object: &Value) -> Option<&Value> {
    owners(object).iter().find(|owner| flag(owner, "/controller"))
}

/// Whether the object is on its way out.
pub fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|stamp| !stamp.is_null())
}

/// Puts a value at a path of keys; mappings on the way are made where they lack.
pub fn put(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if let Some(place) = place(object, path) {
        *place = value.into();
    }
}

/// Puts a value at a path of keys unless one is there.
pub fn put_default(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if let Some(place) = place(object, path).filter(|place| place.is_null()) {
        *place = value.into();
    }
}

/// Takes the value at a path of keys out of the object.
pub fn remove(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, way) = path.split_last()?;
    let mut here = object;
    for key in way {
        here = here.get_mut(key)?;
    }
    here.as_object_mut()?.shift_remove(*last)
}

/// The value at a path of keys, made where it lacks.
fn place<'a>(object: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    let mut here = object;
    for key in path {
        if !here.is_object() {
            *here = Map::new().into();
        }
        here = here.as_object_mut()?.entry(*key).or_insert(Value::Null);
    }
    Some(here)
}

/// A moment as `metav1.Time` writes it: whole seconds, UTC.
pub fn stamp(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_put_makes_its_way_and_a_remove_takes_back() {
        let mut object = json!({"metadata": null});
        put(&mut object, &["metadata", "labels", "app"], "web");
        put_default(&mut object, &["metadata", "labels", "app"], "other");
        assert_eq!(object, json!({"metadata": {"labels": {"app": "web"}}}));
        assert_eq!(remove(&mut object, &["metadata", "labels", "app"]), Some(json!("web")));
        assert_eq!(remove(&mut object, &["spec", "x"]), None);
    }
}
