//! One action of a plan: a reading one is done, a changing one looks, a waiting one is let be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::known::{Foreknown, foresee};
use super::walk::{ended_well, limit};
use super::{Mood, Planner};
use crate::action::{Action, Blind, Blur, Context, Look, Observed, Outlook, after_steps, on_behalf_of};
use crate::document::{Mode, Node};
use crate::engine::attempt::WAIT;
use crate::engine::outputs::with_result;
use crate::engine::run::{Run, evaluation};
use crate::engine::step::{At, Tried};
use crate::event::{Failure, PlannedEffect, PlannedUndo, Verdict};
use crate::expect::Expectation;
use crate::form::{Form, PartlyFilled};
use crate::runbook::{Act, OutputSource, Step, UndoPolicy};
use crate::secret::MASK;
use crate::source::Diagnostic;
use crate::template::{Cause, Scope};

impl Planner {
    /// What one action would do.
    pub(super) async fn deed(&self, at: At<'_>, act: &Act, index: usize, mood: &Mood) {
        let partly = match act.arguments.fill_known(&at.around.scope) {
            Ok(partly) => partly,
            Err(complaints) => return self.goes_badly(at, index, &evaluation(&complaints)),
        };
        let shared = &self.run.shared;
        partly.secrets.iter().for_each(|secret| shared.fan.redactor().register_value(secret));
        self.edit(index, |planned| planned.waits = deadline(at.step, act).map(limit));
        let context = Context::new(shared.clone(), at.id.clone(), at.around.scope.clone());
        let look = Look::new(context, self.foresight.clone(), mood.doubt.is_none() && mood.times == 1);
        if let Some(why) = not_yet(&partly) {
            return self.unknown(at, act, (index, mood), (&look, &partly.node, &why)).await;
        }
        let action = match ready(act, &partly.node) {
            Ok(action) => action,
            Err(complaints) => return self.goes_badly(at, index, &evaluation(&complaints)),
        };
        let allowed = &shared.facts.allowed;
        self.with_wants(|wants| {
            let new = action.wants().into_iter().filter(|want| !allowed.contains(want) && !wants.contains(want));
            wants.extend(new.collect::<Vec<_>>());
        });
        self.witness.drain();
        let outlook = on_behalf_of(at.id, action.look(&look)).await;
        let paths = self.witness.drain();
        match self.believed(at, outlook, &paths) {
            Ok(outlook) => self.seen(at, index, mood, outlook),
            Err(Blind::Failed(failure)) => self.goes_badly(at, index, &failure),
            Err(Blind::Unknown(why) | Blind::Opaque(why)) => {
                self.unknown(at, act, (index, mood), (&look, &partly.node, &why)).await;
            }
        }
    }

    /// What was seen, unless earlier steps would make it another.
    fn believed(&self, at: At<'_>, outlook: Result<Outlook, Blind>, paths: &[String]) -> Result<Outlook, Blind> {
        let reads = match &outlook {
            Ok(outlook) => outlook.observed.is_some(),
            Err(Blind::Failed(_)) => true,
            Err(_) => return outlook,
        };
        let mut unsettled =
            if reads { self.foresight.unsettles(paths) } else { self.foresight.unsettles_beside(paths) };
        unsettled.retain(|step| step != at.id);
        if unsettled.is_empty() { outlook } else { Err(Blind::Unknown(after_steps(&unsettled))) }
    }

    /// A deed whose outlook is known.
    fn seen(&self, at: At<'_>, index: usize, mood: &Mood, outlook: Outlook) {
        let mut effects = outlook.effects;
        for effect in &mut effects {
            undone_as_written(at.step, effect);
        }
        let changed = (mood.doubt.is_none()).then(|| effects.iter().any(PlannedEffect::changes));
        self.edit(index, |planned| planned.effects = effects);
        let known = match outlook.observed {
            Some(observed) => self.judged(at, index, mood, &observed),
            None => ended_well(at, mood, changed),
        };
        foresee(at, known);
    }

    /// A deed that would go badly as the target is now; a run may find it mended.
    fn goes_badly(&self, at: At<'_>, index: usize, failure: &Failure) {
        self.edit(index, |planned| planned.fails = Some(failure.message.clone()));
        foresee(at, Foreknown::nothing(format!("after {}, which goes badly as the target is now", at.id)));
    }

    /// A deed that cannot be told beforehand: its objects, where they are known.
    async fn unknown(
        &self,
        at: At<'_>,
        act: &Act,
        (index, mood): (usize, &Mood),
        (look, node, why): (&Look, &Node, &str),
    ) {
        let effect = act.outline.effect();
        if effect.changes() {
            let mut effects = look.aim(act.kind, node, Blur { why, effect: &effect, times: mood.times }).await;
            for effect in &mut effects {
                undone_as_written(at.step, effect);
            }
            self.edit(index, |planned| planned.effects = effects);
        }
        self.edit(index, |planned| planned.unknown = Some(why.to_owned()));
        let known = ended_well(at, mood, None);
        // What is not known of a read is so because of an earlier step: that one is named, not the read.
        let why = if effect.changes() || act.outline.waits() { known.why } else { why.to_owned() };
        foresee(at, Foreknown { why, ..known });
    }

