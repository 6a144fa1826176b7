//! `runhub report`: reports of a past run, from its journal.

use clap::Args;

use super::environment::Environment;
use super::exit;
use super::show::find;
use super::terminal::{fail, say_error};
use crate::event::RunId;
use crate::journal::{Places, read};
use crate::report::{Report, Targets};

/// Of which run, and what.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
    /// What to write, FORMAT=FILE: json, junit, html, md or tap; github alone for annotations; `-` is the standard output.
    #[arg(value_name = "FORMAT=FILE", required = true)]
    reports: Vec<String>,
}

pub(super) fn command(options: &Options, environment: &Environment) -> u8 {
    let summary = environment.get("GITHUB_STEP_SUMMARY");
    let opened = Targets::parse(&options.reports).and_then(|targets| targets.summarised_in(summary).open());
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            fail(error);
            return exit::USAGE;
        }
    };
    let journaled =
        find(&Places::new(environment.state()), &RunId(options.run.clone())).and_then(|folder| read(&folder));
    let journaled = match journaled {
        Ok(journaled) => journaled,
        Err(error) => {
            fail(error);
            return exit::FAILED;
        }
    };
    let mut report = Report::of(&journaled.events);
    report.run.journal_root = Some(journaled.root().to_owned());
    let errors = opened.write(&report, &mut std::io::stdout());
    for error in &errors {
        say_error(&format!("error: {error}\n"));
    }
    if errors.is_empty() { exit::PASSED } else { exit::FAILED }
}
