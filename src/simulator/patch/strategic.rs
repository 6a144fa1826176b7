//! The strategic merge patch: lists of objects are merged by their keys.

use serde_json::{Map, Value};

use crate::simulator::schema::Type;

/// Merges a patch into an object of a type; where the type is not known, lists are replaced.
pub(super) fn merge(kind: Option<Type>, object: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    if changes.get("$patch").and_then(Value::as_str) == Some("replace") {
        *object = without_directives(changes);
        return;
    }
    if !object.is_object() {
        *object = Map::new().into();
    }
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    retain_keys(fields, changes);
    for (key, change) in changes {
        match key.split_once('/') {
            Some(("$deleteFromPrimitiveList", list)) => delete_primitives(fields, list, change),
            _ if key.starts_with('$') => {}
            _ => merge_field(kind.and_then(|kind| kind.field(key)), fields, (key, change)),
        }
    }
}

fn merge_field(kind: Option<Type>, fields: &mut Map<String, Value>, (key, change): (&str, &Value)) {
    match change {
        Value::Null => drop(fields.shift_remove(key)),
        Value::Object(inner) if inner.get("$patch").and_then(Value::as_str) == Some("delete") => {
            fields.shift_remove(key);
        }
        Value::Object(_) => merge(kind, fields.entry(key).or_insert_with(|| Map::new().into()), change),
        Value::Array(items) => {
            let present = fields.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            fields.insert(key.to_owned(), merged_list(kind, present, items).into());
        }
        _ => drop(fields.insert(key.to_owned(), change.clone())),
    }
}

fn merged_list(kind: Option<Type>, present: Vec<Value>, changes: &[Value]) -> Vec<Value> {
    let replaces =
        |item: &Value| directive(item) == Some("replace") && item.as_object().is_some_and(|all| all.len() == 1);
    let key = kind.and_then(Type::merge_key);
    if key.is_none() && kind.is_some_and(Type::is_merged) {
        return union(present, changes);
    }
    let Some(key) = key.filter(|_| !changes.iter().any(replaces)) else {
        return changes.iter().filter(|item| !replaces(item)).map(plain).collect();
    };
    let order: Vec<_> = present.iter().filter_map(|item| item.get(key).cloned()).collect();
    let mut list = present;
    for change in changes {
        let place = list.iter().position(|item| item.get(key).is_some() && item.get(key) == change.get(key));
        match (directive(change), place) {
            (Some("delete"), Some(index)) => drop(list.remove(index)),
            (Some("delete"), None) => {}
            (_, Some(index)) => {
                if let Some(item) = list.get_mut(index) {
                    merge(kind.and_then(Type::item), item, change);
                }
            }
            (_, None) => {
                let mut fresh = Map::new().into();
                merge(kind.and_then(Type::item), &mut fresh, change);
                list.push(fresh);
            }
        }
    }
    sorted(list, key, &order, changes)
}

/// The entries of a patch come in its order, those of the server alone in theirs; where both meet, an
/// entry of the server goes first only if it stood before (apimachinery `mergeSortedSlice`).
fn sorted(list: Vec<Value>, key: &str, before: &[Value], changes: &[Value]) -> Vec<Value> {
    let named = |item: &Value| changes.iter().position(|change| change.get(key) == item.get(key));
    let (mut patched, alone): (Vec<_>, Vec<_>) = list.into_iter().partition(|item| named(item).is_some());
    patched.sort_by_key(|item| named(item));
    let place = |item: &Value| before.iter().position(|known| Some(known) == item.get(key));
    let (mut alone, mut merged) = (alone.into_iter().peekable(), Vec::new());
    for item in patched {
        while let Some(waiting) =
            alone.next_if(|waiting| place(&item).is_some_and(|index| place(waiting) < Some(index)))
        {
            merged.push(waiting);
        }
        merged.push(item);
    }
    merged.extend(alone);
    merged
}

fn directive(item: &Value) -> Option<&str> {
    item.get("$patch").and_then(Value::as_str)
}

