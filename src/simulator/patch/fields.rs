//! Sets of fields, in the `fieldsV1` form that `managedFields` has.
//!
//! A set is a tree: `f:name` leads into a mapping, `k:{…}` to an entry of a
//! keyed list, and an empty branch is a field that is owned whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::merge_key;

/// A set of fields of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet(BTreeMap<String, FieldSet>);

impl FieldSet {
    /// Reads the form of `fieldsV1`.
    pub(super) fn read(tree: &Value) -> Self {
        let branches = tree.as_object().into_iter().flatten();
        Self(branches.map(|(key, inner)| (key.clone(), Self::read(inner))).collect())
    }

    /// Writes the form of `fieldsV1`.
    pub(super) fn write(&self) -> Value {
        self.0.iter().map(|(key, inner)| (key.clone(), inner.write())).collect::<Map<_, _>>().into()
    }

    /// The fields that an object has.
    pub(super) fn of(object: &Value) -> Self {
        Self::below("", object)
    }

    fn below(field: &str, value: &Value) -> Self {
        let branches = branches(field, value).into_iter();
        Self(branches.map(|branch| (branch.key, Self::below(branch.field, branch.value))).collect())
    }

    /// The fields of `new` that `old` lacks or has otherwise.
    pub(super) fn changed(old: &Value, new: &Value) -> Self {
        Self::differing("", Some(old), new)
    }

    fn differing(field: &str, old: Option<&Value>, new: &Value) -> Self {
        let before: BTreeMap<_, _> = old
            .map(|old| branches(field, old))
            .into_iter()
            .flatten()
            .map(|branch| (branch.key, branch.value))
            .collect();
        let mut changed = Self::default();
        for branch in branches(field, new) {
            let old = before.get(&branch.key).copied();
            if old == Some(branch.value) {
                continue;
            }
            let inner = Self::differing(branch.field, old, branch.value);
            let whole = branches(branch.field, branch.value).is_empty();
            if whole || !inner.is_empty() {
                changed.0.insert(branch.key, inner);
            }
        }
        changed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields of both.
    pub(super) fn union(mut self, other: &Self) -> Self {
        for (key, inner) in &other.0 {
            let merged = self.0.remove(key).unwrap_or_default().union(inner);
            self.0.insert(key.clone(), merged);
        }
        self
    }

    /// The fields of this that the other lacks.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let rest = self.0.iter().filter_map(|(key, mine)| {
            let Some(theirs) = other.0.get(key) else {
                return Some((key.clone(), mine.clone()));
            };
            let rest = mine.minus(theirs);
            (!rest.is_empty()).then(|| (key.clone(), rest))
        });
        Self(rest.collect())
    }

    /// The fields that are in both.
    pub(super) fn common(&self, other: &Self) -> Self {
        let both = self.0.iter().filter_map(|(key, mine)| {
            let theirs = other.0.get(key)?;
            let common = mine.common(theirs);
            let whole = mine.is_empty() || theirs.is_empty();
            (whole || !common.is_empty()).then(|| (key.clone(), common))
        });
        Self(both.collect())
    }

    /// The paths of the fields, as conflicts name them: `.spec.replicas`.
    pub(super) fn paths(&self) -> Vec<String> {
        let paths = self.0.iter().flat_map(|(key, inner)| {
            let here = path_part(key);
            let below = inner.paths();
            if below.is_empty() { vec![here] } else { below.into_iter().map(|path| format!("{here}{path}")).collect() }
        });
        paths.collect()
    }

    /// Takes the fields of the set out of an object; what becomes empty goes too.
    pub(super) fn remove_from(&self, object: &mut Value) {
        self.prune("", object);
    }

    fn prune(&self, field: &str, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|key, inner| self.spares(&format!("f:{key}"), key, inner));
            }
            Value::Array(items) => {
                let Some(key) = keyed(field, items) else {
                    return;
                };
                items.retain_mut(|item| self.spares(&entry_key(key, item), "", item));
            }
            _ => {}
        }
    }

    /// Prunes one branch; whether something of it is left.
    fn spares(&self, key: &str, field: &str, value: &mut Value) -> bool {
        let Some(gone) = self.0.get(key) else {
            return true;
        };
        gone.prune(field, value);
        !gone.is_empty() && !is_bare(value)
    }
}

/// A part of a value, with its key in the set and the name of the field that it is.
struct Branch<'a> {
    key: String,
    field: &'a str,
    value: &'a Value,
}

fn branches<'a>(field: &str, value: &'a Value) -> Vec<Branch<'a>> {
    match value {
        Value::Object(fields) => {
            let branch =
                |(name, value): (&'a String, &'a Value)| Branch { key: format!("f:{name}"), field: name, value };
            fields.iter().map(branch).collect()
        }
        Value::Array(items) => {
            let entry = |key, item| Branch { key: entry_key(key, item), field: "", value: item };
            keyed(field, items).map(|key| items.iter().map(|item| entry(key, item)).collect()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn keyed(field: &str, items: &[Value]) -> Option<&'static str> {
    let key = merge_key(field, items)?;
    (!items.is_empty() && items.iter().all(|item| item.get(key).is_some())).then_some(key)
}

fn entry_key(key: &str, item: &Value) -> String {
    let mut fields = Map::new();
    fields.insert(key.to_owned(), item.get(key).cloned().unwrap_or_default());
    format!("k:{}", Value::Object(fields))
}

fn path_part(key: &str) -> String {
    let Some(entry) = key.strip_prefix("k:") else {
        return format!(".{}", key.trim_start_matches("f:"));
    };
    let fields: Map<String, Value> = serde_json::from_str(entry).unwrap_or_default();
    let parts: Vec<_> = fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("[{}]", parts.join(","))
}

fn is_bare(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workload(image: &str) -> Value {
        json!({"spec": {"replicas": 3, "containers": [{"name": "web", "image": image}], "args": [1, 2]}})
    }

    #[test]
    fn changed_fields_are_found_inside_keyed_lists() {
        let changed = FieldSet::changed(&workload("web:1"), &workload("web:2"));
        assert_eq!(changed.paths(), [".spec.containers[name=\"web\"].image"]);
        assert_eq!(FieldSet::read(&changed.write()), changed);
    }

    #[test]
    fn a_removed_field_is_no_change_of_its_parent() {
        let changed = FieldSet::changed(&json!({"a": {"b": 1, "c": 2}}), &json!({"a": {"b": 1}}));
        assert!(changed.is_empty());
    }

    #[test]
    fn sets_are_added_and_taken_away() {
        let all = FieldSet::of(&workload("web:1"));
        let image = FieldSet::changed(&workload("web:1"), &workload("web:2"));
        let rest = all.minus(&image);
        assert!(rest.common(&image).is_empty());
        assert_eq!(rest.union(&image), all);
    }

    #[test]
    fn pruned_fields_leave_no_empty_shells() {
        let mut object = workload("web:1");
        FieldSet::of(&json!({"spec": {"containers": [{"name": "web", "image": ""}], "args": [0]}}))
            .remove_from(&mut object);
        assert_eq!(object, json!({"spec": {"replicas": 3}}));
    }
}
