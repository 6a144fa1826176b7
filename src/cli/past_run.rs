//! Runs of this machine, by their names.

use std::path::{Path, PathBuf};

use crate::event::RunId;
use crate::journal::{Error, Journaled, Places, read};
use crate::report::Report;

/// The folder of a run that is here.
pub(super) fn folder(places: &Places, run: &RunId) -> Result<PathBuf, Error> {
    let folder = places.run(run)?;
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Error::NoRun { run: run.clone(), folder: folder.parent().map(Path::to_path_buf).unwrap_or_default() })
}

/// A run's folder, its journal, and the report that the journal gives.
pub(super) fn told_again(places: &Places, name: &str) -> Result<(PathBuf, Journaled, Report), Error> {
    let folder = folder(places, &RunId(name.to_owned()))?;
    let journaled = read(&folder)?;
    let mut report = Report::of(&journaled.events);
    report.run.journal_root = Some(journaled.root().to_owned());
    Ok((folder, journaled, report))
}
