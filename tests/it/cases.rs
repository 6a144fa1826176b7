//! The folders of `tests/cases`, each through the real binary.
//!
//! `ok/<feature>/` is run: `runbook.yaml`, in the world of `scenario.yaml` (or
//! of `cases/world.yaml`), with the words of `args` (`--yes` if there are
//! none). What it says must be `expected.out`, its exit code `expected.exit`,
//! and its report must hold what `expected.json` holds. `bad/<feature>/` is
//! only checked: exit code 3 and `expected.err`. To add one: a folder with its
//! `runbook.yaml`, then `RUNHUB_BLESS=1 cargo test cases::`, then read what it
//! said as someone would at 3 a.m.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;

use crate::bless::{blessing, same};
use crate::kit::{Case, Ended, ROOT, WORLD};
use crate::normal;

/// How many cases run side by side.
const ABREAST: usize = 4;

#[test]
fn every_good_book_does_what_its_folder_says() {
    all("ok", good);
}

#[test]
fn every_bad_book_is_told_what_is_wrong() {
    all("bad", bad);
}

/// Runs all folders of a kind; all that went wrong is told at once.
fn all(kind: &str, judge: fn(&Path) -> Result<(), String>) {
    let folders = Mutex::new(folders(kind));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..ABREAST {
            scope.spawn(|| {
                while let Some(folder) = take(&folders) {
                    if let Err(complaint) = judge(&folder) {
                        wrong.lock().unwrap().push(format!("{kind}/{}: {complaint}", name(&folder)));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "{} went wrong\n\n{}", wrong.len(), wrong.join("\n"));
}

fn take(folders: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    folders.lock().unwrap().pop()
}

/// The folders of a kind; there is at least one.
pub(crate) fn folders(kind: &str) -> Vec<PathBuf> {
    let root = Path::new(ROOT).join("tests/cases").join(kind);
    let entries = fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    assert!(!found.is_empty(), "{} holds no case", root.display());
    found.sort();
    found
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn good(folder: &Path) -> Result<(), String> {
    let own = folder.join("scenario.yaml");
    let world = if own.exists() { own } else { WORLD.into() };
    let words = fs::read_to_string(folder.join("args")).unwrap_or_else(|_| "--yes".into());
    let case = Case::new(["run", "runbook.yaml"]).args(words.split_whitespace());
    let ended = case.inside(folder).sim(world).reporting().run();
    let code = ended.code.map_or("a signal".to_owned(), |code| code.to_string());
    let checks = [
        same(&folder.join("expected.exit"), &format!("{code}\n")),
        same(&folder.join("expected.out"), &ended.normal()),
        report(&folder.join("expected.json"), &ended),
    ];
    all_of(checks)
}

/// The report must hold what the file holds; blessing keeps the file's shape.
fn report(path: &Path, ended: &Ended) -> Result<(), String> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) };
    let shape: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let Some(found) = ended.try_report() else { return Err(format!("no report:\n{}", ended.said())) };
    let found = normal::in_shape(&shape, &found);
    if found == shape && !blessing() {
        return Ok(());
    }
    same(path, &format!("{}\n", serde_json::to_string_pretty(&found).unwrap()))
}

fn bad(folder: &Path) -> Result<(), String> {
    let ended = Case::new(["check", "runbook.yaml"]).inside(folder).run();
    let refused = match ended.code {
        Some(3) => Ok(()),
        code => Err(format!("exit code {code:?} instead of 3\n{}", ended.said())),
    };
    all_of([refused, same(&folder.join("expected.err"), &ended.normal())])
}

fn all_of<const N: usize>(checks: [Result<(), String>; N]) -> Result<(), String> {
    let wrong: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
