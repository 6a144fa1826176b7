//! `context`: who we are to the target.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed, failure, set};
use crate::cluster::provider::Whoami;
use crate::document::TargetRule;
use crate::event::Failure;

/// Asks the target who we are; it takes nothing: `context: {}`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {}

#[derive(Debug)]
struct Who;

pub(super) static ROW: ActionKind = ActionKind {
    name: "context",
    help: "who am I, my role, what I can see",
    target: &TargetRule::NONE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (_, Arguments {}) = aimed(&TargetRule::NONE, node, mode, out)?;
        Some(Box::new(Who))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Who {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let provider = context.client().provider();
        let told = provider.who_am_i(context.client()).await;
        let me = told.map_err(|error| failure::of_error(&error, "ask who we are"))?;
        let info = json!({"provider": provider.name(), "login": context.client().identity()});
        Ok(Observed { result: result(me), info, ..Observed::default() })
    }
}

/// The name and the role first, then what the target told beside them.
///
/// `ControlHub` calls its whole account `user`; it stands here as `account`.
fn result(me: Whoami) -> Value {
    let mut result = json!({"user": me.user, "role": me.role});
    for (name, fact) in me.answer.as_object().cloned().unwrap_or_default() {
        match name.as_str() {
            "user" => set(&mut result, "account", fact),
            "role" => {}
            other => set(&mut result, other, fact),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, ready, refusal};
    use super::*;
    use crate::cluster::testing::answer;
    use crate::event::Class;

    #[test]
    fn the_answer_stands_beside_name_and_role() {
        let answer =
            json!({"user": {"username": "mira", "email": "mira@fig.example"}, "clusterRole": "host", "role": 7});
        let me = Whoami { user: "mira".into(), role: Some("platform-admin".into()), answer };
        assert_eq!(
            result(me),
            json!({"user": "mira", "role": "platform-admin",
                "account": {"username": "mira", "email": "mira@fig.example"}, "clusterRole": "host"})
        );
        let unknown = Whoami { user: "me".into(), role: None, answer: Value::Null };
        assert_eq!(result(unknown), json!({"user": "me", "role": null}));
    }

    #[tokio::test(start_paused = true)]
    async fn the_target_is_asked_and_its_refusal_kept() {
        let told = r#"{"status":{"userInfo":{"username":"kube-admin","groups":["system:masters"]},"allowed":true}}"#;
        let stage = Stage::new([]).refusing(move |_, _, _| Some(answer(201, told)));
        let seen = ready(&ROW, "{}").act(&stage.context()).await.unwrap();
        assert_eq!(
            seen.result,
            json!({"user": "kube-admin", "role": "cluster-admin", "username": "kube-admin", "groups": ["system:masters"]})
        );
        let stage = Stage::new([]).refusing(|_, _, _| Some(refusal(401, "Unauthorized", "Unauthorized")));
        assert_eq!(ready(&ROW, "{}").act(&stage.context()).await.unwrap_err().class, Class::Login);
    }

    #[test]
    fn it_takes_nothing() {
        assert!(complaints(&ROW, "{user: mira}")[0].message.contains("user"));
    }
}
