//! The way through a book: lists, groups, loops, branches.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::deed::unknown_in;
use super::known::{Foreknown, foresee};
use super::{Mood, Planner, blank, plain_effect};
use crate::engine::frame::Frame;
use crate::engine::run::{Surroundings, evaluation, with_steps};
use crate::engine::step::At;
use crate::engine::tags;
use crate::engine::undo::bears;
use crate::event::{Basis, EffectKind, Happens, Phase, PlannedEffect, PlannedUndo, StepId};
use crate::form::Form;
use crate::runbook::{Body, Branch, Control, ForEach, Step, UndoWhich};
use crate::template::{Cause, Scope, Value};

/// What `failure` is in a plan.
const ONLY_THEN: &str = "once something has failed";

impl Planner {
    pub(super) fn list<'a>(
        &'a self,
        steps: &'a [Step],
        around: &'a Surroundings,
        mood: &'a Mood,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            for step in steps {
                let id = match &around.parent {
                    Some(parent) => parent.child(&step.id),
                    None => StepId(step.id.clone()),
                };
                self.step(At { step, id: &id, around }, mood).await;
            }
        })
    }

    async fn step(&self, at: At<'_>, mood: &Mood) {
        let happens = self.wanted(at, mood);
        let index = self.begin(at, happens.clone());
        let mood = match happens {
            Happens::Surely => mood.clone(),
            Happens::Perhaps(doubt) => Mood { doubt: Some(doubt), ..mood.clone() },
            Happens::Never(_) => return foresee(at, Foreknown::skipped()),
        };
        match &at.step.for_each {
            Some(looped) => self.each(at, looped, index, &mood).await,
            None => self.once(at, index, &mood).await,
        }
        if let Some(branch) = &at.step.always {
            self.branch(at, branch, Phase::Always, &mood).await;
        }
        if let Some(branch) = &at.step.on_failure {
            let doubt = Mood { doubt: Some(format!("if {} fails", at.id)), ..mood };
            self.branch(at, branch, Phase::OnFailure, &doubt).await;
        }
    }

    async fn branch(&self, at: At<'_>, branch: &Branch, phase: Phase, mood: &Mood) {
        let inner = Surroundings { phase, ..at.inside() };
        let inner = if phase == Phase::OnFailure { failed(&inner) } else { inner };
        self.list(&branch.steps, &inner, mood).await;
    }

    fn begin(&self, at: At<'_>, happens: Happens) -> usize {
        let planned = blank(at, self.run.title(at.step, &at.around.scope), happens);
        self.with(|steps| {
            steps.push(planned);
            steps.len() - 1
        })
    }

    /// Whether a step would run.
    fn wanted(&self, at: At<'_>, mood: &Mood) -> Happens {
        if !tags::is_picked(at.step, at.around.phase, &self.run.order.options) {
            return Happens::Never("its tags are not picked".into());
        }
        let perhaps = mood.doubt.clone().map_or(Happens::Surely, Happens::Perhaps);
        let Some(when) = &at.step.when else { return perhaps };
        match when.test(&at.around.scope) {
            Ok(truth) if truth.holds => perhaps,
            Ok(_) => Happens::Never(format!("`{}` is false", when.text())),
            Err(error) => match error.cause {
                Cause::Unknown { reason } => Happens::Perhaps(format!("`{}` is not known: {reason}", when.text())),
                _ => Happens::Perhaps(format!("`{}` cannot be evaluated: {error}", when.text())),
            },
        }
    }

    async fn once(&self, at: At<'_>, index: usize, mood: &Mood) {
        match &at.step.body {
            Body::Act(act) => self.deed(at, act, index, mood).await,
            Body::Control(control) => self.control(at, control, index, mood).await,
        }
    }

    async fn control(&self, at: At<'_>, control: &Control, index: usize, mood: &Mood) {
        match control {
            Control::Group { steps, .. } => self.list(steps, &at.inside(), mood).await,
            Control::Note(_) => {}
            Control::Assert(form) => self.assert(at, form, index),
            Control::Pause(form) => self.edit(index, |planned| {
                planned.waits = form.fill(&at.around.scope).ok().and_then(|filled| words(&filled.node.to_json()));
            }),
            Control::Fail(form) => {
                let text = form.fill(&at.around.scope).ok().and_then(|filled| words(&filled.node.to_json()));
                self.edit(index, |planned| planned.fails = Some(text.unwrap_or_else(|| "the book says so".into())));
            }
            Control::UndoSteps(which) => self.undo_steps(which, index),
            Control::Use(_) => self.edit(index, |planned| {
                planned.unknown = Some("this version cannot look into another book".into());
            }),
            Control::Approve(_) => self.edit(index, |planned| planned.unknown = Some("a person answers".into())),
        }
        let known = match control {
            Control::Use(_) | Control::Approve(_) => Foreknown::nothing(format!("after {}", at.id)),
            _ => ended_well(at, mood, None),
        };
        foresee(at, known);
    }

    fn assert(&self, at: At<'_>, form: &Form, index: usize) {
        let unknown = unknown_in(form, &at.around.scope);
        let trouble = match self.run.expected(form, &at.around.scope, &Json::Null) {
            _ if unknown.is_some() => None,
            Ok((_, mismatches)) => mismatches.first().map(ToString::to_string),
            Err(failure) => Some(failure.message),
        };
        self.edit(index, |planned| (planned.unknown, planned.fails) = (unknown, trouble));
    }

    /// The changes of these steps, the other way round.
    fn undo_steps(&self, which: &UndoWhich, index: usize) {
        let is_meant = |step: &StepId| match which {
            UndoWhich::All => true,
            UndoWhich::Ids(ids) => ids.iter().any(|(id, _)| bears(&step.0, id)),
        };
        let back = |effect: &PlannedEffect| {
            let undone = match effect.undo.as_ref()? {
                PlannedUndo::Fields | PlannedUndo::DeleteCreated => format!("back: {}", effect.summary),
                PlannedUndo::Steps => "back, by steps of its own".to_owned(),
                PlannedUndo::Nothing | PlannedUndo::Cannot(_) => return None,
            };
            let object = effect.object.clone();
            let basis = Basis::Computed("only where the object is as this run left it".into());
            Some(PlannedEffect { object, basis, ..plain_effect(EffectKind::Undo, undone) })
        };
        let effects: Vec<PlannedEffect> = self.with(|steps| {
            let meant = steps.iter().take(index).filter(|planned| is_meant(&planned.step));
            meant.flat_map(|planned| &planned.effects).filter_map(back).collect::<Vec<_>>().into_iter().rev().collect()
        });
        if !effects.is_empty() {
            self.foresight.forget();
        }
        self.edit(index, |planned| {
            if effects.is_empty() {
                planned.effects = vec![plain_effect(EffectKind::Undo, "nothing to take back".into())];
            } else {
                planned.effects = effects;
            }
        });
    }

    async fn each(&self, at: At<'_>, looped: &ForEach, index: usize, mood: &Mood) {
        let trouble = |text: String| self.edit(index, |planned| planned.fails = Some(text));
        let partly = match looped.items.fill_known(&at.around.scope) {
            Ok(partly) => partly,
            Err(complaints) => return trouble(evaluation(&complaints).message),
        };
        if partly.unknown.is_empty() {
            match partly.node.to_json() {
                Json::Array(items) => match looped.max_items {
                    Some(most) if items.len() > most => {
                        trouble(format!("{} items, `max-items` is {most}", items.len()));
                    }
                    _ => self.items(at, looped, items, mood).await,
                },
                other => trouble(format!("`for-each` takes a list, this is {other}")),
            }
        } else {
            self.some_item((at, index), looped, &partly.unknown.join(", "), mood).await;
        }
        foresee(at, ended_well(at, mood, None));
    }

    async fn items(&self, at: At<'_>, looped: &ForEach, items: Vec<Json>, mood: &Mood) {
        for (number, item) in items.into_iter().enumerate() {
            let value = Value::from_json(item.clone());
            let inner = self.inside_item(at, looped, value, Value::from_json(number.into()));
            let key = match &looped.key {
                Some(template) => template.fill(&inner.scope).ok().and_then(|filled| words(&filled.value)),
                None => item.as_str().map(ToOwned::to_owned),
            };
            let id = at.id.item(&key.unwrap_or_else(|| number.to_string()));
            let at = At { id: &id, around: &inner, ..at };
            let index = self.begin(at, mood.doubt.clone().map_or(Happens::Surely, Happens::Perhaps));
            self.once(at, index, mood).await;
        }
    }

    /// A loop over a list that is not known yet: one item stands for all.
    async fn some_item(&self, (at, index): (At<'_>, usize), looped: &ForEach, why: &str, mood: &Mood) {
        let Some(most) = looped.max_items else {
            let text = format!("its items are not known ({why}): give the loop `max-items`, so that it can be planned");
            return self.edit(index, |planned| planned.fails = Some(text));
        };
        self.edit(index, |planned| planned.unknown = Some(format!("at most {most} items, {why}")));
        let inner = self.inside_item(at, looped, Value::unknown(why), Value::unknown(why));
        let times = mood.times.saturating_mul(u64::try_from(most).unwrap_or(u64::MAX));
        let id = at.id.item("?");
        let mood = Mood { doubt: Some(format!("its items are not known: {why}")), times };
        let at = At { id: &id, around: &inner, ..at };
        let index = self.begin(at, Happens::Perhaps(format!("its items are not known: {why}")));
        self.once(at, index, &mood).await;
    }

    fn inside_item(&self, at: At<'_>, looped: &ForEach, item: Value, number: Value) -> Surroundings {
        let frame = Frame::inside(&at.around.frame);
        let mut scope = Scope::child(&at.around.scope);
        scope.bind(looped.name.clone(), item);
        scope.bind("index", number);
        Surroundings {
            scope: Arc::new(with_steps(scope, &frame, &self.run.taints)),
            frame,
            depth: at.around.depth + 1,
            ..at.around.clone()
        }
    }
}

