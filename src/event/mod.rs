//! The contract between those who act and those who tell.
//!
//! The engine and the actions emit [`Event`]s; journal, report and console
//! hear them and never reach back. Events are owned and serialisable from the
//! first day, so that a report made from a journal equals one made live. To
//! add an event: a variant of [`EventKind`]; the compiler lists the hearers
//! that must answer it.
//!
//! Three more doors stand here because both sides need their shape: the
//! [`Ledger`] that must know of a change before it is sent, the [`Asker`]
//! that speaks to a person, and the [`Fan`] that gives each event, redacted
//! once, to every [`Sink`].

mod ask;
mod change;
mod fan;
mod kind;
mod ledger;
mod outcome;
mod plan;
mod step;

pub use ask::{Answer, Approval, Approve, Asker, Choice, Consent, EffectLine, Nobody, Question};
pub use change::{Change, ObjectId, Reversal, Settled, Verb, Written};
pub use fan::{Fan, Sink, SinkError, Told};
pub use kind::{
    Attempt, Event, EventKind, Exchange, ExchangeEnd, Note, RunEnd, RunHead, StepEnd, StepHead, TargetHead, Waiting,
};
pub use ledger::{Intent, Ledger, LedgerError, NoLedger, Record, Ticket};
pub use outcome::{CancelReason, Class, Failure, Left, Mismatches, NotUndoable, Outcome, StillChanged, Verdict};
pub use plan::{
    Basis, BudgetRow, EffectKind, Fingerprint, Happens, PLAN_VERSION, Plan, PlannedBook, PlannedEffect, PlannedStep,
    PlannedUndo, Problem,
};
pub use step::{Phase, RunId, StepId, StepStatus};

/// The version of the event format; a journal of an older one must stay readable.
pub const FORMAT_VERSION: u32 = 2;
