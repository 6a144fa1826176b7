//! A loop: one step, once for each item.
//!
//! Items are frozen in the journal before the first. Each item has a frame of
//! its own; what happened in it is seen from outside as `steps.<loop>.each`.
//! A `timeout` on the step is the clock of the whole loop; a clock written
//! inside the action is each item's own.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::frame::{Frame, failure_of};
use super::run::{Run, Surroundings, fill, with_steps};
use super::step::{At, Tried};
use crate::event::{CancelReason, Class, Failure, Record, StepStatus, Verdict};
use crate::runbook::{ForEach, OnError};
use crate::template::{Scope, Value};

/// An item on its way.
struct Item {
    index: usize,
    key: String,
    value: Json,
}

/// An item that is over.
struct Ended {
    index: usize,
    /// What `each` shows of it.
    shown: Json,
    verdict: Verdict,
    changed: bool,
}

impl Ended {
    fn is_bad(&self) -> bool {
        self.verdict.status().is_bad()
    }
}

impl Run {
    /// Runs the step once for each item.
    pub(super) async fn each(&self, at: At<'_>, looped: &ForEach) -> Tried {
        let items = match self.items(looped, at) {
            Ok(items) => items,
            Err(failure) => return Tried { attempts: 0, ..Tried::new(Verdict::Errored(failure)) },
        };
        if items.is_empty() {
            let each = Some(Vec::new());
            return Tried { attempts: 0, each, ..Tried::new(Verdict::Skipped("the list is empty".into())) };
        }
        let own = at.step.timeout.map(|timeout| Instant::now() + timeout);
        let deadline = own.into_iter().chain(at.around.deadline).min();
        let around = Surroundings { deadline, ..at.around.clone() };
        let total = items.len();
        let ends = self.all_items(At { around: &around, ..at }, looped, items).await;
        loop_end(ends, total, self.cancel.reason())
    }

    fn items(&self, looped: &ForEach, at: At<'_>) -> Result<Vec<Item>, Failure> {
        let around = at.around;
        if let Some(frozen) = self.past.take_items(at.id) {
            return keyed(looped, frozen, &around.scope);
        }
        let values = match fill(&looped.items, &around.scope, &self.shared.fan)?.0 {
            Json::Array(values) => values,
            other => return Err(evaluation(format!("`for-each` takes a list, this is {other}"))),
        };
        if let Some(most) = looped.max_items.filter(|most| values.len() > *most) {
            return Err(evaluation(format!("{} items, `max-items` is {most}: nothing was begun", values.len())));
        }
        let record = Record::Items { step: at.id.0.clone(), items: values.clone() };
        self.shared.ledger.remember(&record).map_err(|error| Failure::new(Class::Journal, error.to_string()))?;
        keyed(looped, values, &around.scope)
    }

    async fn all_items(&self, at: At<'_>, looped: &ForEach, items: Vec<Item>) -> Vec<Ended> {
        let mut waiting = items.into_iter();
        let mut running = FuturesUnordered::new();
        let mut ends: Vec<Ended> = Vec::new();
        let mut stop = false;
        loop {
            while running.len() < looped.max_parallel && !stop && self.stopped(at.around).is_none() {
                let Some(item) = waiting.next() else { break };
                running.push(self.item(at, looped, item));
            }
            let Some(end) = running.next().await else { break };
            stop |= end.is_bad() && looped.on_error == OnError::Stop;
            ends.push(end);
        }
        ends.sort_by_key(|end| end.index);
        ends
    }

    /// One item: a frame of its own, the events of a step.
    async fn item(&self, at: At<'_>, looped: &ForEach, item: Item) -> Ended {
        let started = Instant::now();
        let id = at.id.item(&item.key);
        let frame = Frame::inside(&at.around.frame);
        let scope = item_scope(looped, item.index, &item.value, &at.around.scope);
        let inner = Surroundings {
            scope: Arc::new(with_steps(scope, &frame, &self.taints)),
            frame: frame.clone(),
            depth: at.around.depth + 1,
            ..at.around.clone()
        };
        let at = At { id: &id, around: &inner, ..at };
        if let Some(ended) = self.past.take_ended(&id) {
            self.recall_item(at.step, &id, &inner);
            return item.ended(&ended.tried, &frame);
        }
        self.begin_step(at);
        let tried = self.attempts(at).await;
        self.remember(at, &tried);
        let ended = item.ended(&tried, &frame);
        self.end_step(&id, tried, false, started);
        ended
    }
}

