//! `runhub report`: reports of a past run, from its journal.

use clap::Args;

use super::environment::Environment;
use super::exit;
use super::past_run::told_again;
use super::terminal::{fail, say_error};
use crate::journal::Places;
use crate::report::Targets;

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
    let report = match told_again(&Places::new(environment.state()), &options.run) {
        Ok((_, _, report)) => report,
        Err(error) => {
            fail(error);
            return exit::FAILED;
        }
    };
    let errors = opened.write(&report, &mut std::io::stdout());
    for error in &errors {
        say_error(&format!("error: {error}\n"));
    }
    if errors.is_empty() { exit::PASSED } else { exit::FAILED }
}
