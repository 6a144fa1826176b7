//! `delete`: objects go, and are waited for until they are gone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::change::{Proposal, resource_version};
use super::follow::Follow;
use super::many::each_of;
use super::reach::{is_active, needs_max, running_pods};
use super::row::{aimed, schema_of};
use super::wait::Wait;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::Address;
use crate::cluster::verbs;
use crate::document::{DurationText, KindRow, Node, ObjectSet, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId, Reversal, Verb};
use crate::source::Diagnostic;

const RULE: TargetRule =
    TargetRule { kinds: super::ALL_KINDS, sets: true, container: false, object: true, required: true };

/// How often a conflict is met by reading again.
const CONFLICTS: u32 = 8;

const FOR_GOOD: &str = "a deleted object cannot be brought back as it was";

/// What becomes of the things that an object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Propagation {
    /// They go first; the object stays until they are gone.
    Foreground,
    /// They go later.
    Background,
    /// They stay.
    Orphan,
}

/// Whether an absent object is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Missing {
    /// It is.
    Ok,
}

/// Deletes objects, each bound to what was read of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// `foreground` (where nothing is written, for what owns pods or jobs: gone means all of it is gone), `background`
    /// (for the rest) or `orphan`.
    #[serde(default)]
    propagation: Option<Propagation>,
    /// How long a pod has to end in peace; its own setting where nothing is written.
    #[serde(default)]
    grace_period: Option<DurationText>,
    /// `ok`: an absent object, or an empty set, is well.
    #[serde(default)]
    missing: Option<Missing>,
    /// Wait until it is gone: true (what it does where nothing is written), false, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Delete {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "delete",
    help: "objects go, and are waited for until they are gone",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        needs_max("delete", target.as_ref(), out);
        check_grace(node, arguments.grace_period.as_ref(), out);
        Some(Box::new(Delete { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

/// Complains about a grace period that the server cannot count: it takes whole seconds.
pub(super) fn check_grace(node: &Node, grace: Option<&DurationText>, out: &mut Vec<Diagnostic>) {
    let odd = grace.is_some_and(|grace| seconds(grace).is_none());
    if let Some(value) = node.get("grace-period").filter(|_| odd) {
        out.push(Diagnostic::error("`grace-period` takes whole seconds", value.span).help("write 0s, 30s or 5m"));
    }
}

/// Whole seconds, as the server counts grace.
pub(super) fn seconds(grace: &DurationText) -> Option<u32> {
    let grace = grace.duration();
    u32::try_from(grace.as_secs()).ok().filter(|_| grace.subsec_millis() == 0)
}

#[async_trait]
impl Action for Delete {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let Target::Set(set) = &self.target else {
            let address = context.one(&self.target).await?;
            return Ok(listed(self.one(context, address, None).await?));
        };
        let selection = context.select(set, u64::from(self.arguments.missing.is_none())).await?;
        if !selection.complete {
            let line = format!("the list of {} may be incomplete: nothing was deleted", set.kind.plural);
            let failure = Failure::new(Class::Forbidden, line);
            return Err(failure.help("the native list is refused: name the namespaces you may list with `in`"));
        }
        let done = each_of(context, set, &selection.items, |address| self.one(context, address, Some(set))).await?;
        Ok(without_absent(done))
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        let mut outlook = Outlook::default();
        let seen = match look.objects(&self.target, u64::from(self.arguments.missing.is_none())).await {
            Err(Blind::Failed(failure)) if failure.class == Class::NotFound && self.arguments.missing.is_some() => {
                return Ok(outlook);
            }
            other => other?,
        };
        for seen in seen.iter().filter(|seen| !is_leaving(&seen.object) || self.arguments.grace_period.is_some()) {
            let proposal = self.proposal(look.context(), &seen.address, &seen.object).await?;
            outlook.effects.push(look.rehearse(seen, proposal).await?);
        }
        Ok(outlook)
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of("delete", &self.target)]
    }

    fn effect(&self) -> Effect {
        let kind = match &self.target {
            Target::One(reference) => reference.kind.kind,
            Target::Set(set) => set.kind.kind,
            Target::Object(object) => &object.kind,
            Target::Container(_) => "",
        };
        if kind == "Pod" { Effect::Passing } else { Effect::Final(FOR_GOOD.into()) }
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.wait.as_ref().and_then(Wait::limit)
    }

    fn waits(&self) -> bool {
        self.arguments.wait.as_ref().is_none_or(Wait::is_wanted)
    }
}

/// One object as a list of one, as a set gives it.
fn listed(one: Observed) -> Observed {
    let items: Vec<Value> = Some(one.result).into_iter().filter(|object| !object.is_null()).collect();
    let total = items.len();
    Observed { result: json!({"items": items, "total": total}), ..one }
}

/// What went by itself before we came is no item.
fn without_absent(mut all: Observed) -> Observed {
    let mut items = all.result.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    items.retain(|item| !item.is_null());
    let total = items.len();
    Observed { result: json!({"items": items, "total": total}), ..all }
}

impl Delete {
    async fn one(&self, context: &Context, address: Address, set: Option<&ObjectSet>) -> Result<Observed, Failure> {
        let started = Instant::now();
        let Some((object, changed)) = self.send(context, &address, set).await? else {
            let info = json!({"waited": 0});
            return Ok(Observed { info, ..Observed::default() });
        };
        if self.waits() {
            await_gone(context, &address, &object).await?;
        }
        let waited = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Observed { result: object, info: json!({"waited": waited}), changed, secret: false })
    }

    /// Deletes the object as it was read, and gives it as it then was; nothing where it was absent and may be.
    async fn send(
        &self,
        context: &Context,
        address: &Address,
        set: Option<&ObjectSet>,
    ) -> Result<Option<(Value, bool)>, Failure> {
        let mut first: Option<String> = None;
        for attempt in 0..CONFLICTS {
            let Some(before) = self.present(context, address, set).await? else { return Ok(None) };
            let uid = ObjectId::of(&before).uid;
            if first.get_or_insert_with(|| uid.clone()) != &uid {
                let line = format!("{address} was replaced by another of the same name: left alone");
                return Err(Failure::new(Class::Conflict, line));
            }
            if is_leaving(&before) && self.arguments.grace_period.is_none() {
                return Ok(Some((before, false)));
            }
            match context.change(self.proposal(context, address, &before).await?).await {
                Ok(_) => return Ok(Some((before, true))),
                Err(failure) if failure.class == Class::NotFound => return Ok(Some((before, false))),
                Err(failure) if failure.class == Class::Conflict => {}
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(Duration::from_millis(10 << attempt.min(6))).await;
        }
        Err(Failure::new(Class::Conflict, format!("{address} changes too often to be deleted as it was read")))
    }

    /// The object as it is now, as long as the set still means it.
    async fn present(
        &self,
        context: &Context,
        address: &Address,
        set: Option<&ObjectSet>,
    ) -> Result<Option<Value>, Failure> {
        let object = match context.get(address).await {
            Ok(object) => object,
            // Of a set it was there a moment ago: it went by itself.
            Err(failure) if failure.class == Class::NotFound && (set.is_some() || self.arguments.missing.is_some()) => {
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        match set {
            Some(set) if !context.is_meant(set, &object)? => {
                let line = format!("{address} was changed and no longer meets the set's conditions: left alone");
                Err(Failure::new(Class::Conflict, line))
            }
            _ => Ok(Some(object)),
        }
    }

    async fn proposal(&self, context: &Context, address: &Address, before: &Value) -> Result<Proposal, Failure> {
        let id = ObjectId::of(before);
        let is_pod = id.kind == "Pod";
        let propagation = self.arguments.propagation.unwrap_or_else(|| usual(&id.kind));
        let how = verbs::Deletion {
            uid: Some(id.uid.clone()),
            resource_version: Some(resource_version(before)),
            propagation: Some(sent(propagation)),
            grace_period: self.arguments.grace_period.as_ref().and_then(seconds),
        };
        Ok(Proposal {
            verb: Verb::Delete,
            address: Some(address.clone()),
            summary: format!("delete {address}"),
            request: address.delete(&how),
            before: Some(Arc::new(before.clone())),
            written: Vec::new(),
            reversal: if is_pod { Reversal::Nothing } else { Reversal::Cannot(FOR_GOOD.into()) },
            pods: if propagation == Propagation::Orphan { 0 } else { pods_within(context, before).await? },
            object: id,
        })
    }
}

/// For what owns pods or jobs, gone means that these are gone too.
fn usual(kind: &str) -> Propagation {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "CronJob" => Propagation::Foreground,
        _ => Propagation::Background,
    }
}

fn sent(propagation: Propagation) -> verbs::Propagation {
    match propagation {
        Propagation::Foreground => verbs::Propagation::Foreground,
        Propagation::Background => verbs::Propagation::Background,
        Propagation::Orphan => verbs::Propagation::Orphan,
    }
}

/// The running pods that go with an object, beside a pod itself.
async fn pods_within(context: &Context, object: &Value) -> Result<u32, Failure> {
    let id = ObjectId::of(object);
    let Some(pod) = KindRow::of_singular("pod").filter(|_| id.kind == "Namespace") else {
        return Ok(running_pods(object));
    };
    let pods = context.list_all(pod, &id.name).await?;
    Ok(u32::try_from(pods.iter().filter(|pod| is_active(pod)).count()).unwrap_or(u32::MAX))
}

fn is_leaving(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// Waits until this very object is gone; another of its name is not it.
async fn await_gone(context: &Context, address: &Address, object: &Value) -> Result<(), Failure> {
    let uid = ObjectId::of(object).uid;
    let mut follow = Follow::object(context, address);
    while let Some(now) = follow.next().await? {
        if ObjectId::of(&now).uid != uid {
            return Ok(());
        }
        context.waiting(&holding(address, &now), Vec::new());
    }
    Ok(())
}

/// What keeps an object that is to go.
fn holding(address: &Address, object: &Value) -> String {
    let texts = |pointer: &str| object.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut finalizers = texts("/metadata/finalizers");
    finalizers.extend(texts("/spec/finalizers"));
    let finalizers: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
    match finalizers.as_slice() {
        [] => format!("{address} is going"),
        ["foregroundDeletion"] => format!("{address} is going; what it owns goes first"),
        names => format!("{address} is going; finalizers still hold it: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests;
