//! The one who must know of a change before it is sent.
//!
//! A change goes out only with a [`Ticket`], and a ticket comes only from a
//! ledger that has put the [`Intent`] on stable storage: an unjournaled
//! change does not compile (`action::Context::change`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ask::Approval;
use super::change::{Change, Settled, Written};

/// What is about to be done, with all that an undo or a resume needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Intent {
    /// The change.
    pub change: Change,
    /// The body that will be sent, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The object as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
}

/// Something that a resume must find again: a value computed or read once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record", content = "data")]
pub enum Record {
    /// The run's inputs, by name.
    Inputs(Value),
    /// The run's vars, by name.
    Vars(Value),
    /// The frozen items of a loop.
    Items {
        /// The loop's full step name.
        step: String,
        /// Its items, in order.
        items: Vec<Value>,
    },
    /// A step's outputs and info, as journals before format 2 kept them.
    Ended {
        /// The step's full name.
        step: String,
        /// Its outputs.
        outputs: Value,
        /// Its info.
        info: Value,
    },
    /// What the one who began the run must know to go on with it; written and read by `cli`.
    Started(Value),
    /// What came of trying a step, before what follows from that.
    Tried {
        /// The step's full name.
        step: String,
        /// The try as the engine keeps it.
        tried: Value,
    },
    /// A choice that a step makes once, however often it is begun.
    Once {
        /// The step's full name.
        step: String,
        /// What was chosen.
        key: String,
        /// The choice.
        value: Value,
    },
    /// What the server made of the fields that a change wrote, where that differs (`0.5` became `500m`).
    Landed {
        /// The number of the change's intent.
        ticket: u64,
        /// The fields as they then were.
        written: Vec<Written>,
    },
    /// A change was taken back.
    TakenBack {
        /// The number of its intent.
        ticket: u64,
    },
    /// The changes of a step are themselves a way back, and not taken back in turn.
    WayBack {
        /// The step's full name.
        step: String,
    },
    /// A person has answered an `approve`.
    Answered {
        /// The step's full name.
        step: String,
        /// What they said.
        answer: Approval,
    },
    /// A person has let a failed step be as it is: the run goes on after it.
    Skipped {
        /// The step's full name.
        step: String,
    },
}

/// The right to send one change.
#[derive(Debug)]
#[must_use = "a ticket must be settled"]
pub struct Ticket(u64);

impl Ticket {
    /// Issued by a ledger, once the intent is on stable storage, under its own number.
    pub fn issued(number: u64) -> Self {
        Self(number)
    }

    /// The ledger's number of the intent.
    pub fn number(&self) -> u64 {
        self.0
    }
}

/// Why a ledger gives no ticket: nothing may be sent.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot write: the run stops before the next change.
    #[error("the journal cannot be written: {0}")]
    Unwritable(String),
    /// Another run changes the same object.
    #[error("{0}")]
    Held(String),
}

/// Knows of every change before it is sent.
pub trait Ledger: Send + Sync + std::fmt::Debug {
    /// Puts the intent on stable storage, and gives the right to send it.
    ///
    /// # Errors
    /// When it cannot be written; then nothing may be sent.
    fn intend(&self, intent: &Intent) -> Result<Ticket, LedgerError>;

    /// Writes what came of it.
    ///
    /// # Errors
    /// When it cannot be written; the change stands in the journal as in flight.
    fn settle(&self, ticket: Ticket, settled: &Settled) -> Result<(), LedgerError>;

    /// Keeps a value that a resume must find again, sealed.
    ///
    /// # Errors
    /// When it cannot be written.
    fn remember(&self, record: &Record) -> Result<(), LedgerError>;

    /// A fingerprint of a body that is sent, which tells nothing to those without the run's key; in hex.
    fn fingerprint(&self, _: &[u8]) -> String {
        String::new()
    }
}

/// A ledger in memory, for tests and for runs that cannot change anything.
#[derive(Debug, Default)]
pub struct NoLedger {
    issued: std::sync::atomic::AtomicU64,
}

impl Ledger for NoLedger {
    fn intend(&self, _: &Intent) -> Result<Ticket, LedgerError> {
        Ok(Ticket::issued(self.issued.fetch_add(1, std::sync::atomic::Ordering::Relaxed)))
    }

    fn settle(&self, _: Ticket, _: &Settled) -> Result<(), LedgerError> {
        Ok(())
    }

    fn remember(&self, _: &Record) -> Result<(), LedgerError> {
        Ok(())
    }
}
