//! `uncordon`: new pods on a node again.

use async_trait::async_trait;

use super::cordon::{Arguments, RULE, mark};
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Effect, Observed};
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

    fn effect(&self) -> Effect {
        Effect::Reversible
    }
}