    /// Outputs and expectations of a reading action that was done.
    fn judged(&self, at: At<'_>, index: usize, mood: &Mood, observed: &Observed) -> Foreknown {
        let (run, step) = (&self.run, at.step);
        if observed.secret {
            run.shared.fan.redactor().register_value(&observed.result);
        }
        let mut scope = with_result(&at.around.scope, observed);
        let (outputs, secret) = match run.foreseen_outputs(step, &mut scope, observed) {
            Ok(outputs) => outputs,
            Err(failure) => {
                self.edit(index, |planned| planned.fails = Some(failure.message));
                return Foreknown::nothing(format!("after {}, which goes badly as the target is now", at.id));
            }
        };
        let trouble = run.foreseen_mismatch(step, &scope, &observed.result);
        let status = match &trouble {
            Ok(None) => Some("passed"),
            Ok(Some(_)) if step.continue_on_error => Some("failed"),
            Ok(Some(_)) | Err(_) => ended_well(at, mood, None).status,
        };
        self.edit(index, |planned| {
            planned.outputs = shown(&outputs, &secret);
            match trouble {
                Ok(trouble) => planned.fails = trouble,
                Err(unknown) => planned.unknown = Some(unknown),
            }
        });
        Foreknown {
            status,
            changed: Some(false),
            outputs,
            info: Some(observed.info.clone()),
            why: format!("after {}", at.id),
        }
    }
}

type Outputs = BTreeMap<String, Option<Json>>;

fn shown(outputs: &Outputs, secret: &[String]) -> BTreeMap<String, Json> {
    let known = outputs.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    known.map(|(name, value)| (name.clone(), if secret.contains(name) { MASK.into() } else { value.clone() })).collect()
}

/// How long a step may wait, where it waits.
fn deadline(step: &Step, act: &Act) -> Option<Duration> {
    let waits = act.outline.waits();
    waits.then(|| step.timeout.or_else(|| act.outline.timeout()).unwrap_or(WAIT))
}

fn not_yet(partly: &PartlyFilled) -> Option<String> {
    (!partly.unknown.is_empty()).then(|| partly.unknown.join(", "))
}

fn ready(act: &Act, node: &Node) -> Result<Arc<dyn Action>, Vec<Diagnostic>> {
    if let Some(action) = &act.ready {
        return Ok(action.clone());
    }
    let mut complaints = Vec::new();
    let action: Option<Arc<dyn Action>> = (act.kind.decode)(node, Mode::Whole, &mut complaints).map(Arc::from);
    action.filter(|_| !complaints.iter().any(Diagnostic::is_error)).ok_or(complaints)
}

/// How the book wants an effect to be taken back.
fn undone_as_written(step: &Step, effect: &mut PlannedEffect) {
    if !effect.changes() {
        return;
    }
    match &step.undo {
        UndoPolicy::Auto => {}
        UndoPolicy::Steps(_) => effect.undo = Some(PlannedUndo::Steps),
        UndoPolicy::Never(reason) => effect.undo = Some(PlannedUndo::Cannot(reason.clone())),
    }
}

/// Why a form cannot be evaluated yet, where it mentions what is not known.
pub(super) fn unknown_in(form: &Form, scope: &Scope) -> Option<String> {
    let partly = form.fill_known(scope).ok()?;
    if let Some(reason) = not_yet(&partly) {
        return Some(reason);
    }
    let conditions = Expectation::list(&partly.node, Mode::Holes, &mut Vec::new()).unwrap_or_default();
    conditions.iter().filter_map(Expectation::condition).find_map(|condition| match condition.test(scope) {
        Err(error) => match error.cause {
            Cause::Unknown { reason } => Some(reason.into_string()),
            _ => None,
        },
        Ok(_) => None,
    })
}

impl Run {
    /// The outputs that are known, and the names of those that are never shown.
    fn foreseen_outputs(
        &self,
        step: &Step,
        scope: &mut Scope,
        observed: &Observed,
    ) -> Result<(Outputs, Vec<String>), Failure> {
        let (mut outputs, mut tried) = (Outputs::new(), Tried::new(Verdict::Passed));
        for output in &step.outputs {
            let unknown = match &output.from {
                OutputSource::Value(form) => unknown_in(form, scope),
                OutputSource::Path(_) => None,
            };
            if unknown.is_some() {
                outputs.insert(output.name.clone(), None);
                continue;
            }
            let Some((value, tainted)) = self.output(output, scope, observed)? else { continue };
            if output.secret || tainted {
                self.shared.fan.redactor().register_value(&value);
                tried.secret.push(output.name.clone());
                scope.taint(&["outputs", &output.name]);
            }
            tried.outputs.insert(output.name.clone(), value.clone());
            scope.bind("outputs", crate::template::Value::from_json(Json::Object(tried.outputs.clone())));
            outputs.insert(output.name.clone(), Some(value));
        }
        scope.bind("outputs", crate::template::Value::from_json(Json::Object(tried.outputs)));
        Ok((outputs, tried.secret))
    }

    /// What an expectation would find wrong, if anything.
    ///
    /// # Errors
    /// Why that is not known yet.
    fn foreseen_mismatch(&self, step: &Step, scope: &Scope, result: &Json) -> Result<Option<String>, String> {
        let Some(form) = &step.expect else { return Ok(None) };
        if let Some(reason) = unknown_in(form, scope) {
            return Err(reason);
        }
        Ok(match self.expected(form, scope, result) {
            Ok((_, mismatches)) => mismatches.first().map(ToString::to_string),
            Err(failure) => Some(failure.message),
        })
    }
}
