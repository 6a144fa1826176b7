//! A Job that has ended, made anew in an order that cannot lose it.
//!
//! First the server rehearses the creation: what admission or a quota would
//! refuse is refused while the old Job is still there. The deletion is bound
//! to UID and version and journals the whole manifest. From then on the work
//! is a task of its own: a step that is stopped or runs out of time stops
//! waiting, but what was deleted is still created again. This is the one
//! place that outlives its step, because stopping between the two would lose
//! the Job; it has a clock of its own. A creation is sent again only when the
//! name is still free, so that it is made once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Again;
use super::manifest::{cleaned, renamed};
use crate::action::change::{Proposal, resource_version};
use crate::action::context::Context;
use crate::action::job::{self, NO_WAY_BACK, RUN};
use crate::action::look::{Blind, Left, Look, Seen, effect};
use crate::action::reach::running_pods;
use crate::cluster::resource::Address;
use crate::cluster::verbs::{Deletion, Propagation};
use crate::event::{Basis, Class, Failure, ObjectId, PlannedEffect, Reversal, Verb};

/// How long the old Job may take to go.
const GOING: Duration = Duration::from_mins(10);

/// How long the new one is tried for.
const CREATING: Duration = Duration::from_mins(3);

/// Creations that the server finds wrong, though it had agreed to the same before.
const INVALID: u32 = 3;

/// How often a deletion is bound anew, when only the old Job's status has changed.
const CONFLICTS: u32 = 5;

/// The running pods that go with a Job.
pub(super) fn running(job: &Value) -> u32 {
    running_pods(job)
}

/// Deletes a Job and creates it again under its name.
pub(super) async fn replace(context: &Context, address: Address, job: Value) -> Result<Again, Failure> {
    let manifest = rehearsed(context, &job).await?;
    let old = ObjectId::of(&job).uid;
    context.waiting(&format!("{address} to be gone and created again"), Vec::new());
    let (place, uid) = (address.clone(), old.clone());
    let again = context.unbroken(move |context| async move {
        delete(&context, &place, job).await?;
        restored(&context, &place, &uid, manifest).await
    });
    Ok(Again { job: again.await?, address, pods: Vec::new(), replaced: Some(old) })
}

