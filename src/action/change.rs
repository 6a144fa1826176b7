//! The one door through which a target is changed.
//!
//! [`Context::change`] asks the gate, journals the intent, sends, and journals
//! what came of it. An answer that was lost is looked up: by UID and by the
//! fields we wrote (runbook-format §9); a change is never sent blindly again.

use std::fmt::Debug;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::Effect;
use super::context::Context;
use super::failure;
use super::made::Made;
use super::rollout::generation;
use crate::cluster::request::FIELD_MANAGER;
use crate::cluster::resource::Address;
use crate::cluster::{Client, Error, Request, Write};
use crate::event::{Change, Class, EventKind, Failure, Intent, ObjectId, Reversal, Settled, StepId, Verb, Written};

/// Who may still say no to a change: budget, a question before each change.
#[async_trait::async_trait]
pub trait Gate: Send + Sync + Debug {
    /// Lets a change pass.
    ///
    /// # Errors
    /// Why it may not be made.
    async fn admit(&self, change: &Change, made: &Made) -> Result<(), Failure>;

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
        let change = self.described(&proposal);
        self.shared.gate.admit(&change, &self.shared.made).await?;
        self.journaled(change, proposal).await
    }

    /// Takes a change back: journaled like any other, never refused by the budget.
    pub(super) async fn change_back(&self, proposal: Proposal) -> Result<Value, Failure> {
        self.journaled(self.described(&proposal), proposal).await
    }

    /// Does something outside the target, journaled like any other change.
    ///
    /// `work` fails with whether it may have been done all the same.
    ///
    /// # Errors
    /// When the gate or the journal refuses, or the work itself fails.
    pub(super) async fn outside<T>(
        &self,
        what: &str,
        effect: &Effect,
        work: impl Future<Output = Result<T, (Failure, bool)>>,
    ) -> Result<T, Failure> {
        let object = ObjectId { kind: "Outside".into(), name: what.to_owned(), ..ObjectId::default() };
        self.execute(object, "done", effect, work).await
    }

    /// Does something to an object that no answer of the server describes, journaled like any other change.
    ///
    /// `work` fails with whether it may have been done all the same.
    ///
    /// # Errors
    /// When the gate or the journal refuses, or the work itself fails.
    pub(super) async fn execute<T>(
        &self,
        object: ObjectId,
        summary: &str,
        effect: &Effect,
        work: impl Future<Output = Result<T, (Failure, bool)>>,
    ) -> Result<T, Failure> {
        let change = executed(self.step(), object, summary, effect);
        self.shared.gate.admit(&change, &self.shared.made).await?;
        let intent = Intent { change: change.clone(), body: None, before: None };
        let journal = |error: crate::event::LedgerError| Failure::new(Class::Journal, error.to_string());
        let ticket = self.shared.ledger.intend(&intent).map_err(journal)?;
        let number = self.shared.made.begin(change.clone(), None, ticket.number());
        let uid = change.object.uid.clone();
        let (settled, done) = match work.await {
            Ok(done) => (Settled::Applied { uid, resource_version: String::new(), generation: 0 }, Ok(done)),
            Err((failure, true)) => (Settled::Unknown(failure.message.clone()), Err(failure)),
            Err((failure, false)) => (Settled::Refused(failure.clone()), Err(failure)),
        };
        let settled_well = self.shared.ledger.settle(ticket, &settled);
        self.shared.made.settle(number, settled.clone(), None);
        self.shared.fan.tell(EventKind::Changed { change: Box::new(change), settled });
        settled_well.map_err(journal)?;
        done
    }

    async fn journaled(&self, change: Change, proposal: Proposal) -> Result<Value, Failure> {
        let intent = Intent {
            change: change.clone(),
            body: proposal.request.body().cloned(),
            before: proposal.before.as_deref().cloned(),
        };
        let ticket =
            self.shared.ledger.intend(&intent).map_err(|error| Failure::new(Class::Journal, error.to_string()))?;
        let number = self.shared.made.begin(change.clone(), proposal.before.clone(), ticket.number());
        let (settled, answer) = self.send(&proposal).await;
        let settled_well = self.shared.ledger.settle(ticket, &settled);
        self.shared.made.settle(number, settled.clone(), answer.as_ref().ok());
        self.shared.fan.tell(EventKind::Changed { change: Box::new(change), settled });
        settled_well.map_err(|error| Failure::new(Class::Journal, error.to_string()))?;
        answer
    }

    fn described(&self, proposal: &Proposal) -> Change {
        let body = proposal.request.body().map(Value::to_string);
        Change {
            step: self.step().clone(),
            verb: proposal.verb,
            object: proposal.object.clone(),
            summary: proposal.summary.clone(),
            resource_version: proposal.before.as_deref().map(resource_version).unwrap_or_default(),
            body_digest: body.map(|body| hex(digest(&SHA256, body.as_bytes()).as_ref())).unwrap_or_default(),
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
                find_out(&self.shared.client, address, &self.described(proposal), proposal.request.body()).await
            }
            None => Found::Unclear,
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
            Found::Unclear => {
                let help = "nobody knows whether the change was made: look at the object before running again";
                (Settled::Unknown(lost.message.clone()), Err(lost.help(help)))
            }
        }
    }
}

