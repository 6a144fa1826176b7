//! Changes beside the target: journaled like any other, sent by somebody else.
//!
//! A request to another server is no [`Request`](crate::cluster::Request) of
//! the target's client, and still may not be made without a ticket: the gate
//! is asked, the intent is on stable storage, and what came of it is noted.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Effect;
use super::context::Context;
use super::failure;
use super::made::MadeChange;
use crate::event::{Change, Class, EventKind, Failure, Intent, ObjectId, Reversal, Settled, Verb};

/// Something that is done elsewhere and may change something there.
#[derive(Debug, Clone)]
pub(super) struct Execution {
    /// What it is done to: a request, a program, or the pod that a command runs in.
    pub(super) on: ObjectId,
    /// In words for people (`POST`).
    pub(super) summary: String,
    /// What is sent.
    pub(super) body: Option<Value>,
    /// How it is taken back.
    pub(super) reversal: Reversal,
}

impl Execution {
    /// Something with an effect of this kind, that sends no body.
    pub(super) fn with(effect: &Effect, on: ObjectId, summary: impl Into<String>) -> Self {
        let reversal = match effect {
            Effect::Final(reason) => Reversal::Cannot(reason.clone()),
            Effect::Nothing | Effect::Reversible | Effect::Passing => Reversal::Nothing,
        };
        Self { on, summary: summary.into(), body: None, reversal }
    }
}

/// How it ended, as far as anybody knows.
#[derive(Debug, Clone)]
pub(super) enum Done<T> {
    /// There is an answer.
    Answered(T),
    /// It was surely not done.
    Not(Failure),
    /// Nobody knows whether it was done.
    Unknown(Failure),
}

impl<T> Done<T> {
    /// From a failure that comes with whether it may have been done all the same.
    pub(super) fn of(result: Result<T, (Failure, bool)>) -> Self {
        match result {
            Ok(answer) => Self::Answered(answer),
            Err((failure, true)) => Self::Unknown(failure),
            Err((failure, false)) => Self::Not(failure),
        }
    }
}

impl Context {
    /// Does something elsewhere: journaled before, and after.
    ///
    /// # Errors
    /// When the gate or the journal refuses, or it was not done, or nobody knows.
    pub(super) async fn execute<T>(
        &self,
        execution: Execution,
        work: impl Future<Output = Done<T>> + Send,
    ) -> Result<T, Failure>
    where
        T: Serialize + DeserializeOwned,
    {
        let change = self.change_of(&execution);
        if let Some(made) = self.shared.made.claim(self.step(), Verb::Execute, &change.object, &change.summary) {
            return self.answered_before(&made);
        }
        self.shared.gate.admit(&change, &self.shared.made).await?;
        let intent = Intent { change: change.clone(), body: execution.body, before: None };
        let ticket = self.shared.ledger.intend(&intent).map_err(failure::of_ledger)?;
        let number = self.shared.made.begin(change.clone(), None, ticket.number());
        let (settled, answer) = match work.await {
            Done::Answered(answer) => {
                self.keep_answer(number, &answer)?;
                (applied(&change), Ok(answer))
            }
            Done::Not(failure) => (Settled::Refused(failure.clone()), Err(failure)),
            Done::Unknown(failure) => (Settled::Unknown(failure.message.clone()), Err(with_help(failure))),
        };
        let settled_well = self.shared.ledger.settle(ticket, &settled);
        self.shared.made.settle(number, settled.clone(), None);
        self.shared.fan.tell(EventKind::Changed { change: Box::new(change), settled });
        settled_well.map_err(failure::of_ledger)?;
        answer
    }

    /// Keeps what came back, for a process that goes on after this one.
    fn keep_answer(&self, number: usize, answer: &impl Serialize) -> Result<(), Failure> {
        let ticket = self.shared.made.all().get(number).map(|made| made.ticket);
        match (ticket, serde_json::to_value(answer)) {
            (Some(ticket), Ok(answer)) => self.keep(&answer_key(ticket), answer),
            (None, _) | (_, Err(_)) => Ok(()),
        }
    }

    /// The answer that an earlier try got: it is not done again.
    fn answered_before<T: DeserializeOwned>(&self, made: &MadeChange) -> Result<T, Failure> {
        let answer = self.chosen(&answer_key(made.ticket)).and_then(|answer| serde_json::from_value(answer).ok());
        answer.ok_or_else(|| {
            let what =
                format!("{} {}: it was done, and its answer is lost", made.change.summary, made.change.object.name);
            Failure::new(Class::Transport, what).help("look at its other end; it is not done again")
        })
    }

    fn change_of(&self, execution: &Execution) -> Change {
        let body = execution.body.as_ref().map(Value::to_string);
        Change {
            step: self.step().clone(),
            verb: Verb::Execute,
            object: execution.on.clone(),
            summary: execution.summary.clone(),
            resource_version: String::new(),
            body_digest: body.map(|body| self.shared.ledger.fingerprint(body.as_bytes())).unwrap_or_default(),
            written: Vec::new(),
            reversal: execution.reversal.clone(),
            pods: 0,
        }
    }
}

fn applied(change: &Change) -> Settled {
    Settled::Applied { uid: change.object.uid.clone(), resource_version: String::new(), generation: 0 }
}

fn answer_key(ticket: u64) -> String {
    format!("answer to {ticket}")
}

/// Says what to do, where nobody who knows better has said it.
fn with_help(failure: Failure) -> Failure {
    if failure.help.is_some() {
        return failure;
    }
    failure.help("nobody knows whether it was done: look before running again")
}
