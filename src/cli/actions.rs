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
    let _ = writeln!(text, "{:<18} control  {}", "", CONTROLS.join(", "));
    text
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
        let _ = writeln!(text, "\naimed at: {}", kind.target.keys().join(", "));
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
