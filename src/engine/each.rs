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
use super::list::ended;
use super::run::{Run, Surroundings, fill, with_steps};
use super::step::Tried;
use crate::event::{Class, EventKind, Failure, Record, StepEnd, StepHead, StepId, StepStatus, Verdict};
use crate::runbook::{ForEach, OnError, Step};
use crate::secret::MASK;
use crate::template::{Scope, Value};

/// An item on its way.
struct Item {
    index: usize,
    key: String,
    value: Json,
}

impl Run {
    /// Runs the step once for each item.
    pub(super) async fn each(&self, step: &Step, looped: &ForEach, id: &StepId, around: &Surroundings) -> Tried {
        let items = match self.items(looped, id, around) {
            Ok(items) => items,
            Err(failure) => return Tried { attempts: 0, ..Tried::new(Verdict::Errored(failure)) },
        };
        if items.is_empty() {
            let each = Some(Vec::new());
            return Tried { attempts: 0, each, ..Tried::new(Verdict::Skipped("the list is empty".into())) };
        }
        let deadline = step.timeout.map(|timeout| Instant::now() + timeout);
        let around = Surroundings { deadline: deadline.into_iter().chain(around.deadline).min(), ..around.clone() };
        let total = items.len();
        let ends = self.all_items(step, looped, items, id, &around).await;
        self.loop_end(ends, total)
    }

