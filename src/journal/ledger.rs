//! The journal as the ledger of the engine and as a sink of the fan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;

use super::anchor::Anchor;
use super::append::Appender;
use super::chain::{Chain, Kind};
use super::entry::{IntentEntry, Kept, Remembered, SettledEntry};
use super::error::Error;
use super::lock::{Guard, Lock, ObjectLocks};
use super::redact;
use super::vault_writer::VaultWriter;
use crate::event::{
    EventKind, Intent, Ledger, LedgerError, Record, RunId, Settled, Sink, SinkError, Ticket, Told, Verb,
};
use crate::secret::Redactor;

/// The journal as the ledger of a run.
pub struct JournalLedger {
    run: RunId,
    redactor: Redactor,
    state: Mutex<State>,
    objects: OnceLock<(ObjectLocks, String)>,
    _lock: Lock,
}

/// What is written, and how far it got.
pub(super) struct State {
    pub(super) anchor: Anchor,
    pub(super) lines: Lines,
    pub(super) vault: VaultWriter,
    /// Intents whose end is not known.
    pub(super) open: BTreeSet<u64>,
    /// The objects that this run holds, until it ends.
    pub(super) held: BTreeMap<String, Guard>,
}

impl std::fmt::Debug for JournalLedger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("JournalLedger").field("run", &self.run).finish_non_exhaustive()
    }
}

impl JournalLedger {
    /// The ledger of a run whose folder is locked.
    pub(super) fn new(run: &RunId, redactor: &Redactor, state: State, lock: Lock) -> Self {
        Self {
            run: run.clone(),
            redactor: redactor.clone(),
            state: Mutex::new(state),
            objects: OnceLock::new(),
            _lock: lock,
        }
    }

    /// From now on every object of this target that is about to be changed is taken, so that no other run may.
    pub fn hold_objects_of(&self, target: impl Into<String>, locks: ObjectLocks) {
        // A ledger serves one run against one target.
        let _ = self.objects.set((locks, target.into()));
    }

    /// Takes an object for this run, where locks are wanted and it is one that others could take.
    fn hold(&self, intent: &Intent) -> Result<(), Error> {
        let Some((locks, target)) = self.objects.get().filter(|_| intent.change.verb != Verb::Execute) else {
            return Ok(());
        };
        let object = &intent.change.object;
        let name = object.to_string();
        if self.state().held.contains_key(&name) {
            return Ok(());
        }
        let guard = locks.take(target, object)?;
        self.state().held.insert(name, guard);
        Ok(())
    }

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
        state.anchor.hold()?;
        // The values first: an intent that can be read but not taken back is worth little.
        state.vault.sync()?;
        let number = state.lines.write(Kind::Intent, &IntentEntry { change, vault })?;
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
        state.lines.write(Kind::Settled, &SettledEntry { ticket, settled })?;
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
        state.lines.write(Kind::Record, &Remembered { what, step, vault })?;
        Ok(())
    }

    fn write_event(&self, told: &Told<'_>) -> Result<(), Error> {
        let mut state = self.state();
        state.lines.text(Kind::Event, told.line)?;
        if matches!(told.event.kind, EventKind::RunFinished(_)) {
            state.sync()?;
        }
        Ok(())
    }
}

impl Ledger for JournalLedger {
    fn intend(&self, intent: &Intent) -> Result<Ticket, LedgerError> {
        self.hold(intent).and_then(|()| self.write_intent(intent)).map_err(refused)
    }

    fn settle(&self, ticket: Ticket, settled: &Settled) -> Result<(), LedgerError> {
        self.write_settled(ticket.number(), settled).map_err(refused)
    }

    fn remember(&self, record: &Record) -> Result<(), LedgerError> {
        self.write_record(record).map_err(refused)
    }

    fn fingerprint(&self, bytes: &[u8]) -> String {
        self.state().vault.fingerprint(bytes)
    }
}

fn refused(error: Error) -> LedgerError {
    match error {
        Error::Held(held) => LedgerError::Held(held.to_string()),
        other => LedgerError::Unwritable(other.to_string()),
    }
}

/// The journal as a sink of events.
#[derive(Debug)]
pub struct JournalSink(pub(super) Arc<JournalLedger>);

impl Sink for JournalSink {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        self.0.write_event(told).map_err(|error| SinkError { sink: "journal".into(), message: error.to_string() })
    }
}

impl State {
    /// The vault first, so that no synced line names a record that is not there.
    fn sync(&mut self) -> Result<(), Error> {
        self.anchor.hold()?;
        self.vault.sync()?;
        self.lines.appender.sync()
    }
}

/// The writing end of the journal's file.
pub(super) struct Lines {
    path: PathBuf,
    pub(super) appender: Appender,
    chain: Chain,
    buffer: String,
}

impl Lines {
    /// Goes on where the chain stands.
    pub(super) fn new(path: PathBuf, appender: Appender, chain: Chain) -> Self {
        Self { path, appender, chain, buffer: String::new() }
    }

    /// Adds a line, and gives its number.
    pub(super) fn write(&mut self, kind: Kind, data: &impl Serialize) -> Result<u64, Error> {
        let data = serde_json::to_string(data).map_err(|why| Error::disk(&self.path, "write")(why.into()))?;
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

#[cfg(test)]
mod tests;
