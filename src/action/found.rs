//! What became of a change whose answer was lost, as the object itself tells.

use serde_json::Value;

use super::change::resource_version;
use super::rollout::generation;
use crate::cluster::Client;
use crate::cluster::resource::Address;
use crate::event::{Change, ObjectId, Verb};

/// A change that was sent, and may have arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    /// The change.
    pub(super) change: &'a Change,
    /// The body that went out, where it is still known.
    pub(super) body: Option<&'a Value>,
    /// The object as it was before.
    pub(super) before: Option<&'a Value>,
}

/// What the object itself says of a change whose answer was lost.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// It was made; the object as it is now.
    Made(Value),
    /// It was not made.
    NotMade,
    /// It cannot be told.
    Unclear,
}

/// Reads the object and judges by UID and by the fields we wrote.
pub(super) async fn find_out(client: &Client, address: &Address, sent: Sent<'_>) -> Found {
    let now = match client.read_json(&address.get()).await {
        Ok(mut object) => {
            address.resource().name_kind(&mut object);
            Some(object)
        }
        Err(error) if error.is_not_found() => None,
        Err(_) => return Found::Unclear,
    };
    judge(sent, now)
}

fn judge(sent: Sent<'_>, now: Option<Value>) -> Found {
    let same = |object: &Value| ObjectId::of(object).uid == sent.change.object.uid;
    match (sent.change.verb, now) {
        (Verb::Delete | Verb::Evict, None) => Found::Made(Value::Null),
        (Verb::Delete | Verb::Evict, Some(object)) if !same(&object) => Found::Made(Value::Null),
        (Verb::Delete | Verb::Evict, Some(object)) => {
            if object.pointer("/metadata/deletionTimestamp").is_some() {
                Found::Made(object)
            } else {
                Found::NotMade
            }
        }
        (Verb::Create, None) => Found::NotMade,
        (Verb::Create, Some(object)) if carries_our_mark(sent.body, &object) => Found::Made(object),
        (Verb::Patch, Some(object)) if same(&object) => {
            if sent.change.written.iter().all(|field| object.pointer(&field.pointer) == field.after.as_ref()) {
                Found::Made(object)
            } else if is_untouched(sent, &object) {
                Found::NotMade
            } else {
                Found::Unclear
            }
        }
        _ => Found::Unclear,
    }
}

/// Whether nobody wrote the fields in the meantime.
///
/// The same resourceVersion says so of the whole object. A controller that
/// writes the status moves it on, but the generation moves with the spec
/// alone (Kubernetes API conventions, "metadata.generation").
fn is_untouched(sent: Sent<'_>, now: &Value) -> bool {
    if resource_version(now) == sent.change.resource_version {
        return true;
    }
    let only_spec = sent.change.written.iter().all(|field| field.pointer.starts_with("/spec/"));
    let counted = generation(now) > 0;
    only_spec && counted && sent.before.is_some_and(|before| generation(before) == generation(now))
}

/// Whether a created object bears the annotation under which we sent it.
fn carries_our_mark(body: Option<&Value>, object: &Value) -> bool {
    let mark = "/metadata/annotations/runhub.dev~1run";
    let sent = body.and_then(|body| body.pointer(mark));
    sent.is_some() && object.pointer(mark) == sent
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Reversal, StepId, Written};

    fn object(version: &str, generation: i64, replicas: i64) -> Value {
        json!({"kind": "Deployment", "spec": {"replicas": replicas},
            "metadata": {"name": "web", "uid": "u", "resourceVersion": version, "generation": generation}})
    }

    fn change(pointer: &str) -> Change {
        Change {
            step: StepId("grow".into()),
            verb: Verb::Patch,
            object: ObjectId::of(&object("7", 2, 3)),
            summary: String::new(),
            resource_version: "7".into(),
            body_digest: String::new(),
            written: vec![Written { pointer: pointer.into(), before: Some(json!(3)), after: Some(json!(5)) }],
            reversal: Reversal::Nothing,
            pods: 0,
        }
    }

    fn found(pointer: &str, now: Value) -> Found {
        let before = object("7", 2, 3);
        judge(Sent { change: &change(pointer), body: None, before: Some(&before) }, Some(now))
    }

    #[test]
    fn a_field_that_holds_what_we_wrote_was_written() {
        let now = object("9", 3, 5);
        assert_eq!(found("/spec/replicas", now.clone()), Found::Made(now));
    }

    #[test]
    fn a_status_that_moved_hides_nothing() {
        assert_eq!(found("/spec/replicas", object("8", 2, 3)), Found::NotMade);
    }

    #[test]
    fn a_spec_that_someone_wrote_since_tells_nothing() {
        assert_eq!(found("/spec/replicas", object("9", 3, 4)), Found::Unclear);
    }

    #[test]
    fn a_generation_tells_nothing_of_metadata() {
        assert_eq!(found("/metadata/labels/a", object("8", 2, 3)), Found::Unclear);
        assert_eq!(found("/metadata/labels/a", object("7", 2, 3)), Found::NotMade);
    }

    #[test]
    fn an_object_of_the_same_name_that_is_another_tells_nothing() {
        let mut other = object("9", 1, 5);
        other["metadata"]["uid"] = json!("other");
        assert_eq!(found("/spec/replicas", other), Found::Unclear);
    }
}