    fn items(&self, looped: &ForEach, id: &StepId, around: &Surroundings) -> Result<Vec<Item>, Failure> {
        let values = match fill(&looped.items, &around.scope, &self.shared.fan)?.0 {
            Json::Array(values) => values,
            other => return Err(Failure::new(Class::Evaluation, format!("`for-each` takes a list, this is {other}"))),
        };
        if let Some(most) = looped.max_items.filter(|most| values.len() > *most) {
            return Err(Failure::new(
                Class::Evaluation,
                format!("{} items, `max-items` is {most}: nothing was begun", values.len()),
            ));
        }
        let record = Record::Items { step: id.0.clone(), items: values.clone() };
        self.shared.ledger.remember(&record).map_err(|error| Failure::new(Class::Journal, error.to_string()))?;
        let mut seen = BTreeSet::new();
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let key = self.item_key(looped, index, &value, around)?;
            if !seen.insert(key.clone()) {
                return Err(Failure::new(
                    Class::Evaluation,
                    format!("two items have the key `{key}`: nothing was begun"),
                )
                .help("give the loop a `key` that tells its items apart"));
            }
            items.push(Item { index, key, value });
        }
        Ok(items)
    }

    /// What names an item: its `key`, else the item if it is text, else its index.
    fn item_key(&self, looped: &ForEach, index: usize, value: &Json, around: &Surroundings) -> Result<String, Failure> {
        let Some(template) = &looped.key else {
            return Ok(value.as_str().map_or_else(|| index.to_string(), ToOwned::to_owned));
        };
        let scope = item_scope(looped, index, value, &around.scope);
        let filled =
            template.fill(&scope).map_err(|error| Failure::new(Class::Evaluation, format!("`key`: {error}")))?;
        match filled.value {
            _ if filled.tainted => {
                Err(Failure::new(Class::Evaluation, "the `key` of a loop is shown and may not be a secret"))
            }
            Json::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }

    async fn all_items(
        &self,
        step: &Step,
        looped: &ForEach,
        items: Vec<Item>,
        id: &StepId,
        around: &Surroundings,
    ) -> Vec<(usize, Json, StepStatus, bool)> {
        let mut waiting = items.into_iter();
        let mut running = FuturesUnordered::new();
        let mut ends = Vec::new();
        let mut stop = false;
        loop {
            while running.len() < looped.max_parallel && !stop && self.stopped(around).is_none() {
                let Some(item) = waiting.next() else { break };
                running.push(self.item(step, looped, item, id, around));
            }
            let Some(end) = running.next().await else { break };
            stop |= end.2.is_bad() && looped.on_error == OnError::Stop;
            ends.push(end);
        }
        ends.sort_by_key(|end| end.0);
        ends
    }

    /// One item: a frame of its own, the events of a step.
    async fn item(
        &self,
        step: &Step,
        looped: &ForEach,
        item: Item,
        id: &StepId,
        around: &Surroundings,
    ) -> (usize, Json, StepStatus, bool) {
        let started = Instant::now();
        let frame = Frame::inside(&around.frame);
        let scope = item_scope(looped, item.index, &item.value, &around.scope);
        let inner = Surroundings {
            scope: Arc::new(with_steps(scope, &frame, &self.taints)),
            frame: frame.clone(),
            depth: around.depth + 1,
            ..around.clone()
        };
        let item_id = id.item(&item.key);
        self.shared.fan.tell(EventKind::StepStarted(Box::new(StepHead {
            step: item_id.clone(),
            name: self.title(step, &inner.scope),
            action: step.action().to_owned(),
            place: self.order.book.source.place(step.span.start),
            phase: around.phase,
            depth: inner.depth,
        })));
        let tried = self.attempts(step, &item_id, &inner).await;
        let outcome = json!({
            "item": item.value,
            "key": item.key,
            "status": tried.verdict.status().word(),
            "changed": tried.changed,
            "outputs": tried.outputs,
            "info": tried.info,
            "error": failure_of(&tried.verdict).map(|failure| json!({"class": failure.class.word(), "message": failure.message})),
            "steps": frame.own(),
        });
        let (status, changed) = (tried.verdict.status(), tried.changed);
        let shown = tried.outputs.into_iter().map(|(name, value)| {
            let hidden = tried.secret.contains(&name);
            (name, if hidden { MASK.into() } else { value })
        });
        self.shared.fan.tell(EventKind::StepFinished(Box::new(StepEnd {
            changed,
            attempts: tried.attempts,
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            expectations: tried.expectations,
            outputs: shown.collect(),
            info: tried.info,
            ..ended(item_id, tried.verdict)
        })));
        (item.index, outcome, status, changed)
    }

    fn loop_end(&self, ends: Vec<(usize, Json, StepStatus, bool)>, total: usize) -> Tried {
        let bad: Vec<&str> =
            ends.iter().filter(|end| end.2.is_bad()).filter_map(|end| end.1.get("key")?.as_str()).collect();
        let cancelled = ends.iter().any(|end| end.2 == StepStatus::Cancelled);
        let verdict = match self.cancel.reason() {
            Some(reason) if cancelled || ends.len() < total => Verdict::Cancelled(reason),
            _ if !bad.is_empty() => Verdict::Errored(self.loop_failure(&ends, &bad, total)),
            _ if ends.len() < total => Verdict::Errored(Failure::new(
                Class::Timeout,
                format!("the time ran out after {} of {total} items", ends.len()),
            )),
            _ => Verdict::Passed,
        };
        let changed = ends.iter().any(|end| end.3);
        let info = json!({"items": total, "tried": ends.len(), "failed": bad.len()});
        Tried { changed, info, each: Some(ends.into_iter().map(|end| end.1).collect()), ..Tried::new(verdict) }
    }

    fn loop_failure(&self, ends: &[(usize, Json, StepStatus, bool)], bad: &[&str], total: usize) -> Failure {
        let first = ends.iter().find(|end| end.2.is_bad()).and_then(|end| end.1.pointer("/error/message")?.as_str());
        let message =
            format!("{} of {total} items failed ({}): {}", bad.len(), bad.join(", "), first.unwrap_or_default());
        Failure::new(Class::Assertion, message)
    }
}

fn item_scope(looped: &ForEach, index: usize, value: &Json, outer: &Arc<Scope>) -> Scope {
    let mut scope = Scope::child(outer);
    scope.bind(looped.name.clone(), Value::from_json(value.clone()));
    scope.bind("index", Value::from_json(index.into()));
    scope
}
