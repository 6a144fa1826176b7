//! `drain`: a node without pods.
//!
//! Only checked in this version.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::cordon::RULE;
use super::delete::check_grace;
use super::row::{aimed, schema_of};
use super::wait::Wait;
use super::{Action, ActionKind, Changes, Context, Effect, Observed, failure};
use crate::document::DurationText;
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
    #[expect(dead_code, reason = "this version only checks it")]
    emptydir: Loss,
    /// Pods that nothing replaces: `refuse` (where nothing is written) or `delete`.
    #[serde(default)]
    #[expect(dead_code, reason = "this version only checks it")]
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
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "drain",
    help: "a node without pods: closed, and its pods evicted",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: false,
    shown: &[],
    decode: |node, mode, out| {
        let (_, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        check_grace(node, arguments.grace_period.as_ref(), out);
        if arguments.timeout.is_some() && arguments.wait.as_ref().and_then(Wait::limit).is_some() {
            out.push(Diagnostic::error("`timeout` and `wait` are one clock: write one of them", node.span));
        }
        Some(Box::new(Drain { arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Drain {
    async fn act(&self, _: &Context) -> Result<Observed, Failure> {
        Err(failure::unsupported(ROW.name))
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

#[cfg(test)]
mod tests {
    use super::super::stage::{complaints, ready};
    use super::*;

    #[test]
    fn both_losses_are_refused_unless_written() {
        assert_eq!(Loss::default(), Loss::Refuse);
        assert!(ready(&ROW, "{node: n1, emptydir: delete, unmanaged: refuse, grace-period: 60s}").waits());
        assert!(complaints(&ROW, "{node: n1, emptydir: keep}")[0].message.contains("refuse, delete"));
    }

    #[test]
    fn there_is_one_clock() {
        let out = complaints(&ROW, "{node: n1, timeout: 5m, wait: 5m}");
        assert_eq!(out[0].message, "`timeout` and `wait` are one clock: write one of them");
        assert_eq!(ready(&ROW, "{node: n1, timeout: 20m}").timeout(), Some(Duration::from_mins(20)));
    }
}
