//! `set-password`: a new password of a database.
//!
//! The server makes the user of the request the admin of the instance, so the
//! present admin is read first and sent back. Whether the new password works
//! is for the book to prove (`exec`, `command`, `http`); whether the server
//! shows it is said in `info.verified`.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::execute::{Done, Execution};
use super::middleware::{Instance, TYPES, is, listed, text};
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Observed, Outlook, failure};
use crate::cluster::middleware;
use crate::document::{Mode, Node, TargetRule};
use crate::event::{Class, Failure, ObjectId};
use crate::source::Diagnostic;

/// Sets the password of the present admin of a postgres instance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The instance, as namespace/name; the server can do it for no other type.
    postgres: Instance,
    /// The new password.
    password: String,
}

#[derive(Debug)]
struct SetPassword(Arguments);

pub(super) static ROW: ActionKind = ActionKind {
    name: "set-password",
    help: "a new password of a postgres instance's admin",
    target: &TargetRule::NONE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &["postgres"],
    decode: |node, mode, out| {
        if refuses_type(node, out) {
            return None;
        }
        let (_, arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        check_password(node, mode, out);
        Some(Box::new(SetPassword(arguments)))
    },
    schema: schema_of::<Arguments>,
};

/// The server answers 501 for every other type: said before anything is sent.
fn refuses_type(node: &Node, out: &mut Vec<Diagnostic>) -> bool {
    let other = TYPES.iter().filter(|word| **word != "postgres").find_map(|word| node.entry(word));
    if let Some(entry) = other {
        let line = format!("`set-password` knows no {}: the server sets passwords of postgres only", entry.key.text);
        out.push(Diagnostic::error(line, entry.key.span));
    }
    other.is_some()
}

fn check_password(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) {
    let Some(password) = node.get("password").filter(|value| !(mode == Mode::Holes && value.is_template())) else {
        return;
    };
    if password.as_text() == Some("") {
        out.push(Diagnostic::error("`password` is empty", password.span));
    }
}

#[async_trait]
impl Action for SetPassword {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let Arguments { postgres: instance, password } = &self.0;
        context.conceal(&password.as_str().into());
        let before = found(context, instance).await?;
        let user = text(&before, "adminUser").to_owned();
        let result = json!({"type": "postgres", "namespace": instance.namespace, "name": instance.name, "user": user});
        if text(&before, "password") == password {
            return Ok(Observed { result, info: json!({"verified": true}), ..Observed::default() });
        }
        let object = ObjectId {
            api_version: String::new(),
            kind: "Postgres".into(),
            namespace: instance.namespace.clone(),
            name: instance.name.clone(),
            uid: String::new(),
        };
        let execution = Execution::with(&self.effect(), object, format!("password of {user}"));
        context.execute(execution, async { Done::of(self.send(context, &user).await) }).await?;
        let verified = found(context, instance).await.is_ok_and(|now| text(&now, "password") == password);
        Ok(Observed { result, info: json!({"verified": verified}), changed: true, secret: false })
    }

    async fn look(&self, _: &Look) -> Result<Outlook, Blind> {
        Err(Blind::Opaque("the server offers no rehearsal of a password".into()))
    }

    fn effect(&self) -> Effect {
        Effect::Final("the password before it is not kept; an `undo` of the step's own can set it again".into())
    }
}

impl SetPassword {
    /// Sends it; an answer that was lost is looked up in the list.
    async fn send(&self, context: &Context, user: &str) -> Result<(), (Failure, bool)> {
        let Arguments { postgres: instance, password } = &self.0;
        let request = middleware::set_postgres_password(&instance.namespace, &instance.name, user, password);
        let Err(error) = context.client().write(&request).await else { return Ok(()) };
        let failure = failure::of_error(&error, request.what());
        if !error.may_have_applied() {
            return Err((failure, false));
        }
        match found(context, instance).await {
            Ok(now) if text(&now, "password") == password => {
                context
                    .warn(format!("{}: the answer was lost ({error}); the list shows that it was set", request.what()));
                Ok(())
            }
            _ => Err((failure, true)),
        }
    }
}

