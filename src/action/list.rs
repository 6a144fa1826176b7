//! `list`: the objects of a set as the server has them.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::get::conceal_data;
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{ObjectSet, Target, TargetRule};
use crate::event::Failure;
use crate::source::Diagnostic;

const RULE: TargetRule =
    TargetRule { kinds: super::ALL_KINDS, sets: true, container: false, object: false, required: true };

/// Reads every object of a set; the set itself says which.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {}

#[derive(Debug)]
struct List {
    set: ObjectSet,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "list",
    help: "the objects of a set, each matched again by us",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, Arguments {}) = aimed(&RULE, node, mode, out)?;
        if let Some(Target::Set(set)) = target {
            return Some(Box::new(List { set: *set }));
        }
        let complaint = Diagnostic::error("`list` takes a set, not one object", node.span);
        out.push(complaint.help("`get` reads one object; a set has a plural key: {pods: {in: shop}}"));
        None
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for List {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let selection = context.select(&self.set, 0).await?;
        selection
            .items
            .iter()
            .filter(|item| item.get("kind").is_some_and(|kind| kind == "Secret"))
            .for_each(|secret| conceal_data(context, secret));
        let total = selection.items.len();
        Ok(Observed {
            result: json!({"items": selection.items, "total": total}),
            info: json!({"complete": selection.complete}),
            ..Observed::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, pod, ready};
    use super::*;
    use crate::event::Class;

    #[tokio::test(start_paused = true)]
    async fn a_list_is_complete_and_matched_again() {
        let stage = Stage::new([pod("shop", "web-1", "u1"), pod("shop", "web-2", "u2"), pod("other", "db-1", "u3")]);
        let seen = ready(&ROW, "pods: {in: shop, where: [{path: $.metadata.name, equals: web-2}]}");
        let seen = seen.act(&stage.context()).await.unwrap();
        assert_eq!(seen.result["total"], 1);
        assert_eq!(seen.result["items"][0]["metadata"]["uid"], "u2");
        assert_eq!(seen.result["items"][0]["kind"], "Pod");
        assert_eq!(seen.info, json!({"complete": true}));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_found_is_well_unless_the_set_says_how_many() {
        let stage = Stage::new([]);
        let none = ready(&ROW, "pods: all").act(&stage.context()).await.unwrap();
        assert_eq!(none.result, json!({"items": [], "total": 0}));
        let failure = ready(&ROW, "pods: {in: all, min: 1}").act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.class, Class::Expectation);
    }

    #[test]
    fn one_object_is_refused_with_both_spellings() {
        let out = complaints(&ROW, "pod: shop/web-1");
        assert_eq!(out[0].message, "`list` takes a set, not one object");
    }
}
