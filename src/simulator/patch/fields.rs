//! Sets of fields, in the `fieldsV1` form that `managedFields` has.
//!
//! As in structured-merge-diff: a set has members, which are fields owned as such, and children, which
//! are sets of the fields below. `f:name` is a field, `k:{…}` an entry of a keyed list, `v:…` a value of
//! a set; a member that has children as well is written with a `.` among them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::schema::Type;

/// A set of fields of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    members: BTreeSet<String>,
    children: BTreeMap<String, FieldSet>,
}

/// What differs between two states of an object.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Fields that are new, or have another value.
    pub(super) changed: FieldSet,
    /// Fields that are there no more.
    pub(super) removed: FieldSet,
}

impl FieldSet {
    /// Reads the form of `fieldsV1`.
    pub(super) fn read(tree: &Value) -> Self {
        let mut set = Self::default();
        for (key, inner) in tree.as_object().into_iter().flatten().filter(|(key, _)| *key != ".") {
            let below = Self::read(inner);
            if below.is_empty() || inner.get(".").is_some() {
                set.members.insert(key.clone());
            }
            set.add_child(key, below);
        }
        set
    }

    /// Writes the form of `fieldsV1`.
    pub(super) fn write(&self) -> Value {
        let mut tree = Map::new();
        let keys: BTreeSet<_> = self.members.iter().chain(self.children.keys()).collect();
        for key in keys {
            let mut below = Map::new();
            if let Some(child) = self.children.get(key) {
                if self.members.contains(key) {
                    below.insert(".".into(), Map::new().into());
                }
                if let Value::Object(inner) = child.write() {
                    below.extend(inner);
                }
            }
            tree.insert(key.clone(), below.into());
        }
        tree.into()
    }

    /// The fields that a configuration names.
    pub(super) fn of(kind: Option<Type>, object: &Value) -> Self {
        let mut set = Self::default();
        for branch in branches(kind, object) {
            let below = Self::of(branch.kind, branch.value);
            if branch.is_entry || below.is_empty() {
                set.members.insert(branch.key.clone());
            }
            set.add_child(&branch.key, below);
        }
        set
    }

    fn add_child(&mut self, key: &str, child: Self) {
        if !child.is_empty() {
            self.children.insert(key.to_owned(), child);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.is_empty()
    }

    /// The fields of both.
    pub(super) fn union(mut self, other: &Self) -> Self {
        self.members.extend(other.members.iter().cloned());
        for (key, theirs) in &other.children {
            let merged = self.children.remove(key).unwrap_or_default().union(theirs);
            self.add_child(key, merged);
        }
        self
    }

    /// The fields of this that the other lacks.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut rest = Self { members: self.members.difference(&other.members).cloned().collect(), ..Self::default() };
        for (key, mine) in &self.children {
            let below = other.children.get(key).map_or_else(|| mine.clone(), |theirs| mine.minus(theirs));
            rest.add_child(key, below);
        }
        rest
    }

    /// The fields that are in both.
    pub(super) fn common(&self, other: &Self) -> Self {
        let mut both =
            Self { members: self.members.intersection(&other.members).cloned().collect(), ..Self::default() };
        for (key, mine) in &self.children {
            if let Some(theirs) = other.children.get(key) {
                both.add_child(key, mine.common(theirs));
            }
        }
        both
    }

    /// The paths of the fields, as conflicts name them: `.spec.replicas`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<_> = self.members.iter().map(|key| path_part(key)).collect();
        for (key, child) in &self.children {
            let here = path_part(key);
            paths.extend(child.paths().into_iter().map(|path| format!("{here}{path}")));
        }
        paths
    }

    /// Takes the members of the set out of an object.
    pub(super) fn remove_from(&self, kind: Option<Type>, object: &mut Value) {
        match object {
            Value::Object(fields) => fields.retain(|name, inner| {
                let key = format!("f:{name}");
                self.spares(&key, kind.and_then(|kind| kind.field(name)), inner)
            }),
            Value::Array(items) => {
                let item = kind.and_then(Type::item);
                items.retain_mut(|inner| {
                    kind.and_then(|kind| entry_key(kind, inner)).is_none_or(|key| self.spares(&key, item, inner))
                });
            }
            _ => {}
        }
    }

    /// Prunes one branch; whether it stays. A mapping or list that has lost all goes as well.
    fn spares(&self, key: &str, kind: Option<Type>, value: &mut Value) -> bool {
        if let Some(below) = self.children.get(key) {
            below.remove_from(kind, value);
            if is_bare(value) {
                return false;
            }
        }
        !self.members.contains(key) || self.children.contains_key(key) && !is_bare(value)
    }
}

/// What became of an object: `old` is the object as Go sees it, with its structs in place.
pub(super) fn difference(kind: Option<Type>, old: &Value, new: &Value) -> Difference {
    let mut found = Difference::default();
    let before: BTreeMap<_, _> = branches(kind, old).into_iter().map(|branch| (branch.key.clone(), branch)).collect();
    let mut seen = BTreeSet::new();
    for branch in branches(kind, new) {
        seen.insert(branch.key.clone());
        let Some(old) = before.get(&branch.key) else {
            add_whole(&mut found.changed, &branch);
            continue;
        };
        if old.value == branch.value {
            continue;
        }
        if branches(branch.kind, old.value).is_empty() && branches(branch.kind, branch.value).is_empty() {
            found.changed.members.insert(branch.key);
            continue;
        }
        let below = difference(branch.kind, old.value, branch.value);
        found.changed.add_child(&branch.key, below.changed);
        found.removed.add_child(&branch.key, below.removed);
    }
    for (key, old) in before.into_iter().filter(|(key, _)| !seen.contains(key)) {
        let mut gone = FieldSet::default();
        add_whole(&mut gone, &Branch { key, ..old });
        found.removed = found.removed.union(&gone);
    }
    found
}

