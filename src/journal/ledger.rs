//! The writing side: one journal, which is the ledger of the engine and a sink of the fan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::append::Appender;
use super::chain::{Chain, Kind};
use super::cipher::Cipher;
use super::entry::{Header, IntentEntry, JOURNAL_VERSION, Kept, Remembered, SettledEntry};
use super::error::Error;
use super::lock::{Holder, Lock};
use super::places::{JOURNAL, LOCK, Places};
use super::read::Journaled;
use super::vault::VaultWriter;
use super::{files, read, redact};
use crate::clock::Clock;
use crate::event::{
    EventKind, FORMAT_VERSION, Intent, Ledger, LedgerError, Record, RunId, Settled, Sink,
    SinkError, Ticket, Told,
};
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
    pub fn create(
        places: &Places,
        run: &RunId,
        redactor: &Redactor,
        clock: Clock,
    ) -> Result<Self, Error> {
        let folder = places.run(run)?;
        files::folder(&places.runs())?;
        if folder.exists() || places.key(run)?.exists() {
            return Err(Error::Taken(run.clone()));
        }
        files::new_folder(&folder)?;
        let made = Cipher::create(places, run).and_then(|cipher| {
            begin(&folder, run, clock, cipher).inspect_err(|_| drop_key(places, run))
        });
        match made {
            Ok((state, lock)) => Ok(Self::of(run, redactor, state, lock)),
            Err(error) => {
                // Best effort: the error that led here is the one to tell.
                let _ = std::fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// Goes on with the record of a run that broke off, and says what stands in it.
    ///
    /// Half a line at an end is cut off, and so is what a power cut left without its vault record.
    ///
    /// # Errors
    /// When another process writes it, the key is gone, or it is damaged before its end.
    pub fn reopen(
        places: &Places,
        run: &RunId,
        redactor: &Redactor,
        clock: Clock,
    ) -> Result<(Self, Journaled), Error> {
        let folder = places.run(run)?;
        if !folder.is_dir() {
            return Err(Error::NoRun {
                run: run.clone(),
                folder: places.runs(),
            });
        }
        let lock = locked(&folder, run, clock)?;
        let cipher = Cipher::open(places, run)?;
        let (state, journaled) = go_on(&folder, cipher)?;
        Ok((Self::of(run, redactor, state, lock), journaled))
    }

    fn of(run: &RunId, redactor: &Redactor, state: State, lock: Lock) -> Self {
        let ledger = Arc::new(JournalLedger {
            run: run.clone(),
            redactor: redactor.clone(),
            state: Mutex::new(state),
            _lock: lock,
        });
        let sink = JournalSink(Arc::clone(&ledger));
        Self { ledger, sink }
    }
}

fn begin(folder: &Path, run: &RunId, clock: Clock, cipher: Cipher) -> Result<(State, Lock), Error> {
    let lock = locked(folder, run, clock)?;
    let vault = VaultWriter::create(folder, run, cipher)?;
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
    lines.appender.sync()?;
    files::sync_folder(folder)?;
    let state = State {
        lines,
        vault,
        open: BTreeSet::new(),
    };
    Ok((state, lock))
}

fn go_on(folder: &Path, cipher: Cipher) -> Result<(State, Journaled), Error> {
    let vault = VaultWriter::reopen(folder, cipher)?;
    let path = folder.join(JOURNAL);
    let journaled = read::backed(&path, vault.last())?;
    let appender = Appender::after(files::old_file(&path)?, &path, journaled.length())?;
    let lines = Lines::new(path, appender, journaled.chain().clone());
    let open = journaled
        .in_flight()
        .map(|intended| intended.number)
        .collect();
    Ok((State { lines, vault, open }, journaled))
}

fn locked(folder: &Path, run: &RunId, clock: Clock) -> Result<Lock, Error> {
    Lock::take(
        &folder.join(LOCK),
        &format!("run {run}"),
        &Holder::here(run, clock),
    )
}

/// Best effort: the error that led here is the one to tell.
fn drop_key(places: &Places, run: &RunId) {
    if let Ok(key) = places.key(run) {
        let _ = std::fs::remove_file(key);
    }
}

/// The journal as the ledger of a run.
pub struct JournalLedger {
    run: RunId,
    redactor: Redactor,
    state: Mutex<State>,
    _lock: Lock,
}

struct State {
    lines: Lines,
    vault: VaultWriter,
    /// Intents whose end is not known.
    open: BTreeSet<u64>,
}

impl std::fmt::Debug for JournalLedger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("JournalLedger")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl JournalLedger {
    /// The hash of the last line, in hex: it stands for all that the journal holds now.
    pub fn root(&self) -> String {
        self.state().lines.chain.root.clone()
    }

    /// Puts everything on stable storage; done by itself when the run's end is told.
    ///
    /// # Errors
    /// When it cannot.
    pub fn sync(&self) -> Result<(), Error> {
        self.state().sync()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_intent(&self, intent: &Intent) -> Result<Ticket, Error> {
        let change = redact::change(&intent.change, &self.redactor);
        let mut state = self.state();
        let vault = state.vault.intent(intent)?;
        // The values first: an intent that can be read but not taken back is worth little.
        state.vault.sync()?;
        let number = state
            .lines
            .write(Kind::Intent, &IntentEntry { change, vault })?;
        state.lines.appender.sync()?;
        state.open.insert(number);
        Ok(Ticket::issued(number))
    }

    fn write_settled(&self, ticket: u64, settled: &Settled) -> Result<(), Error> {
        let known = !matches!(settled, Settled::Unknown(_));
        let settled = redact::settled(settled, &self.redactor);
        let mut state = self.state();
        if !state.open.contains(&ticket) {
            return Err(Error::NotOpen(ticket));
        }
        state
            .lines
            .write(Kind::Settled, &SettledEntry { ticket, settled })?;
        state.sync()?;
        if known {
            state.open.remove(&ticket);
        }
        Ok(())
    }

    fn write_record(&self, record: &Record) -> Result<(), Error> {
        let (what, step) = Kept::of(record);
        let step = step.map(|step| self.redactor.text(step).into_owned());
        let mut state = self.state();
        let vault = state.vault.record(record)?;
        state
            .lines
            .write(Kind::Record, &Remembered { what, step, vault })?;
        Ok(())
    }

    fn write_event(&self, told: &Told<'_>) -> Result<(), Error> {
        let mut state = self.state();
        state.lines.text(Kind::Event, told.line)?;
        match told.event.kind {
            EventKind::RunFinished(_) => state.sync(),
            _ => Ok(()),
        }
    }
}

impl Ledger for JournalLedger {
    fn intend(&self, intent: &Intent) -> Result<Ticket, LedgerError> {
        self.write_intent(intent).map_err(refused)
    }

    fn settle(&self, ticket: Ticket, settled: &Settled) -> Result<(), LedgerError> {
        self.write_settled(ticket.number(), settled)
            .map_err(refused)
    }

    fn remember(&self, record: &Record) -> Result<(), LedgerError> {
        self.write_record(record).map_err(refused)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` wants"
)]
fn refused(error: Error) -> LedgerError {
    LedgerError(error.to_string())
}

/// The journal as a sink of events.
#[derive(Debug)]
pub struct JournalSink(Arc<JournalLedger>);

impl Sink for JournalSink {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        self.0.write_event(told).map_err(|error| SinkError {
            sink: "journal".into(),
            message: error.to_string(),
        })
    }
}

impl State {
    /// The vault first, so that no synced line names a record that is not there.
    fn sync(&mut self) -> Result<(), Error> {
        self.vault.sync()?;
        self.lines.appender.sync()
    }
}

/// The writing end of the journal's file.
struct Lines {
    path: PathBuf,
    appender: Appender,
    chain: Chain,
    buffer: String,
}

impl Lines {
    fn new(path: PathBuf, appender: Appender, chain: Chain) -> Self {
        Self {
            path,
            appender,
            chain,
            buffer: String::new(),
        }
    }

    /// Adds a line, and gives its number.
    fn write(&mut self, kind: Kind, data: &impl Serialize) -> Result<u64, Error> {
        let data = serde_json::to_string(data)
            .map_err(|why| Error::disk(&self.path, "write")(why.into()))?;
        self.text(kind, &data)
    }

    fn text(&mut self, kind: Kind, data: &str) -> Result<u64, Error> {
        let number = self.chain.next;
        let after = self.chain.forge(kind, data, &mut self.buffer);
        self.appender.line(self.buffer.as_bytes())?;
        self.chain = after;
        Ok(number)
    }
}
