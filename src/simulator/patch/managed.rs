//! Who wrote which field: `managedFields`, and server-side apply on top of it.

use serde_json::{Map, Value, json};

use super::fields::{FieldSet, difference, entry_key};
use crate::simulator::object;
use crate::simulator::schema::{Type, decode, of_kind};
use crate::simulator::status::{Cause, StatusError};

/// Who writes, and how.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct Manager {
    /// The name, as `fieldManager` or the user agent gives it.
    pub(in crate::simulator) name: String,
    /// The version of the API that is written in.
    pub(in crate::simulator) api_version: String,
    /// `status` or `scale` when a subresource is written.
    pub(in crate::simulator) subresource: String,
    /// When.
    pub(in crate::simulator) time: String,
}

/// Notes in the new object what a write changed.
pub(in crate::simulator) fn track(manager: &Manager, old: &Value, new: &mut Value) {
    let kind = type_of(new);
    let found = difference(kind, &tracked(&in_form(kind, old)), &tracked(new));
    if found.changed.is_empty() && found.removed.is_empty() {
        return;
    }
    let mut entries = Entries::of(new);
    let present = entries.fields(manager, "Update").union(&found.changed).minus(&found.removed);
    entries.take_away(&found.changed.clone().union(&found.removed));
    if !found.changed.is_empty() {
        entries.set(manager, "Update", &present);
    }
    entries.write(new);
}

/// Applies a configuration to an object, as server-side apply does.
///
/// # Errors
/// When another manager has written other values and `force` does not overrule it.
pub(in crate::simulator) fn apply(
    manager: &Manager,
    old: &Value,
    config: &Value,
    force: bool,
) -> Result<Value, StatusError> {
    let kind = type_of(config);
    let wanted = FieldSet::of(kind, &without_empty(&tracked(config)));
    let mut new = old.clone();
    let mut merged = config.clone();
    object::remove(&mut merged, &["metadata", "managedFields"]);
    merge(kind, &mut new, &merged);
    let mut entries = Entries::of(old);
    let abandoned = entries.fields(manager, "Apply").minus(&wanted);
    let others = entries.others(manager, "Apply");
    abandoned.minus(&others).remove_from(kind, &mut new);
    let found = difference(kind, &tracked(&in_form(kind, old)), &tracked(&new));
    let conflicts = entries.conflicts(manager, &found.changed);
    if !conflicts.is_empty() && !force {
        return Err(refused(&conflicts));
    }
    entries.take_away_from_others(manager, &found.changed.union(&found.removed));
    entries.set(manager, "Apply", &wanted);
    entries.write(&mut new);
    Ok(new)
}

fn type_of(object: &Value) -> Option<Type> {
    of_kind(object::text(object, "/apiVersion"), object::text(object, "/kind"))
}

/// An object that is not there yet is, to Go, one whose structs are empty.
fn in_form(kind: Option<Type>, object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(kind) = kind.filter(|_| object.as_object().is_some_and(Map::is_empty)) {
        // Nothing in an empty object can be of the wrong type.
        drop(decode(kind, &mut object));
    }
    object
}

