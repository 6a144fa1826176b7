//! What came of a change whose answer nobody got: the object itself is asked.
//!
//! Judged by UID and by the fields we wrote (runbook-format §9). A change is
//! bound to the version that was read, or to the UID, so a late one that is
//! still on its way when the object is looked at cannot come on top of another.

use std::sync::Arc;

use serde_json::Value;

use super::change::resource_version;
use super::context::Shared;
use super::made::MadeChange;
use super::rollout::generation;
use crate::cluster::Client;
use crate::cluster::request::FIELD_MANAGER;
use crate::cluster::resource::{Address, Resource};
use crate::event::{Change, Class, EventKind, Failure, ObjectId, Reversal, Settled, StepId, Ticket, Verb};

/// What the object itself says of a change whose answer was lost.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It was made; the object as it is now.
    Made(Value),
    /// It was not made.
    NotMade,
    /// It cannot be told: what the object shows, in words.
    Unclear(String),
    /// The object cannot be read, and why.
    Unread(String),
}

/// A change without an answer.
#[derive(Debug)]
pub(super) struct Lost<'a> {
    pub(super) change: &'a Change,
    /// The object before it.
    pub(super) before: Option<&'a Value>,
    /// The run, whose name a created object bears.
    pub(super) run: &'a str,
}

/// Reads the object and judges.
pub(super) async fn find_out(client: &Client, address: &Address, lost: &Lost<'_>) -> Found {
    let now = match client.read_json(&address.get()).await {
        Ok(mut object) => {
            address.resource().name_kind(&mut object);
            Some(object)
        }
        Err(error) if error.is_not_found() => None,
        Err(error) => return Found::Unread(error.to_string()),
    };
    judge(lost, now)
}

fn judge(lost: &Lost<'_>, now: Option<Value>) -> Found {
    let change = lost.change;
    let same = |object: &Value| ObjectId::of(object).uid == change.object.uid;
    match (change.verb, now) {
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
        (Verb::Create, Some(object)) if carries_our_mark(lost.run, &object) || was_applied(&object) => {
            Found::Made(object)
        }
        (Verb::Create, Some(_)) => Found::Unclear("another of its name is there, without this run's mark".into()),
        (Verb::Patch, Some(object)) if same(&object) => patched(lost, object),
        (Verb::Patch, Some(_)) => Found::Unclear("it was replaced by another of the same name".into()),
        (Verb::Patch, None) => Found::Unclear("it is gone".into()),
        (Verb::Execute, _) => Found::Unclear("no object tells".into()),
    }
}

fn patched(lost: &Lost<'_>, object: Value) -> Found {
    let written = &lost.change.written;
    let holds = |of: fn(&crate::event::Written) -> Option<&Value>| {
        written.iter().all(|field| object.pointer(&field.pointer) == of(field))
    };
    if holds(|field| field.after.as_ref()) {
        return Found::Made(object);
    }
    // Only the status has moved since: the spec was never touched.
    let untouched =
        lost.before.is_some_and(|before| generation(before) > 0 && generation(before) == generation(&object))
            && written.iter().any(|field| field.pointer.starts_with("/spec/"));
    if resource_version(&object) == lost.change.resource_version || untouched {
        return Found::NotMade;
    }
    let back = holds(|field| field.before.as_ref());
    let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let fields: Vec<String> =
        written.iter().map(|field| format!("{} is {}", field.pointer, show(object.pointer(&field.pointer)))).collect();
    let as_before = if back { ", as before, but it was changed since" } else { "" };
    Found::Unclear(format!("{}{as_before}", fields.join(", ")))
}

/// Whether a created object bears the annotation under which we sent it.
fn carries_our_mark(run: &str, object: &Value) -> bool {
    object.pointer("/metadata/annotations/runhub.dev~1run").and_then(Value::as_str) == Some(run)
}

/// Whether an object that was not there before is there by a server-side apply of runhub.
fn was_applied(object: &Value) -> bool {
    let is = |entry: &Value, field: &str, wanted: &str| entry.get(field).is_some_and(|value| value == wanted);
    let managers = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    managers.into_iter().flatten().any(|entry| is(entry, "manager", FIELD_MANAGER) && is(entry, "operation", "Apply"))
}

/// Finds out what came of the changes that a stopped step was making, and journals it.
pub async fn settle_in_flight(shared: &Arc<Shared>, step: &StepId) {
    shared.unbroken.join(step).await;
    for made in shared.made.in_flight().into_iter().filter(|made| made.change.step == *step) {
        let (settled, object) = match find_out_again(shared, &made).await {
            Found::Made(object) => (applied(&made, &object), Some(object)),
            Found::NotMade => {
                (Settled::Refused(Failure::new(Class::Cancelled, "stopped before the server did it")), None)
            }
            Found::Unclear(_) | Found::Unread(_) => (Settled::Unknown("stopped while it was under way".into()), None),
        };
        settle_as(shared, &made, settled, object.as_ref());
    }
}

