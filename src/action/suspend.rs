//! `suspend`: a CronJob or Job starts nothing more, with a note of who said so.
//!
//! `resume` stands beside it in a file of its own and uses the same waits.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::edit::{Edit, Edited};
use super::follow::Follow;
use super::held;
use super::job::ended;
use super::many::with_target;
use super::reach::{needs_max, running_pods};
use super::rollout::status;
use super::row::{aimed, schema_of};
use super::wait::{Wait, Waited, gone};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook, set};
use crate::cluster::resource::Address;
use crate::document::{Target, TargetRule};
use crate::event::{Failure, ObjectId};

/// What can be suspended.
pub(super) const RULE: TargetRule =
    TargetRule { kinds: &["cronjob", "job"], sets: true, container: false, object: false, required: true };

/// The field that says so.
pub(super) const SUSPEND: &str = "/spec/suspend";

/// Suspends a CronJob or a Job.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Wait until a Job's pods have stopped: true, or for how long. A CronJob's running jobs go on, and are not waited for.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Suspend {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "suspend",
    help: "a CronJob or Job starts nothing more; nothing is done where that is so already",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        needs_max("suspend", target.as_ref(), out);
        Some(Box::new(Suspend { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Suspend {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        with_target(context, &self.target, |address| self.one(context, address)).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        look.edits(&self.target, |object| Ok(plan(look.context(), object))).await
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

impl Suspend {
    async fn one(&self, context: &Context, address: Address) -> Result<Observed, Failure> {
        let edited = context.edit(&address, |object| Ok(plan(context, object))).await?;
        finish(context, &address, edited, self.waits().then_some(has_stopped)).await
    }
}

/// Whether an object starts nothing by itself.
pub(super) fn is_suspended(object: &Value) -> bool {
    object.pointer(SUSPEND).and_then(Value::as_bool) == Some(true)
}

/// A Job that has ended starts nothing more either: it is left as it is.
fn plan(context: &Context, object: &Value) -> Edit {
    if is_suspended(object) || ended(object).is_some() {
        return Edit::default();
    }
    Edit {
        fields: vec![(SUSPEND.into(), Some(true.into())), held::note(context.facts(), None)],
        summary: "suspend false → true".into(),
        reversal: None,
        // A CronJob's running jobs go on.
        pods: if ObjectId::of(object).kind == "Job" { running_pods(object) } else { 0 },
    }
}

fn has_stopped(job: &Value) -> bool {
    ended(job).is_some() || status(job, "active") == 0
}

/// What a change of the field gives; a Job is waited for where that is wanted.
pub(super) async fn finish(
    context: &Context,
    address: &Address,
    edited: Edited,
    until: Option<fn(&Value) -> bool>,
) -> Result<Observed, Failure> {
    let (before, after) = (is_suspended(&edited.before), is_suspended(&edited.object));
    let mut info = json!({"before": before, "after": after});
    let mut result = edited.object;
    if let Some(until) = until {
        let waited = if ObjectId::of(&result).kind == "Job" {
            await_job(context, address, until).await?
        } else {
            Waited { object: result, observations: 0, elapsed: Duration::ZERO }
        };
        set(&mut info, "waited", waited.millis());
        result = waited.object;
    }
    Ok(Observed { result, info, changed: edited.changed, secret: false })
}

async fn await_job(context: &Context, address: &Address, until: fn(&Value) -> bool) -> Result<Waited, Failure> {
    let started = Instant::now();
    let mut follow = Follow::object(context, address);
    let mut observations = 0;
    loop {
        let Some(object) = follow.next().await? else { return Err(gone(address)) };
        observations += 1;
        if until(&object) {
            return Ok(Waited { object, observations, elapsed: started.elapsed() });
        }
        context.waiting(&format!("{} active pods of {address}", status(&object, "active")), Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, ready};
    use super::*;
    use crate::event::Reversal;

    fn nightly(suspend: bool) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": "nightly", "namespace": "shop", "uid": "c1", "resourceVersion": "4"},
            "spec": {"schedule": "0 3 * * *", "suspend": suspend}})
    }

    fn job(active: u32) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "migrate", "namespace": "shop", "uid": "j1", "resourceVersion": "4"},
            "spec": {}, "status": {"active": active}})
    }

    #[tokio::test(start_paused = true)]
    async fn a_cron_job_is_suspended_with_a_note_of_the_book() {
        let stage = Stage::new([nightly(false)]);
        let seen = ready(&ROW, "cronjob: shop/nightly").act(&stage.context()).await.unwrap();
        assert_eq!(stage.sent()["spec"], json!({"suspend": true}));
        let note = seen.result.pointer(super::super::target::HELD).and_then(Value::as_str).unwrap();
        assert_eq!(note, r#"{"book":"book","run":"run-1"}"#);
        assert_eq!(seen.info, json!({"before": false, "after": true}));
        assert_eq!(stage.made()[0].change.reversal, Reversal::Fields);
        assert_eq!(stage.made()[0].change.summary, "suspend false → true");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_suspended_already_is_left_alone_and_gets_no_note() {
        let stage = Stage::new([nightly(true)]);
        let seen = ready(&ROW, "cronjob: shop/nightly").act(&stage.context()).await.unwrap();
        assert!(!seen.changed && stage.writes().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_job_loses_its_pods_and_is_waited_for() {
        let stage = Stage::new([job(2)]).on(|objects, method, _| {
            if method == "PATCH" {
                for job in objects.values_mut() {
                    job["status"]["active"] = 0.into();
                }
            }
        });
        let seen = ready(&ROW, "{job: shop/migrate, wait: true}").act(&stage.context()).await.unwrap();
        assert_eq!(stage.made()[0].change.pods, 2);
        assert!(seen.info["waited"].is_u64());
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_has_ended_is_left_alone() {
        let mut over = job(0);
        over["status"]["conditions"] = json!([{"type": "Complete", "status": "True"}]);
        let stage = Stage::new([over]);
        let seen = ready(&ROW, "job: shop/migrate").act(&stage.context()).await.unwrap();
        assert!(!seen.changed && stage.writes().is_empty());
    }

    #[test]
    fn a_set_says_how_large_it_may_be() {
        assert!(complaints(&ROW, "cronjobs: {in: shop}")[0].message.contains("no `max`"));
        assert!(complaints(&ROW, "cronjobs: {in: shop, min: 0, max: 20}").is_empty());
    }
}
