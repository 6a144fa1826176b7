//! `command`: a local program.
//!
//! Only checked in this version.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::exec::{needs_words, zero};
use super::row::{aimed, schema_of};
use super::says::Says;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Observed, Outlook, failure};
use crate::document::TargetRule;
use crate::event::Failure;

/// Runs a local program, without a shell and without our environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "this version only checks it")]
struct Arguments {
    /// The program and its arguments, a list; `--allow` names the program.
    argv: Vec<String>,
    /// What it reads; a place for a secret.
    #[serde(default)]
    stdin: Option<String>,
    /// Its environment; a place for secrets.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// `none`, `repeatable` or `once` (where nothing is written).
    #[serde(default)]
    effect: Says,
    /// Exit codes that are well; 0 where nothing is written.
    #[serde(default = "zero")]
    ok_exit_codes: Vec<u8>,
}

#[derive(Debug)]
struct Command {
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "command",
    help: "a local program that `--allow` names",
    target: &TargetRule::NONE,
    changes: Changes::Says,
    consent: true,
    repeatable: false,
    supported: false,
    shown: &["argv"],
    decode: |node, mode, out| {
        let (_, arguments): (_, Arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        needs_words("argv", node, mode, out);
        Some(Box::new(Command { arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Command {
    async fn act(&self, _: &Context) -> Result<Observed, Failure> {
        Err(failure::unsupported(ROW.name))
    }

    async fn look(&self, _: &Look) -> Result<Outlook, Blind> {
        Err(Blind::Opaque("a program is only run by a run".into()))
    }

    fn effect(&self) -> Effect {
        self.arguments.effect.effect("the program")
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{complaints, ready};
    use super::*;

    #[test]
    fn a_program_is_a_list_of_words() {
        let dig =
            ready(&ROW, "{argv: [dig, +short, shop.example], env: {TZ: UTC}, effect: none, ok-exit-codes: [0, 9]}");
        assert_eq!(dig.effect(), Effect::Nothing);
        assert!(complaints(&ROW, "{argv: ['']}")[0].message.contains("names no program"));
        assert!(complaints(&ROW, "{argv: [dig], ok-exit-codes: [256]}")[0].message.contains("0 to 255"));
    }
}
