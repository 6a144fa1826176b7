//! `runhub runs`: past runs, newest first.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::environment::Environment;
use super::exit;
use super::terminal::{fail, say, say_error};
use crate::clock::rfc3339;
use crate::journal::{Places, RunState, RunSummary, list};

/// How they are listed.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The format.
    #[arg(long, short, value_enum, default_value_t = Output::Table, value_name = "FORMAT")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

pub(super) fn command(options: &Options, environment: &Environment) -> u8 {
    let runs = match list(&Places::new(environment.state())) {
        Ok(runs) => runs,
        Err(error) => {
            fail(error);
            return exit::FAILED;
        }
    };
    match options.output {
        Output::Json => {
            let rows: Vec<_> = runs.iter().map(row).collect();
            say(&format!("{}\n", serde_json::to_string_pretty(&json!({"runs": rows})).unwrap_or_default()));
        }
        Output::Table if runs.is_empty() => say_error("no runs yet\n"),
        Output::Table => {
            say(&columns("RUN", "OUTCOME", "BOOK", "TARGET"));
            runs.iter().for_each(|run| say(&line(run)));
        }
    }
    exit::PASSED
}

fn outcome(state: &RunState) -> &'static str {
    match state {
        RunState::Running(_) => "running",
        RunState::Ended(end) => end.outcome.word(),
        RunState::BrokenOff => "broken off",
        RunState::Unreadable(_) => "unreadable",
    }
}

fn row(run: &RunSummary) -> serde_json::Value {
    let head = run.head.as_ref();
    json!({
        "id": run.id.0,
        "started": run.at.map(rfc3339),
        "book": head.map(|head| &head.book),
        "target": head.map(|head| &head.target.name),
        "outcome": outcome(&run.state),
    })
}

fn line(run: &RunSummary) -> String {
    let (book, target) = run.head.as_ref().map_or(("", ""), |head| (head.book.as_str(), head.target.name.as_str()));
    columns(&run.id.to_string(), outcome(&run.state), book, target)
}

fn columns(run: &str, outcome: &str, book: &str, target: &str) -> String {
    format!("{run:<20}  {outcome:<11}  {book:<24}  {target}\n")
}