/// Makes another Job of a Job.
pub(super) async fn copy(context: &Context, original: &Value) -> Result<Again, Failure> {
    let id = ObjectId::of(original);
    let manifest = marked(context, original);
    let mut last = None;
    for number in 0..CONFLICTS {
        let name = context.once(&format!("name {number}"), || Ok(job::fresh_name(&id.name)))?;
        let address = job::address(&id.namespace, &name)?;
        let proposal = job::creation(&address, renamed(manifest.clone(), &name), format!("copy of {}", id.name));
        match context.change(proposal).await {
            Ok(job) => return Ok(Again { address, job, pods: Vec::new(), replaced: None }),
            Err(failure) if failure.class == Class::Conflict => {
                // A creation that was long on its way.
                if let Some(job) = job::of_this_run(context, &address).await? {
                    return Ok(Again { address, job, pods: Vec::new(), replaced: None });
                }
                last = Some(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    Err(last.unwrap_or_else(|| Failure::new(Class::Conflict, format!("no free name for a copy of {id}"))))
}

/// What making a Job anew would do: it goes, and is created under its name.
pub(super) async fn look(look: &Look, job: &Seen) -> Result<Vec<PlannedEffect>, Blind> {
    let context = look.context();
    let manifest = rehearsed(context, &job.object).await?;
    let gone = look.rehearse(job, deletion(&job.address, &job.object)).await?;
    // The server was asked under another name, because its own is taken until then.
    let again = effect(&job::creation(&job.address, manifest, "create it again".into()), Basis::Server);
    look.leave(&job.address, Left::Unclear);
    Ok(vec![gone, again])
}

/// What making another Job of a Job would do.
pub(super) async fn look_at_copy(look: &Look, original: &Value) -> Result<PlannedEffect, Blind> {
    let id = ObjectId::of(original);
    let name = job::fresh_name(&id.name);
    let manifest = renamed(marked(look.context(), original), &name);
    let proposal = job::creation(&job::address(&id.namespace, &name)?, manifest, format!("copy of {}", id.name));
    look.creation(&id.name, proposal).await
}

/// The manifest of a Job, once the server has said that it would take it.
///
/// Rehearsed under another name: its own is still taken.
pub(super) async fn rehearsed(context: &Context, job: &Value) -> Result<Value, Failure> {
    let id = ObjectId::of(job);
    let manifest = marked(context, job);
    let name = job::fresh_name(&id.name);
    let mut trial = manifest.clone();
    if let Some(metadata) = trial.get_mut("metadata") {
        crate::action::set(metadata, "name", name.clone());
    }
    let request = job::request(&job::address(&id.namespace, &name)?, trial).dry_run();
    match context.read(&request).await {
        Ok(_) => Ok(manifest),
        Err(failure) => {
            let message = format!("{id} was left as it is, because it could not be created again: {failure}");
            Err(Failure { message, ..failure })
        }
    }
}

fn marked(context: &Context, job: &Value) -> Value {
    let mut manifest = cleaned(job);
    job::mark(&mut manifest, &context.facts().run);
    manifest
}

/// Deletes the Job as it was read; where only its status has changed since, as it is now.
async fn delete(context: &Context, address: &Address, mut job: Value) -> Result<(), Failure> {
    let wanted = cleaned(&job);
    let mut tries = 0;
    loop {
        tries += 1;
        let failure = match context.change(deletion(address, &job)).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.class == Class::Conflict && tries < CONFLICTS => failure,
            Err(failure) => return Err(failure),
        };
        let now = context.get(address).await?;
        if ObjectId::of(&now).uid != ObjectId::of(&job).uid || cleaned(&now) != wanted {
            return Err(failure.help("someone else changed the Job: look at it, and run the step again"));
        }
        job = now;
    }
}

fn deletion(address: &Address, job: &Value) -> Proposal {
    let how = Deletion {
        uid: Some(ObjectId::of(job).uid),
        resource_version: Some(resource_version(job)),
        propagation: Some(Propagation::Background),
        ..Deletion::default()
    };
    Proposal {
        verb: Verb::Delete,
        address: Some(address.clone()),
        object: ObjectId::of(job),
        summary: "delete it, to create it again".into(),
        request: address.delete(&how),
        before: Some(Arc::new(job.clone())),
        written: Vec::new(),
        reversal: Reversal::Cannot(NO_WAY_BACK.into()),
        pods: running(job),
    }
}

/// Creates a deleted Job again, as soon as the old one is gone and however often it takes.
///
/// # Errors
/// When someone else took the name, or the clock of its own ran out: then the manifest is kept beside the journal.
pub(super) async fn restored(
    context: &Context,
    address: &Address,
    old: &str,
    manifest: Value,
) -> Result<Value, Failure> {
    match gone(context, address, old).await {
        Ok(None) => {}
        Ok(Some(found)) => return ours(context, found),
        Err(failure) => return Err(lost(context, address, &manifest, failure)),
    }
    let (deadline, mut invalid, mut pause) = (Instant::now() + CREATING, 0, Duration::from_millis(250));
    loop {
        let summary = "create it again".to_owned();
        // Not asked of the gate again: the deletion was admitted as one half of this.
        let failure = match context.change_back(job::creation(address, manifest.clone(), summary)).await {
            Ok(job) => return Ok(job),
            Err(failure) => failure,
        };
        if let Ok(Some(found)) = context.find(address).await
            && ObjectId::of(&found).uid != old
        {
            return ours(context, found);
        }
        invalid += u32::from(failure.class == Class::Invalid);
        if invalid >= INVALID || Instant::now() + pause >= deadline {
            return Err(lost(context, address, &manifest, failure));
        }
        context.waiting(&format!("the server to create {address} again: {failure}"), Vec::new());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

/// Waits until the Job of this UID is gone; comes back with another of its name, if there is one.
async fn gone(context: &Context, address: &Address, old: &str) -> Result<Option<Value>, Failure> {
    let (deadline, mut pause) = (Instant::now() + GOING, Duration::from_millis(50));
    loop {
        let (line, failure) = match context.find(address).await {
            Ok(None) => return Ok(None),
            Ok(Some(found)) if ObjectId::of(&found).uid != old => return Ok(Some(found)),
            Ok(Some(found)) => (held_back(&found), None),
            // A server that cannot be read now says nothing about the Job.
            Err(failure) => (format!("a look at {address}: {failure}"), Some(failure)),
        };
        if Instant::now() + pause >= deadline {
            let message = format!("waited {} minutes for {line}", GOING.as_secs() / 60);
            return Err(failure.unwrap_or_else(|| Failure::new(Class::Timeout, message)));
        }
        context.waiting(&line, Vec::new());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

fn held_back(job: &Value) -> String {
    let finalizers = job.pointer("/metadata/finalizers").and_then(Value::as_array);
    let names: Vec<&str> = finalizers.into_iter().flatten().filter_map(Value::as_str).collect();
    let by = if names.is_empty() { String::new() } else { format!(" (held by {})", names.join(", ")) };
    format!("the old {} to be gone{by}", ObjectId::of(job))
}

/// The Job that stands where the old one was, if this run made it.
fn ours(context: &Context, found: Value) -> Result<Value, Failure> {
    let mark = found.pointer("/metadata/annotations").and_then(|notes| notes.get(RUN)).and_then(Value::as_str);
    if mark == Some(context.facts().run.as_str()) {
        return Ok(found);
    }
    let message = format!("{} was deleted, and someone else created another of its name", ObjectId::of(&found));
    Err(Failure::new(Class::Conflict, message).help("it was left alone: look at it before running again"))
}

/// The worst: said at once, with the place of the manifest, also to those who stopped waiting.
fn lost(context: &Context, address: &Address, manifest: &Value, failure: Failure) -> Failure {
    let name = format!("{}_{}.job.json", address.namespace().unwrap_or_default(), address.name());
    let text = serde_json::to_string_pretty(manifest).unwrap_or_default();
    let run = &context.facts().run;
    let place = match context.artifact(&name, &text) {
        Ok(path) => format!("its manifest lies at {path}: create it from there"),
        Err(error) => {
            format!("its manifest lies in the vault of run {run}, as the state before the deletion ({error})")
        }
    };
    let message = format!("{address} was deleted and is not created again: {failure}");
    context.warn(format!("{message}; {place}"));
    Failure { message, ..failure }.help(place)
}
