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

/// How a pod is sent away.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Going {
    /// Past its disruption budget: deleted, not evicted.
    pub(super) force: bool,
    /// Seconds to end in peace; its own setting if none.
    pub(super) grace: Option<u32>,
}

/// Sends one pod away, this very pod and no other of its name.
///
/// Bound to the UID alone: the status of a pod that runs changes all the
/// time, and nothing of it matters to its going.
///
/// # Errors
/// When the server refuses for another reason than a disruption budget.
pub(super) async fn send_away(context: &Context, pod: &Value, going: Going) -> Result<Sent, Failure> {
    match context.change(proposal(context, pod, going).await?).await {
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

/// As [`send_away`], for a pod that was protected before: the server rehearses it first.
///
/// Only what the budget lets pass now is journaled and sent, so that a long
/// wait for a budget leaves one line and not a thousand.
///
/// # Errors
/// As [`send_away`].
pub(super) async fn ask_again(context: &Context, pod: &Value, going: Going) -> Result<Sent, Failure> {
    let rehearsal = proposal(context, pod, going).await?.request.dry_run();
    match context.read(&rehearsal).await {
        Err(failure) if is_protected(&failure) => {
            let words = failure.message.strip_prefix("rehearse: ").unwrap_or(&failure.message);
            Ok(Sent::Protected(words.to_owned()))
        }
        // Whatever else it says, the eviction itself will say it too.
        _ => send_away(context, pod, going).await,
    }
}

/// The version of evictions that the server takes.
async fn eviction(context: &Context) -> Result<String, Failure> {
    let version = context.client().eviction_version().await;
    version.map_err(|error| failure::of_error(&error, "which version of evictions"))
}

/// The change that sends this very pod away.
///
/// # Errors
/// When the server does not tell which evictions it takes.
pub(super) async fn proposal(context: &Context, pod: &Value, going: Going) -> Result<Proposal, Failure> {
    let address = address(pod)?;
    let how = Deletion { uid: Some(ObjectId::of(pod).uid), grace_period: going.grace, ..Deletion::default() };
    let (verb, summary, request) = if going.force {
        (Verb::Delete, "delete the pod", address.delete(&how))
    } else {
        (Verb::Evict, "evict the pod", address.evict(&eviction(context).await?, &how))
    };
    Ok(Proposal {
        verb,
        address: Some(address.clone()),
        object: ObjectId::of(pod),
        summary: summary.into(),
        request,
        before: Some(Arc::new(pod.clone())),
        written: Vec::new(),
        reversal: Reversal::Nothing,
        pods: 0,
    })
}

/// A server answers 429 both for "too fast" and for "the budget forbids it"; only the first is a throttle.
fn is_protected(failure: &Failure) -> bool {
    failure.http_status == Some(429) && failure.class != Class::Throttle
}
