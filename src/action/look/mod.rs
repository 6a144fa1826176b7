//! Looking at what an action would do, without doing it.
//!
//! A [`Look`] is the door for plans: it reads, and it lets the server rehearse
//! a change, which is a read to the server too. A real change does not go
//! through it: there is no method for one, and the run behind it has a ledger
//! that gives no ticket. Every action has its [`look`](super::Action::look);
//! it shares the computation with `act`, so that a plan and a run cannot
//! differ. To let a new action look: say its edits with [`Look::edits`], or its
//! changes one by one with [`Look::rehearse`].

mod aim;
mod foresight;
mod needs;

use std::collections::BTreeSet;

use ring::digest::{SHA256, digest};
use serde_json::Value;

pub use aim::Blur;
pub use foresight::Foresight;
pub(super) use foresight::Left;
pub use needs::{Need, permissions};

use super::change::{Proposal, hex};
use super::context::Context;
use super::diff::{content, differences, with_written};
use super::edit::{self, Edit};
use super::get::conceal_data;
use super::{Observed, failure};
use crate::cluster::resource::{Address, NAMESPACE};
use crate::document::{ObjectSet, Target};
use crate::event::{
    Basis, Class, EffectKind, Failure, ObjectId, PlannedEffect, PlannedUndo, Reversal, StepId, Verb, Written,
};
use crate::secret::MASK;

/// How often an object that changes while it is looked at is looked at anew.
const CONFLICTS: u32 = 3;

/// What ends a generated name in a plan: the rest is drawn when the object is made.
pub const GENERATED: &str = "-*";

/// Why it cannot be seen what an action would do.
#[derive(Debug, Clone, PartialEq)]
pub enum Blind {
    /// It would go badly as the target is now.
    Failed(Failure),
    /// It depends on what is not known yet, and on what.
    Unknown(String),
    /// Nobody but the one who does it knows, and why.
    Opaque(String),
}

impl From<Failure> for Blind {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What an action would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    /// An entry an object, in the order in which they would be changed.
    pub effects: Vec<PlannedEffect>,
    /// What a reading action saw.
    pub observed: Option<Observed>,
}

impl Outlook {
    /// The outlook of a reading action: it was done.
    pub(super) fn read(observed: Observed) -> Self {
        let (object, summary) = match observed.result.get("items").and_then(Value::as_array) {
            Some(items) => (None, format!("{} found", items.len())),
            None => (Some(ObjectId::of(&observed.result)).filter(|id| !id.kind.is_empty()), String::new()),
        };
        let effect = PlannedEffect {
            kind: EffectKind::Read,
            object,
            summary,
            fields: Vec::new(),
            basis: Basis::Server,
            state: String::new(),
            objects: 0,
            pods: 0,
            undo: None,
        };
        Self { effects: vec![effect], observed: Some(observed) }
    }

    /// The same effects, by another name.
    #[must_use]
    pub(super) fn named(mut self, kind: EffectKind) -> Self {
        self.effects.iter_mut().for_each(|effect| effect.kind = kind);
        self
    }
}

/// An object as a step would find it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Where it lies.
    pub(super) address: Address,
    /// The object.
    pub(super) object: Value,
    /// The steps that would have changed it by then; none: as the server has it.
    pub(super) after: Vec<StepId>,
}

/// The door through which a plan looks.
#[derive(Debug)]
pub struct Look {
    context: Context,
    foresight: Foresight,
    /// Whether the step would surely run.
    certain: bool,
}

impl Look {
    /// The look of one step; `context` belongs to a run whose ledger gives no tickets.
    pub fn new(context: Context, foresight: Foresight, certain: bool) -> Self {
        Self { context, foresight, certain }
    }

    /// The context, for what only reads.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// The object as the step would find it.
    pub(super) async fn object(&self, address: Address) -> Result<Seen, Blind> {
        match self.foresight.of(&address) {
            None => {
                let object = self.context.get(&address).await?;
                self.conceal(&object);
                Ok(Seen { address, object, after: Vec::new() })
            }
            Some((Left::As(object), after)) => Ok(Seen { address, object, after }),
            Some((Left::Unclear, after)) => Err(Blind::Unknown(after_steps(&after))),
            Some((Left::Gone, after)) => {
                let message = format!("{address} would be gone, {}", after_steps(&after));
                Err(Blind::Failed(Failure::new(Class::NotFound, message)))
            }
        }
    }

    /// The object as the step would find it, if it is there by then.
    pub(super) async fn find(&self, address: Address) -> Result<Option<Seen>, Blind> {
        match self.foresight.of(&address) {
            Some((Left::Gone, _)) => Ok(None),
            Some(_) => self.object(address).await.map(Some),
            None => match self.object(address).await {
                Ok(seen) => Ok(Some(seen)),
                Err(Blind::Failed(failure)) if failure.class == Class::NotFound => Ok(None),
                Err(blind) => Err(blind),
            },
        }
    }

