//! `restart`: every pod of a workload anew.
//!
//! Rolling by default: the controller replaces the pods at its own pace and
//! never below what the workload allows. `strategy: delete-pods` (`pods.rs`)
//! is for what does not roll: `OnDelete`, a bare `ReplicaSet`, a template that
//! must not change, and for a single pod.

mod gone;
mod one_pod;
mod pods;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::delete::{check_grace, seconds};
use super::edit::Edit;
use super::many::with_target;
use super::pods::Going;
use super::reach::{needs_max, running_pods};
use super::rollout::Baseline;
use super::row::{aimed, schema_of};
use super::wait::{Wait, await_rollout, pods_of};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::{Address, POD};
use crate::document::{DurationText, Mode, Node, Target, TargetRule};
use crate::event::{Class, EffectKind, Failure, ObjectId, Reversal};
use crate::source::Diagnostic;

const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "daemonset", "replicaset", "pod"],
    sets: true,
    container: false,
    object: false,
    required: true,
};

/// Where kubectl writes it too, so that both count as a restart of the same kind.
const RESTARTED_AT: &str = "kubectl.kubernetes.io~1restartedAt";

/// How pods are replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Strategy {
    /// By the workload's own rollout.
    #[default]
    Rolling,
    /// By sending them away, a few at a time.
    DeletePods,
}

