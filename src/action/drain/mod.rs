//! `drain`: a node without pods.
//!
//! What would be lost is looked for first, so that a drain that is refused
//! has changed nothing. Then the node is closed and every pod on it asked to
//! go, under its disruption budget, until none of them (by UID) is left; what
//! comes meanwhile is judged and sent away like the others. Pods of daemon
//! sets and of the node itself stay. See `stay.rs` for which pod is what, and
//! `round.rs` for the sending.

mod round;
mod stay;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use self::round::Round;
use self::stay::{Losses, OnNode};
use super::cordon::{RULE, mark, plan};
use super::delete::{check_grace, seconds};
use super::pods::{self, Going};
use super::row::{aimed, schema_of};
use super::wait::Wait;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::POD;
use crate::document::{DurationText, Target};
use crate::event::Failure;
use crate::source::Diagnostic;

/// What becomes of a pod that would lose something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Loss {
    /// The drain is refused before the first pod goes.
    #[default]
    Refuse,
    /// The pod goes all the same.
    Delete,
}

/// Closes a node and evicts its pods; those of daemon sets and of the node itself stay.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Pods with `emptyDir` data, which is lost: `refuse` (where nothing is written) or `delete`.
    #[serde(default)]
    emptydir: Loss,
    /// Pods that nothing replaces: `refuse` (where nothing is written) or `delete`.
    #[serde(default)]
    unmanaged: Loss,
    /// How long a pod has to end in peace; its own setting where nothing is written.
    #[serde(default)]
    grace_period: Option<DurationText>,
    /// How long it may take; 10m where nothing is written.
    #[serde(default)]
    timeout: Option<DurationText>,
    /// Wait until the pods are gone: true (what it does where nothing is written), false, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Drain {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "drain",
    help: "a node without pods: closed, and its pods evicted",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        check_grace(node, arguments.grace_period.as_ref(), out);
        if arguments.timeout.is_some() && arguments.wait.as_ref().and_then(Wait::limit).is_some() {
            out.push(Diagnostic::error("`timeout` and `wait` are one clock: write one of them", node.span));
        }
        Some(Box::new(Drain { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Drain {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let started = Instant::now();
        let address = context.one(&self.target).await?;
        context.get(&address).await?;
        let losses = self.losses();
        OnNode::read(context, address.name()).await?.refuse(losses, address.name())?;
        let marked = mark(context, &self.target, true).await?;
        let grace = self.arguments.grace_period.as_ref().and_then(seconds);
        let round = Round::new(address.name(), losses, Going { force: false, grace }, self.waits());
        let end = round.run(context).await?;
        let mut info = json!({"before": marked.info.get("before"), "after": true, "evicted": end.evicted,
            "left": end.left, "complete": end.gone});
        if end.gone {
            let waited = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            super::set(&mut info, "waited", waited);
        }
        let result = context.get(&address).await?;
        Ok(Observed { result, info, changed: marked.changed || end.evicted > 0, secret: false })
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        let context = look.context();
        let address = context.one(&self.target).await?;
        let on_node = OnNode::read(context, address.name()).await?;
        on_node.refuse(self.losses(), address.name())?;
        let mut outlook = look.edits(&self.target, |node| Ok(plan(node, true))).await?;
        let going = Going { force: false, grace: self.arguments.grace_period.as_ref().and_then(seconds) };
        for pod in &on_node.going {
            let seen = look.object(pods::address(pod)?).await?;
            let proposal = pods::proposal(context, pod, going).await?;
            outlook.effects.push(look.rehearse(&seen, proposal).await?);
        }
        Ok(outlook)
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of("patch", &self.target), Need::beside("create", &self.target, &POD, Some("eviction"))]
    }

    fn effect(&self) -> Effect {
        Effect::Reversible
    }

    fn timeout(&self) -> Option<Duration> {
        let wait = self.arguments.wait.as_ref().and_then(Wait::limit);
        self.arguments.timeout.as_ref().map(DurationText::duration).or(wait)
    }

    fn waits(&self) -> bool {
        self.arguments.wait.as_ref().is_none_or(Wait::is_wanted)
    }
}

impl Drain {
    fn losses(&self) -> Losses {
        let may = |loss: Loss| loss == Loss::Delete;
        Losses { emptydir: may(self.arguments.emptydir), unmanaged: may(self.arguments.unmanaged) }
    }
}

#[cfg(test)]
mod tests;
