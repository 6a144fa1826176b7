//! `patch`: fields of any object.
//!
//! The server rehearses the patch first, so that what it will write is known
//! field by field before it is sent: for the journal, for people, and for the
//! way back. A patch that would change nothing is not sent.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::change::{Proposal, resource_version};
use super::diff::{content, differences};
use super::edit::{name, word};
use super::failure;
use super::get::conceal_data;
use super::reach::running_pods;
use super::rollout::{Baseline, replicas};
use super::row::{aimed, schema_of};
use super::wait::{Wait, await_rollout};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook, after_steps};
use crate::cluster::resource::Address;
use crate::cluster::{Request, Write};
use crate::document::{Mode, Node, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId, Reversal, Verb, Written};
use crate::source::Diagnostic;

const RULE: TargetRule =
    TargetRule { kinds: super::ALL_KINDS, sets: false, container: false, object: true, required: true };

/// How often a conflict is met by reading again.
const CONFLICTS: u32 = 8;

/// The kinds whose rollout can be waited for.
pub(super) const ROLLS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

/// How a patch is to be understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Type {
    /// RFC 7396: members replace, null removes.
    #[default]
    Merge,
    /// Kubernetes' own: lists merge by key; built-in kinds only.
    Strategic,
    /// RFC 6902: a list of operations.
    Json,
}

/// What the object must be like for the patch to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct IfMatch {
    /// Its `metadata.resourceVersion`.
    resource_version: String,
}

/// Changes fields of one object.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// `merge` (where nothing is written), `strategic` or `json`.
    #[serde(default, rename = "type")]
    kind: Type,
    /// The patch: a mapping, or for `json` a list of operations.
    body: Value,
    /// Only if the object is as it was then.
    #[serde(default)]
    if_match: Option<IfMatch>,
    /// For workloads: wait for the rollout: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Patch {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "patch",
    help: "fields of any object, rehearsed by the server first",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        let target = target?;
        check(node, mode, &arguments, out);
        if arguments.wait.as_ref().is_some_and(Wait::is_wanted) && !rolls(&target) {
            let span = node.get("wait").map_or(node.span, |wait| wait.span);
            let complaint = Diagnostic::error("only the rollout of a workload can be waited for here", span);
            out.push(complaint.help("put a `wait` step with what must hold after it"));
        }
        Some(Box::new(Patch { target, arguments }))
    },
    schema: schema_of::<Arguments>,
};

fn check(node: &Node, mode: Mode, arguments: &Arguments, out: &mut Vec<Diagnostic>) {
    let Some(body) = node.get("body") else { return };
    let hole = |node: Option<&Node>| mode == Mode::Holes && node.is_some_and(Node::is_template);
    if hole(Some(body)) || hole(node.get("type")) {
        return;
    }
    match arguments.kind {
        Type::Json if !arguments.body.is_array() => {
            let line = format!("a `json` patch is a list of operations, not {}", body.describe());
            out.push(Diagnostic::error(line, body.span).help("write - {op: replace, path: /spec/replicas, value: 3}"));
        }
        Type::Merge | Type::Strategic if !arguments.body.is_object() => {
            let complaint = Diagnostic::error(format!("a patch is a mapping, not {}", body.describe()), body.span);
            let list = arguments.body.is_array();
            out.push(if list { complaint.help("for a list of operations say `type: json`") } else { complaint });
        }
        _ => {}
    }
}

fn rolls(target: &Target) -> bool {
    match target {
        Target::One(reference) => ROLLS.contains(&reference.kind.kind),
        Target::Object(object) => ROLLS.contains(&object.kind.as_str()),
        Target::Set(_) | Target::Container(_) => false,
    }
}

