//! `scale`: so many replicas, of one workload or of a set.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit::{Edit, Edited};
use super::many::with_target;
use super::reach::{needs_max, refuse_daemon_set};
use super::rollout::{Baseline, replicas};
use super::row::{aimed, schema_of};
use super::wait::{Wait, await_rollout};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::Address;
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure};

/// The kinds that have replicas; a `DaemonSet` is named so that it can be refused with words.
const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "replicaset", "daemonset"],
    sets: true,
    container: false,
    object: false,
    required: true,
};

/// Changes the number of replicas.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// How many.
    #[serde(default)]
    replicas: Option<u32>,
    /// How many more or fewer (`+2`, `-1`); made absolute before it is written.
    #[serde(default)]
    by: Option<i64>,
    /// Wait until they are there: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Scale {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "scale",
    help: "so many replicas; refuses a DaemonSet, warns of an autoscaler",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        refuse_daemon_set("scale", target.as_ref(), out);
        needs_max("scale", target.as_ref(), out);
        if arguments.replicas.is_some() == arguments.by.is_some() {
            out.push(crate::source::Diagnostic::error("`scale` takes `replicas` or `by`, one of them", node.span));
        }
        Some(Box::new(Scale { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Scale {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        with_target(context, &self.target, |address| self.one(context, address)).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        look.edits(&self.target, |object| self.plan(object)).await
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of("patch", &self.target)]
    }

    fn effect(&self) -> Effect {
        Effect::Reversible
    }

    fn timeout(&self) -> Option<std::time::Duration> {
        self.arguments.wait.as_ref().and_then(Wait::limit)
    }

    fn waits(&self) -> bool {
        self.arguments.wait.as_ref().is_some_and(Wait::is_wanted)
    }
}

impl Scale {
    async fn one(&self, context: &Context, address: Address) -> Result<Observed, Failure> {
        warn_of_autoscaler(context, &address).await;
        let edited = context.edit(&address, |object| self.plan(object)).await?;
        finish(context, &address, edited, self.waits()).await
    }

    fn plan(&self, object: &Value) -> Result<Edit, Failure> {
        let present = replicas(object);
        let wanted = match (self.arguments.replicas, self.arguments.by) {
            (Some(replicas), _) => i64::from(replicas),
            (None, by) => present + by.unwrap_or_default(),
        };
        if wanted < 0 {
            return Err(Failure::new(
                Class::Invalid,
                format!("{present} replicas cannot be changed by {}", wanted - present),
            ));
        }
        Ok(replicas_edit(object, wanted))
    }
}

/// The edit that gives a workload so many replicas.
pub(super) fn replicas_edit(object: &Value, wanted: i64) -> Edit {
    let present = replicas(object);
    Edit {
        fields: vec![("/spec/replicas".into(), Some(wanted.into()))],
        summary: format!("replicas {present} → {wanted}"),
        reversal: None,
        pods: u32::try_from(present - wanted).unwrap_or(0),
    }
}

/// What a change of replicas gives: the object, waited for where that is wanted; no change needed is waited for too.
pub(super) async fn finish(
    context: &Context,
    address: &Address,
    edited: Edited,
    wait: bool,
) -> Result<Observed, Failure> {
    let (before, after) = (replicas(&edited.before), replicas(&edited.object));
    let mut info = json!({"before": before, "after": after});
    let mut result = edited.object;
    if wait {
        let baseline = if edited.changed { Baseline::after_write(&result) } else { Baseline::first_look(&result) };
        let waited = await_rollout(context, address, Some(baseline.counting())).await?;
        super::set(&mut info, "waited", waited.millis());
        result = waited.object;
    }
    Ok(Observed { result, info, changed: edited.changed, secret: false })
}

/// An autoscaler that owns the number will change it back: said, not guessed around.
pub(super) async fn warn_of_autoscaler(context: &Context, address: &Address) {
    let Some(namespace) = address.namespace() else { return };
    let Ok(scalers) = context.autoscalers(namespace).await else { return };
    for scaler in scalers {
        let of = |field: &str| scaler.pointer(&format!("/spec/scaleTargetRef/{field}")).and_then(Value::as_str);
        if of("kind") == Some(&address.resource().kind) && of("name") == Some(address.name()) {
            let name = scaler.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            context.warn(format!("the HorizontalPodAutoscaler {namespace}/{name} also sets the replicas of {address}"));
        }
    }
}
