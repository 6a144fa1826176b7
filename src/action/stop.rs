//! `stop`: to no replicas, with a note of how many there were, until the pods are gone.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::edit::Edit;
use super::follow::Follow;
use super::held;
use super::many::with_target;
use super::reach::{is_active, needs_max, refuse_daemon_set};
use super::rollout::{generation, replicas, status};
use super::row::{aimed, schema_of};
use super::scale::replicas_edit;
use super::wait::{Wait, Waited, gone, pods_of};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::Address;
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};

/// As for `scale`; a `DaemonSet` is named so that it can be refused with words.
pub(super) const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "replicaset", "daemonset"],
    sets: true,
    container: false,
    object: false,
    required: true,
};

/// Scales to nothing and remembers on the object how many there were.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Wait until the pods are gone: true (what it does where nothing is written), false, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Stop {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "stop",
    help: "to no replicas, until the pods are gone; a note remembers how many there were",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        refuse_daemon_set("stop", target.as_ref(), out);
        needs_max("stop", target.as_ref(), out);
        Some(Box::new(Stop { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Stop {
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
        self.arguments.wait.as_ref().is_none_or(Wait::is_wanted)
    }
}

impl Stop {
    async fn one(&self, context: &Context, address: Address) -> Result<Observed, Failure> {
        let edited = context.edit(&address, |object| Ok(plan(context, object))).await?;
        let mut info = json!({"before": replicas(&edited.before), "after": 0});
        let mut result = edited.object;
        if self.waits() {
            let waited = await_stopped(context, &address, &result).await?;
            super::set(&mut info, "waited", waited.millis());
            result = waited.object;
        }
        Ok(Observed { result, info, changed: edited.changed, secret: false })
    }
}

/// What has no replicas is left as it is: there is nothing to remember.
fn plan(context: &Context, object: &Value) -> Edit {
    let present = replicas(object);
    let mut edit = replicas_edit(object, 0);
    if present > 0 {
        edit.fields.push(held::note(context.facts(), Some(present)));
    }
    edit
}

/// Waits until no pod of a stopped workload runs, by UID.
///
/// The rules of a rollout do not fit: under `OnDelete` there is none, and
/// still there is an end to stopping.
async fn await_stopped(context: &Context, address: &Address, stopped: &Value) -> Result<Waited, Failure> {
    let started = Instant::now();
    let mut follow = Follow::object(context, address);
    let mut observations = 0;
    loop {
        let Some(object) = follow.next().await? else { return Err(gone(address)) };
        observations += 1;
        stays_stopped(stopped, &object)?;
        let mut pods = pods_of(context, &object).await?;
        pods.retain(is_active);
        if pods.is_empty() && is_counted_out(stopped, &object) {
            return Ok(Waited { object, observations, elapsed: started.elapsed() });
        }
        context.waiting(&to_go(&pods), Vec::new());
    }
}

/// Someone who starts it again while we wait is told of, not waited out.
fn stays_stopped(stopped: &Value, object: &Value) -> Result<(), Failure> {
    let id = ObjectId::of(object);
    if id.uid != ObjectId::of(stopped).uid {
        return Err(Failure::new(Class::Conflict, format!("{id} was replaced by another of the same name")));
    }
    match replicas(object) {
        0 => Ok(()),
        wanted => Err(Failure::new(
            Class::Conflict,
            format!("{id}: someone else set the replicas to {wanted} while its pods were going"),
        )),
    }
}

fn is_counted_out(stopped: &Value, object: &Value) -> bool {
    let observed = object.pointer("/status/observedGeneration").and_then(Value::as_i64).unwrap_or(0);
    observed >= generation(stopped) && status(object, "replicas") == 0
}

fn to_go(pods: &[Value]) -> String {
    let names: Vec<String> = pods.iter().take(3).map(|pod| ObjectId::of(pod).name).collect();
    match pods.len() {
        0 => "the controller has not counted its pods out yet".into(),
        1 => format!("1 pod to go: {}", names.join(", ")),
        many if many > names.len() => format!("{many} pods to go: {}, …", names.join(", ")),
        many => format!("{many} pods to go: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, arrived, complaints, deployment, pod_of, ready};
    use super::*;
    use crate::event::Reversal;

    fn owned(web: &Value) -> [Value; 3] {
        let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"namespace": "shop", "name": "web-6c9f",
            "uid": "rs-uid", "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": web["metadata"]["uid"]}]}});
        let pods = [pod_of(&set, "web-1", "p1"), pod_of(&set, "web-2", "p2")];
        let [one, two] = pods;
        [set, one, two]
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_until_the_pods_are_gone_and_leaves_a_note() {
        let web = deployment("shop", "web", 2);
        let stage = Stage::new(owned(&web).into_iter().chain([web.clone()])).on(|objects, method, path| {
            if method == "GET" && path.ends_with("/pods") {
                let next = objects.iter().find(|(_, object)| object["kind"] == "Pod").map(|(path, _)| path.clone());
                next.map(|path| objects.remove(&path));
                objects.values_mut().filter(|object| object["kind"] == "Deployment").for_each(arrived);
            }
        });
        let seen = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap();
        assert!(seen.changed);
        assert_eq!((&seen.info["before"], &seen.info["after"]), (&json!(2), &json!(0)));
        let note = stage.object(&web).unwrap()["metadata"]["annotations"]["runhub.dev/held"].clone();
        assert_eq!(note, r#"{"book":"book","run":"run-1","replicas":2}"#);
        let [made] = stage.made().try_into().unwrap();
        assert_eq!((made.change.summary.as_str(), made.change.pods), ("replicas 2 → 0", 2));
        assert_eq!((made.change.reversal, made.change.written.len()), (Reversal::Fields, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_stopped_already_gets_no_note() {
        let web = deployment("shop", "web", 0);
        let stage = Stage::new([web.clone()]);
        let seen = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap();
        assert!(!seen.changed && stage.writes().is_empty());
        assert_eq!(stage.object(&web).unwrap(), web);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_that_ended_long_ago_keeps_nobody_waiting() {
        let web = deployment("shop", "web", 0);
        let [set, mut evicted, _] = owned(&web);
        evicted["status"] = json!({"phase": "Failed", "reason": "Evicted"});
        let stage = Stage::new([web, set, evicted]);
        assert!(ready(&ROW, "deployment: shop/web").act(&stage.context()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn someone_who_starts_it_again_is_told_of() {
        let web = deployment("shop", "web", 2);
        let stage = Stage::new(owned(&web).into_iter().chain([web])).on(|objects, method, path| {
            if method == "GET" && path.ends_with("/pods") {
                for object in objects.values_mut().filter(|object| object["kind"] == "Deployment") {
                    object["spec"]["replicas"] = json!(5);
                }
            }
        });
        let failure = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.class, Class::Conflict);
        assert!(failure.message.contains("someone else set the replicas to 5"), "{failure}");
    }

    #[test]
    fn a_daemon_set_and_a_boundless_set_are_refused() {
        assert!(complaints(&ROW, "daemonset: shop/agent")[0].message.contains("takes no DaemonSet"));
        assert!(complaints(&ROW, "deployments: {in: shop}")[0].message.contains("no `max`"));
        assert!(complaints(&ROW, "deployments: {in: shop, max: 3}").is_empty());
    }

    #[test]
    fn it_waits_unless_told_otherwise() {
        assert!(ready(&ROW, "deployment: shop/web").waits());
        assert!(!ready(&ROW, "{deployment: shop/web, wait: false}").waits());
        let limited = ready(&ROW, "{deployment: shop/web, wait: 5m}");
        assert_eq!(limited.timeout(), Some(Duration::from_mins(5)));
    }
}
