//! `trigger`: a CronJob's template once, now.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::job::{self, NO_WAY_BACK};
use super::row::{aimed, schema_of};
use super::wait::Wait;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook, set};
use crate::cluster::resource::{Address, JOB};
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};

const RULE: TargetRule =
    TargetRule { kinds: &["cronjob"], sets: false, container: false, object: false, required: true };

/// How many names are tried, where one is taken.
const NAMES: u32 = 5;

/// Makes one Job of a CronJob's template.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Wait until the Job has ended, and fail if it failed: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Trigger {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "trigger",
    help: "a CronJob's template once, now; its schedule goes on as before",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Trigger { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Trigger {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.one(&self.target).await?;
        let cron_job = context.get(&address).await?;
        if cron_job.pointer("/metadata/deletionTimestamp").is_some() {
            return Err(Failure::new(Class::Conflict, format!("{address} is being deleted")));
        }
        warn_of_neighbours(context, &cron_job);
        let (address, mut job) = create(context, &cron_job).await?;
        let mut info = json!({"job": address.name()});
        if self.waits() {
            let waited = job::await_end(context, &address, &ObjectId::of(&job).uid).await?;
            set(&mut info, "waited", waited.millis());
            job = waited.object;
        }
        Ok(Observed { result: job, info, changed: true, secret: false })
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        let mut outlook = Outlook::default();
        for seen in look.objects(&self.target, 1).await? {
            let id = ObjectId::of(&seen.object);
            let name = job::fresh_name(&id.name);
            let manifest = manifest(&seen.object, &name, &look.context().facts().run)?;
            let address = job::address(&id.namespace, &name)?;
            let proposal = job::creation(&address, manifest, format!("run {} once, now", id.name));
            outlook.effects.push(look.creation(&id.name, proposal).await?);
        }
        Ok(outlook)
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::beside("create", &self.target, &JOB, None)]
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

/// A schedule that lets no two jobs run beside each other does not bind us: said, not decided.
fn warn_of_neighbours(context: &Context, cron_job: &Value) {
    let active = cron_job.pointer("/status/active").and_then(Value::as_array).map_or(0, Vec::len);
    let policy = cron_job.pointer("/spec/concurrencyPolicy").and_then(Value::as_str).unwrap_or("Allow");
    if active > 0 && policy != "Allow" {
        let id = ObjectId::of(cron_job);
        context.warn(format!(
            "{id} has the concurrencyPolicy {policy}, and {active} of its jobs still run beside this one"
        ));
    }
}

/// Creates the Job; a name that is taken is answered by another name.
async fn create(context: &Context, cron_job: &Value) -> Result<(Address, Value), Failure> {
    let id = ObjectId::of(cron_job);
    let mut last = None;
    for number in 0..NAMES {
        let name = context.once(&format!("name {number}"), || Ok(job::fresh_name(&id.name)))?;
        let address = job::address(&id.namespace, &name)?;
        let manifest = manifest(cron_job, &name, &context.facts().run)?;
        let proposal = job::creation(&address, manifest, format!("run {} once, now", id.name));
        match context.change(proposal).await {
            Ok(job) => return Ok((address, job)),
            Err(failure) if failure.reason.as_deref() == Some("AlreadyExists") => {
                // A creation that was long on its way.
                if let Some(job) = job::of_this_run(context, &address).await? {
                    return Ok((address, job));
                }
                last = Some(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    Err(last.unwrap_or_else(|| Failure::new(Class::Conflict, format!("no free name for a job of {id}"))))
}

/// The Job that the CronJob's controller would make, with a note that a person asked for it.
fn manifest(cron_job: &Value, name: &str, run: &str) -> Result<Value, Failure> {
    let id = ObjectId::of(cron_job);
    let template = cron_job.pointer("/spec/jobTemplate").filter(|template| template.get("spec").is_some());
    let Some(template) = template else {
        return Err(Failure::new(Class::Invalid, format!("{id} has no template of a job")));
    };
    // No `blockOwnerDeletion`: that would need a permission on the CronJob's finalizers.
    let owner =
        json!({"apiVersion": id.api_version, "kind": id.kind, "name": id.name, "uid": id.uid, "controller": true});
    let mut metadata = json!({"name": name, "namespace": id.namespace, "ownerReferences": [owner]});
    for field in ["labels", "annotations"] {
        if let Some(written) = template.pointer(&format!("/metadata/{field}")) {
            set(&mut metadata, field, written.clone());
        }
    }
    let spec = template.get("spec").cloned().unwrap_or_default();
    let mut manifest = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec});
    job::annotate(&mut manifest, "cronjob.kubernetes.io/instantiate", "manual");
    job::mark(&mut manifest, run);
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, ready, refusal};
    use super::*;
    use crate::event::{Reversal, Verb};

    const JOBS: &str = "POST /apis/batch/v1/namespaces/shop/jobs";

    fn nightly() -> Value {
        json!({"apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": "nightly", "namespace": "shop", "uid": "c1", "resourceVersion": "4"},
            "spec": {"schedule": "0 3 * * *", "jobTemplate": {
                "metadata": {"labels": {"app": "shop"}, "annotations": {"team": "shop"}},
                "spec": {"backoffLimit": 1, "template": {"spec": {"restartPolicy": "Never"}}}}}})
    }

    #[test]
    fn the_job_is_the_template_with_its_owner_and_two_notes() {
        assert_eq!(
            manifest(&nightly(), "nightly-abcde", "run-1"),
            Ok(json!({"apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": "nightly-abcde", "namespace": "shop",
                    "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": "c1", "controller": true}],
                    "labels": {"app": "shop"},
                    "annotations": {"team": "shop", "cronjob.kubernetes.io/instantiate": "manual", "runhub.dev/run": "run-1"}},
                "spec": {"backoffLimit": 1, "template": {"spec": {"restartPolicy": "Never"}}}}))
        );
        let mut empty = nightly();
        empty["spec"]["jobTemplate"] = json!({});
        assert_eq!(manifest(&empty, "x", "r").unwrap_err().class, Class::Invalid);
    }

    #[tokio::test(start_paused = true)]
    async fn it_creates_one_job_and_waits_for_it() {
        let stage = Stage::new([nightly()]).on(|objects, _, _| {
            for job in objects.values_mut().filter(|object| object["kind"] == "Job") {
                job["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
            }
        });
        let seen = ready(&ROW, "{cronjob: shop/nightly, wait: 5m}").act(&stage.context()).await.unwrap();
        assert_eq!(stage.writes(), [JOBS]);
        assert_eq!(seen.info["job"], seen.result["metadata"]["name"]);
        assert!(seen.changed && seen.info["waited"].is_u64());
        let made = stage.made();
        assert_eq!(made[0].change.verb, Verb::Create);
        assert!(matches!(&made[0].change.reversal, Reversal::Cannot(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_taken_is_answered_by_another() {
        let stage = Stage::new([nightly()]).refusing(|method, _, count| {
            (method == "POST" && count == 1).then(|| refusal(409, "AlreadyExists", "jobs.batch already exists"))
        });
        ready(&ROW, "cronjob: shop/nightly").act(&stage.context()).await.unwrap();
        assert_eq!(stage.writes(), [JOBS, JOBS]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_refuses_is_a_failure_in_its_words() {
        let stage = Stage::new([nightly()])
            .refusing(|method, _, _| (method == "POST").then(|| refusal(403, "Forbidden", "exceeded quota: jobs")));
        let failure = ready(&ROW, "cronjob: shop/nightly").act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.class, Class::Forbidden);
        assert!(failure.message.contains("exceeded quota"), "{failure}");
    }
}
