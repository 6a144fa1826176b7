//! Opening a journal for writing: a new one, or one that broke off.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::anchor::Anchor;
use super::append::Appender;
use super::chain::{Chain, Kind};
use super::cipher::Cipher;
use super::entry::{Header, JOURNAL_VERSION};
use super::error::Error;
use super::ledger::{JournalLedger, JournalSink, Lines, State};
use super::lock::{Holder, Lock};
use super::places::{JOURNAL, LOCK, Places};
use super::read::Journaled;
use super::vault_writer::VaultWriter;
use super::{files, read};
use crate::clock::Clock;
use crate::event::{FORMAT_VERSION, RunId};
use crate::secret::Redactor;

/// The open journal of one run; the run is locked until both parts are dropped.
#[derive(Debug)]
pub struct Journal {
    /// Knows of every change before it is sent.
    pub ledger: Arc<JournalLedger>,
    /// Hears of every event.
    pub sink: JournalSink,
}

impl Journal {
    /// Begins the record of a new run: its folder, key, vault and lock.
    ///
    /// # Errors
    /// [`Error::Taken`] when a run of that name exists; else when something cannot be made, and then nothing is left.
    pub fn create(places: &Places, run: &RunId, redactor: &Redactor, clock: Clock) -> Result<Self, Error> {
        let folder = places.run(run)?;
        if places.key(run)?.exists() {
            return Err(Error::Taken(run.clone()));
        }
        files::folder(&places.runs())?;
        files::make_folder(&folder).map_err(|error| taken(run, error))?;
        let (state, lock) = begin(places, run, clock).inspect_err(|_| clear(places, run, &folder))?;
        Ok(Self::of(run, redactor, state, lock))
    }

    /// Goes on with the record of a run that broke off, and says what stands in it.
    ///
    /// Half a line at an end is cut off, and so is what a power cut left without its vault record.
    ///
    /// # Errors
    /// When another process writes it, the key is gone, or it is damaged before its end.
    pub fn reopen(places: &Places, run: &RunId, redactor: &Redactor, clock: Clock) -> Result<(Self, Journaled), Error> {
        let folder = places.run(run)?;
        if !folder.is_dir() {
            return Err(Error::NoRun { run: run.clone(), folder: places.runs() });
        }
        let lock = locked(&folder, run, clock)?;
        let (state, journaled) = go_on(places, run)?;
        Ok((Self::of(run, redactor, state, lock), journaled))
    }

    fn of(run: &RunId, redactor: &Redactor, state: State, lock: Lock) -> Self {
        let ledger = Arc::new(JournalLedger::new(run, redactor, state, lock));
        let sink = JournalSink(Arc::clone(&ledger));
        Self { ledger, sink }
    }
}

fn begin(places: &Places, run: &RunId, clock: Clock) -> Result<(State, Lock), Error> {
    let folder = places.run(run)?;
    let cipher = Cipher::create(places, run)?;
    let lock = locked(&folder, run, clock)?;
    let vault = VaultWriter::create(&folder, run, cipher)?;
    let path = folder.join(JOURNAL);
    let appender = Appender::after(files::new_file(&path)?, &path, 0)?;
    let mut lines = Lines::new(path, appender, Chain::start());
    lines.write(
        Kind::Header,
        &Header {
            journal_version: JOURNAL_VERSION,
            event_version: FORMAT_VERSION,
            runhub_version: env!("CARGO_PKG_VERSION").into(),
            run: run.clone(),
            at: clock.now(),
        },
    )?;
    let state = State { anchor: Anchor::of(places, run)?, lines, vault, open: BTreeSet::new(), held: BTreeMap::new() };
    Ok((state, lock))
}

fn go_on(places: &Places, run: &RunId) -> Result<(State, Journaled), Error> {
    let folder = places.run(run)?;
    let vault = VaultWriter::reopen(&folder, Cipher::open(places, run)?)?;
    let path = folder.join(JOURNAL);
    let journaled = read::backed(&path, vault.last())?;
    if journaled.header.run != *run {
        let why = format!("it is the journal of run {}", journaled.header.run);
        return Err(Error::damaged(&path, 1, why));
    }
    let appender = Appender::after(files::old_file(&path)?, &path, journaled.length())?;
    let lines = Lines::new(path, appender, journaled.chain().clone());
    let open = journaled.in_flight().map(|intended| intended.number).collect();
    Ok((State { anchor: Anchor::of(places, run)?, lines, vault, open, held: BTreeMap::new() }, journaled))
}

fn locked(folder: &Path, run: &RunId, clock: Clock) -> Result<Lock, Error> {
    Lock::take(&folder.join(LOCK), &format!("run {run}"), &Holder::here(run, clock))
}

/// Takes back a beginning that failed. Best effort: the error that led here is the one to tell.
fn clear(places: &Places, run: &RunId, folder: &Path) {
    let _ = places.key(run).map(std::fs::remove_file);
    let _ = std::fs::remove_dir_all(folder);
}

fn taken(run: &RunId, error: Error) -> Error {
    match error {
        Error::Disk { why, .. } if why.kind() == ErrorKind::AlreadyExists => Error::Taken(run.clone()),
        other => other,
    }
}
