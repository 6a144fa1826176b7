//! A Job that runs: its pods are deleted, and its controller starts new ones.

use std::sync::Arc;

use serde_json::Value;

use super::Again;
use crate::action::change::Proposal;
use crate::action::context::Context;
use crate::action::failure;
use crate::action::job::NO_WAY_BACK;
use crate::action::look::{Blind, Look, Seen};
use crate::action::reach::is_active;
use crate::action::wait::pods_of;
use crate::cluster::resource::{Address, POD};
use crate::cluster::verbs::Deletion;
use crate::event::{Class, Failure, ObjectId, PlannedEffect, Reversal, Verb};

/// Deletes the pods of a Job that still run, each by its UID.
pub(super) async fn replace(context: &Context, address: Address, job: Value) -> Result<Again, Failure> {
    let pods: Vec<Value> = pods_of(context, &job).await?.into_iter().filter(goes).collect();
    let pods = context.as_at_first("pods", pods)?;
    if pods.is_empty() {
        return Err(none_runs(&job));
    }
    let mut taken = Vec::new();
    for pod in &pods {
        let id = ObjectId::of(pod);
        match context.change(deletion(pod)?).await {
            Ok(_) => taken.push(id.name),
            // It ended by itself, or another took its name: this very pod is away.
            Err(failure) if matches!(failure.class, Class::NotFound | Class::Conflict) => {}
            Err(failure) => return Err(left(failure, &taken, pods.len())),
        }
    }
    if taken.is_empty() {
        let message = format!("every pod of {} ended by itself before it could be deleted", ObjectId::of(&job));
        return Err(Failure::new(Class::Conflict, message).help("look at the Job, and run the step again"));
    }
    let job = context.get(&address).await?;
    Ok(Again { address, job, pods: taken, replaced: None })
}

/// What deleting the pods of a Job would do.
pub(super) async fn look(look: &Look, job: &Seen) -> Result<Vec<PlannedEffect>, Blind> {
    let mut effects = Vec::new();
    for pod in pods_of(look.context(), &job.object).await?.iter().filter(|pod| goes(pod)) {
        let proposal = deletion(pod)?;
        let Some(address) = proposal.address.clone() else { continue };
        effects.push(look.rehearse(&look.object(address).await?, proposal).await?);
    }
    if effects.is_empty() {
        return Err(none_runs(&job.object).into());
    }
    Ok(effects)
}

fn none_runs(job: &Value) -> Failure {
    let message = format!("{} has no running pod to start again", ObjectId::of(job));
    Failure::new(Class::Invalid, message).help("its controller starts the next one by itself")
}

fn goes(pod: &Value) -> bool {
    is_active(pod) && pod.pointer("/metadata/deletionTimestamp").is_none()
}

fn left(failure: Failure, taken: &[String], all: usize) -> Failure {
    let message = format!("{} of {all} pods were deleted: {failure}", taken.len());
    Failure { message, ..failure }
}

fn deletion(pod: &Value) -> Result<Proposal, Failure> {
    let id = ObjectId::of(pod);
    let address =
        POD.at(Some(&id.namespace), &id.name).map_err(|error| failure::of_error(&error.into(), &id.to_string()))?;
    let how = Deletion { uid: Some(id.uid.clone()), ..Deletion::default() };
    Ok(Proposal {
        verb: Verb::Delete,
        object: id,
        summary: "delete the pod, so that its job starts another".into(),
        request: address.delete(&how),
        before: Some(Arc::new(pod.clone())),
        written: Vec::new(),
        reversal: Reversal::Cannot(NO_WAY_BACK.into()),
        pods: 0,
        address: Some(address),
    })
}