/// What is known of a step that later steps see only if it went well.
pub(super) fn ended_well(at: At<'_>, mood: &Mood, changed: Option<bool>) -> Foreknown {
    let must = mood.doubt.is_none() && !at.step.continue_on_error && at.step.on_failure.is_none();
    Foreknown { status: must.then_some("passed"), changed, ..Foreknown::nothing(format!("after {}", at.id)) }
}

/// Surroundings in which `failure` is bound and not known.
pub(super) fn failed(around: &Surroundings) -> Surroundings {
    let mut scope = Scope::child(&around.scope);
    scope.bind("failure", Value::unknown(ONLY_THEN));
    Surroundings { scope: Arc::new(scope), ..around.clone() }
}

fn words(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// How long something may take, as runbooks write it: `10m`, `1h30m`.
pub(super) fn limit(limit: Duration) -> String {
    let mut rest = limit.as_millis();
    let mut text = String::new();
    for (unit, millis) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= millis {
            let _ = write!(text, "{}{unit}", rest / millis);
            rest %= millis;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_in_books() {
        let words = [600, 5400, 61].map(|seconds| limit(Duration::from_secs(seconds)));
        assert_eq!(words, ["10m", "1h30m", "1m1s"]);
        assert_eq!(limit(Duration::from_millis(1500)), "1s500ms");
    }
}
