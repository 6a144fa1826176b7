//! `runhub verify`: whether journals are as they were written.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::environment::Environment;
use super::exit;
use super::past_run::folder;
use super::terminal::{fail, say};
use crate::event::RunId;
use crate::journal::{Places, Verified, verify};

/// What is checked.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Runs, as `runhub runs` names them, or files and folders of journals from elsewhere.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// What the root must be: it stands in every report of the run.
    #[arg(long, value_name = "HASH")]
    root: Option<String>,
    /// The format.
    #[arg(long, short, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// What a check cannot see; said each time, so that nobody takes it for more than it is.
const BLIND: &str = "not seen by this: whole lines missing at the very end, and a journal forged as a whole; \
                     compare the root with that of a report for those";

pub(super) fn command(options: &Options, environment: &Environment) -> u8 {
    let places = Places::new(environment.state());
    let (mut code, mut rows) = (exit::PASSED, Vec::new());
    for name in &options.runs {
        match journal(&places, name).and_then(|path| verify(&path).map_err(|error| error.to_string())) {
            Ok(verified) => {
                let wrong = wrong(&verified, options.root.as_deref());
                if wrong.is_some() {
                    code = exit::FAILED;
                }
                match options.output {
                    Output::Text => say(&told(name, &verified, wrong.as_deref())),
                    Output::Json => rows.push(json!({"run": name, "wrong": wrong, "verified": verified})),
                }
            }
            Err(error) => {
                fail(error);
                code = exit::FAILED;
            }
        }
    }
    match options.output {
        Output::Text => say(&format!("{BLIND}\n")),
        Output::Json => {
            say(&format!("{}\n", serde_json::to_string_pretty(&json!({"journals": rows})).unwrap_or_default()));
        }
    }
    code
}

/// The folder of a run, or a path that was named.
fn journal(places: &Places, name: &str) -> Result<PathBuf, String> {
    if Path::new(name).exists() {
        return Ok(PathBuf::from(name));
    }
    folder(places, &RunId(name.to_owned())).map_err(|error| error.to_string())
}

/// What is wrong with a journal, if anything is.
fn wrong(verified: &Verified, root: Option<&str>) -> Option<String> {
    if let Some(flawed) = &verified.first_bad {
        return Some(format!("{}:{}: {}", flawed.file.display(), flawed.line, flawed.why));
    }
    let root = root.filter(|root| *root != verified.root)?;
    Some(format!("its root is {}, not {root}: lines are missing at its end, or it is another journal", verified.root))
}

fn told(name: &str, verified: &Verified, wrong: Option<&str>) -> String {
    let sealed =
        verified.sealed.map_or_else(|| "no vault beside it".to_owned(), |count| format!("{count} sealed records"));
    let torn = if verified.torn_tail { ", half a line at its end left out" } else { "" };
    let verdict = wrong.map_or_else(|| "as it was written".to_owned(), |wrong| format!("damaged: {wrong}"));
    let mark = if wrong.is_some() { "✗" } else { "✓" };
    let records = verified.records;
    format!("{mark} {name}  {verdict}\n    {records} records, {sealed}{torn}\n    root {}\n", verified.root)
}
