//! The fields in which two objects differ, as JSON pointers with both values.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::event::Written;

/// What only the server writes.
const BOOKKEEPING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// What differs between two values below `at`; an explicit null counts as nothing.
///
/// Lists of one length are compared item by item; any other is one field, so
/// that no item takes the place of another.
pub(super) fn differences(at: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<Written> {
    let (before, after) = (before.filter(|value| !value.is_null()), after.filter(|value| !value.is_null()));
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            keys.into_iter().flat_map(|key| differences(&below(at, key), old.get(key), new.get(key))).collect()
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => old
            .iter()
            .zip(new)
            .enumerate()
            .flat_map(|(index, (old, new))| differences(&format!("{at}/{index}"), Some(old), Some(new)))
            .collect(),
        (before, after) if before == after => Vec::new(),
        (before, after) => {
            vec![Written { pointer: at.to_owned(), before: before.cloned(), after: after.cloned() }]
        }
    }
}

/// An object without what only the server writes.
pub(super) fn content(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| !BOOKKEEPING.contains(&field.as_str()));
    }
    object
}

/// The object as it is once these fields are written.
pub(super) fn with_written(object: &Value, written: &[Written]) -> Value {
    let mut object = object.clone();
    for field in written {
        let parts: Vec<String> =
            field.pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        put(&mut object, &parts, field.after.as_ref());
    }
    object
}

fn put(at: &mut Value, way: &[String], value: Option<&Value>) {
    let [key, rest @ ..] = way else {
        *at = value.cloned().unwrap_or_default();
        return;
    };
    if let Value::Array(items) = at {
        if let Some(item) = key.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
            put(item, rest, value);
        }
        return;
    }
    if !at.is_object() {
        *at = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = at else { return };
    if rest.is_empty() && value.is_none() {
        fields.remove(key);
        return;
    }
    put(fields.entry(key.clone()).or_insert(Value::Null), rest, value);
}

/// The pointer of a key (RFC 6901).
fn below(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(before: &Value, after: &Value) -> Vec<String> {
        differences("", Some(before), Some(after)).into_iter().map(|field| field.pointer).collect()
    }

    #[test]
    fn fields_are_found_down_to_the_leaf() {
        let before =
            json!({"metadata": {"annotations": {"a/b~c": "1", "kept": "x"}}, "spec": {"gone": 1, "same": [1, 2]}});
        let after = json!({"metadata": {"annotations": {"a/b~c": "2", "kept": "x"}}, "spec": {"new": {"deep": 1}, "same": [1, 2]}});
        assert_eq!(shown(&before, &after), ["/metadata/annotations/a~1b~0c", "/spec/gone", "/spec/new"]);
    }

    #[test]
    fn lists_of_another_length_are_one_field() {
        assert_eq!(shown(&json!({"l": [{"a": 1}, 2]}), &json!({"l": [{"a": 3}, 2]})), ["/l/0/a"]);
        assert_eq!(shown(&json!({"l": [1]}), &json!({"l": [1, 2]})), ["/l"]);
    }

    #[test]
    fn written_fields_are_found_in_lists_and_in_maps_that_were_not_there() {
        let field = |pointer: &str, after: Option<Value>| Written { pointer: pointer.into(), before: None, after };
        let written = [
            field("/spec/containers/0/image", Some(json!("web:2"))),
            field("/metadata/annotations/a~1b", Some(json!("x"))),
            field("/spec/paused", None),
        ];
        let after = with_written(&json!({"spec": {"paused": true, "containers": [{"image": "web:1"}]}}), &written);
        let wanted = json!({"spec": {"containers": [{"image": "web:2"}]}, "metadata": {"annotations": {"a/b": "x"}}});
        assert_eq!(after, wanted);
    }

    #[test]
    fn null_is_nothing() {
        assert!(shown(&json!({"creationTimestamp": null}), &json!({})).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn writing_the_differences_gives_the_other_object(
            before in proptest::collection::btree_map("[a-c]", 0..3_i32, 0..4),
            after in proptest::collection::btree_map("[a-c]", 0..3_i32, 0..4),
        ) {
            let (mut object, after) = (json!(before), json!(after));
            for field in differences("", Some(&object.clone()), Some(&after)) {
                let key = field.pointer.trim_start_matches('/').to_owned();
                let fields = object.as_object_mut().unwrap();
                match field.after {
                    Some(value) => drop(fields.insert(key, value)),
                    None => drop(fields.remove(&key)),
                }
            }
            proptest::prop_assert_eq!(object, after);
        }
    }
}
