//! Runbooks of any length, written to a folder that goes away by itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A folder for books and what runs leave behind.
#[derive(Debug)]
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A book of `count` steps; `step` gives the action of each.
    pub(crate) fn book(&self, count: usize, step: impl Fn(usize) -> String) -> PathBuf {
        let mut text = String::from("runbook: v1\nname: measured\nsteps:\n");
        for number in 0..count {
            let _ = writeln!(text, "  - id: s{number}\n    {}", step(number));
        }
        self.file(&format!("book-{count}-{}.yaml", fastrand::u32(..)), &text)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
}
