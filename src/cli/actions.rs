//! `runhub actions`: what a step can do.

use std::fmt::Write as _;

use clap::Args;

use super::action_page::page;
use super::exit;
use super::terminal::{fail, say};
use crate::action::{ACTIONS, CONTROLS, Changes};
use crate::source::nearest;

/// Which actions.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// One action, with its arguments.
    name: Option<String>,
}

pub(super) fn command(options: &Options) -> u8 {
    let Some(name) = &options.name else {
        say(&listing());
        return exit::PASSED;
    };
    if let Some(kind) = crate::action::find(name) {
        say(&page(kind));
        return exit::PASSED;
    }
    if let Some(line) = CONTROLS.iter().find(|control| *control == name).map(|control| help_of(control)) {
        say(&format!("{name}: {line}\n"));
        return exit::PASSED;
    }
    let near =
        nearest(name, crate::action::names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    fail(format!("there is no action `{name}`{near}"));
    exit::USAGE
}

fn listing() -> String {
    let mut text = String::new();
    for kind in ACTIONS {
        let mark = match kind.changes {
            Changes::No => "reads  ",
            Changes::Yes => "changes",
            Changes::Says => "says   ",
        };
        let later = if kind.supported { "" } else { " (checked only)" };
        let _ = writeln!(text, "{:<18} {mark}  {}{later}", kind.name, kind.help);
    }
    for control in CONTROLS {
        let _ = writeln!(text, "{control:<18} control  {}", help_of(control));
    }
    text
}

/// What a control does with the run.
fn help_of(control: &str) -> &'static str {
    match control {
        "note" => "a line in the report",
        "assert" => "conditions that must hold, each a `that`",
        "pause" => "waits for a duration",
        "fail" => "ends in failure, with a message",
        "group" => "several steps under one `when`, `retry`, `for-each`, `timeout`",
        "undo-steps" => "takes back what steps changed, newest first: `all` or a list of ids",
        "use" => "another runbook, with inputs of its own (checked only)",
        "approve" => "waits for a person who agrees",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_says_what_it_does() {
        for control in CONTROLS {
            assert!(!help_of(control).is_empty(), "{control}");
        }
    }
}