#[async_trait]
impl Action for Patch {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.one(&self.target).await?;
        if address.resource().kind == "Secret" {
            conceal_body(context, &self.arguments.body);
        }
        let (mut result, changed) = self.patched(context, &address).await?;
        let mut info = json!({});
        if self.waits() {
            let baseline = if changed { Baseline::after_write(&result) } else { Baseline::first_look(&result) };
            let waited = await_rollout(context, &address, Some(baseline)).await?;
            super::set(&mut info, "waited", waited.millis());
            result = waited.object;
        }
        Ok(Observed { result, info, changed, secret: false })
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        self.rehearsed(look).await
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

impl Patch {
    /// Patches the object, and gives it with whether it was changed.
    async fn patched(&self, context: &Context, address: &Address) -> Result<(Value, bool), Failure> {
        if let Some(written) = context.written_before(address).await {
            let (_, object) = written?;
            if address.resource().kind == "Secret" {
                conceal_data(context, &object);
            }
            return Ok((object, true));
        }
        let mut refused: Option<(String, Failure)> = None;
        for attempt in 0..CONFLICTS {
            let before = read(context, address).await?;
            let version = resource_version(&before);
            match refused.take() {
                // Nobody was faster: the server means the patch itself.
                Some((same, failure)) if same == version => return Err(failure),
                _ => {}
            }
            self.must_match(address, &version)?;
            if self.arguments.kind == Type::Json && context.has_changed(&before) {
                return Ok((before, false));
            }
            match self.once(context, address, &before).await {
                Ok(done) => return Ok(done.map_or((before, false), |object| (object, true))),
                Err(failure) if failure.class == Class::Conflict || failure.http_status == Some(422) => {
                    refused = Some((version, failure));
                }
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(Duration::from_millis(10 << attempt.min(6))).await;
        }
        let often = || Failure::new(Class::Conflict, format!("{address} changes too often"));
        Err(refused.map_or_else(often, |(_, failure)| failure))
    }

    fn must_match(&self, address: &Address, version: &str) -> Result<(), Failure> {
        match &self.arguments.if_match {
            Some(wanted) if wanted.resource_version != version => {
                let wanted = &wanted.resource_version;
                let line = format!("{address} is at resourceVersion {version}, not {wanted}: left alone");
                Err(Failure::new(Class::Conflict, line).help("read it again and look at what changed"))
            }
            _ => Ok(()),
        }
    }

    /// What the server says the patch would do; on what an earlier step leaves it cannot be asked.
    async fn rehearsed(&self, look: &Look) -> Result<Outlook, Blind> {
        let mut outlook = Outlook::default();
        for seen in look.objects(&self.target, 1).await? {
            if !seen.after.is_empty() {
                return Err(Blind::Unknown(after_steps(&seen.after)));
            }
            if seen.address.resource().kind == "Secret" {
                conceal_body(look.context(), &self.arguments.body);
            }
            self.must_match(&seen.address, &resource_version(&seen.object))?;
            if let Some(proposal) = self.proposal(look.context(), &seen.address, &seen.object).await? {
                outlook.effects.push(look.rehearse(&seen, proposal).await?);
            }
        }
        Ok(outlook)
    }

    /// Rehearses, then sends; nothing where nothing would change.
    async fn once(&self, context: &Context, address: &Address, before: &Value) -> Result<Option<Value>, Failure> {
        match self.proposal(context, address, before).await? {
            Some(proposal) => context.change(proposal).await.map(Some),
            None => Ok(None),
        }
    }

    /// The change that the patch comes to, as the server rehearses it; nothing where nothing would change.
    async fn proposal(
        &self,
        context: &Context,
        address: &Address,
        before: &Value,
    ) -> Result<Option<Proposal>, Failure> {
        let rehearsal = self.request(address, before).dry_run();
        let answer = context.read(&rehearsal).await?;
        let after = answer.json().map_err(|error| failure::of_error(&error, rehearsal.what()))?;
        let is_secret = address.resource().kind == "Secret";
        if is_secret {
            conceal_data(context, &after);
        }
        let written = differences("", Some(&content(before)), Some(&content(&after)));
        if written.is_empty() {
            return Ok(None);
        }
        Ok(Some(Proposal {
            verb: Verb::Patch,
            address: Some(address.clone()),
            object: ObjectId::of(before),
            summary: summary(&written, is_secret),
            request: self.request(address, before),
            before: Some(Arc::new(before.clone())),
            pods: pods_taken(before, &after, &written),
            reversal: Reversal::Fields,
            written,
        }))
    }

    /// The patch, bound to what was read.
    fn request(&self, address: &Address, before: &Value) -> Request<Write> {
        let body = self.arguments.body.clone();
        match self.arguments.kind {
            Type::Merge => address.merge_patch(bound(body, before)),
            Type::Strategic => address.strategic_patch(bound(body, before)),
            Type::Json => address.json_patch(tested(body, before)),
        }
    }
}

async fn read(context: &Context, address: &Address) -> Result<Value, Failure> {
    let object = context.get(address).await?;
    if address.resource().kind == "Secret" {
        conceal_data(context, &object);
    }
    Ok(object)
}

/// What a patch of a Secret brings is a secret, whatever its type.
fn conceal_body(context: &Context, body: &Value) {
    conceal_data(context, body);
    let operations = body.as_array().map(Vec::as_slice).unwrap_or_default();
    operations.iter().filter_map(|operation| operation.get("value")).for_each(|value| context.conceal(value));
}

/// A patch that holds only while the object is as it was read.
pub(super) fn bound(mut body: Value, before: &Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        let metadata = fields.entry("metadata").or_insert_with(|| Map::new().into());
        super::set(metadata, "uid", ObjectId::of(before).uid);
        super::set(metadata, "resourceVersion", resource_version(before));
    }
    body
}

fn tested(body: Value, before: &Value) -> Value {
    let mut operations = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": ObjectId::of(before).uid}),
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": resource_version(before)}),
    ];
    if let Value::Array(written) = body {
        operations.extend(written);
    }
    operations.into()
}

/// `replicas 3 → 0`, for the first fields; of a Secret only their names.
pub(super) fn summary(written: &[Written], is_secret: bool) -> String {
    const SHOWN: usize = 4;
    let word = |field| if is_secret { format!("{} changed", name(field)) } else { word(field) };
    let mut words: Vec<String> = written.iter().take(SHOWN).map(word).collect();
    words.extend((written.len() > SHOWN).then(|| format!("{} more", written.len() - SHOWN)));
    words.join(", ")
}

/// Running pods that a change takes away: a changed template replaces all pods; fewer replicas take some away.
pub(super) fn pods_taken(before: &Value, after: &Value, written: &[Written]) -> u32 {
    if written.iter().any(|field| field.pointer.starts_with("/spec/template")) {
        return running_pods(before);
    }
    let scaled = written.iter().any(|field| field.pointer == "/spec/replicas");
    if scaled { u32::try_from(replicas(before) - replicas(after)).unwrap_or(0) } else { 0 }
}

#[cfg(test)]
mod tests;
