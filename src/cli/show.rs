//! `runhub show`: a past run, told again from its journal.

use std::path::{Path, PathBuf};

use clap::Args;

use super::environment::Environment;
use super::terminal::{fail, style};
use super::{Display, exit};
use crate::console::{Console, Pointers, Style};
use crate::event::{RunId, Sink as _, Told};
use crate::journal::{Error, Places, read};

/// Which run.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let places = Places::new(environment.state());
    let run = RunId(options.run.clone());
    let journaled = find(&places, &run).and_then(|folder| read(&folder).map(|journaled| (folder, journaled)));
    let (folder, journaled) = match journaled {
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

/// The folder of a run that is here.
pub(super) fn find(places: &Places, run: &RunId) -> Result<PathBuf, Error> {
    let folder = places.run(run)?;
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Error::NoRun { run: run.clone(), folder: folder.parent().map(Path::to_path_buf).unwrap_or_default() })
}
