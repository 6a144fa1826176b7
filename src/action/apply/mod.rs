//! `apply`: server-side apply of objects.
//!
//! One object after the other, as they are written. What is there already is
//! rehearsed by the server first, so that what will be written is known field
//! by field, and nothing is sent where nothing would change; what is not
//! there is created, and remembered by UID, so that undo takes it away again
//! and nothing else. Fields that another manager owns are refused in the
//! server's words unless `force` takes them over.

mod manifest;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::manifest::Manifest;
use super::change::Proposal;
use super::diff::{content, differences};
use super::get::conceal_data;
use super::look::Seen;
use super::patch::{ROLLS, bound, pods_taken, summary};
use super::rollout::Baseline;
use super::row::{aimed, schema_of};
use super::wait::{Wait, await_rollout};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook, after_steps, failure};
use crate::document::{Mode, Node, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId, PlannedEffect, Reversal, Verb};
use crate::source::Diagnostic;

/// How often a conflict is met by reading again.
const CONFLICTS: u32 = 8;

/// Creates objects, or makes their fields what is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The objects, as manifests.
    #[serde(default)]
    objects: Option<Vec<Value>>,
    /// A file of manifests, beside the book.
    #[serde(default)]
    file: Option<String>,
    /// Take fields over from other managers.
    #[serde(default)]
    force: bool,
    /// Wait for the rollouts: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Apply {
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "apply",
    help: "objects as manifests say, by server-side apply",
    target: &TargetRule::NONE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: true,
    shown: &["file"],
    decode: |node, mode, out| {
        let (_, arguments): (_, Arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        if arguments.objects.is_some() == arguments.file.is_some() {
            out.push(Diagnostic::error("`apply` takes `objects` or `file`, one of them", node.span));
        }
        if let (Some(file), Some(value)) = (&arguments.file, node.get("file").filter(|file| !file.is_template()))
            && !manifest::stays_inside(file)
        {
            let complaint = Diagnostic::error("`file` lies in the folder of the book, or below it", value.span);
            out.push(complaint.help("write it as it is seen from the book: manifests/web.yaml"));
        }
        if let Some(objects) = node.get("objects").filter(|objects| !(mode == Mode::Holes && objects.is_template())) {
            check(objects, mode, out);
        }
        Some(Box::new(Apply { arguments }))
    },
    schema: schema_of::<Arguments>,
};

fn check(objects: &Node, mode: Mode, out: &mut Vec<Diagnostic>) {
    if objects.items().is_empty() {
        out.push(Diagnostic::error("`objects` is empty: there is nothing to apply", objects.span));
    }
    for object in objects.items().iter().filter(|object| !(mode == Mode::Holes && object.is_template())) {
        let named = object.get("metadata").and_then(|metadata| metadata.get("name")).is_some();
        let missing: Vec<&str> = [
            ("apiVersion", object.get("apiVersion").is_some()),
            ("kind", object.get("kind").is_some()),
            ("metadata.name", named),
        ]
        .into_iter()
        .filter_map(|(key, there)| (!there).then_some(key))
        .collect();
        if !missing.is_empty() {
            let complaint = Diagnostic::error(format!("this object has no {}", missing.join(", no ")), object.span);
            out.push(complaint.help("manifests keep the spelling of Kubernetes: apiVersion, not api-version"));
        }
    }
}

#[async_trait]
impl Action for Apply {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let manifests = self.manifests(context).await?;
        let mut count = Count::default();
        let mut applied = Vec::new();
        for manifest in &manifests {
            let (object, done) = self.one(context, manifest).await?;
            count.add(done);
            applied.push((object, done));
        }
        let mut info = json!({"created": count.created, "changed": count.changed, "unchanged": count.unchanged});
        if self.waits() {
            let waited = rolled_out(context, &manifests, &mut applied).await?;
            super::set(&mut info, "waited", waited);
        }
        let objects: Vec<Value> = applied.into_iter().map(|(object, _)| object).collect();
        let changed = count.created + count.changed > 0;
        Ok(Observed { result: json!({"objects": objects}), info, changed, secret: false })
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        let mut outlook = Outlook::default();
        for manifest in self.manifests(look.context()).await? {
            outlook.effects.extend(self.look_at(look, &manifest).await?);
        }
        Ok(outlook)
    }

    fn needs(&self) -> Vec<Need> {
        let targets: Vec<Target> = self.arguments.objects.iter().flatten().filter_map(manifest::target).collect();
        targets.iter().flat_map(|target| [Need::of("patch", target), Need::of("create", target)]).collect()
    }

    fn effect(&self) -> Effect {
        Effect::Reversible
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.wait.as_ref().and_then(Wait::limit)
    }

    fn waits(&self) -> bool {
        self.arguments.wait.as_ref().is_some_and(Wait::is_wanted)
    }
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Created,
    Changed,
    Unchanged,
}

#[derive(Debug, Default)]
struct Count {
    created: usize,
    changed: usize,
    unchanged: usize,
}

impl Count {
    fn add(&mut self, done: Done) {
        match done {
            Done::Created => self.created += 1,
            Done::Changed => self.changed += 1,
            Done::Unchanged => self.unchanged += 1,
        }
    }
}

