//! `workloads`: deployments, stateful sets and daemon sets in one list.
//!
//! The kinds are read side by side, each completely; one that cannot be read
//! fails the step, because a list without it would look like peace.

use async_trait::async_trait;
use serde_json::json;

use super::row::schema_of;
use super::several::{SetKeys, WORKLOADS, select, sets};
use super::status::{in_words, is_ready};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{ObjectSet, TargetRule};
use crate::event::Failure;

#[derive(Debug)]
struct Workloads(Vec<ObjectSet>);

pub(super) static ROW: ActionKind = ActionKind {
    name: "workloads",
    help: "deployments, stateful sets and daemon sets in one list",
    target: &TargetRule::NONE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &["selector", "field-selector"],
    decode: |node, mode, out| Some(Box::new(Workloads(sets(&WORKLOADS, node, &[], mode, out)?))),
    schema: schema_of::<SetKeys>,
};

#[async_trait]
impl Action for Workloads {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let selection = select(context, &self.0).await?;
        let unready: Vec<String> = selection.items.iter().filter(|item| !is_ready(item)).map(in_words).collect();
        let total = selection.items.len();
        let info = json!({"complete": selection.complete, "unready": unready});
        Ok(Observed { result: json!({"items": selection.items, "total": total}), info, ..Observed::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, deployment, ready, refusal};
    use super::*;
    use crate::event::{Class, ObjectId};

    fn stage() -> Stage {
        let mut broken = deployment("shop", "api", 2);
        broken["status"]["readyReplicas"] = json!(1);
        let db = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"namespace": "shop", "name": "db", "uid": "d", "labels": {"tier": "data"}},
            "spec": {"replicas": 1}, "status": {"readyReplicas": 1}});
        Stage::new([deployment("shop", "web", 3), broken, db])
    }

    #[tokio::test(start_paused = true)]
    async fn all_kinds_make_one_list_and_what_is_not_ready_is_named() {
        let seen = ready(&ROW, "in: shop").act(&stage().context()).await.unwrap();
        let names: Vec<String> =
            seen.result["items"].as_array().unwrap().iter().map(|item| ObjectId::of(item).to_string()).collect();
        assert_eq!(names, ["Deployment shop/api", "Deployment shop/web", "StatefulSet shop/db"]);
        assert_eq!(seen.info["unready"], json!(["Deployment shop/api: 1 of 2 ready"]));
        let data = ready(&ROW, "{in: shop, selector: {tier: data}}").act(&stage().context()).await.unwrap();
        assert_eq!(data.result["total"], 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_numbers_are_of_all_kinds_and_a_kind_that_cannot_be_read_fails() {
        let few = ready(&ROW, "{in: shop, min: 4}").act(&stage().context()).await.unwrap_err();
        assert_eq!(few.class, Class::Expectation);
        let stage =
            stage().refusing(|_, path, _| path.ends_with("/daemonsets").then(|| refusal(403, "Forbidden", "no")));
        assert_eq!(ready(&ROW, "in: shop").act(&stage.context()).await.unwrap_err().class, Class::Forbidden);
    }

    #[test]
    fn it_takes_the_keys_of_a_set() {
        assert!(complaints(&ROW, "{in: shop, label: x}")[0].message.contains("label"));
        assert_eq!(complaints(&ROW, "{in: shop, selector: {}}").len(), 1);
    }
}
