//! `rerun`: a Job again; one that has ended is made anew and never lost.
//!
//! `recreate.rs` holds the order of steps that cannot lose it; `manifest.rs`
//! what it is made of; `pods.rs` and `operations.rs` the two ways that leave
//! the Job itself in place.

mod manifest;
mod operations;
mod pods;
mod recreate;

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::job::{self, NO_WAY_BACK, ended};
use super::row::{aimed, schema_of};
use super::wait::Wait;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook, set};
use crate::cluster::resource::{Address, JOB, POD};
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};

const RULE: TargetRule = TargetRule { kinds: &["job"], sets: false, container: false, object: false, required: true };

/// How a Job is run again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Strategy {
    /// While it runs `pods`, once it has ended `recreate`.
    #[default]
    Auto,
    /// Its running pods are deleted, and its controller starts new ones.
    Pods,
    /// It is deleted and created again under the same name.
    Recreate,
    /// Another Job is made of it, under a name of its own.
    Copy,
    /// `KubeSphere` is asked to do it (`ControlHub` only).
    OperationsApi,
}

impl Strategy {
    fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pods => "pods",
            Self::Recreate => "recreate",
            Self::Copy => "copy",
            Self::OperationsApi => "operations-api",
        }
    }
}

/// Runs a Job again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// How: `auto` (where nothing is written), `pods`, `recreate`, `copy` or `operations-api`.
    #[serde(default)]
    strategy: Strategy,
    /// Wait until the Job has ended, and fail if it failed: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Rerun {
    target: Target,
    arguments: Arguments,
}

/// A Job that runs again.
#[derive(Debug)]
struct Again {
    /// Where it lies.
    address: Address,
    /// The Job as the server last gave it.
    job: Value,
    /// The names of the pods that were taken away.
    pods: Vec<String>,
    /// The UID of the Job whose place it took.
    replaced: Option<String>,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "rerun",
    help: "a Job again: its pods while it runs, made anew once it has ended",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Rerun { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Rerun {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.one(&self.target).await?;
        let job = context.get(&address).await?;
        let strategy = chosen(self.arguments.strategy, &job)?;
        let again = match strategy {
            Strategy::Auto | Strategy::Pods => pods::replace(context, address, job).await?,
            Strategy::Recreate => recreate::replace(context, address, job).await?,
            Strategy::Copy => recreate::copy(context, &job).await?,
            Strategy::OperationsApi => operations::ask(context, address, job).await?,
        };
        self.observed(context, strategy, again).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        let mut outlook = Outlook::default();
        for seen in look.objects(&self.target, 1).await? {
            outlook.effects.extend(match chosen(self.arguments.strategy, &seen.object)? {
                Strategy::Auto | Strategy::Pods => pods::look(look, &seen).await?,
                Strategy::Recreate => recreate::look(look, &seen).await?,
                Strategy::Copy => vec![recreate::look_at_copy(look, &seen.object).await?],
                Strategy::OperationsApi => {
                    return Err(Blind::Opaque("KubeSphere deletes the Job and creates it anew by itself".into()));
                }
            });
        }
        Ok(outlook)
    }

    /// Whether `auto` means its pods or the Job itself is only seen by looking at it.
    fn needs(&self) -> Vec<Need> {
        match self.arguments.strategy {
            Strategy::Pods => vec![Need::beside("delete", &self.target, &POD, None)],
            Strategy::Recreate => {
                vec![Need::of("delete", &self.target), Need::beside("create", &self.target, &JOB, None)]
            }
            Strategy::Copy => vec![Need::beside("create", &self.target, &JOB, None)],
            Strategy::Auto | Strategy::OperationsApi => Vec::new(),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Final(NO_WAY_BACK.into())
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.wait.as_ref().and_then(Wait::limit)
    }

    fn waits(&self) -> bool {
        self.arguments.wait.as_ref().is_some_and(Wait::is_wanted)
    }
}

impl Rerun {
    async fn observed(&self, context: &Context, strategy: Strategy, again: Again) -> Result<Observed, Failure> {
        let Again { address, job, pods, replaced } = again;
        let mut info = json!({"strategy": strategy.word(), "job": address.name(), "pods": pods, "replaced": replaced});
        let mut result = job;
        if self.waits() {
            let waited = job::await_end(context, &address, &ObjectId::of(&result).uid).await?;
            set(&mut info, "waited", waited.millis());
            result = waited.object;
        }
        Ok(Observed { result, info, changed: true, secret: false })
    }
}

/// What is done with this very Job, or why nothing can be.
fn chosen(wanted: Strategy, job: &Value) -> Result<Strategy, Failure> {
    let id = ObjectId::of(job);
    let refuse = |why: &str, help: String| Err(Failure::new(Class::Invalid, format!("{id} {why}")).help(help));
    if let Some(owner) = manifest::cron_owner(job) {
        let help = format!("start the CronJob's template once more: `trigger: {{cronjob: {owner}}}`");
        return refuse("belongs to a CronJob, which keeps count of its jobs", help);
    }
    if job.pointer("/metadata/deletionTimestamp").is_some() {
        return refuse("is being deleted", "wait until it is gone, and create it anew".into());
    }
    let has_ended = ended(job).is_some();
    let suspended = job.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true);
    match wanted {
        Strategy::Auto | Strategy::Pods if suspended && !has_ended => {
            let help = format!("let it run: `resume: {{job: {}/{}}}`", id.namespace, id.name);
            refuse("is suspended: it has no pods to start again", help)
        }
        Strategy::Pods if has_ended => refuse(
            "has ended: nothing would start its pods again",
            "make it anew: leave `strategy` out, or write `strategy: recreate`".into(),
        ),
        Strategy::Auto if has_ended => Ok(Strategy::Recreate),
        Strategy::Auto => Ok(Strategy::Pods),
        other => Ok(other),
    }
}
