//! The doors of a plan: what a run would use, with the way to change things walled up.

use std::sync::{Arc, Mutex, PoisonError};

use crate::action::Shelf;
use crate::cluster::Client;
use crate::cluster::tap::{Answered, Dropped, Sent, Tap};
use crate::event::{EventKind, Intent, Ledger, LedgerError, Record, Settled, Sink, SinkError, Ticket, Told};

/// A client for looking, and the one who notes what it asks.
#[derive(Debug, Clone)]
pub struct Scout {
    /// The target; `witness` must be its tap.
    pub client: Client,
    /// Who notes what is asked.
    pub witness: Witness,
}

/// Counts requests, and notes the path of every read; clones share the notes.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    paths: Vec<String>,
    count: u64,
}

impl Witness {
    fn with<T>(&self, act: impl FnOnce(&mut Notes) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The paths asked since the last call.
    pub(super) fn drain(&self) -> Vec<String> {
        self.with(|notes| std::mem::take(&mut notes.paths))
    }

    /// How many requests were sent in all.
    pub(super) fn count(&self) -> u64 {
        self.with(|notes| notes.count)
    }
}

impl Tap for Witness {
    fn sent(&self, sent: &Sent) {
        self.with(|notes| {
            notes.count += 1;
            // What the server rehearses is no read: its answer is about the change alone.
            if sent.method == http::Method::GET {
                notes.paths.push(sent.path.clone());
            }
        });
    }

    fn answered(&self, _: &Answered) {}

    fn dropped(&self, _: &Dropped) {}
}

/// A ledger that gives no ticket: without one no change can be sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NoTickets;

impl Ledger for NoTickets {
    fn intend(&self, _: &Intent) -> Result<Ticket, LedgerError> {
        Err(LedgerError::Held("this is a plan: it changes nothing".into()))
    }

    fn settle(&self, _: Ticket, _: &Settled) -> Result<(), LedgerError> {
        Ok(())
    }

    fn remember(&self, _: &Record) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// A shelf that keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EmptyShelf;

impl Shelf for EmptyShelf {
    fn keep(&self, _: &str, _: &[u8]) -> Result<String, String> {
        Ok("(written by a run)".into())
    }
}

/// Keeps the warnings of a plan; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// All of them, each once.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for Warnings {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        if let EventKind::Warned(note) = &told.event.kind {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let line = match &note.step {
                Some(step) => format!("{step}: {}", note.text),
                None => note.text.clone(),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        Ok(())
    }
}