/// The instance as the list has it.
async fn found(context: &Context, instance: &Instance) -> Result<Value, Failure> {
    let items = listed(context).await?;
    items.into_iter().find(|item| is(item, "postgres", instance)).ok_or_else(|| {
        let line = format!("there is no postgres {}/{}", instance.namespace, instance.name);
        Failure::new(Class::NotFound, line).help("a `middleware` step lists what is there")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::stage::{Stage, complaints, decoded, ready};
    use super::*;
    use crate::cluster::testing::{Script, Turn, answer};
    use crate::cluster::transport::TransportError;

    const SET: &str = "{postgres: os-platform/citus, password: correct-horse}";

    /// A platform with one database, that answers a new password so, and takes it or not.
    fn platform(says: impl Fn() -> Turn + Send + Sync + 'static, takes: bool) -> Stage {
        let password = Mutex::new("old-Secret".to_owned());
        Stage::controlhub([]).refusing(move |method, _, _| {
            let mut password = password.lock().unwrap();
            if method == "POST" {
                if takes {
                    *password = "correct-horse".into();
                }
                return Some(says());
            }
            let item = json!({"type": "postgres", "namespace": "os-platform", "name": "citus", "adminUser": "boss", "password": *password});
            Some(answer(200, json!({"code": 200, "data": [item]}).to_string()))
        })
    }

    fn well() -> Turn {
        answer(200, r#"{"code":200,"message":"update success"}"#)
    }

    #[tokio::test(start_paused = true)]
    async fn the_present_admin_is_kept_and_the_change_is_one_of_the_instance() {
        let stage = platform(well, true);
        let seen = ready(&ROW, SET).act(&stage.context()).await.unwrap();
        assert_eq!((&seen.result["user"], &seen.info["verified"], seen.changed), (&json!("boss"), &json!(true), true));
        assert_eq!(stage.sent()["user"], "boss");
        let [made] = stage.made().try_into().unwrap();
        assert_eq!(made.change.object.to_string(), "Postgres os-platform/citus");
        assert!(!format!("{made:?}").contains("correct-horse"));
        assert!(!ready(&ROW, SET).act(&stage.context()).await.unwrap().changed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_looked_up_and_not_sent_again() {
        let lost = || Script::fail(TransportError::Broken("reset".into()));
        let stage = platform(lost, true);
        assert!(ready(&ROW, SET).act(&stage.context()).await.unwrap().changed);
        assert_eq!(stage.writes().len(), 1);
        let stage = platform(lost, false);
        let failure = ready(&ROW, SET).act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.help.unwrap(), "nobody knows whether it was done: look before running again");
        assert_eq!(stage.writes().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_and_an_instance_that_is_not_there_change_nothing() {
        let stage = platform(|| answer(200, r#"{"code":403,"message":"Must be platform admin","data":null}"#), false);
        let failure = ready(&ROW, SET).act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.class, Class::Forbidden);
        assert!(!stage.made()[0].stands());
        let absent = ready(&ROW, "{postgres: os-platform/pg2, password: x-Secret}");
        let stage = platform(well, true);
        assert_eq!(absent.act(&stage.context()).await.unwrap_err().message, "there is no postgres os-platform/pg2");
        assert!(stage.writes().is_empty());
    }

    #[test]
    fn only_postgres_has_a_password_that_can_be_set() {
        assert!(ready(&ROW, "{postgres: os-platform/citus, password: correct-horse}").effect().changes());
        let out = complaints(&ROW, "{redis: os-platform/kv, password: x}");
        assert_eq!(out[0].message, "`set-password` knows no redis: the server sets passwords of postgres only");
        assert_eq!(complaints(&ROW, "{postgres: a/b, password: ''}")[0].message, "`password` is empty");
        assert!(complaints(&ROW, "{postgres: a/b}")[0].message.contains("password"));
        assert!(decoded(&ROW, "{postgres: a/b, password: '{{ vars.fresh }}'}", Mode::Holes).1.is_empty());
    }
}
