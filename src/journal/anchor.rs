//! What a journal stands on: its key, and the entries of its files in their folders.
//!
//! They must be on stable storage before the first intent, and not before
//! that: a run that changes nothing waits for no disk before its first
//! request.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::files;
use super::places::Places;
use crate::event::RunId;

/// Puts the key and the folders of a run on stable storage, once.
#[derive(Debug)]
pub(super) struct Anchor {
    key: PathBuf,
    folders: Vec<PathBuf>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Loose,
    Holds,
    /// A sync failed: what the disk then holds is unknown, and a later success would not tell.
    Lost,
}

impl Anchor {
    /// The anchor of a run, not yet let down.
    pub(super) fn of(places: &Places, run: &RunId) -> Result<Self, Error> {
        let folders = vec![places.keys(), places.runs(), places.run(run)?];
        Ok(Self { key: places.key(run)?, folders, stage: Stage::Loose })
    }

    /// Lets it down; does nothing once it holds.
    pub(super) fn hold(&mut self) -> Result<(), Error> {
        match self.stage {
            Stage::Holds => return Ok(()),
            Stage::Lost => {
                let why = io::Error::other("an earlier sync failed, so the key may be lost");
                return Err(Error::disk(&self.key, "sync")(why));
            }
            Stage::Loose => {}
        }
        // Whatever ends this early leaves it lost.
        self.stage = Stage::Lost;
        sync_file(&self.key)?;
        self.folders.iter().try_for_each(|folder| files::sync_folder(folder))?;
        self.stage = Stage::Holds;
        Ok(())
    }
}

fn sync_file(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::disk(path, "sync"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_be_synced_is_never_forgiven() {
        let state = tempfile::tempdir().unwrap();
        let (places, run) = (Places::new(state.path()), RunId("r1".into()));
        let mut anchor = Anchor::of(&places, &run).unwrap();
        assert!(anchor.hold().unwrap_err().to_string().contains("cannot sync"));
        std::fs::create_dir_all(places.keys()).unwrap();
        std::fs::create_dir_all(places.run(&run).unwrap()).unwrap();
        std::fs::write(places.key(&run).unwrap(), "key").unwrap();
        assert!(anchor.hold().unwrap_err().to_string().contains("earlier sync"));
        let mut fresh = Anchor::of(&places, &run).unwrap();
        assert!(fresh.hold().is_ok() && fresh.hold().is_ok());
    }
}