/// A branch that was not there before, with all that is below.
fn add_whole(set: &mut FieldSet, branch: &Branch<'_>) {
    set.members.insert(branch.key.clone());
    let mut below = FieldSet::default();
    for inner in branches(branch.kind, branch.value) {
        add_whole(&mut below, &inner);
    }
    set.add_child(&branch.key, below);
}

/// A part of a value: its key in the set, its type, and whether it is an entry of a list.
struct Branch<'a> {
    key: String,
    kind: Option<Type>,
    value: &'a Value,
    is_entry: bool,
}

/// The parts of a value; none when it is owned whole.
fn branches(kind: Option<Type>, value: &Value) -> Vec<Branch<'_>> {
    match value {
        Value::Object(_) if kind.is_some_and(Type::is_atomic) => Vec::new(),
        Value::Object(fields) => {
            let branch = |(name, value): (&String, _)| Branch {
                key: format!("f:{name}"),
                kind: kind.and_then(|kind| kind.field(name)),
                value,
                is_entry: false,
            };
            fields.iter().map(branch).collect()
        }
        Value::Array(items) => {
            let Some(kind) = kind else { return Vec::new() };
            let branch =
                |value| Some(Branch { key: entry_key(kind, value)?, kind: kind.item(), value, is_entry: true });
            items.iter().filter_map(branch).collect()
        }
        _ => Vec::new(),
    }
}

/// The key of an entry; nothing where the list is owned whole.
pub(super) fn entry_key(list: Type, item: &Value) -> Option<String> {
    if list.is_set() {
        return Some(format!("v:{item}"));
    }
    let keys = list.list_keys();
    let key_of = |key: &&str| {
        let value = item.get(*key).cloned().or_else(|| Type::key_default(key).map(Value::from))?;
        Some(((*key).to_owned(), value))
    };
    let fields: Map<String, Value> = keys.iter().filter_map(key_of).collect();
    (!fields.is_empty()).then(|| format!("k:{}", Value::Object(fields)))
}

fn path_part(key: &str) -> String {
    if let Some(value) = key.strip_prefix("v:") {
        return format!("[={value}]");
    }
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
    use crate::simulator::schema::of_kind;
    use serde_json::json;

    fn pod(image: &str) -> Value {
        json!({"spec": {"priority": 3, "containers": [{"name": "web", "image": image, "args": [1, 2]}]}})
    }

    fn pods() -> Option<Type> {
        of_kind("v1", "Pod")
    }

    fn changed(old: &Value, new: &Value) -> FieldSet {
        difference(pods(), old, new).changed
    }

    #[test]
    fn changed_fields_are_found_inside_keyed_lists() {
        let set = changed(&pod("web:1"), &pod("web:2"));
        assert_eq!(set.paths(), [".spec.containers[name=\"web\"].image"]);
        assert_eq!(FieldSet::read(&set.write()), set);
    }

    #[test]
    fn what_is_new_is_owned_with_its_place() {
        let old = json!({"metadata": {}, "spec": {"containers": null}});
        let new =
            json!({"metadata": {"labels": {"a": "b"}, "finalizers": ["x/y"]}, "spec": {"containers": [{"name": "c"}]}});
        let expected = json!({
            "f:metadata": {"f:finalizers": {".": {}, "v:\"x/y\"": {}}, "f:labels": {".": {}, "f:a": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:name": {}}}}});
        assert_eq!(changed(&old, &new).write(), expected);
    }

    #[test]
    fn a_configuration_owns_its_entries_but_not_its_mappings() {
        let config = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]}});
        let expected = json!({
            "f:metadata": {"f:labels": {"f:a": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:name": {},
                "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}});
        assert_eq!(FieldSet::of(pods(), &config).write(), expected);
    }

    #[test]
    fn a_removed_field_is_told_apart_from_a_changed_one() {
        let found =
            difference(pods(), &json!({"spec": {"priority": 1, "hostname": "h"}}), &json!({"spec": {"priority": 1}}));
        assert!(found.changed.is_empty());
        assert_eq!(found.removed.paths(), [".spec.hostname"]);
    }

    #[test]
    fn sets_are_added_and_taken_away() {
        let all = FieldSet::of(pods(), &pod("web:1"));
        let image = changed(&pod("web:1"), &pod("web:2"));
        let rest = all.minus(&image);
        assert!(rest.common(&image).is_empty());
        assert_eq!(rest.union(&image), all);
    }

    #[test]
    fn pruned_fields_leave_no_empty_shells() {
        let mut object = pod("web:1");
        FieldSet::of(pods(), &json!({"spec": {"containers": [{"name": "web", "image": "", "args": [0]}]}}))
            .remove_from(pods(), &mut object);
        assert_eq!(object, json!({"spec": {"priority": 3}}));
    }
}