/// Go leaves empty mappings and lists out, so nobody owns them.
fn without_empty(config: &Value) -> Value {
    let is_empty =
        |value: &Value| value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    match config {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(name, value)| (name.clone(), without_empty(value)));
            kept.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

/// Merges a configuration into an object: lists by the keys of their entries, or whole.
fn merge(kind: Option<Type>, object: &mut Value, config: &Value) {
    match (config, kind) {
        (Value::Object(fields), kind) if !kind.is_some_and(Type::is_atomic) => {
            if !object.is_object() {
                *object = Map::new().into();
            }
            for (name, value) in fields {
                let field = kind.and_then(|kind| kind.field(name));
                if let Some(present) = object.as_object_mut().map(|all| all.entry(name).or_insert(Value::Null)) {
                    merge(field, present, value);
                }
            }
        }
        (Value::Array(items), Some(list)) if list.is_set() || !list.list_keys().is_empty() => {
            let mut present = object.as_array().cloned().unwrap_or_default();
            for item in items {
                let key = entry_key(list, item);
                match present.iter_mut().find(|old| entry_key(list, old) == key) {
                    Some(old) => merge(list.item(), old, item),
                    None => present.push(item.clone()),
                }
            }
            *object = present.into();
        }
        _ => *object = config.clone(),
    }
}

/// A manager as messages name it, and its fields that are in the way.
type Conflict = (String, Vec<String>);

fn refused(conflicts: &[Conflict]) -> StatusError {
    let causes: Vec<_> = conflicts
        .iter()
        .flat_map(|(holder, fields)| fields.iter().map(move |field| (holder, field)))
        .map(|(holder, field)| Cause {
            field: field.clone(),
            reason: "FieldManagerConflict",
            message: format!("conflict with {holder}"),
        })
        .collect();
    let lines: Vec<_> = conflicts.iter().map(in_words).collect();
    let plural = if causes.len() == 1 { "" } else { "s" };
    let message = format!("Apply failed with {} conflict{plural}: {}", causes.len(), lines.join("\n"));
    StatusError::apply_conflict(message, &causes)
}

fn in_words((holder, fields): &Conflict) -> String {
    match fields.as_slice() {
        [field] => format!("conflict with {holder}: {field}"),
        many => {
            let fields: Vec<_> = many.iter().map(|field| format!("\n- {field}")).collect();
            format!("conflicts with {holder}:{}", fields.concat())
        }
    }
}

/// The part of an object whose writers are remembered.
fn tracked(object: &Value) -> Value {
    let mut fields = object.as_object().cloned().unwrap_or_default();
    for bookkeeping in ["apiVersion", "kind"] {
        fields.shift_remove(bookkeeping);
    }
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| {
            matches!(key.as_str(), "labels" | "annotations" | "finalizers" | "ownerReferences" | "generateName")
        });
    }
    fields.into()
}

/// The entries of `managedFields`.
struct Entries(Vec<Value>);

impl Entries {
    fn of(object: &Value) -> Self {
        Self(object::list(object, "/metadata/managedFields").to_vec())
    }

    fn write(mut self, object: &mut Value) {
        self.0.retain(|entry| entry.get("fieldsV1").and_then(Value::as_object).is_some_and(|tree| !tree.is_empty()));
        if self.0.is_empty() {
            object::remove(object, &["metadata", "managedFields"]);
        } else {
            object::put(object, &["metadata", "managedFields"], self.0);
        }
    }

    fn fields(&self, manager: &Manager, operation: &str) -> FieldSet {
        let entry = self.0.iter().find(|entry| is_of(entry, manager, operation));
        entry.map(set_of).unwrap_or_default()
    }

    fn others(&self, manager: &Manager, operation: &str) -> FieldSet {
        let others = self.0.iter().filter(|entry| !is_of(entry, manager, operation));
        others.fold(FieldSet::default(), |all, entry| all.union(&set_of(entry)))
    }

    fn take_away(&mut self, fields: &FieldSet) {
        for entry in &mut self.0 {
            let rest = set_of(entry).minus(fields);
            object::put(entry, &["fieldsV1"], rest.write());
        }
    }

    /// Takes fields from everyone but the one who applies.
    fn take_away_from_others(&mut self, manager: &Manager, fields: &FieldSet) {
        for entry in self.0.iter_mut().filter(|entry| !is_of(entry, manager, "Apply")) {
            let rest = set_of(entry).minus(fields);
            object::put(entry, &["fieldsV1"], rest.write());
        }
    }

