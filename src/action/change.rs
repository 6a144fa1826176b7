//! The one door through which a target is changed.
//!
//! [`Context::change`] asks the gate, journals the intent, sends, and journals
//! what came of it. An answer that was lost is looked up: by UID and by the
//! fields we wrote (runbook-format §9); a change is never sent blindly again.

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::failure;
use super::in_flight::{Found, Lost, find_out};
use super::made::Made;
use super::rollout::generation;
use crate::cluster::resource::Address;
use crate::cluster::{Error, Request, Write};
use crate::event::{Change, EventKind, Failure, Intent, ObjectId, Record, Reversal, Settled, Verb, Written};

/// Who may still say no to a change: budget, a question before each change.
#[async_trait::async_trait]
pub trait Gate: Send + Sync + Debug {
    /// Lets a change pass.
    ///
    /// # Errors
    /// Why it may not be made.
    async fn admit(&self, change: &Change, made: &Made) -> Result<(), Failure>;

    /// Lets a change pass that takes pods away, by how much of a workload it leaves.
    ///
    /// # Errors
    /// Why it may not be made.
    async fn weigh(&self, _: &Context, _: &Proposal) -> Result<(), Failure> {
        Ok(())
    }

    /// What was spent of what, a line each.
    fn account(&self, _: &Made) -> Vec<String> {
        Vec::new()
    }
}

/// The gate that lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGate;

#[async_trait::async_trait]
impl Gate for OpenGate {
    async fn admit(&self, _: &Change, _: &Made) -> Result<(), Failure> {
        Ok(())
    }
}

/// A change to one object, ready to be sent.
#[derive(Debug)]
pub struct Proposal {
    /// What is done.
    pub verb: Verb,
    /// Where the object lies, to look a lost answer up; for a creation with a generated name: nowhere.
    pub address: Option<Address>,
    /// Which object, as it was when the change was computed.
    pub object: ObjectId,
    /// In words for people.
    pub summary: String,
    /// What is sent.
    pub request: Request<Write>,
    /// The object as it was.
    pub before: Option<Arc<Value>>,
    /// The fields it writes.
    pub written: Vec<Written>,
    /// How it is taken back.
    pub reversal: Reversal,
    /// Running pods that it takes away at most, beside its own object.
    pub pods: u32,
}

impl Context {
    /// Makes a change: journaled before it is sent, and after.
    ///
    /// Gives the object as the server answered it, or the answer's body.
    ///
    /// # Errors
    /// When the gate, the journal or the server refuses, or nobody knows what came of it.
    pub async fn change(&self, proposal: Proposal) -> Result<Value, Failure> {
        if let Some(made) = self.made_before(&proposal).await {
            return made;
        }
        let change = self.described(&proposal);
        self.shared.gate.weigh(self, &proposal).await?;
        self.shared.gate.admit(&change, &self.shared.made).await?;
        self.journaled(change, proposal).await
    }

    /// Takes a change back: journaled like any other, never refused by the budget.
    pub(super) async fn change_back(&self, proposal: Proposal) -> Result<Value, Failure> {
        if let Some(made) = self.made_before(&proposal).await {
            return made;
        }
        self.journaled(self.described(&proposal), proposal).await
    }

    async fn journaled(&self, change: Change, proposal: Proposal) -> Result<Value, Failure> {
        let intent = Intent {
            change: change.clone(),
            body: proposal.request.body().cloned(),
            before: proposal.before.as_deref().cloned(),
        };
        let ticket = self.shared.ledger.intend(&intent).map_err(failure::of_ledger)?;
        let number = self.shared.made.begin(change.clone(), proposal.before.clone(), ticket.number());
        let (settled, answer) = self.send(&proposal).await;
        let settled_well = self.shared.ledger.settle(ticket, &settled);
        let landed = self.shared.made.settle(number, settled.clone(), answer.as_ref().ok());
        self.shared.fan.tell(EventKind::Changed { change: Box::new(change), settled });
        settled_well.map_err(failure::of_ledger)?;
        self.landed(number, landed)?;
        answer
    }

    /// Keeps what the server made of the fields we wrote, for an undo by another process.
    fn landed(&self, number: usize, landed: bool) -> Result<(), Failure> {
        let made = self.shared.made.all().into_iter().nth(number).filter(|_| landed);
        let Some(made) = made else { return Ok(()) };
        let record = Record::Landed { ticket: made.ticket, written: made.change.written };
        self.shared.ledger.remember(&record).map_err(failure::of_ledger)
    }

    fn described(&self, proposal: &Proposal) -> Change {
        let body = proposal.request.body().map(Value::to_string);
        Change {
            step: self.step().clone(),
            verb: proposal.verb,
            object: proposal.object.clone(),
            summary: proposal.summary.clone(),
            resource_version: proposal.before.as_deref().map(resource_version).unwrap_or_default(),
            body_digest: body.map(|body| self.shared.ledger.fingerprint(body.as_bytes())).unwrap_or_default(),
            written: proposal.written.clone(),
            reversal: proposal.reversal.clone(),
            pods: proposal.pods,
        }
    }

    async fn send(&self, proposal: &Proposal) -> (Settled, Result<Value, Failure>) {
        let what = proposal.request.what();
        match self.shared.client.write(&proposal.request).await {
            Ok(response) => match response.json() {
                Ok(mut object) => {
                    if let Some(address) = &proposal.address {
                        address.resource().name_kind(&mut object);
                    }
                    (applied(&object, proposal), Ok(object))
                }
                Err(error) => self.look_up(proposal, &error).await,
            },
            Err(error) if !error.may_have_applied() => {
                let failure = failure::of_error(&error, what);
                (Settled::Refused(failure.clone()), Err(failure))
            }
            Err(error) => self.look_up(proposal, &error).await,
        }
    }

    /// The answer was lost: the object itself says whether the change was made.
    async fn look_up(&self, proposal: &Proposal, error: &Error) -> (Settled, Result<Value, Failure>) {
        let lost = failure::of_error(error, proposal.request.what());
        let found = match &proposal.address {
            Some(address) => {
                let change = self.described(proposal);
                let sent = Lost { change: &change, before: proposal.before.as_deref(), run: &self.facts().run };
                find_out(&self.shared.client, address, &sent).await
            }
            None => Found::Unclear(String::new()),
        };
        match found {
            Found::Made(object) => {
                self.warn(format!(
                    "{}: the answer was lost ({error}); the object shows that the change was made",
                    proposal.request.what()
                ));
                (applied(&object, proposal), Ok(object))
            }
            Found::NotMade => (Settled::Refused(lost.clone()), Err(lost)),
            Found::Unclear(_) | Found::Unread(_) => {
                let help = "nobody knows whether the change was made: look at the object before running again";
                (Settled::Unknown(lost.message.clone()), Err(lost.help(help)))
            }
        }
    }
}

fn applied(object: &Value, proposal: &Proposal) -> Settled {
    let id = ObjectId::of(object);
    let uid = if id.uid.is_empty() || id.kind == "Status" { proposal.object.uid.clone() } else { id.uid };
    Settled::Applied { uid, resource_version: resource_version(object), generation: generation(object) }
}

/// An object's resourceVersion; empty where there is none.
pub(super) fn resource_version(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
