//! `set-password`: a new password of a database.
//!
//! Only checked in this version.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::middleware::{Instance, TYPES};
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Effect, Observed, failure};
use crate::document::{Mode, Node, TargetRule};
use crate::event::Failure;
use crate::source::Diagnostic;

/// Sets the password of the present admin of a postgres instance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "this version only checks it")]
struct Arguments {
    /// The instance, as namespace/name; the server can do it for no other type.
    postgres: Instance,
    /// The new password.
    password: String,
}

#[derive(Debug)]
struct SetPassword;

pub(super) static ROW: ActionKind = ActionKind {
    name: "set-password",
    help: "a new password of a postgres instance's admin",
    target: &TargetRule::NONE,
    changes: Changes::Yes,
    consent: true,
    repeatable: false,
    supported: false,
    shown: &["postgres"],
    decode: |node, mode, out| {
        if refuses_type(node, out) {
            return None;
        }
        let (_, _): (_, Arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        check_password(node, mode, out);
        Some(Box::new(SetPassword))
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
    async fn act(&self, _: &Context) -> Result<Observed, Failure> {
        Err(failure::unsupported(ROW.name))
    }

    fn effect(&self) -> Effect {
        Effect::Final("the old password is not known to us".into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{complaints, decoded, ready};
    use super::*;

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
