//! `runhub show`: a past run, told again from its journal.

use clap::Args;

use super::environment::Environment;
use super::past_run::told_again;
use super::terminal::{fail, style};
use super::{Display, exit};
use crate::console::{Console, Pointers, Style};
use crate::event::{Sink as _, Told};
use crate::journal::Places;

/// Which run.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let (folder, journaled, _) = match told_again(&Places::new(environment.state()), &options.run) {
        Ok(found) => found,
        Err(error) => {
            fail(error);
            return exit::FAILED;
        }
    };
    let style = Style { interactive: false, ..style(display, environment) };
    let pointers = Pointers { journal: Some(folder.display().to_string()), reports: Vec::new() };
    let mut console = Console::new(style, Box::new(std::io::stdout())).pointing_to(pointers);
    for event in &journaled.events {
        let line = serde_json::to_string(event).unwrap_or_default();
        if let Err(error) = console.take(&Told { event, line: &line }) {
            fail(error);
            return exit::FAILED;
        }
    }
    exit::PASSED
}
