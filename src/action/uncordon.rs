//! `uncordon`: new pods on a node again.

use async_trait::async_trait;

use super::cordon::{Arguments, RULE, mark, plan};
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::document::Target;
use crate::event::Failure;

#[derive(Debug)]
struct Uncordon {
    target: Target,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "uncordon",
    help: "new pods on a node again",
    target: &RULE,
    changes: Changes::Yes,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, Arguments {}) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Uncordon { target: target? }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Uncordon {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        mark(context, &self.target, false).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        look.edits(&self.target, |node| Ok(plan(node, false))).await
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of("patch", &self.target)]
    }

    fn effect(&self) -> Effect {
        Effect::Reversible
    }
}
