//! Taking one change back.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::change::{Proposal, resource_version};
use super::context::Context;
use super::made::MadeChange;
use crate::cluster::resource::{Address, Resource};
use crate::cluster::verbs::Deletion;
use crate::event::{Class, Failure, ObjectId, Reversal, Verb, Written};

/// How often a conflict is met by reading again.
const CONFLICTS: u32 = 8;

/// What came of taking a change back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// It was taken back.
    Done,
    /// Nothing of it was left.
    Already,
    /// Someone else changed it since: left alone, and why.
    Conflict(String),
}

/// Takes a change back, where the object is as we left it.
///
/// # Errors
/// When the server does not let us.
pub async fn take_back(context: &Context, made: &MadeChange) -> Result<Back, Failure> {
    let address = address_of(context, &made.change.object).await?;
    for attempt in 0..CONFLICTS {
        let now = context.find(&address).await?;
        let proposal = match way_back(made, &address, now) {
            Ok(proposal) => proposal,
            Err(nothing_to_do) => return Ok(nothing_to_do),
        };
        match context.change_back(proposal).await {
            Ok(_) => return Ok(Back::Done),
            Err(failure) if matches!(failure.class, Class::Conflict | Class::Invalid) => {}
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(Duration::from_millis(10 << attempt.min(6))).await;
    }
    Ok(Back::Conflict("the object changes too often".into()))
}

/// What taking a change back would come to now; nothing is sent.
///
/// # Errors
/// When the object cannot be read.
pub async fn look_back(context: &Context, made: &MadeChange) -> Result<Back, Failure> {
    let address = address_of(context, &made.change.object).await?;
    let now = context.find(&address).await?;
    Ok(way_back(made, &address, now).map_or_else(|nothing_to_do| nothing_to_do, |_| Back::Done))
}

/// The change that takes another back, given the object as it is; or why there is none to make.
fn way_back(made: &MadeChange, address: &Address, now: Option<Value>) -> Result<Proposal, Back> {
    let now = now.ok_or_else(|| gone(made))?;
    if ObjectId::of(&now).uid != made.change.object.uid {
        return Err(Back::Conflict("the object was replaced by another of the same name".into()));
    }
    match &made.change.reversal {
        Reversal::DeleteCreated => Ok(deletion(address, now)),
        Reversal::Fields => match fields_back(&made.change.written, &now) {
            Ok(fields) if fields.is_empty() => Err(Back::Already),
            Ok(fields) => Ok(patch_back(address, now, fields)),
            Err(conflict) => Err(Back::Conflict(conflict)),
        },
        Reversal::Nothing | Reversal::Cannot(_) => Err(Back::Already),
    }
}

fn gone(made: &MadeChange) -> Back {
    match made.change.reversal {
        Reversal::DeleteCreated => Back::Already,
        _ => Back::Conflict("the object is gone".into()),
    }
}

/// The way back of each field; what holds its old value again is left out.
fn fields_back(written: &[Written], now: &Value) -> Result<Vec<Written>, String> {
    let mut back = Vec::new();
    let mut conflicts = Vec::new();
    for field in written {
        let present = now.pointer(&field.pointer);
        if present == field.before.as_ref() {
            continue;
        }
        if present == field.after.as_ref() {
            back.push(Written {
                pointer: field.pointer.clone(),
                before: field.after.clone(),
                after: field.before.clone(),
            });
            continue;
        }
        let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        conflicts.push(format!(
            "{} was {}, we left {}, now it is {}",
            field.pointer,
            show(field.before.as_ref()),
            show(field.after.as_ref()),
            show(present)
        ));
    }
    if conflicts.is_empty() { Ok(back) } else { Err(conflicts.join("; ")) }
}

/// A JSON patch that the server applies only while the fields are as we left them.
fn patch_back(address: &Address, now: Value, fields: Vec<Written>) -> Proposal {
    let mut operations = vec![json!({"op": "test", "path": "/metadata/uid", "value": ObjectId::of(&now).uid})];
    for field in &fields {
        if let Some(before) = &field.before {
            operations.push(json!({"op": "test", "path": field.pointer, "value": before}));
        }
    }
    operations.extend(super::edit::writes(&now, &fields));
    let summary = super::edit::words(&fields);
    Proposal {
        verb: Verb::Patch,
        object: ObjectId::of(&now),
        summary: format!("back: {summary}"),
        request: address.json_patch(Value::Array(operations)),
        before: Some(Arc::new(now)),
        written: fields,
        reversal: Reversal::Nothing,
        pods: 0,
        address: Some(address.clone()),
    }
}

fn deletion(address: &Address, now: Value) -> Proposal {
    let how = Deletion {
        uid: Some(ObjectId::of(&now).uid),
        resource_version: Some(resource_version(&now)),
        ..Deletion::default()
    };
    Proposal {
        verb: Verb::Delete,
        object: ObjectId::of(&now),
        summary: "back: delete what this run created".into(),
        request: address.delete(&how),
        before: Some(Arc::new(now)),
        written: Vec::new(),
        reversal: Reversal::Nothing,
        pods: 0,
        address: Some(address.clone()),
    }
}

/// Where an object lies, by its name.
pub(super) async fn address_of(context: &Context, object: &ObjectId) -> Result<Address, Failure> {
    let resource = if let Some(known) = Resource::of(&object.api_version, &object.kind) {
        known.clone()
    } else {
        let found = context.client().resource(&object.api_version, &object.kind).await;
        found.map_err(|error| super::failure::of_error(&error, &object.to_string()))?
    };
    let namespace = Some(object.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    resource.at(namespace, &object.name).map_err(|error| Failure::new(Class::Invalid, format!("{object}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(before: Option<Value>, after: Option<Value>) -> Written {
        Written { pointer: "/spec/replicas".into(), before, after }
    }

    #[test]
    fn a_field_as_we_left_it_goes_back() {
        let back = fields_back(&[written(Some(json!(3)), Some(json!(0)))], &json!({"spec": {"replicas": 0}})).unwrap();
        assert_eq!(back, [written(Some(json!(0)), Some(json!(3)))]);
    }

    #[test]
    fn a_field_that_is_back_already_is_left_out() {
        assert_eq!(
            fields_back(&[written(Some(json!(3)), Some(json!(0)))], &json!({"spec": {"replicas": 3}})),
            Ok(vec![])
        );
    }

    #[test]
    fn what_someone_else_changed_is_a_conflict_with_all_three_values() {
        let conflict =
            fields_back(&[written(Some(json!(3)), Some(json!(0)))], &json!({"spec": {"replicas": 7}})).unwrap_err();
        assert_eq!(conflict, "/spec/replicas was 3, we left 0, now it is 7");
    }
}
