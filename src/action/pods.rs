//! Sending pods away: by eviction, under their disruption budgets, or by force.

use std::sync::Arc;

use serde_json::Value;

use super::change::Proposal;
use super::context::Context;
use super::failure;
use crate::cluster::resource::{Address, POD};
use crate::cluster::verbs::Deletion;
use crate::event::{Class, Failure, ObjectId, Reversal, Verb};

/// What came of sending a pod away.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sent {
    /// It goes, or has gone already.
    Away,
    /// Its disruption budget protects it for now; in the server's words.
    Protected(String),
}

/// Sends one pod away, this very pod and no other of its name.
///
/// Bound to the UID alone: the status of a pod that runs changes all the
/// time, and nothing of it matters to its going.
///
/// # Errors
/// When the server refuses for another reason than a disruption budget.
pub(super) async fn send_away(context: &Context, pod: &Value, force: bool) -> Result<Sent, Failure> {
    let proposal = proposal(&address(pod)?, pod, force);
    match context.change(proposal).await {
        Ok(_) => Ok(Sent::Away),
        // Gone, or replaced by another of its name: this one is away.
        Err(failure) if matches!(failure.class, Class::NotFound | Class::Conflict) => Ok(Sent::Away),
        Err(failure) if is_protected(&failure) => Ok(Sent::Protected(failure.message)),
        Err(failure) => Err(failure),
    }
}

/// Where a pod lies.
pub(super) fn address(pod: &Value) -> Result<Address, Failure> {
    let id = ObjectId::of(pod);
    let address = POD.at(Some(&id.namespace), &id.name);
    address.map_err(|error| failure::of_error(&error.into(), &id.to_string()))
}

/// The change that sends this very pod away.
pub(super) fn proposal(address: &Address, pod: &Value, force: bool) -> Proposal {
    let how = Deletion { uid: Some(ObjectId::of(pod).uid), ..Deletion::default() };
    let (verb, summary, request) = if force {
        (Verb::Delete, "delete the pod", address.delete(&how))
    } else {
        (Verb::Evict, "evict the pod", address.evict(&how))
    };
    Proposal {
        verb,
        address: Some(address.clone()),
        object: ObjectId::of(pod),
        summary: summary.into(),
        request,
        before: Some(Arc::new(pod.clone())),
        written: Vec::new(),
        reversal: Reversal::Nothing,
        pods: 0,
    }
}

/// A server answers 429 both for "too fast" and for "the budget forbids it"; only the first is a throttle.
fn is_protected(failure: &Failure) -> bool {
    failure.http_status == Some(429) && failure.class != Class::Throttle
}
