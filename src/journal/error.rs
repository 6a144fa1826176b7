//! Why the journal cannot go on.

use std::io;
use std::path::{Path, PathBuf};

use super::lock::Held;
use crate::event::RunId;

/// The journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk said no.
    #[error("{path}: cannot {doing}: {why}{}", advice(why))]
    Disk {
        /// Which file or folder.
        path: PathBuf,
        /// What was tried (`write`, `create the folder`).
        doing: &'static str,
        /// What the system says.
        why: io::Error,
    },
    /// A run of that name was begun before.
    #[error("run {0} exists already: begin the run again, it gets another name")]
    Taken(RunId),
    /// The text cannot be the name of a run.
    #[error("`{0}` is not the name of a run: see `runhub runs`")]
    NotARun(String),
    /// There is no such run here.
    #[error("there is no run {run} in {folder}: see `runhub runs`")]
    NoRun {
        /// The run that was asked for.
        run: RunId,
        /// Where it should lie.
        folder: PathBuf,
    },
    /// Someone else is at it.
    #[error(transparent)]
    Held(Box<Held>),
    /// A line is not as it was written.
    #[error("{path}:{line}: damaged: {why}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The file is of a later format.
    #[error("{path}: written in format {version}, this runhub reads up to {known}: use a newer one")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        version: u64,
        /// The latest format that can be read.
        known: u32,
    },
    /// The key is gone, and with it what is sealed.
    #[error(
        "the vault of run {run} cannot be opened: its key {key} was forgotten or lost, so the run can be neither resumed nor undone"
    )]
    Forgotten {
        /// Whose vault.
        run: RunId,
        /// Where the key should lie.
        key: PathBuf,
    },
    /// The name would leave the run's folder, or cannot be a file's.
    #[error(
        "`{0}` cannot name an artifact: give one plain file name of at most 200 bytes, without `/`, `\\` or control characters, that does not begin with a dot"
    )]
    ArtifactName(String),
    /// The ticket belongs to no open intent of this journal.
    #[error("intent {0} is not open in this journal")]
    NotOpen(u64),
    /// The system gives no randomness, or a cipher refused.
    #[error("cannot {0}: the system's cryptography failed")]
    Crypto(&'static str),
}

impl Error {
    /// Wraps what the system says about a path.
    pub(super) fn disk(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |why| Self::Disk { path: path.to_path_buf(), doing, why }
    }

    /// Wraps what is wrong with a line, counted from 1.
    pub(super) fn damaged(path: &Path, line: usize, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), line, why: why.into() }
    }
}

/// What a person can do about it; empty where nothing general helps.
fn advice(why: &io::Error) -> &'static str {
    use io::ErrorKind::{
        FileTooLarge, NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match why.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            "; free some space there, or point XDG_STATE_HOME at another disk"
        }
        PermissionDenied => "; make it readable and writable for you, or point XDG_STATE_HOME at a folder of yours",
        ReadOnlyFilesystem => "; point XDG_STATE_HOME at a folder that can be written",
        NotADirectory => "; a file stands where a folder should, point XDG_STATE_HOME elsewhere",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_disk_names_the_path_and_what_to_do() {
        for (kind, word) in [
            (io::ErrorKind::StorageFull, "free some space"),
            (io::ErrorKind::PermissionDenied, "writable for you"),
            (io::ErrorKind::ReadOnlyFilesystem, "can be written"),
        ] {
            let error = Error::disk(Path::new("/s/journal.jsonl"), "write")(kind.into());
            let text = error.to_string();
            assert!(text.starts_with("/s/journal.jsonl: cannot write: "), "{text}");
            assert!(text.contains(word), "{text}");
        }
    }
}