/// Replaces every pod of a workload.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// `rolling` (where nothing is written) or `delete-pods`.
    #[serde(default)]
    strategy: Strategy,
    /// With `delete-pods`: how many pods may be away at once; 1 where nothing is written.
    #[serde(default)]
    max_parallel: Option<u32>,
    /// With `delete-pods`: delete and do not evict, past the disruption budgets.
    #[serde(default)]
    force: bool,
    /// With `delete-pods`, or for a pod: how long it has to end in peace; its own setting where nothing is written.
    #[serde(default)]
    grace_period: Option<DurationText>,
    /// Wait until all pods are new and ready: true, or for how long. `delete-pods` always waits between pods, and
    /// for the last replacement unless this is false.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Restart {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "restart",
    help: "every pod anew: rolling, or by eviction a few at a time",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        needs_max("restart", target.as_ref(), out);
        check(node, mode, &arguments, target.as_ref().is_some_and(is_pod), out);
        Some(Box::new(Restart { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

fn is_pod(target: &Target) -> bool {
    match target {
        Target::One(reference) => reference.kind.kind == "Pod",
        Target::Set(set) => set.kind.kind == "Pod",
        Target::Object(_) | Target::Container(_) => false,
    }
}

fn check(node: &Node, mode: Mode, arguments: &Arguments, is_pod: bool, out: &mut Vec<Diagnostic>) {
    let hole = |key: &str| mode == Mode::Holes && node.get(key).is_some_and(Node::is_template);
    if arguments.max_parallel == Some(0) && !hole("max-parallel") {
        let span = node.get("max-parallel").map_or(node.span, |value| value.span);
        out.push(Diagnostic::error("`max-parallel` is at least 1", span));
    }
    check_grace(node, arguments.grace_period.as_ref(), out);
    if is_pod || arguments.strategy == Strategy::DeletePods || hole("strategy") {
        return;
    }
    for key in ["max-parallel", "force", "grace-period"].iter().filter_map(|key| node.entry(key)) {
        let line = format!("`{}` goes with `strategy: delete-pods`", key.key.text);
        out.push(Diagnostic::error(line, key.key.span).help("a rolling restart keeps to the workload's own strategy"));
    }
    if let Some(key) = ["replicaset", "rs", "replicasets"].iter().find_map(|key| node.entry(key)) {
        let complaint = Diagnostic::error("a ReplicaSet does not roll", key.key.span);
        out.push(complaint.help("say `strategy: delete-pods`, or restart its deployment"));
    }
}

#[async_trait]
impl Action for Restart {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        with_target(context, &self.target, |address| self.one(context, address)).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        if is_pod(&self.target) {
            return one_pod::look(look, &self.target, &self.pace()).await;
        }
        if self.arguments.strategy == Strategy::DeletePods {
            return pods::look(look, &self.target, &self.pace()).await;
        }
        let stamp = format!("(when {} runs)", look.context().step());
        Ok(look.edits(&self.target, |object| plan(object, &stamp)).await?.named(EffectKind::Restart))
    }

    fn needs(&self) -> Vec<Need> {
        let sends = is_pod(&self.target) || self.arguments.strategy == Strategy::DeletePods;
        match (sends, self.arguments.force) {
            (false, _) => vec![Need::of("patch", &self.target)],
            (true, true) => vec![Need::beside("delete", &self.target, &POD, None)],
            (true, false) => vec![Need::beside("create", &self.target, &POD, Some("eviction"))],
        }
    }

    fn effect(&self) -> Effect {
        Effect::Passing
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.wait.as_ref().and_then(Wait::limit)
    }

    fn waits(&self) -> bool {
        let sends = is_pod(&self.target) || self.arguments.strategy == Strategy::DeletePods;
        sends || self.arguments.wait.as_ref().is_some_and(Wait::is_wanted)
    }
}

impl Restart {
    async fn one(&self, context: &Context, address: Address) -> Result<Observed, Failure> {
        if is_pod(&self.target) {
            return one_pod::restart(context, &address, self.pace()).await;
        }
        match self.arguments.strategy {
            Strategy::Rolling => self.rolling(context, &address).await,
            Strategy::DeletePods => pods::replace(context, &address, self.pace()).await,
        }
    }

    fn pace(&self) -> pods::Pace {
        let grace = self.arguments.grace_period.as_ref().and_then(seconds);
        pods::Pace {
            only: None,
            at_once: usize::try_from(self.arguments.max_parallel.unwrap_or(1)).unwrap_or(usize::MAX),
            going: Going { force: self.arguments.force, grace },
            wait: self.arguments.wait.as_ref().is_none_or(Wait::is_wanted),
        }
    }

    async fn rolling(&self, context: &Context, address: &Address) -> Result<Observed, Failure> {
        let stamp = crate::clock::rfc3339(context.client().clock().now());
        let pods = pods_of(context, &context.get(address).await?).await?;
        let old = context.as_at_first(&format!("pods of {address}"), pods)?;
        let edited = context.edit(address, |object| plan(object, &stamp)).await?;
        let mut info = json!({"pods": running_pods(&edited.before), "revision": null});
        let mut result = edited.object;
        if self.waits() {
            let waited = await_rollout(context, address, Some(Baseline::after_write(&result))).await?;
            super::set(&mut info, "waited", waited.millis());
            super::set(&mut info, "revision", revision(&waited.object));
            result = waited.object;
            gone::await_gone(context, &result, old).await?;
        }
        Ok(Observed { result, info, changed: edited.changed, secret: false })
    }
}

fn plan(object: &Value, stamp: &str) -> Result<Edit, Failure> {
    if let Some(refusal) = does_not_roll(object) {
        return Err(refusal);
    }
    Ok(Edit {
        fields: vec![(format!("/spec/template/metadata/annotations/{RESTARTED_AT}"), Some(stamp.into()))],
        summary: "restart, rolling".into(),
        reversal: Some(Reversal::Nothing),
        pods: running_pods(object),
    })
}

/// Workloads that would take the annotation and keep their pods: no silent success.
fn does_not_roll(object: &Value) -> Option<Failure> {
    let id = ObjectId::of(object);
    if object.pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
        let failure = Failure::new(Class::Invalid, format!("{id}: the rollout is paused, so no pod would be replaced"));
        return Some(failure.help("resume the rollout first, or say `strategy: delete-pods`"));
    }
    let strategy = object.pointer("/spec/updateStrategy/type").and_then(Value::as_str);
    (strategy == Some("OnDelete")).then(|| {
        let line = format!("{id} has the update strategy OnDelete: its pods are only replaced when they are deleted");
        Failure::new(Class::Unsupported, line).help("say `strategy: delete-pods`")
    })
}

/// The revision that a workload runs, as its kind tells it.
fn revision(object: &Value) -> Value {
    let annotation = object.pointer("/metadata/annotations/deployment.kubernetes.io~1revision");
    annotation.or_else(|| object.pointer("/status/updateRevision")).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
