//! `runhub actions`: what a step can do.

use std::fmt::Write as _;

use clap::Args;

use super::exit;
use super::terminal::{fail, say};
use crate::action::{ACTIONS, ActionKind, CONTROLS, Changes};
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

/// Words with commas between them, in lines that fit a narrow terminal.
fn in_lines(words: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 74 => {
                line.push_str(", ");
                line.push_str(word);
            }
            Some(line) => {
                line.push(',');
                lines.push((*word).to_owned());
            }
            None => lines.push((*word).to_owned()),
        }
    }
    lines
}

fn page(kind: &ActionKind) -> String {
    let mut generator = schemars::SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let resolved = schema
        .get("$ref")
        .and_then(serde_json::Value::as_str)
        .and_then(|name| generator.definitions().get(name.rsplit('/').next()?).cloned())
        .unwrap_or(schema);
    let mut text = format!("{}: {}\n", kind.name, kind.help);
    if !kind.target.keys().is_empty() {
        text.push_str("\naimed at:\n");
        for line in in_lines(&kind.target.keys()) {
            let _ = writeln!(text, "  {line}");
        }
    }
    let properties = resolved.get("properties").and_then(serde_json::Value::as_object);
    if let Some(properties) = properties.filter(|properties| !properties.is_empty()) {
        text.push_str("\nkeys:\n");
        for (key, schema) in properties {
            let help = schema.get("description").and_then(serde_json::Value::as_str).unwrap_or_default();
            let _ = writeln!(text, "  {key:<18} {}", help.replace('\n', " "));
        }
    }
    text
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