    fn set(&mut self, manager: &Manager, operation: &str, fields: &FieldSet) {
        let mut entry = Map::new();
        entry.insert("manager".into(), manager.name.clone().into());
        entry.insert("operation".into(), operation.into());
        entry.insert("apiVersion".into(), manager.api_version.clone().into());
        entry.insert("time".into(), manager.time.clone().into());
        entry.insert("fieldsType".into(), "FieldsV1".into());
        entry.insert("fieldsV1".into(), fields.write());
        if !manager.subresource.is_empty() {
            entry.insert("subresource".into(), manager.subresource.clone().into());
        }
        self.0.retain(|entry| !is_of(entry, manager, operation));
        self.0.push(entry.into());
    }

    fn conflicts(&self, manager: &Manager, disputed: &FieldSet) -> Vec<Conflict> {
        let others = self.0.iter().filter(|entry| !is_of(entry, manager, "Apply"));
        let conflicts = others.filter_map(|entry| {
            let fields = set_of(entry).common(disputed).paths();
            (!fields.is_empty()).then(|| (holder(entry), fields))
        });
        conflicts.collect()
    }
}

/// A manager as messages name it; who applied is known by name alone.
fn holder(entry: &Value) -> String {
    let mut words = json!(object::text(entry, "/manager")).to_string();
    if object::text(entry, "/operation") == "Update" {
        let (part, version) = (object::text(entry, "/subresource"), object::text(entry, "/apiVersion"));
        if !part.is_empty() {
            words = format!("{words} with subresource {}", json!(part));
        }
        words = format!("{words} using {version}");
    }
    words
}

fn set_of(entry: &Value) -> FieldSet {
    entry.get("fieldsV1").map(FieldSet::read).unwrap_or_default()
}

fn is_of(entry: &Value, manager: &Manager, operation: &str) -> bool {
    object::text(entry, "/manager") == manager.name
        && object::text(entry, "/operation") == operation
        && object::text(entry, "/subresource") == manager.subresource
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(name: &str) -> Manager {
        let (api_version, time) = ("apps/v1".to_owned(), "2026-01-02T03:04:05Z".to_owned());
        Manager { name: name.into(), api_version, subresource: String::new(), time }
    }

    fn config(replicas: i64) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": replicas}})
    }

    fn updated(by: &str, old: &Value, mut new: Value) -> Value {
        object::put(&mut new, &["metadata", "managedFields"], object::list(old, "/metadata/managedFields").to_vec());
        track(&manager(by), old, &mut new);
        new
    }

    #[test]
    fn the_last_writer_of_a_field_is_its_manager() {
        let born = updated("kubectl", &json!({}), config(1));
        let scaled = updated("runhub", &born, config(3));
        let entries = object::list(&scaled, "/metadata/managedFields");
        assert_eq!(entries.len(), 1);
        assert_eq!(object::text(&entries[0], "/manager"), "runhub");
    }

    #[test]
    fn another_value_of_another_manager_is_a_conflict() {
        let scaled = updated("kubectl", &json!({}), config(1));
        let refused = apply(&manager("runhub"), &scaled, &config(3), false).expect_err("a conflict");
        assert_eq!(
            refused.message,
            "Apply failed with 1 conflict: conflict with \"kubectl\" using apps/v1: .spec.replicas"
        );
        let forced = apply(&manager("runhub"), &scaled, &config(3), true).expect("forced");
        assert_eq!(object::number(&forced, "/spec/replicas"), Some(3));
        apply(&manager("runhub"), &scaled, &config(1), false).expect("the same value is shared");
    }

    #[test]
    fn what_is_applied_no_more_is_removed() {
        let mut first = config(1);
        object::put(&mut first, &["metadata", "labels"], json!({"a": "1"}));
        let applied = apply(&manager("runhub"), &json!({}), &first, false).expect("applied");
        let again = apply(&manager("runhub"), &applied, &config(1), false).expect("applied");
        assert_eq!(object::labels(&applied).len(), 1);
        assert_eq!(object::labels(&again).len(), 0);
    }
}