impl Apply {
    /// The objects that are to be, each with its place.
    async fn manifests(&self, context: &Context) -> Result<Vec<Manifest>, Failure> {
        let objects = match (&self.arguments.objects, &self.arguments.file) {
            (Some(objects), _) => objects.clone(),
            (None, Some(file)) => manifest::of_file(&context.facts().folder, file)?,
            (None, None) => Vec::new(),
        };
        manifest::placed(context, objects).await
    }

    /// What applying one object would do; on what an earlier step leaves the server cannot be asked.
    async fn look_at(&self, look: &Look, manifest: &Manifest) -> Result<Option<PlannedEffect>, Blind> {
        let context = look.context();
        if manifest.address.resource().kind == "Secret" {
            conceal_data(context, &manifest.body);
        }
        let address = manifest.address.clone();
        let (seen, proposal) = match look.find(address.clone()).await? {
            None => (Seen { address, object: Value::Null, after: Vec::new() }, Some(self.creation(manifest))),
            Some(seen) if seen.after.is_empty() => {
                let proposal = self.patch(context, manifest, &seen.object).await?;
                (seen, proposal)
            }
            Some(seen) => return Err(Blind::Unknown(after_steps(&seen.after))),
        };
        let Some(proposal) = proposal else { return Ok(None) };
        let (is_new, is_secret) = (proposal.verb == Verb::Create, manifest.address.resource().kind == "Secret");
        let mut effect = look.rehearse(&seen, proposal).await?;
        if is_new && !is_secret {
            effect.fields = differences("", None, Some(&content(&manifest.body)));
        }
        Ok(Some(effect))
    }

    /// Applies one object; nothing is sent where it is as it should be.
    async fn one(&self, context: &Context, manifest: &Manifest) -> Result<(Value, Done), Failure> {
        if manifest.address.resource().kind == "Secret" {
            conceal_data(context, &manifest.body);
        }
        for attempt in 0..CONFLICTS {
            let tried = match context.find(&manifest.address).await? {
                None => self.create(context, manifest).await.map(|object| (object, Done::Created)),
                Some(before) => self.change(context, manifest, before).await,
            };
            match tried {
                Err(failure) if failure.class == Class::Conflict && !is_owned(&failure) => {}
                Err(failure) if is_owned(&failure) => {
                    let help = "another manager owns these fields: say `force: true` to take them over";
                    return Err(failure.help(help));
                }
                done => return done,
            }
            tokio::time::sleep(Duration::from_millis(10 << attempt.min(6))).await;
        }
        Err(Failure::new(Class::Conflict, format!("{} changes too often", manifest.address)))
    }

    async fn create(&self, context: &Context, manifest: &Manifest) -> Result<Value, Failure> {
        context.change(self.creation(manifest)).await
    }

    fn creation(&self, manifest: &Manifest) -> Proposal {
        let request = manifest.address.apply(manifest.body.clone(), self.arguments.force);
        Proposal {
            verb: Verb::Create,
            address: Some(manifest.address.clone()),
            object: ObjectId { uid: String::new(), ..ObjectId::of(&manifest.body) },
            summary: "create".into(),
            request,
            before: None,
            written: Vec::new(),
            reversal: Reversal::DeleteCreated,
            pods: 0,
        }
    }

    /// Rehearses, then sends, bound to what was read.
    async fn change(&self, context: &Context, manifest: &Manifest, before: Value) -> Result<(Value, Done), Failure> {
        match self.patch(context, manifest, &before).await? {
            Some(proposal) => Ok((context.change(proposal).await?, Done::Changed)),
            None => Ok((before, Done::Unchanged)),
        }
    }

    /// The change of an object that is there, as the server rehearses it; nothing where it is as it should be.
    async fn patch(&self, context: &Context, manifest: &Manifest, before: &Value) -> Result<Option<Proposal>, Failure> {
        let is_secret = manifest.address.resource().kind == "Secret";
        let request = || manifest.address.apply(bound(manifest.body.clone(), before), self.arguments.force);
        let rehearsal = request().dry_run();
        let after = context.read(&rehearsal).await?.json();
        let after = after.map_err(|error| failure::of_error(&error, rehearsal.what()))?;
        if is_secret {
            conceal_data(context, before);
            conceal_data(context, &after);
        }
        let written = differences("", Some(&content(before)), Some(&content(&after)));
        if written.is_empty() {
            return Ok(None);
        }
        Ok(Some(Proposal {
            verb: Verb::Patch,
            address: Some(manifest.address.clone()),
            object: ObjectId::of(before),
            summary: summary(&written, is_secret),
            request: request(),
            pods: pods_taken(before, &after, &written),
            before: Some(Arc::new(before.clone())),
            reversal: Reversal::Fields,
            written,
        }))
    }
}

/// Another manager owns fields, which is an answer; a version that moved on is not.
fn is_owned(failure: &Failure) -> bool {
    failure.class == Class::Conflict && failure.message.contains("Apply failed with")
}

/// Waits for the rollouts of the workloads among the objects, and gives how long that took, in milliseconds.
async fn rolled_out(context: &Context, all: &[Manifest], applied: &mut [(Value, Done)]) -> Result<u64, Failure> {
    let started = Instant::now();
    for (manifest, (object, done)) in all.iter().zip(applied) {
        if ROLLS.contains(&manifest.address.resource().kind.as_ref()) {
            let wrote = *done != Done::Unchanged;
            let baseline = if wrote { Baseline::after_write(object) } else { Baseline::first_look(object) };
            *object = await_rollout(context, &manifest.address, Some(baseline)).await?.object;
        }
    }
    Ok(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
