//! Until objects are gone, each known by its UID.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Subject;
use crate::action::Observed;
use crate::action::context::Context;
use crate::action::follow::Follow;
use crate::document::{ObjectSet, Target};
use crate::event::{Class, Failure, ObjectId};

/// Waits until what is waited for is gone; what was never there is gone already.
pub(super) async fn wait(context: &Context, subject: &Subject, every: Duration) -> Result<Observed, Failure> {
    let started = Instant::now();
    let (result, observations) = match subject {
        Subject::One(target) => (Value::Null, one(context, target).await?),
        Subject::Set(set) => (json!({"items": [], "total": 0}), many(context, set, every).await?),
        Subject::Answer(_) => return Err(Failure::new(Class::Invalid, "only objects can be gone")),
    };
    let waited = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Observed { result, info: json!({"waited": waited, "observations": observations}), ..Observed::default() })
}

/// Another object of the same name is not the one that was waited for.
async fn one(context: &Context, target: &Target) -> Result<u64, Failure> {
    let address = context.one(target).await?;
    let mut follow = Follow::object(context, &address);
    let (mut first, mut observations) = (None, 0);
    loop {
        observations += 1;
        let Some(object) = follow.next().await? else { return Ok(observations) };
        let uid = ObjectId::of(&object).uid;
        if *first.get_or_insert_with(|| uid.clone()) != uid {
            return Ok(observations);
        }
        context.waiting(&format!("{address} to be gone{}", held_by(&object)), Vec::new());
    }
}

/// What keeps an object that is being deleted.
fn held_by(object: &Value) -> String {
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    let names: Vec<&str> = finalizers.into_iter().flatten().filter_map(Value::as_str).collect();
    match (object.pointer("/metadata/deletionTimestamp"), names.as_slice()) {
        (None, _) => "; nobody has deleted it yet".into(),
        (Some(_), []) => "; it is being deleted".into(),
        (Some(_), names) => format!("; it is held by {}", names.join(", ")),
    }
}

/// The objects that the set means at first; later ones are not waited for.
async fn many(context: &Context, set: &ObjectSet, every: Duration) -> Result<u64, Failure> {
    let mut left: Vec<ObjectId> = context.select(set, 1).await?.items.iter().map(ObjectId::of).collect();
    let (all, anywhere) = (left.len(), whole(set));
    let mut observations = 1;
    while !left.is_empty() {
        let names: Vec<String> = left.iter().take(3).map(ToString::to_string).collect();
        context.waiting(&format!("{} of {all} to be gone: {}", left.len(), names.join(", ")), Vec::new());
        tokio::time::sleep(every).await;
        let selection = context.select(&anywhere, 0).await?;
        if !selection.complete {
            return Err(super::look::incomplete(set));
        }
        left.retain(|id| selection.items.iter().any(|item| ObjectId::of(item).uid == id.uid));
        observations += 1;
    }
    Ok(observations)
}

/// Every object where the set looks: one that no longer meets a condition is still there.
fn whole(set: &ObjectSet) -> ObjectSet {
    ObjectSet {
        kind: set.kind,
        namespaces: set.namespaces.clone(),
        selector: None,
        field_selector: None,
        conditions: None,
        of: None,
        held_by: None,
        min: Some(0),
        max: None,
        max_parallel: None,
        span: set.span,
    }
}
