//! `runhub forget`: what a run has sealed is never read again.

use clap::Args;

use super::environment::Environment;
use super::exit;
use super::terminal::{fail, say};
use crate::clock::Clock;
use crate::event::RunId;
use crate::journal::{Places, forget};

/// Which run.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
}

pub(super) fn command(options: &Options, environment: &Environment) -> u8 {
    let run = RunId(options.run.clone());
    match forget(&Places::new(environment.state()), &run, Clock::system()) {
        Ok(true) => {
            say(&format!(
                "the key of run {run} is deleted: it can be neither resumed nor undone, and still be shown\n"
            ));
            exit::PASSED
        }
        Ok(false) => {
            say(&format!("the key of run {run} was deleted before\n"));
            exit::PASSED
        }
        Err(error) => {
            fail(error);
            exit::FAILED
        }
    }
}
