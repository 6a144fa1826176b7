//! `runhub runs`: past runs, newest first.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::environment::Environment;
use super::exit;
use super::terminal::{fail, say, say_error};
use crate::clock::{Clock, Timestamp, rfc3339};
use crate::document::DurationText;
use crate::journal::{Places, RunState, RunSummary, list};

/// How they are listed.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only runs of this book.
    #[arg(long, value_name = "NAME")]
    book: Option<String>,
    /// Only runs against this target.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Only runs that stand so: an outcome, `running`, `broken-off` or `unreadable`; several with commas.
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',')]
    outcome: Vec<String>,
    /// Only runs begun since then: a duration such as 2h, or a moment such as 2026-11-21T03:00:00Z.
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Since>,
    /// At most so many.
    #[arg(long, short = 'n', value_name = "COUNT")]
    limit: Option<usize>,
    /// The format.
    #[arg(long, short, value_enum, default_value_t = Output::Table, value_name = "FORMAT")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// The oldest beginning that is listed.
#[derive(Debug, Clone, Copy)]
enum Since {
    Ago(std::time::Duration),
    At(Timestamp),
}

fn moment(text: &str) -> Result<Since, String> {
    if let Ok(ago) = DurationText::parse(text) {
        return Ok(Since::Ago(ago.duration()));
    }
    text.parse()
        .map(Since::At)
        .map_err(|_| "give a duration such as 2h, or a moment such as 2026-11-21T03:00:00Z".into())
}

pub(super) fn command(options: &Options, environment: &Environment) -> u8 {
    let runs = match list(&Places::new(environment.state())) {
        Ok(runs) => runs,
        Err(error) => {
            fail(error);
            return exit::FAILED;
        }
    };
    let any = !runs.is_empty();
    let now = Clock::system().now();
    let meant = runs.into_iter().filter(|run| options.means(run, now));
    let runs: Vec<RunSummary> = meant.take(options.limit.unwrap_or(usize::MAX)).collect();
    match options.output {
        Output::Json => {
            let rows: Vec<_> = runs.iter().map(row).collect();
            say(&format!("{}\n", serde_json::to_string_pretty(&json!({"runs": rows})).unwrap_or_default()));
        }
        Output::Table if runs.is_empty() => say_error(if any { "no such runs\n" } else { "no runs yet\n" }),
        Output::Table => {
            say(&columns("RUN", "OUTCOME", "BOOK", "TARGET"));
            say(&runs.iter().map(line).collect::<String>());
        }
    }
    exit::PASSED
}

impl Options {
    fn means(&self, run: &RunSummary, now: Timestamp) -> bool {
        let head = run.head.as_ref();
        let is =
            |wanted: &Option<String>, found: Option<&String>| wanted.as_ref().is_none_or(|name| found == Some(name));
        let outcome = outcome(&run.state);
        let since = self.since.is_none_or(|since| match since {
            Since::At(moment) => run.at >= Some(moment),
            Since::Ago(ago) => run.at.is_some_and(|at| (now - at).to_std().unwrap_or_default() <= ago),
        });
        is(&self.book, head.map(|head| &head.book))
            && is(&self.target, head.map(|head| &head.target.name))
            && (self.outcome.is_empty()
                || self.outcome.iter().any(|word| word.replace('-', " ") == outcome.replace('-', " ")))
            && since
    }
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
    let end = match &run.state {
        RunState::Ended(end) => Some(end),
        RunState::Running(_) | RunState::BrokenOff | RunState::Unreadable(_) => None,
    };
    json!({
        "id": run.id.0,
        "started": run.at.map(rfc3339),
        "book": head.map(|head| &head.book),
        "target": head.map(|head| &head.target.name),
        "actor": head.map(|head| &head.actor),
        "outcome": outcome(&run.state),
        "exit-code": end.map(|end| end.exit_code),
        "elapsed-ms": end.map(|end| end.elapsed_ms),
        "has-key": run.has_key,
    })
}

fn line(run: &RunSummary) -> String {
    let (book, target) = run.head.as_ref().map_or(("", ""), |head| (head.book.as_str(), head.target.name.as_str()));
    columns(&run.id.to_string(), outcome(&run.state), book, target)
}

fn columns(run: &str, outcome: &str, book: &str, target: &str) -> String {
    format!("{run:<20}  {outcome:<11}  {book:<24}  {target}\n")
}