    /// The objects of a target, as the step would find them.
    pub(super) async fn objects(&self, target: &Target, least: u64) -> Result<Vec<Seen>, Blind> {
        let Target::Set(set) = target else {
            return Ok(vec![self.object(self.context.one(target).await?).await?]);
        };
        let touched = self.touched(set).await?;
        if touched.is_empty() {
            let selection = self.context.select(set, least).await?;
            if !selection.complete {
                let line = format!("the list of {} may be incomplete", set.kind.plural);
                return Err(Failure::new(Class::Forbidden, line).into());
            }
            return self.as_read(&selection.items).await;
        }
        self.as_left(set, least, touched).await
    }

    async fn as_read(&self, items: &[Value]) -> Result<Vec<Seen>, Blind> {
        let mut seen = Vec::with_capacity(items.len());
        for object in items {
            let address = super::back::address_of(&self.context, &ObjectId::of(object)).await?;
            self.conceal(object);
            seen.push(Seen { address, object: object.clone(), after: Vec::new() });
        }
        Ok(seen)
    }

    /// The set's objects that earlier steps touch.
    async fn touched(&self, set: &ObjectSet) -> Result<Vec<(Address, Left, Vec<StepId>)>, Blind> {
        let mut touched = Vec::new();
        for collection in self.context.collections(set).await? {
            touched.extend(self.foresight.within(&collection.resource().plural, collection.namespace()));
        }
        Ok(touched)
    }

    /// A set some of whose objects earlier steps change: picked from what they leave.
    async fn as_left(
        &self,
        set: &ObjectSet,
        least: u64,
        touched: Vec<(Address, Left, Vec<StepId>)>,
    ) -> Result<Vec<Seen>, Blind> {
        let steps: BTreeSet<&StepId> = touched.iter().flat_map(|(_, _, by)| by).collect();
        let unclear = touched.iter().any(|(_, left, _)| *left == Left::Unclear) || set.of.is_some();
        if unclear {
            return Err(Blind::Unknown(after_steps(&steps.into_iter().cloned().collect::<Vec<_>>())));
        }
        let open = ObjectSet { min: Some(0), max: None, ..set.clone() };
        let mut seen = self.as_read(&self.context.select(&open, 0).await?.items).await?;
        seen.retain(|seen| !touched.iter().any(|(address, ..)| *address == seen.address));
        for (address, left, after) in touched {
            if let Left::As(object) = left
                && self.context.is_meant(set, &object)?
            {
                seen.push(Seen { address, object, after });
            }
        }
        seen.sort_by(|one, other| one.address.path().as_str().cmp(other.address.path().as_str()));
        super::target::counted(set, seen.len(), least)?;
        Ok(seen)
    }

    /// What edits of the target's fields would do.
    pub(super) async fn edits(
        &self,
        target: &Target,
        plan: impl Fn(&Value) -> Result<Edit, Failure> + Send + Sync,
    ) -> Result<Outlook, Blind> {
        let mut outlook = Outlook::default();
        for seen in self.objects(target, 1).await? {
            outlook.effects.extend(self.edit(seen, &plan).await?);
        }
        Ok(outlook)
    }

    async fn edit(
        &self,
        mut seen: Seen,
        plan: &(impl Fn(&Value) -> Result<Edit, Failure> + Send + Sync),
    ) -> Result<Option<PlannedEffect>, Blind> {
        for _ in 1..CONFLICTS {
            match self.edit_once(&seen, plan).await {
                Err(Blind::Failed(failure)) if failure.class == Class::Conflict => {
                    seen = self.object(seen.address).await?;
                }
                other => return other,
            }
        }
        self.edit_once(&seen, plan).await
    }

    async fn edit_once(
        &self,
        seen: &Seen,
        plan: &(impl Fn(&Value) -> Result<Edit, Failure> + Send + Sync),
    ) -> Result<Option<PlannedEffect>, Blind> {
        match edit::proposed(&seen.address, &seen.object, plan(&seen.object)?) {
            Some(proposal) => self.rehearse(seen, proposal).await.map(Some),
            None => Ok(None),
        }
    }

    /// What a change of an object would do: the server is asked, where it can be.
    pub(super) async fn rehearse(&self, seen: &Seen, proposal: Proposal) -> Result<PlannedEffect, Blind> {
        let (basis, answer) = self.asked(&seen.after, &proposal).await?;
        let after = match (proposal.verb, answer) {
            (Verb::Patch | Verb::Create, Some(mut object)) => {
                seen.address.resource().name_kind(&mut object);
                self.conceal(&object);
                Left::As(object)
            }
            (Verb::Patch, None) => Left::As(with_written(&seen.object, &proposal.written)),
            (Verb::Delete | Verb::Evict, _) => Left::Gone,
            (Verb::Create | Verb::Execute, _) => Left::Unclear,
        };
        let mut effect = effect(&proposal, basis);
        if let (Verb::Patch, Left::As(object)) = (proposal.verb, &after) {
            effect.fields = differences("", Some(&content(&seen.object)), Some(&content(object)));
        }
        if seen.address.resource().kind == "Secret" {
            effect.fields.iter_mut().for_each(hide);
        }
        if !seen.object.is_null() {
            effect.state = state(&seen.object);
        }
        self.leave(&seen.address, after);
        Ok(effect)
    }

