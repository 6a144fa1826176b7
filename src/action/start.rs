//! `start`: to so many replicas, or to as many as `stop` noted.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::edit::Edit;
use super::held;
use super::many::with_target;
use super::reach::{needs_max, refuse_daemon_set};
use super::rollout::replicas;
use super::row::{aimed, schema_of};
use super::scale::{finish, replicas_edit, warn_of_autoscaler};
use super::stop::RULE;
use super::wait::Wait;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::Address;
use crate::document::Target;
use crate::event::{Class, Failure, ObjectId};
use crate::source::Diagnostic;

/// Brings replicas back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// How many, at least 1; as many as `stop` noted on the object where nothing is written.
    #[serde(default)]
    replicas: Option<u32>,
    /// Wait until they are there: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Start {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "start",
    help: "to so many replicas, or to as many as `stop` noted",
    target: &RULE,
    changes: Changes::Yes,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        refuse_daemon_set("start", target.as_ref(), out);
        needs_max("start", target.as_ref(), out);
        let count = node.get("replicas").filter(|count| !count.is_template());
        if let Some(count) = count.filter(|_| arguments.replicas == Some(0)) {
            out.push(Diagnostic::error("`start` takes at least 1 replica", count.span).help("`stop` takes them away"));
        }
        Some(Box::new(Start { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Start {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        with_target(context, &self.target, |address| self.one(context, address)).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        look.edits(&self.target, |object| self.plan(look.context(), object)).await
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

impl Start {
    async fn one(&self, context: &Context, address: Address) -> Result<Observed, Failure> {
        warn_of_autoscaler(context, &address).await;
        let edited = context.edit(&address, |object| self.plan(context, object)).await?;
        finish(context, &address, edited, self.waits()).await
    }

    fn plan(&self, context: &Context, object: &Value) -> Result<Edit, Failure> {
        let wanted = match self.arguments.replicas.map(i64::from).or_else(|| held::replicas(object)) {
            Some(wanted) => wanted,
            // An earlier try of this step has taken the note away with its change.
            None if context.has_changed(object) => replicas(object),
            None => return Err(nothing_noted(object)),
        };
        let mut edit = replicas_edit(object, wanted);
        edit.fields.extend(held::removal(object));
        Ok(edit)
    }
}

fn nothing_noted(object: &Value) -> Failure {
    let line = format!("{}: how many replicas? None are written, and no `stop` left a note", ObjectId::of(object));
    Failure::new(Class::Invalid, line).help("say `replicas: N`, or pick with `held-by: BOOK` what a book has stopped")
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, arrived, complaints, deployment, ready};
    use super::*;
    use serde_json::json;

    fn stopped() -> Value {
        let mut web = deployment("shop", "web", 0);
        web["metadata"]["annotations"] = json!({"runhub.dev/held": r#"{"book":"nightly","run":"r0","replicas":3}"#});
        web
    }

    fn obedient(stage: Stage) -> Stage {
        stage.on(|objects, method, _| {
            if method == "PATCH" {
                objects.values_mut().for_each(arrived);
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_note_says_how_many_and_goes() {
        let stage = obedient(Stage::new([stopped()]));
        let seen = ready(&ROW, "{deployment: shop/web, wait: 1m}").act(&stage.context()).await.unwrap();
        assert_eq!((&seen.info["before"], &seen.info["after"], seen.changed), (&json!(0), &json!(3), true));
        assert_eq!(seen.result["spec"]["replicas"], 3);
        assert_eq!(seen.result["metadata"].get("annotations"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn taking_it_back_brings_the_note_back_too() {
        let web = stopped();
        let stage = obedient(Stage::new([web.clone()]));
        ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap();
        let back = super::super::take_back(&stage.context(), &stage.made()[0]).await.unwrap();
        assert_eq!(back, super::super::Back::Done);
        let now = stage.object(&web).unwrap();
        assert_eq!(now["metadata"]["annotations"], web["metadata"]["annotations"]);
        assert_eq!(now["spec"]["replicas"], 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_goes_before_the_note_and_the_note_goes() {
        let stage = obedient(Stage::new([stopped()]));
        let seen = ready(&ROW, "{deployment: shop/web, replicas: 2}").act(&stage.context()).await.unwrap();
        assert_eq!(seen.result["spec"]["replicas"], 2);
        assert_eq!(seen.result["metadata"].get("annotations"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn without_count_and_note_it_is_an_error() {
        let stage = Stage::new([deployment("shop", "web", 0)]);
        let failure = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap_err();
        assert!(failure.message.contains("how many replicas?") && failure.help.is_some(), "{failure}");
        assert!(stage.writes().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_try_finds_its_own_change() {
        let stage = obedient(Stage::new([stopped()]));
        let start = ready(&ROW, "deployment: shop/web");
        assert!(start.act(&stage.context()).await.unwrap().changed);
        let again = start.act(&stage.context()).await.unwrap();
        assert_eq!((again.changed, again.result["spec"]["replicas"].clone()), (false, json!(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_set_is_picked_by_the_book_that_holds_it() {
        let running = deployment("shop", "db", 1);
        let stage = obedient(Stage::new([stopped(), running]));
        let start = ready(&ROW, "deployments: {in: shop, min: 0, max: 20, held-by: nightly}");
        let seen = start.act(&stage.context()).await.unwrap();
        assert_eq!((&seen.result["total"], &seen.info["changed"]), (&json!(1), &json!(1)));
        assert_eq!(stage.writes(), ["PATCH /apis/apps/v1/namespaces/shop/deployments/web"]);
    }

    #[test]
    fn no_replicas_are_no_start() {
        assert_eq!(
            complaints(&ROW, "{deployment: shop/web, replicas: 0}")[0].message,
            "`start` takes at least 1 replica"
        );
    }
}
