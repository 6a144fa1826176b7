//! `rollback`: a workload's pod template as it was in an earlier revision.
//!
//! The past lies in what the workload owns: a Deployment's in its
//! `ReplicaSet`s, that of the others in `ControllerRevision`s. Only the fields
//! that differ are written, so that the way back leaves others' alone.

mod past;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::diff::differences;
use super::edit::{Edit, Edited};
use super::follow::Follow;
use super::reach::running_pods;
use super::rollout::{Baseline, generation, is_observed};
use super::row::{aimed, schema_of};
use super::wait::{Wait, await_rollout};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::Address;
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};
use past::{Past, Revision};

const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "daemonset"],
    sets: false,
    container: false,
    object: false,
    required: true,
};

/// How long a controller may take to see a spec.
const OBSERVED: Duration = Duration::from_secs(30);

/// Brings an earlier pod template back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Which revision; the one before the present where nothing is written.
    #[serde(default)]
    to_revision: Option<u64>,
    /// Wait for the rollout: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Rollback {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "rollback",
    help: "a workload's pod template as it was in an earlier revision",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Rollback { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Rollback {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.one(&self.target).await?;
        let edited = match context.written_before(&address).await {
            Some(written) => written.map(|(before, object)| Edited { object, before, changed: true })?,
            None => self.written(context, &address).await?,
        };
        let mut info = context.chosen(REVISIONS).unwrap_or_default();
        let mut result = edited.object;
        if self.waits() {
            let baseline = if edited.changed { Baseline::after_write(&result) } else { Baseline::first_look(&result) };
            let waited = await_rollout(context, &address, Some(baseline)).await?;
            super::set(&mut info, "waited", waited.millis());
            result = waited.object;
        }
        Ok(Observed { result, info, changed: edited.changed, secret: false })
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        let context = look.context();
        let past = Past::of(context, &context.get(&context.one(&self.target).await?).await?).await?;
        let chosen = past.choose(self.arguments.to_revision)?;
        look.edits(&self.target, |object| plan(object, &past, chosen)).await
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of("patch", &self.target)]
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

/// Under which name the choice of revisions is kept.
const REVISIONS: &str = "revisions";

impl Rollback {
    /// Writes an earlier template; which one is chosen once, because every rollback counts as a new revision.
    async fn written(&self, context: &Context, address: &Address) -> Result<Edited, Failure> {
        let past = Past::of(context, &observed(context, address).await?).await?;
        let chosen = past.choose(self.arguments.to_revision)?;
        context.keep(REVISIONS, json!({"before": past.present, "after": chosen.number}))?;
        context.edit(address, |object| plan(object, &past, chosen)).await
    }
}

/// The workload, once its controller has seen the newest spec: until then it tells of an older present.
async fn observed(context: &Context, address: &Address) -> Result<Value, Failure> {
    let mut follow = Follow::object(context, address);
    let until = Instant::now() + OBSERVED;
    loop {
        let Some(object) = follow.next().await? else {
            return Err(Failure::new(Class::NotFound, format!("{address} does not exist")));
        };
        if is_observed(&object) {
            return Ok(object);
        }
        if Instant::now() >= until {
            let waited = OBSERVED.as_secs();
            let line = format!("{address}: its controller has not seen the newest spec for {waited}s");
            return Err(Failure::new(Class::Timeout, line).help("is the controller manager running?"));
        }
    }
}

fn plan(object: &Value, past: &Past, wanted: &Revision) -> Result<Edit, Failure> {
    let id = ObjectId::of(object);
    if id.uid != past.uid {
        return Err(Failure::new(Class::Conflict, format!("{id} was replaced by another of the same name")));
    }
    if generation(object) != past.generation {
        let failure = Failure::new(Class::Conflict, format!("{id} was changed by someone while its past was read"));
        return Err(failure.help("run it again, once they are done"));
    }
    if object.pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
        let failure = Failure::new(Class::Invalid, format!("{id}: the rollout is paused, so nothing would roll back"));
        return Err(failure.help("resume the rollout first"));
    }
    let fields = differences("/spec/template", object.pointer("/spec/template"), Some(&wanted.template));
    Ok(Edit {
        fields: fields.into_iter().map(|field| (field.pointer, field.after)).collect(),
        summary: format!("revision {} → {}", past.present, wanted.number),
        reversal: None,
        pods: running_pods(object),
    })
}

#[cfg(test)]
mod tests;