    /// What the creation of an object with a generated name would do.
    pub(super) async fn creation(&self, stem: &str, proposal: Proposal) -> Result<PlannedEffect, Blind> {
        let (basis, _) = self.asked(&[], &proposal).await?;
        let mut effect = effect(&proposal, basis);
        if let Some(object) = &mut effect.object {
            object.name = format!("{stem}{GENERATED}");
        }
        Ok(effect)
    }

    /// Notes what the step leaves of an object.
    pub(super) fn leave(&self, address: &Address, left: Left) {
        self.foresight.note(address, self.context.step(), if self.certain { left } else { Left::Unclear });
    }

    /// The server's answer to a rehearsal, or why it was not asked.
    async fn asked(&self, after: &[StepId], proposal: &Proposal) -> Result<(Basis, Option<Value>), Blind> {
        if !after.is_empty() {
            return Ok((Basis::Computed(after_steps(after)), None));
        }
        if proposal.verb == Verb::Evict {
            return Ok((Basis::Computed("a disruption budget is asked when the pod is to go".into()), None));
        }
        let request = proposal.request.clone().dry_run();
        match self.context.read(&request).await {
            Ok(answer) => {
                let object = answer.json().map_err(|error| failure::of_error(&error, request.what()))?;
                Ok((Basis::Server, Some(object)))
            }
            Err(failure) if cannot_rehearse(&failure) => Ok((Basis::Computed(failure.message), None)),
            Err(failure) if failure.class == Class::NotFound && self.comes_first(proposal) => {
                Ok((Basis::Computed("its namespace is created first".into()), None))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Whether an earlier change creates the namespace of an object.
    fn comes_first(&self, proposal: &Proposal) -> bool {
        let namespace = NAMESPACE.at(None, &proposal.object.namespace).ok();
        namespace.and_then(|address| self.foresight.of(&address)).is_some_and(|(left, _)| left != Left::Gone)
    }

    /// What a Secret holds is shown nowhere.
    fn conceal(&self, object: &Value) {
        if ObjectId::of(object).kind == "Secret" {
            conceal_data(&self.context, object);
        }
    }
}

/// A webhook that has effects of its own takes no rehearsal (`dryRun`), and says so with 400.
fn cannot_rehearse(failure: &Failure) -> bool {
    let words = failure.message.to_lowercase();
    failure.http_status == Some(400) && (words.contains("dry run") || words.contains("dryrun"))
}

/// `after grow, rolled_out`.
pub fn after_steps(steps: &[StepId]) -> String {
    let names: Vec<&str> = steps.iter().map(|step| step.0.as_str()).collect();
    format!("after {}", names.join(", "))
}

/// A change in the words of a plan.
pub(super) fn effect(proposal: &Proposal, basis: Basis) -> PlannedEffect {
    let is_pod = proposal.object.kind == "Pod" && matches!(proposal.verb, Verb::Delete | Verb::Evict);
    PlannedEffect {
        kind: match proposal.verb {
            Verb::Create => EffectKind::Create,
            Verb::Patch => EffectKind::Change,
            Verb::Delete | Verb::Evict => EffectKind::Delete,
            Verb::Execute => EffectKind::Exec,
        },
        object: Some(proposal.object.clone()),
        summary: proposal.summary.clone(),
        fields: proposal.written.clone(),
        basis,
        state: String::new(),
        objects: u64::from(!is_pod),
        pods: u64::from(proposal.pods) + u64::from(is_pod),
        undo: Some(undo_of(&proposal.reversal)),
    }
}

fn undo_of(reversal: &Reversal) -> PlannedUndo {
    match reversal {
        Reversal::Fields => PlannedUndo::Fields,
        Reversal::DeleteCreated => PlannedUndo::DeleteCreated,
        Reversal::Nothing => PlannedUndo::Nothing,
        Reversal::Cannot(reason) => PlannedUndo::Cannot(reason.clone()),
    }
}

fn hide(field: &mut Written) {
    for value in [&mut field.before, &mut field.after].into_iter().flatten() {
        *value = MASK.into();
    }
}

/// The state of an object that an effect is computed from: its generation, or a digest where it has none.
fn state(object: &Value) -> String {
    match super::rollout::generation(object) {
        0 => format!("sha256:{}", hex(digest(&SHA256, content(object).to_string().as_bytes()).as_ref())),
        generation => format!("generation {generation}"),
    }
}

#[cfg(test)]
mod tests;
