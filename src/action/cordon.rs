//! `cordon`: no new pods on a node.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit::Edit;
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::document::{Target, TargetRule};
use crate::event::Failure;

/// Nodes.
pub(super) const RULE: TargetRule =
    TargetRule { kinds: &["node"], sets: false, container: false, object: false, required: true };

const UNSCHEDULABLE: &str = "/spec/unschedulable";

/// Whether new pods may come to a node; the node is all there is to say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Arguments {}

#[derive(Debug)]
struct Cordon {
    target: Target,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "cordon",
    help: "no new pods on a node",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, Arguments {}) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Cordon { target: target? }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Cordon {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        mark(context, &self.target, true).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        look.edits(&self.target, |node| Ok(plan(node, true))).await
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of("patch", &self.target)]
    }

    fn effect(&self) -> Effect {
        Effect::Reversible
    }
}

/// Closes a node for new pods, or opens it.
pub(super) async fn mark(context: &Context, target: &Target, closed: bool) -> Result<Observed, Failure> {
    let address = context.one(target).await?;
    let edited = context.edit(&address, |node| Ok(plan(node, closed))).await?;
    let info = json!({"before": is_closed(&edited.before), "after": closed});
    Ok(Observed { result: edited.object, info, changed: edited.changed, secret: false })
}

/// A node that is open says so by having no such field, or a false one: both are left as they are.
pub(super) fn plan(node: &Value, closed: bool) -> Edit {
    let fields = if is_closed(node) == closed {
        Vec::new()
    } else {
        vec![(UNSCHEDULABLE.to_owned(), closed.then_some(Value::Bool(true)))]
    };
    let summary = if closed { "schedulable → cordoned" } else { "cordoned → schedulable" };
    Edit { fields, summary: summary.into(), ..Edit::default() }
}

fn is_closed(node: &Value) -> bool {
    node.pointer(UNSCHEDULABLE).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, ready};
    use super::super::{Back, take_back, uncordon};
    use super::*;

    fn node(spec: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "n", "resourceVersion": "1"}, "spec": spec})
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_closed_and_taken_back_to_what_it_was() {
        let open = node(&json!({}));
        let stage = Stage::new([open.clone()]);
        let seen = ready(&ROW, "node: n1").act(&stage.context()).await.unwrap();
        assert_eq!(
            (seen.result["spec"]["unschedulable"].clone(), seen.info),
            (json!(true), json!({"before": false, "after": true}))
        );
        assert_eq!(take_back(&stage.context(), &stage.made()[0]).await, Ok(Back::Done));
        assert_eq!(stage.object(&open).unwrap()["spec"], json!({}));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_was_closed_before_stays_closed_when_taken_back() {
        let stage = Stage::new([node(&json!({"unschedulable": true}))]);
        assert!(!ready(&ROW, "node: n1").act(&stage.context()).await.unwrap().changed);
        assert!(stage.made().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_opened_only_where_it_is_closed() {
        let closed = node(&json!({"unschedulable": true}));
        let stage = Stage::new([closed.clone()]);
        assert!(ready(&uncordon::ROW, "node: n1").act(&stage.context()).await.unwrap().changed);
        assert_eq!(stage.object(&closed).unwrap()["spec"], json!({}));
        let open = Stage::new([node(&json!({"unschedulable": false}))]);
        assert!(!ready(&uncordon::ROW, "node: n1").act(&open.context()).await.unwrap().changed);
    }

    #[test]
    fn only_the_node_is_said() {
        assert!(!complaints(&ROW, "{node: n1, force: true}").is_empty());
    }
}