fn plain(item: &Value) -> Value {
    item.as_object().map_or_else(|| item.clone(), without_directives)
}

fn without_directives(fields: &Map<String, Value>) -> Value {
    fields
        .iter()
        .filter(|(key, value)| !key.starts_with('$') && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

/// The values of both, in the order that [`sorted`] gives to entries.
fn union(present: Vec<Value>, changes: &[Value]) -> Vec<Value> {
    let place = |item: &Value| present.iter().position(|known| known == item);
    let mut alone = present.iter().filter(|item| !changes.contains(item)).peekable();
    let mut merged: Vec<Value> = Vec::new();
    for change in changes {
        while let Some(waiting) =
            alone.next_if(|waiting| place(change).is_some_and(|index| place(waiting) < Some(index)))
        {
            merged.push(waiting.clone());
        }
        if !merged.contains(change) {
            merged.push(change.clone());
        }
    }
    merged.extend(alone.cloned());
    merged
}

fn delete_primitives(fields: &mut Map<String, Value>, list: &str, gone: &Value) {
    let gone = gone.as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(items) = fields.get_mut(list).and_then(Value::as_array_mut) {
        items.retain(|item| !gone.contains(item));
    }
}

/// `$retainKeys` drops what it does not name, as for the strategy of a Deployment.
fn retain_keys(fields: &mut Map<String, Value>, changes: &Map<String, Value>) {
    if let Some(kept) = changes.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|key, _| kept.iter().any(|name| name == key.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::schema::of_kind;
    use serde_json::json;

    fn merged_as(place: &[&str], mut object: Value, patch: &Value) -> Value {
        let kind = of_kind("apps/v1", "Deployment").and_then(|kind| kind.at(place));
        assert!(kind.is_some(), "{place:?}");
        merge(kind, &mut object, patch);
        object
    }

    fn merged(object: Value, patch: &Value) -> Value {
        merged_as(&["spec", "template", "spec"], object, patch)
    }

    #[test]
    fn containers_are_merged_by_name_and_variables_too() {
        let object = json!({"containers": [
            {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}]},
            {"name": "log", "image": "log:1"}]});
        let patch = json!({"containers": [{"name": "web", "image": "web:2", "env": [{"name": "B", "value": "2"}]}]});
        assert_eq!(
            merged(object, &patch),
            json!({"containers": [
                {"name": "web", "image": "web:2", "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
                {"name": "log", "image": "log:1"}]})
        );
    }

    #[test]
    fn an_entry_can_be_deleted_and_a_list_replaced() {
        let object = json!({"containers": [{"name": "a"}, {"name": "b"}], "tolerations": [{"key": "x"}]});
        let patch = json!({"containers": [{"name": "a", "$patch": "delete"}], "tolerations": [{"key": "y"}]});
        assert_eq!(merged(object, &patch), json!({"containers": [{"name": "b"}], "tolerations": [{"key": "y"}]}));
        let object = json!({"containers": [{"name": "a"}]});
        let patch = json!({"containers": [{"$patch": "replace"}, {"name": "c"}]});
        assert_eq!(merged(object, &patch), json!({"containers": [{"name": "c"}]}));
    }

    #[test]
    fn a_strategy_keeps_only_the_named_keys() {
        let object = json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}});
        let patch = json!({"strategy": {"$retainKeys": ["type"], "type": "Recreate"}});
        assert_eq!(merged_as(&["spec"], object, &patch), json!({"strategy": {"type": "Recreate"}}));
    }

    #[test]
    fn finalizers_are_a_set() {
        let object = json!({"finalizers": ["a", "b"]});
        let patch = json!({"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]});
        assert_eq!(merged_as(&["metadata"], object, &patch), json!({"finalizers": ["c", "b"]}));
    }

    #[test]
    fn null_removes() {
        assert_eq!(merged(json!({"a": 1, "b": {"c": 1}}), &json!({"a": null, "b": {"c": null}})), json!({"b": {}}));
    }
}