/// Reads the object of a change in flight and judges whether the change was made.
pub async fn find_out_again(shared: &Arc<Shared>, made: &MadeChange) -> Found {
    let change = &made.change;
    if change.verb == Verb::Execute {
        // What may be done again was not done, as far as it matters.
        let again = change.reversal == Reversal::Nothing;
        return if again { Found::NotMade } else { Found::Unclear("only its other end knows".into()) };
    }
    let namespace = Some(change.object.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let found;
    let resource = match Resource::of(&change.object.api_version, &change.object.kind) {
        Some(known) => known,
        None => match shared.client.resource(&change.object.api_version, &change.object.kind).await {
            Ok(discovered) => {
                found = discovered;
                &found
            }
            Err(error) => return Found::Unread(error.to_string()),
        },
    };
    let lost = Lost { change, before: made.before.as_deref(), run: &shared.facts.run };
    match resource.at(namespace, &change.object.name) {
        Ok(address) => find_out(&shared.client, &address, &lost).await,
        Err(error) => Found::Unclear(error.to_string()),
    }
}

/// What is journaled of a change that the object shows to be made.
pub(super) fn applied(made: &MadeChange, object: &Value) -> Settled {
    let id = ObjectId::of(object);
    Settled::Applied {
        uid: if id.uid.is_empty() { made.change.object.uid.clone() } else { id.uid },
        resource_version: resource_version(object),
        generation: generation(object),
    }
}

/// Journals and tells what came of a change in flight.
pub fn settle_as(shared: &Arc<Shared>, made: &MadeChange, settled: Settled, object: Option<&Value>) {
    // A journal that cannot be written was already reported by the run itself.
    let _ = shared.ledger.settle(Ticket::issued(made.ticket), &settled);
    shared.made.settle(made.number, settled.clone(), object);
    shared.fan.tell(EventKind::Changed { change: Box::new(made.change.clone()), settled });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::Written;

    fn change(verb: Verb) -> Change {
        Change {
            step: StepId("grow".into()),
            verb,
            object: ObjectId { kind: "Deployment".into(), name: "web".into(), uid: "u".into(), ..ObjectId::default() },
            summary: String::new(),
            resource_version: "7".into(),
            body_digest: String::new(),
            written: vec![Written { pointer: "/spec/replicas".into(), before: Some(json!(1)), after: Some(json!(3)) }],
            reversal: Reversal::Fields,
            pods: 0,
        }
    }

    fn object(uid: &str, version: &str, generation: i64, replicas: i64) -> Value {
        json!({"metadata": {"uid": uid, "resourceVersion": version, "generation": generation}, "spec": {"replicas": replicas}})
    }

    fn found(verb: Verb, now: Option<Value>) -> Found {
        let (change, before) = (change(verb), object("u", "7", 4, 1));
        judge(&Lost { change: &change, before: Some(&before), run: "r1" }, now)
    }

    #[test]
    fn a_patch_is_judged_by_its_fields_its_version_and_its_generation() {
        assert!(matches!(found(Verb::Patch, Some(object("u", "9", 5, 3))), Found::Made(_)));
        assert_eq!(found(Verb::Patch, Some(object("u", "7", 4, 1))), Found::NotMade);
        assert_eq!(found(Verb::Patch, Some(object("u", "9", 4, 1))), Found::NotMade, "only the status moved");
        let Found::Unclear(words) = found(Verb::Patch, Some(object("u", "9", 6, 1))) else { panic!("clear") };
        assert_eq!(words, "/spec/replicas is 1, as before, but it was changed since");
        assert_eq!(found(Verb::Patch, Some(object("u", "9", 6, 8))), Found::Unclear("/spec/replicas is 8".into()));
        assert!(matches!(found(Verb::Patch, Some(object("other", "9", 6, 3))), Found::Unclear(_)));
        assert!(matches!(found(Verb::Patch, None), Found::Unclear(_)));
    }

    #[test]
    fn a_generation_tells_nothing_of_metadata() {
        let mut change = change(Verb::Patch);
        change.written[0].pointer = "/metadata/labels/a".into();
        let before = object("u", "7", 4, 1);
        let lost = Lost { change: &change, before: Some(&before), run: "r1" };
        assert!(matches!(judge(&lost, Some(object("u", "8", 4, 1))), Found::Unclear(_)));
        assert_eq!(judge(&lost, Some(object("u", "7", 4, 1))), Found::NotMade);
    }

    #[test]
    fn what_goes_is_gone_or_going() {
        assert_eq!(found(Verb::Delete, None), Found::Made(Value::Null));
        assert_eq!(found(Verb::Evict, Some(object("other", "9", 1, 1))), Found::Made(Value::Null));
        assert_eq!(found(Verb::Delete, Some(object("u", "9", 4, 1))), Found::NotMade);
        let mut going = object("u", "9", 4, 1);
        going["metadata"]["deletionTimestamp"] = json!("2026-11-21T03:31:00Z");
        assert!(matches!(found(Verb::Delete, Some(going)), Found::Made(_)));
    }

    #[test]
    fn a_created_object_is_known_by_the_runs_mark() {
        assert_eq!(found(Verb::Create, None), Found::NotMade);
        let mut ours = object("u", "9", 1, 1);
        ours["metadata"]["annotations"] = json!({"runhub.dev/run": "r1"});
        assert!(matches!(found(Verb::Create, Some(ours)), Found::Made(_)));
        let mut applied = object("u", "9", 1, 1);
        applied["metadata"]["managedFields"] = json!([{"manager": "runhub", "operation": "Apply"}]);
        assert!(matches!(found(Verb::Create, Some(applied)), Found::Made(_)));
        assert!(matches!(found(Verb::Create, Some(object("u", "9", 1, 1))), Found::Unclear(_)));
    }
}
