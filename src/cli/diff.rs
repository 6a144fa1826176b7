//! `runhub diff`: what two runs did differently.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::environment::Environment;
use super::exit;
use super::past_run::told_again;
use super::terminal::{fail, say};
use crate::event::StepStatus;
use crate::journal::Places;
use crate::report::Report;

/// Which runs.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run to compare with.
    #[arg(value_name = "RUN")]
    one: String,
    /// The run that is compared.
    #[arg(value_name = "OTHER")]
    other: String,
    /// The format.
    #[arg(long, short, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// One thing that differs; absent where a run has none of it.
#[derive(Debug, PartialEq)]
struct Difference {
    what: String,
    one: Option<Value>,
    other: Option<Value>,
}

pub(super) fn command(options: &Options, environment: &Environment) -> u8 {
    let places = Places::new(environment.state());
    let read = |name: &str| told_again(&places, name).map(|(_, _, report)| report);
    let (one, other) = match (read(&options.one), read(&options.other)) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(error), _) | (_, Err(error)) => {
            fail(error);
            return exit::FAILED;
        }
    };
    let found = compared(&facts(&one), &facts(&other));
    match options.output {
        Output::Json => {
            let rows: Vec<Value> =
                found.iter().map(|found| json!({"what": found.what, "one": found.one, "other": found.other})).collect();
            say(&format!("{}\n", serde_json::to_string_pretty(&json!({"differences": rows})).unwrap_or_default()));
        }
        Output::Text if found.is_empty() => say("the runs did the same\n"),
        Output::Text => say(&found.iter().map(told).collect::<String>()),
    }
    exit::PASSED
}

/// What of a report is worth comparing, in the order of the run.
fn facts(report: &Report) -> Vec<(String, Value)> {
    let run = &report.run;
    let mut facts = vec![
        ("book".to_owned(), json!(run.book)),
        ("book text".to_owned(), json!(run.book_hash)),
        ("target".to_owned(), json!(format!("{} ({})", run.target.name, run.target.provider))),
        ("user".to_owned(), json!(run.target.user)),
        ("outcome".to_owned(), json!(report.outcome_word())),
    ];
    facts.extend(run.inputs.iter().map(|(name, value)| (format!("input {name}"), value.clone())));
    for step in report.present_steps() {
        let status = step.status.map_or("unfinished", StepStatus::word);
        facts.push((format!("{} status", step.id), json!(status)));
        facts.extend(step.outputs.iter().map(|(name, value)| (format!("{} output {name}", step.id), value.clone())));
        let changes: Vec<String> =
            step.changes.iter().map(|change| format!("{} {}", change.object, change.summary)).collect();
        if !changes.is_empty() {
            facts.push((format!("{} changes", step.id), json!(changes)));
        }
    }
    facts.extend(report.outputs.iter().map(|(name, value)| (format!("output {name}"), value.clone())));
    facts
}

fn compared(one: &[(String, Value)], other: &[(String, Value)]) -> Vec<Difference> {
    let find = |facts: &[(String, Value)], what: &str| {
        facts.iter().find(|(name, _)| name == what).map(|(_, value)| value.clone())
    };
    let mut seen = BTreeSet::new();
    one.iter()
        .chain(other)
        .filter(|(what, _)| seen.insert(what.clone()))
        .map(|(what, _)| Difference { what: what.clone(), one: find(one, what), other: find(other, what) })
        .filter(|found| found.one != found.other)
        .collect()
}

fn told(found: &Difference) -> String {
    let line = |mark: char, value: &Option<Value>| match value {
        None => String::new(),
        Some(Value::String(text)) => format!("  {mark} {text}\n"),
        Some(other) => format!("  {mark} {other}\n"),
    };
    format!("{}\n{}{}", found.what, line('-', &found.one), line('+', &found.other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_once_and_what_one_has_alone_too() {
        let fact = |what: &str, value: i64| (what.to_owned(), json!(value));
        let found = compared(&[fact("a", 1), fact("b", 2)], &[fact("a", 1), fact("b", 3), fact("c", 4)]);
        let lines: String = found.iter().map(told).collect();
        assert_eq!(lines, "b\n  - 2\n  + 3\nc\n  + 4\n");
    }
}
