//! What `steps.<id>` means: the states of steps, in frames.
//!
//! A frame is the book, or one item of a loop. An inner frame sees the outer
//! ones; from outside a loop only `steps.<loop>.each` is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Value as Json, json};

use crate::event::{Failure, StepStatus, Verdict};
use crate::template::{Lookup, Value};

/// The states of the steps of one frame.
#[derive(Debug)]
pub(super) struct Frame {
    outer: Option<Arc<Frame>>,
    known: Arc<BTreeSet<String>>,
    states: RwLock<BTreeMap<String, (Value, StepState)>>,
}

/// What expressions see of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepState {
    pub(super) status: StepStatus,
    pub(super) changed: bool,
    pub(super) attempts: u32,
    pub(super) outputs: Json,
    pub(super) info: Json,
    pub(super) error: Option<Failure>,
    pub(super) each: Option<Vec<Json>>,
}

impl StepState {
    /// A step that has not begun.
    pub(super) fn pending() -> Self {
        Self {
            status: StepStatus::Pending,
            changed: false,
            attempts: 0,
            outputs: json!({}),
            info: Json::Null,
            error: None,
            each: None,
        }
    }

    /// The state as expressions see it.
    pub(super) fn to_json(&self) -> Json {
        let mut state = json!({
            "status": self.status.word(),
            "changed": self.changed,
            "attempts": self.attempts,
            "outputs": self.outputs,
            "info": self.info,
            "error": self.error.as_ref().map(error_json),
        });
        if let (Some(each), Some(fields)) = (&self.each, state.as_object_mut()) {
            fields.insert("each".into(), each.clone().into());
        }
        state
    }
}

/// `{class, message, http_status, reason, cause}` (runbook-format §4).
fn error_json(failure: &Failure) -> Json {
    json!({
        "class": failure.class.word(),
        "message": failure.message,
        "http_status": failure.http_status,
        "reason": failure.reason,
        "cause": failure.cause,
    })
}

/// The trouble of a verdict as a failure, where there is one.
pub(super) fn failure_of(verdict: &Verdict) -> Option<Failure> {
    match verdict {
        Verdict::Errored(failure) => Some(failure.clone()),
        Verdict::Failed(_) | Verdict::Cancelled(_) => verdict.class().map(|class| Failure::new(class, verdict.line())),
        Verdict::Passed | Verdict::Skipped(_) => None,
    }
}

impl Frame {
    /// The book's own frame; `known` are all ids of the book.
    pub(super) fn root(known: BTreeSet<String>) -> Arc<Self> {
        Arc::new(Self { outer: None, known: Arc::new(known), states: RwLock::default() })
    }

    /// The frame of one item of a loop.
    pub(super) fn inside(outer: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { outer: Some(outer.clone()), known: outer.known.clone(), states: RwLock::default() })
    }

    /// Notes how a step stands.
    pub(super) fn set(&self, id: &str, state: StepState) {
        let value = Value::from_json(state.to_json());
        self.states.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), (value, state));
    }

    /// Binds what a plan knows of a step.
    pub(super) fn foresee(&self, id: &str, value: Value) {
        let state = StepState::pending();
        self.states.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), (value, state));
    }

    /// The states of this frame alone, as `steps` of one item of `each`.
    pub(super) fn own(&self) -> Json {
        let states = self.states.read().unwrap_or_else(PoisonError::into_inner);
        states.iter().map(|(id, (_, state))| (id.clone(), state.to_json())).collect::<serde_json::Map<_, _>>().into()
    }

    fn find(&self, id: &str) -> Option<Value> {
        let here = self.states.read().unwrap_or_else(PoisonError::into_inner).get(id).map(|(value, _)| value.clone());
        here.or_else(|| self.outer.as_ref()?.find(id))
    }
}

impl Lookup for Frame {
    fn get(&self, key: &str) -> Option<Value> {
        self.find(key).or_else(|| self.known.contains(key).then(|| Value::from_json(StepState::pending().to_json())))
    }

    fn keys(&self) -> Vec<String> {
        self.known.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_sees_the_outside_and_hides_its_own_steps() {
        let root = Frame::root(["a", "b"].map(String::from).into());
        root.set("a", StepState { status: StepStatus::Passed, ..StepState::pending() });
        let item = Frame::inside(&root);
        item.set("b", StepState { status: StepStatus::Failed, ..StepState::pending() });
        let status = |frame: &Frame, id: &str| frame.get(id).unwrap().to_json().unwrap()["status"].clone();
        assert_eq!(status(&item, "a"), "passed");
        assert_eq!(status(&item, "b"), "failed");
        assert_eq!(status(&root, "b"), "pending");
        assert!(root.get("c").is_none());
        assert_eq!(item.own()["b"]["status"], "failed");
    }
}
