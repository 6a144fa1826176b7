//! Writing fields of an object that others write too.
//!
//! [`Context::edit`] reads, lets the caller say which fields should hold what,
//! writes them bound to the version it read, and begins anew when someone was
//! faster. Fields that already hold the wanted value are not written; where
//! none is left, nothing is sent.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::change::{Proposal, resource_version};
use super::context::Context;
use crate::cluster::resource::Address;
use crate::cluster::{Request, Write};
use crate::event::{Class, Failure, ObjectId, Reversal, Verb, Written};

/// How often a conflict is met by reading again.
const CONFLICTS: u32 = 8;

/// Fields that should hold something.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Edit {
    /// The fields, as JSON pointers, with their values; nothing removes the field.
    pub(crate) fields: Vec<(String, Option<Value>)>,
    /// In words for people; made from the fields where it is empty.
    pub(crate) summary: String,
    /// How it is taken back.
    pub(crate) reversal: Option<Reversal>,
    /// Running pods that it takes away at most.
    pub(crate) pods: u32,
}

/// What came of an edit.
#[derive(Debug, Clone)]
pub(crate) struct Edited {
    /// The object afterwards.
    pub(crate) object: Value,
    /// The object before.
    pub(crate) before: Arc<Value>,
    /// Whether anything was written.
    pub(crate) changed: bool,
}

impl Context {
    /// Writes the fields that `plan` wants, given the object as it is.
    ///
    /// # Errors
    /// What `plan`, the gate, the journal or the server says; a conflict only after many tries.
    pub(crate) async fn edit(
        &self,
        address: &Address,
        plan: impl Fn(&Value) -> Result<Edit, Failure> + Send + Sync,
    ) -> Result<Edited, Failure> {
        if let Some(written) = self.written_before(address).await {
            return written.map(|(before, object)| Edited { object, before, changed: true });
        }
        let mut last = None;
        for attempt in 0..CONFLICTS {
            let before = Arc::new(self.get(address).await?);
            let edit = plan(&before)?;
            let written = missing(&before, &edit);
            if written.is_empty() {
                return Ok(Edited { object: before.as_ref().clone(), before, changed: false });
            }
            match self.change(proposal(address, &before, edit, written)).await {
                Ok(object) => return Ok(Edited { object, before, changed: true }),
                Err(failure) if is_conflict(&failure) => last = Some(failure),
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(Duration::from_millis(10 << attempt.min(6))).await;
        }
        Err(last.unwrap_or_else(|| Failure::new(Class::Conflict, format!("{address} changes too often"))))
    }
}

/// Someone was faster: by version (409), or by a failed `test` of a JSON patch (422).
fn is_conflict(failure: &Failure) -> bool {
    failure.class == Class::Conflict
        || (failure.http_status == Some(422) && failure.message.contains("the server rejected our request"))
}

/// The fields that do not hold what they should.
fn missing(object: &Value, edit: &Edit) -> Vec<Written> {
    edit.fields
        .iter()
        .map(|(pointer, after)| Written {
            pointer: pointer.clone(),
            before: object.pointer(pointer).cloned(),
            after: after.clone(),
        })
        .filter(|field| field.before != field.after)
        .collect()
}

/// The change that an edit of an object comes to; nothing where every field holds already what it should.
pub(super) fn proposed(address: &Address, object: &Value, edit: Edit) -> Option<Proposal> {
    let written = missing(object, &edit);
    (!written.is_empty()).then(|| proposal(address, &Arc::new(object.clone()), edit, written))
}

fn proposal(address: &Address, before: &Arc<Value>, edit: Edit, written: Vec<Written>) -> Proposal {
    let summary = if edit.summary.is_empty() { words(&written) } else { edit.summary };
    Proposal {
        verb: Verb::Patch,
        address: Some(address.clone()),
        object: ObjectId::of(before),
        summary,
        request: request(address, before, &written),
        before: Some(before.clone()),
        written,
        reversal: edit.reversal.unwrap_or(Reversal::Fields),
        pods: edit.pods,
    }
}

/// `replicas 3 → 0`, for each field.
pub(super) fn words(written: &[Written]) -> String {
    written.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// `replicas 3 → 0`.
///
/// A value is shown whole or not at all: the part of a secret that a cut
/// leaves over would slip past the filter, which knows it whole.
pub(super) fn word(field: &Written) -> String {
    let name = name(field);
    match (short(field.before.as_ref()), short(field.after.as_ref())) {
        (Some(before), Some(after)) => format!("{name} {before} → {after}"),
        _ => format!("{name} changed"),
    }
}

/// The last part of a field's pointer, as people write it.
pub(super) fn name(field: &Written) -> String {
    field.pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
}

fn short(value: Option<&Value>) -> Option<String> {
    let text = match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    (text.chars().count() <= 60).then_some(text)
}

/// A merge patch bound to UID and version; a JSON patch where a field lies in a list.
fn request(address: &Address, before: &Value, written: &[Written]) -> Request<Write> {
    let in_list = written.iter().any(|field| runs_through_list(before, &field.pointer));
    if in_list { address.json_patch(operations(before, written)) } else { address.merge_patch(merged(before, written)) }
}

fn runs_through_list(object: &Value, pointer: &str) -> bool {
    pointer
        .char_indices()
        .filter(|(_, letter)| *letter == '/')
        .any(|(at, _)| pointer.get(..at).and_then(|parent| object.pointer(parent)).is_some_and(Value::is_array))
}

fn merged(before: &Value, written: &[Written]) -> Value {
    let mut patch = json!({"metadata": {"uid": ObjectId::of(before).uid, "resourceVersion": resource_version(before)}});
    for field in written {
        let mut at = &mut patch;
        for part in field.pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Value::Object(fields) = at else { break };
            at = fields.entry(part).or_insert(Value::Null);
        }
        *at = field.after.clone().unwrap_or(Value::Null);
    }
    patch
}

/// A JSON patch that holds only while every field is as it was read.
pub(super) fn operations(before: &Value, written: &[Written]) -> Value {
    let mut operations = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": ObjectId::of(before).uid}),
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": resource_version(before)}),
    ];
    operations.extend(writes(before, written));
    Value::Array(operations)
}

