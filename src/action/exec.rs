//! `exec`: a command in a container.
//!
//! Only checked in this version.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::row::{aimed, schema_of};
use super::says::Says;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Observed, Outlook, failure};
use crate::document::{Mode, Node, TargetRule};
use crate::event::Failure;
use crate::source::Diagnostic;

const RULE: TargetRule = TargetRule { kinds: &[], sets: false, container: true, object: false, required: true };

/// Runs a command in a container, without a shell of ours.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "this version only checks it")]
struct Arguments {
    /// The program and its arguments, a list.
    command: Vec<String>,
    /// What it reads; the place for a secret.
    #[serde(default)]
    stdin: Option<String>,
    /// `none`, `repeatable` or `once` (where nothing is written).
    #[serde(default)]
    effect: Says,
    /// Exit codes that are well; 0 where nothing is written.
    #[serde(default = "zero")]
    ok_exit_codes: Vec<u8>,
}

/// The exit codes that are well where none are written.
pub(super) fn zero() -> Vec<u8> {
    vec![0]
}

#[derive(Debug)]
struct Exec {
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "exec",
    help: "a command in a container",
    target: &RULE,
    changes: Changes::Says,
    consent: true,
    repeatable: false,
    supported: false,
    shown: &["command"],
    decode: |node, mode, out| {
        let (_, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        needs_words("command", node, mode, out);
        Some(Box::new(Exec { arguments }))
    },
    schema: schema_of::<Arguments>,
};

/// A list of words is not empty, and neither is its first.
pub(super) fn needs_words(key: &str, node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) {
    let Some(words) = node.get(key).filter(|words| !(mode == Mode::Holes && words.is_template())) else { return };
    if words.items().first().is_none_or(|first| first.as_text() == Some("")) {
        let complaint = Diagnostic::error(format!("`{key}` names no program"), words.span);
        out.push(complaint.help("write the program and its arguments as a list: [psql, -Atc, select 1]"));
    }
}

#[async_trait]
impl Action for Exec {
    async fn act(&self, _: &Context) -> Result<Observed, Failure> {
        Err(failure::unsupported(ROW.name))
    }

    async fn look(&self, _: &Look) -> Result<Outlook, Blind> {
        Err(Blind::Opaque("a command in a container is only run by a run".into()))
    }

    fn effect(&self) -> Effect {
        self.arguments.effect.effect("the command")
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{complaints, decoded, ready};
    use super::*;

    #[test]
    fn the_author_says_what_it_does() {
        let effect = |says: &str| ready(&ROW, &format!("{{container: a/b/c, command: [ls], effect: {says}}}")).effect();
        assert_eq!(effect("none"), Effect::Nothing);
        assert_eq!(effect("repeatable"), Effect::Passing);
        assert!(matches!(effect("once"), Effect::Final(_)));
        assert!(matches!(
            ready(&ROW, "{container: {pod: a/b, container: c}, command: [ls]}").effect(),
            Effect::Final(_)
        ));
    }

    #[test]
    fn a_command_is_a_list_of_words_or_a_whole_template() {
        assert!(complaints(&ROW, "{container: a/b/c, command: []}")[0].message.contains("names no program"));
        assert!(complaints(&ROW, "{container: a/b/c, command: ls -l}")[0].message.contains("a list"));
        assert!(complaints(&ROW, "{container: a/b/c}")[0].message.contains("command"));
        let (_, holes) = decoded(&ROW, "{container: a/b/c, command: '{{ vars.verify }}'}", Mode::Holes);
        assert!(holes.is_empty());
    }
}