/// A change that is a deed, and writes no field that we know.
fn executed(step: &StepId, object: ObjectId, summary: &str, effect: &Effect) -> Change {
    let reversal = match effect {
        Effect::Final(reason) => Reversal::Cannot(reason.clone()),
        Effect::Nothing | Effect::Reversible | Effect::Passing => Reversal::Nothing,
    };
    Change {
        step: step.clone(),
        verb: Verb::Execute,
        object,
        summary: summary.to_owned(),
        resource_version: String::new(),
        body_digest: String::new(),
        written: Vec::new(),
        reversal,
        pods: 0,
    }
}

/// What the object itself says of a change whose answer was lost.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// It was made; the object as it is now.
    Made(Value),
    /// It was not made.
    NotMade,
    /// It cannot be told.
    Unclear,
}

/// Reads the object and judges by UID and by the fields we wrote.
pub(super) async fn find_out(client: &Client, address: &Address, change: &Change, sent: Option<&Value>) -> Found {
    let now = match client.read_json(&address.get()).await {
        Ok(mut object) => {
            address.resource().name_kind(&mut object);
            Some(object)
        }
        Err(error) if error.is_not_found() => None,
        Err(_) => return Found::Unclear,
    };
    judge(change, sent, now)
}

fn judge(change: &Change, sent: Option<&Value>, now: Option<Value>) -> Found {
    let same = |object: &Value| ObjectId::of(object).uid == change.object.uid;
    match (change.verb, now) {
        (Verb::Delete | Verb::Evict, None) => Found::Made(Value::Null),
        (Verb::Delete | Verb::Evict, Some(object)) if !same(&object) => Found::Made(Value::Null),
        (Verb::Delete | Verb::Evict, Some(object)) => {
            if object.pointer("/metadata/deletionTimestamp").is_some() {
                Found::Made(object)
            } else {
                Found::NotMade
            }
        }
        (Verb::Create, None) => Found::NotMade,
        (Verb::Create, Some(object)) if carries_our_mark(sent, &object) || was_applied(sent, &object) => {
            Found::Made(object)
        }
        (Verb::Patch, Some(object)) if same(&object) => {
            if change.written.iter().all(|field| object.pointer(&field.pointer) == field.after.as_ref()) {
                Found::Made(object)
            } else if resource_version(&object) == change.resource_version {
                Found::NotMade
            } else {
                Found::Unclear
            }
        }
        _ => Found::Unclear,
    }
}

/// Whether a created object bears the annotation under which we sent it.
fn carries_our_mark(sent: Option<&Value>, object: &Value) -> bool {
    let mark = "/metadata/annotations/runhub.dev~1run";
    let sent = sent.and_then(|body| body.pointer(mark));
    sent.is_some() && object.pointer(mark) == sent
}

/// Whether an object that was not there before holds what we sent, by our own server-side apply.
fn was_applied(sent: Option<&Value>, object: &Value) -> bool {
    let ours = |entry: &&Value| {
        entry.get("manager").is_some_and(|manager| manager == FIELD_MANAGER)
            && entry.get("operation").is_some_and(|operation| operation == "Apply")
    };
    let managers = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    managers.into_iter().flatten().any(|entry| ours(&entry)) && sent.is_some_and(|sent| holds(sent, object))
}

/// Whether `object` has every field of `wanted`; lists are compared by their length only, as servers fill their items.
fn holds(wanted: &Value, object: &Value) -> bool {
    match (wanted, object) {
        (Value::Object(fields), Value::Object(found)) => {
            fields.iter().all(|(name, value)| found.get(name).is_some_and(|found| holds(value, found)))
        }
        (Value::Array(items), Value::Array(found)) => items.len() == found.len(),
        (wanted, found) => wanted == found,
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
