//! A step that is begun again: what an earlier try has changed is not changed a second time.
//!
//! A process that was killed leaves a step in the middle. When `resume` begins
//! that step anew, its action must come to the same changes and find them
//! made. So the action is shown the objects as they were before those changes
//! (from the vault), and when it proposes one of them it gets the object as
//! it is now instead of sending anything. A change that was never made is
//! made as usual. To leave out the changes one by one inside each action was
//! rejected: thirty actions would each have to know how they can be cut short.
//!
//! A list of what was decided by chance or by a look (fresh names, the pods
//! that were there at first) is kept by [`Context::once`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::back::address_of;
use super::change::Proposal;
use super::context::Context;
use super::failure;
use super::made::MadeChange;
use crate::cluster::resource::{Address, Collection};
use crate::cluster::sieve::Sieve;
use crate::event::{Class, Failure, ObjectId, Record, StepId, Verb};

/// What steps have decided once, by step and key.
#[derive(Debug, Default)]
pub struct Choices(Mutex<HashMap<(StepId, String), Value>>);

impl Choices {
    /// Notes a choice that an earlier process made.
    pub fn keep(&self, step: StepId, key: String, value: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((step, key), value);
    }

    fn find(&self, step: &StepId, key: &str) -> Option<Value> {
        let choices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        choices.get(&(step.clone(), key.to_owned())).cloned()
    }

    /// Forgets what a step, or one inside it, has decided: it is tried anew from the beginning.
    pub fn forget(&self, step: &StepId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| !of.is_within(step));
    }
}

impl Context {
    /// A choice that this step makes once: the first is journaled, and found again however often the step is begun.
    ///
    /// # Errors
    /// When it cannot be journaled, or was journaled in a shape that this version does not know.
    pub(super) fn once<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        choose: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let broken = |error: serde_json::Error| Failure::new(Class::Journal, format!("the choice of `{key}`: {error}"));
        if let Some(known) = self.shared.once.find(self.step(), key) {
            return serde_json::from_value(known).map_err(broken);
        }
        let chosen = choose()?;
        self.keep(key, serde_json::to_value(&chosen).map_err(broken)?)?;
        Ok(chosen)
    }

    /// Journals a choice of this step.
    pub(super) fn keep(&self, key: &str, value: Value) -> Result<(), Failure> {
        let record = Record::Once { step: self.step().0.clone(), key: key.to_owned(), value: value.clone() };
        self.shared.ledger.remember(&record).map_err(failure::of_ledger)?;
        self.shared.once.keep(self.step().clone(), key.to_owned(), value);
        Ok(())
    }

    /// What this step has decided under a key, in this process or an earlier one.
    pub(super) fn chosen(&self, key: &str) -> Option<Value> {
        self.shared.once.find(self.step(), key)
    }

    /// The object as it was before the first change of an earlier try that this try has not come to yet.
    pub(super) fn as_it_was(&self, address: &Address) -> Option<Arc<Value>> {
        self.shared.made.image(self.step(), |object| {
            object.kind == address.resource().kind
                && object.name == address.name()
                && object.namespace == address.namespace().unwrap_or_default()
        })
    }

    /// A list as it was before the changes of an earlier try that this try has not come to yet.
    pub(super) fn as_they_were(&self, mut items: Vec<Value>, from: &Collection, sieve: &dyn Sieve) -> Vec<Value> {
        let images = self.shared.made.images(self.step(), |object| {
            object.kind == from.resource().kind
                && from.namespace().is_none_or(|namespace| namespace == object.namespace)
        });
        for image in images {
            let uid = ObjectId::of(&image).uid;
            items.retain(|item| ObjectId::of(item).uid != uid);
            if sieve.admits(&image) {
                items.push(image.as_ref().clone());
            }
        }
        items
    }

    /// An object that an earlier try has written and this try has not come to yet: as it was, and as it is now.
    pub(super) async fn written_before(&self, address: &Address) -> Option<Result<(Arc<Value>, Value), Failure>> {
        let before = self.as_it_was(address)?;
        let made = self.shared.made.claim(self.step(), Verb::Patch, &ObjectId::of(&before), "")?;
        Some(self.as_it_is(&made).await.map(|now| (before, now)))
    }

    /// Pods as they were when the step first looked, whole where they are still there.
    pub(super) fn as_at_first(&self, key: &str, pods: Vec<Value>) -> Result<Vec<Value>, Failure> {
        let first: Vec<Value> = self.once(key, || Ok(pods.iter().map(essence).collect()))?;
        let whole = |known: Value| {
            let uid = known.pointer("/metadata/uid");
            pods.iter().find(|pod| pod.pointer("/metadata/uid") == uid).cloned().unwrap_or(known)
        };
        Ok(first.into_iter().map(whole).collect())
    }

    /// What came of a change that an earlier try has made already; nothing where it made none such.
    pub(super) async fn made_before(&self, proposal: &Proposal) -> Option<Result<Value, Failure>> {
        let made = self.shared.made.claim(self.step(), proposal.verb, &proposal.object, &proposal.summary)?;
        Some(self.as_it_is(&made).await)
    }

    /// The object of a change that was made, as it is now.
    async fn as_it_is(&self, made: &MadeChange) -> Result<Value, Failure> {
        let object = &made.change.object;
        let address = address_of(self, object).await?;
        let goes = matches!(made.change.verb, Verb::Delete | Verb::Evict);
        match self.find(&address).await? {
            Some(now) if ObjectId::of(&now).uid == object.uid => Ok(now),
            _ if goes => Ok(Value::Null),
            Some(_) => Err(Failure::new(
                Class::Conflict,
                format!("{object} was changed by this run, and then replaced by another of the same name"),
            )),
            None => Err(Failure::new(Class::NotFound, format!("{object} was changed by this run, and is gone since"))),
        }
    }
}

/// What is kept of a pod: who it is, and whether it was ready.
fn essence(pod: &Value) -> Value {
    let at = |pointer: &str| pod.pointer(pointer).cloned().unwrap_or_default();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": at("/metadata/name"), "namespace": at("/metadata/namespace"), "uid": at("/metadata/uid")},
        "status": {"conditions": at("/status/conditions")},
    })
}
