//! The record of a run on disk, and the way back from it.
//!
//! `cli` opens a [`Journal`] and hands its ledger to the engine and its sink
//! to the fan; `resume`, `undo`, `report` and the history read what they left.
//! One run, one folder, one writer:
//!
//! ```text
//! <state>/runs/<id>/journal.jsonl   what happened, a line each, chained by hashes
//!                   vault.jsonl     what must not be seen, sealed under the run's key
//!                   lock            who writes here
//!                   artifacts/      files that the book asked for
//! <state>/keys/<id>.key             the key; `forget` deletes it
//! <state>/locks/                    who changes which object
//! ```
//!
//! An intent is on stable storage, vault first, before its ticket exists; with
//! the first, the key and the folders too, so that a run that changes nothing
//! waits for no disk before its end.
//! Events are appended without a sync: a killed process loses none, a power
//! cut only those after the last change. A database was tried and rejected:
//! lines are as fast, need no code to read and survive a torn write.
//!
//! A new kind of line is a variant of `chain::Kind`, a shape in `entry` and an
//! arm in `read`; a changed one needs a new [`JOURNAL_VERSION`].

mod anchor;
mod append;
mod artifacts;
mod chain;
mod cipher;
mod entry;
mod error;
mod files;
mod history;
#[cfg(test)]
mod kit;
mod ledger;
mod lock;
mod open;
mod places;
mod read;
mod redact;
mod vault;
mod vault_writer;
mod verify;

pub use artifacts::Artifacts;
pub use entry::{Header, JOURNAL_VERSION, Kept, Remembered, Sealed};
pub use error::Error;
pub use history::{RunState, RunSummary, forget, list};
pub use ledger::{JournalLedger, JournalSink};
pub use lock::{Guard, Held, Holder, ObjectLocks};
pub use open::Journal;
pub use places::{Places, new_run_id};
pub use read::{Intended, Journaled, Mark, read};
pub use vault::Vault;
pub use verify::{Flawed, Verified, verify};
