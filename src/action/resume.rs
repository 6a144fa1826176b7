//! `resume`: a CronJob or Job starts things again, and nobody holds it any more.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::edit::Edit;
use super::held;
use super::job::ended;
use super::many::with_target;
use super::reach::needs_max;
use super::rollout::status;
use super::row::{aimed, schema_of};
use super::suspend::{RULE, SUSPEND, finish, is_suspended};
use super::wait::Wait;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::cluster::resource::Address;
use crate::document::Target;
use crate::event::Failure;

/// Lets a CronJob or a Job go on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Wait until a Job has pods again, or has ended: true, or for how long. A CronJob waits for its schedule.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Resume {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "resume",
    help: "a CronJob or Job goes on; the note of who suspended it is taken away",
    target: &RULE,
    changes: Changes::Yes,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        needs_max("resume", target.as_ref(), out);
        Some(Box::new(Resume { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Resume {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        with_target(context, &self.target, |address| self.one(context, address)).await
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        look.edits(&self.target, |object| Ok(plan(object))).await
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

impl Resume {
    async fn one(&self, context: &Context, address: Address) -> Result<Observed, Failure> {
        let edited = context.edit(&address, |object| Ok(plan(object))).await?;
        finish(context, &address, edited, self.waits().then_some(goes_on)).await
    }
}

/// A note on what goes on already is stale, and goes too.
fn plan(object: &Value) -> Edit {
    let suspended = is_suspended(object);
    let mut fields = Vec::new();
    if suspended {
        fields.push((SUSPEND.to_owned(), Some(false.into())));
    }
    fields.extend(held::removal(object));
    let summary = if suspended { "suspend true → false" } else { "take the note of an earlier hold away" };
    Edit { fields, summary: summary.into(), ..Edit::default() }
}

fn goes_on(job: &Value) -> bool {
    ended(job).is_some() || status(job, "active") > 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{Stage, ready};
    use super::super::target::HELD;
    use super::*;

    fn nightly(suspend: bool, note: &str) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": "nightly", "namespace": "shop", "uid": "c1", "resourceVersion": "4",
                "annotations": {"runhub.dev/held": note, "team": "shop"}},
            "spec": {"schedule": "0 3 * * *", "suspend": suspend}})
    }

    #[tokio::test(start_paused = true)]
    async fn the_field_and_the_note_go_back_at_once() {
        let stage = Stage::new([nightly(true, r#"{"book":"night"}"#)]);
        let seen = ready(&ROW, "cronjob: shop/nightly").act(&stage.context()).await.unwrap();
        assert_eq!(seen.result["spec"]["suspend"], false);
        assert_eq!(seen.result["metadata"]["annotations"], json!({"team": "shop"}));
        assert_eq!(stage.writes().len(), 1);
    }

    #[test]
    fn what_goes_on_already_is_left_alone() {
        assert_eq!(plan(&json!({"metadata": {}, "spec": {}})).fields, []);
        assert_eq!(plan(&nightly(false, "{}")).fields, [(HELD.to_owned(), None)]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_the_book_holds_is_resumed() {
        let mut other = nightly(true, r#"{"book":"other"}"#);
        other["metadata"]["name"] = "weekly".into();
        let stage = Stage::new([nightly(true, r#"{"book":"night"}"#), other.clone()]);
        let resume = ready(&ROW, "cronjobs: {in: shop, max: 5, held-by: night}");
        let seen = resume.act(&stage.context()).await.unwrap();
        assert_eq!(seen.info["changed"], 1);
        assert_eq!(stage.object(&other).unwrap()["spec"]["suspend"], true);
    }

    #[test]
    fn it_needs_no_consent() {
        assert!(!ROW.consent && ROW.repeatable);
    }
}
