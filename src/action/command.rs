//! `command`: a local program.
//!
//! No shell, no environment of ours but what finds programs and tells
//! language and time, and only programs that `--allow` names: a runbook from
//! elsewhere should not be able to run what it likes here. When its time is
//! up, or nobody waits for it any more, it is killed with all it started.

mod child;

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use self::child::{Call, Said};
use super::ended::{Ended, KEPT, spoken};
use super::exec::{needs_words, zero};
use super::execute::{Done, Execution};
use super::row::{aimed, schema_of};
use super::says::Says;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Observed, Outlook};
use crate::document::TargetRule;
use crate::event::{Class, Failure, ObjectId};

/// Runs a local program, without a shell and without our environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The program and its arguments, a list; `--allow` names the program.
    argv: Vec<String>,
    /// What it reads; a place for a secret.
    #[serde(default)]
    stdin: Option<String>,
    /// Its environment beside `PATH`, `HOME`, `LANG`, `LC_ALL`, `TZ` and `TMPDIR`; a place for secrets.
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
    supported: true,
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
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let call = self.call(context)?;
        let what = spoken(&self.arguments.argv);
        context.waiting(&format!("{what} runs"), Vec::new());
        let started = Instant::now();
        let done = match self.effect() {
            Effect::Nothing => child::run(&call).await.map_err(|(failure, _)| failure)?,
            effect => {
                let object = ObjectId { kind: "Program".into(), name: what.clone(), ..ObjectId::default() };
                let execution = Execution::with(&effect, object, "run it here");
                context.execute(execution, async { Done::of(child::run(&call).await) }).await?
            }
        };
        self.observed(context, &what, done, started)
    }

    async fn look(&self, _: &Look) -> Result<Outlook, Blind> {
        Err(Blind::Opaque("a program is only run by a run".into()))
    }

    fn wants(&self) -> Vec<String> {
        self.arguments.argv.first().cloned().into_iter().collect()
    }

    fn effect(&self) -> Effect {
        self.arguments.effect.effect("the program")
    }

    fn waits(&self) -> bool {
        true
    }
}

impl Command {
    /// What is to be started, if that is allowed.
    fn call(&self, context: &Context) -> Result<Call, Failure> {
        let (program, arguments) = self.arguments.argv.split_first().unwrap_or((&EMPTY, &[]));
        if !context.facts().allowed.iter().any(|name| name == program) {
            let failure = Failure::new(Class::Forbidden, format!("the program {program} is not allowed"));
            return Err(failure.help(format!("allow it on the command line: --allow {program}")));
        }
        let mut environment = context.facts().environment.clone();
        environment.extend(self.arguments.env.clone());
        Ok(Call {
            program: program.clone(),
            arguments: arguments.to_vec(),
            environment,
            stdin: self.arguments.stdin.clone().map(String::into_bytes),
            limit: KEPT,
        })
    }

    fn observed(&self, context: &Context, what: &str, done: Said, started: Instant) -> Result<Observed, Failure> {
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if done.cut {
            context.warn(format!("{what} said more than {KEPT} bytes; only the first were kept"));
        }
        let Some(exit_code) = done.exit_code else {
            return Err(Failure::new(Class::Command, format!("{what} was ended by a signal ({})", done.end)));
        };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr, cut) = (text(done.stdout), text(done.stderr), done.cut);
        Ended { what, exit_code: i64::from(exit_code), stdout, stderr, cut, took }
            .judged(&self.arguments.ok_exit_codes, self.effect().changes())
    }
}

/// The program of no words at all.
static EMPTY: String = String::new();

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, ready};
    use super::*;

    #[tokio::test]
    async fn a_program_that_nobody_allowed_is_not_started() {
        let refused = ready(&ROW, "{argv: [dig, x], effect: none}").act(&Stage::new([]).context()).await.unwrap_err();
        assert_eq!(
            (refused.class, refused.help.unwrap()),
            (Class::Forbidden, "allow it on the command line: --allow dig".into())
        );
    }

    #[test]
    fn a_program_is_a_list_of_words() {
        let dig =
            ready(&ROW, "{argv: [dig, +short, shop.example], env: {TZ: UTC}, effect: none, ok-exit-codes: [0, 9]}");
        assert_eq!(dig.effect(), Effect::Nothing);
        assert!(complaints(&ROW, "{argv: ['']}")[0].message.contains("names no program"));
        assert!(complaints(&ROW, "{argv: [dig], ok-exit-codes: [256]}")[0].message.contains("0 to 255"));
    }
}