impl Item {
    /// What the loop and its readers see of an item that is over.
    fn ended(self, tried: &Tried, frame: &Frame) -> Ended {
        let failure = failure_of(&tried.verdict);
        let shown = json!({
            "item": self.value,
            "key": self.key,
            "status": tried.verdict.status().word(),
            "changed": tried.changed,
            "outputs": tried.outputs,
            "info": tried.info,
            "error": failure.map(|failure| json!({"class": failure.class.word(), "message": failure.message})),
            "steps": frame.own(),
        });
        Ended { index: self.index, shown, verdict: tried.verdict.clone(), changed: tried.changed }
    }
}

/// The items with their keys, which tell them apart.
fn keyed(looped: &ForEach, values: Vec<Json>, scope: &Arc<Scope>) -> Result<Vec<Item>, Failure> {
    let mut seen = BTreeSet::new();
    let mut items = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let key = item_key(looped, index, &value, scope)?;
        if !seen.insert(key.clone()) {
            let failure = evaluation(format!("two items have the key `{key}`: nothing was begun"));
            return Err(failure.help("give the loop a `key` that tells its items apart"));
        }
        items.push(Item { index, key, value });
    }
    Ok(items)
}

/// What names an item: its `key`, else the item if it is text, else its index.
fn item_key(looped: &ForEach, index: usize, value: &Json, scope: &Arc<Scope>) -> Result<String, Failure> {
    let Some(template) = &looped.key else {
        return Ok(value.as_str().map_or_else(|| index.to_string(), ToOwned::to_owned));
    };
    let bound = item_scope(looped, index, value, scope);
    let filled = template.fill(&bound).map_err(|error| evaluation(format!("`key`: {error}")))?;
    match filled.value {
        _ if filled.tainted => Err(evaluation("the `key` of a loop is shown and may not be a secret")),
        Json::String(text) => Ok(text),
        other => Ok(other.to_string()),
    }
}

fn evaluation(message: impl Into<String>) -> Failure {
    Failure::new(Class::Evaluation, message)
}

fn loop_end(ends: Vec<Ended>, total: usize, stopped: Option<CancelReason>) -> Tried {
    let failed = ends.iter().filter(|end| end.is_bad()).count();
    let cancelled = ends.iter().any(|end| end.verdict.status() == StepStatus::Cancelled);
    let verdict = match stopped {
        Some(reason) if cancelled || ends.len() < total => Verdict::Cancelled(reason),
        _ if failed > 0 => Verdict::Errored(loop_failure(&ends, total)),
        _ if ends.len() < total => {
            let message = format!("the time ran out after {} of {total} items", ends.len());
            Verdict::Errored(Failure::new(Class::Timeout, message))
        }
        _ => Verdict::Passed,
    };
    let changed = ends.iter().any(|end| end.changed);
    let info = json!({"items": total, "tried": ends.len(), "failed": failed});
    let each = Some(ends.into_iter().map(|end| end.shown).collect());
    Tried { changed, info, each, ..Tried::new(verdict) }
}

/// The trouble of the first bad item, told of the loop.
fn loop_failure(ends: &[Ended], total: usize) -> Failure {
    let bad: Vec<&Ended> = ends.iter().filter(|end| end.is_bad()).collect();
    let keys: Vec<&str> = bad.iter().filter_map(|end| end.shown.pointer("/key")?.as_str()).collect();
    let first = bad.first().and_then(|end| failure_of(&end.verdict));
    let first = first.unwrap_or_else(|| Failure::new(Class::Assertion, "it was stopped"));
    let rest = match total - ends.len() {
        0 => String::new(),
        rest => format!(", {rest} not begun"),
    };
    let message = format!("{} of {total} items failed ({}){rest}: {first}", bad.len(), keys.join(", "));
    Failure { message, ..first }
}

fn item_scope(looped: &ForEach, index: usize, value: &Json, outer: &Arc<Scope>) -> Scope {
    let mut scope = Scope::child(outer);
    scope.bind(looped.name.clone(), Value::from_json(value.clone()));
    scope.bind("index", Value::from_json(index.into()));
    scope
}
