//! `runhub report`: reports of a past run, from its journal.

use clap::Args;

use super::carry::Reports;
use super::environment::Environment;
use super::exit;
use super::past_run::told_again;
use super::terminal::fail;
use crate::journal::Places;

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
    let reports = match Reports::open(&options.reports, environment) {
        Ok(reports) => reports,
        Err(code) => return code,
    };
    match told_again(&Places::new(environment.state()), &options.run) {
        Ok((_, _, report)) => reports.write(&report),
        Err(error) => {
            fail(error);
            exit::FAILED
        }
    }
}