/// The operations that write fields into an object; mappings on the way that are not there are made.
pub(super) fn writes(object: &Value, written: &[Written]) -> Vec<Value> {
    let (mut operations, mut object) = (Vec::new(), object.clone());
    for field in written {
        operations.extend(match (&field.before, &field.after) {
            (Some(_), Some(after)) => vec![json!({"op": "replace", "path": field.pointer, "value": after})],
            (None, Some(after)) => {
                let mut added = parents(&mut object, &field.pointer);
                added.push(json!({"op": "add", "path": field.pointer, "value": after}));
                added
            }
            (_, None) => vec![json!({"op": "remove", "path": field.pointer})],
        });
    }
    operations
}

/// Adds the mappings above a field that are not there, and says how.
fn parents(object: &mut Value, pointer: &str) -> Vec<Value> {
    let mut added = Vec::new();
    for (at, _) in pointer.match_indices('/').skip(1) {
        let Some((parent, (above, key))) =
            pointer.get(..at).and_then(|parent| Some((parent, parent.rsplit_once('/')?)))
        else {
            continue;
        };
        if object.pointer(parent).is_some() {
            continue;
        }
        if let Some(Value::Object(fields)) = object.pointer_mut(above) {
            fields.insert(key.replace("~1", "/").replace("~0", "~"), Value::Object(Map::new()));
            added.push(json!({"op": "add", "path": parent, "value": {}}));
        }
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(pointer: &str, before: Option<Value>, after: Option<Value>) -> Written {
        Written { pointer: pointer.into(), before, after }
    }

    #[test]
    fn a_merge_patch_is_bound_to_what_was_read() {
        let before = json!({"metadata": {"uid": "u", "resourceVersion": "7"}, "spec": {"replicas": 3}});
        let written = [
            field("/spec/replicas", Some(json!(3)), Some(json!(0))),
            field("/metadata/annotations/runhub.dev~1held", None, Some(json!("x"))),
        ];
        assert_eq!(
            merged(&before, &written),
            json!({"metadata": {"uid": "u", "resourceVersion": "7", "annotations": {"runhub.dev/held": "x"}}, "spec": {"replicas": 0}})
        );
        assert_eq!(words(&written), "replicas 3 → 0, runhub.dev/held nothing → x");
    }

    #[test]
    fn no_part_of_a_long_value_is_left_over() {
        let long = Some(json!("s".repeat(61)));
        assert_eq!(words(&[field("/data/password", long, Some(json!("new")))]), "password changed");
        let whole = Some(json!("s".repeat(60)));
        assert_eq!(words(&[field("/data/password", whole, None)]), format!("password {} → nothing", "s".repeat(60)));
    }

    #[test]
    fn fields_that_hold_already_are_not_written() {
        let object = json!({"spec": {"replicas": 3}});
        let edit = Edit {
            fields: vec![("/spec/replicas".into(), Some(json!(3))), ("/spec/paused".into(), None)],
            ..Edit::default()
        };
        assert_eq!(missing(&object, &edit), []);
    }

    #[test]
    fn mappings_that_are_not_there_are_made_once() {
        let object = json!({"metadata": {"name": "web"}, "spec": {}});
        let written = [
            field("/metadata/annotations/a~1b", None, Some(json!("1"))),
            field("/metadata/annotations/c", None, Some(json!("2"))),
            field("/spec/template/metadata/labels/x", None, Some(json!("3"))),
        ];
        let operations = writes(&object, &written);
        assert_eq!(operations[0], json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
        let patch: json_patch::Patch = serde_json::from_value(operations.into()).unwrap();
        let mut after = object;
        json_patch::patch(&mut after, &patch).unwrap();
        assert_eq!(
            after,
            json!({"metadata": {"name": "web", "annotations": {"a/b": "1", "c": "2"}},
                "spec": {"template": {"metadata": {"labels": {"x": "3"}}}}})
        );
    }

    #[test]
    fn a_field_in_a_list_is_found_out() {
        let object = json!({"spec": {"containers": [{"image": "a"}]}});
        assert!(runs_through_list(&object, "/spec/containers/0/image"));
        assert!(!runs_through_list(&object, "/spec/replicas"));
    }
}
