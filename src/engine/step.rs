//! One step: whether it runs, what it did, what follows from that.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::frame::{StepState, failure_of};
use super::list::ended;
use super::run::{Run, Surroundings, fill};
use crate::event::{
    Answer, CancelReason, Class, EventKind, Failure, Phase, Question, Record, Reversal, StepEnd, StepId, StepStatus,
    Verdict,
};
use crate::runbook::{Branch, Step, UndoPolicy};
use crate::secret::MASK;
use crate::template::Scope;

/// What came of trying a step.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub(super) verdict: Verdict,
    pub(super) attempts: u32,
    pub(super) changed: bool,
    /// The values, secrets included.
    pub(super) outputs: serde_json::Map<String, Json>,
    /// The names of outputs that are never shown.
    pub(super) secret: Vec<String>,
    pub(super) info: Json,
    pub(super) expectations: usize,
    /// One entry an item, of a loop.
    pub(super) each: Option<Vec<Json>>,
}

impl Tried {
    pub(super) fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            attempts: 1,
            changed: false,
            outputs: serde_json::Map::new(),
            secret: Vec::new(),
            info: Json::Null,
            expectations: 0,
            each: None,
        }
    }
}

impl Run {
    /// Runs one step; says whether the list goes on.
    pub(super) async fn step(&self, step: &Step, id: StepId, around: &Surroundings) -> bool {
        match self.unwanted(step, &around.scope) {
            Ok(None) => {}
            Ok(Some(reason)) => {
                self.skip(step, &id, around, &reason);
                return true;
            }
            Err(failure) => {
                self.begin_step(step, &id, around);
                return self.finish(step, &id, around, Tried::new(Verdict::Errored(failure)), Instant::now()).await;
            }
        }
        let started = Instant::now();
        self.begin_step(step, &id, around);
        let tried = match self.confirmed(step, around).await {
            Err(failure) => Tried { attempts: 0, ..Tried::new(Verdict::Errored(failure)) },
            Ok(()) => match &step.for_each {
                Some(looped) => self.each(step, looped, &id, around).await,
                None => self.attempts(step, &id, around).await,
            },
        };
        self.finish(step, &id, around, tried, started).await
    }

    /// Why the step is skipped, if it is.
    fn unwanted(&self, step: &Step, scope: &Scope) -> Result<Option<String>, Failure> {
        let Some(when) = &step.when else { return Ok(None) };
        let truth = when.test(scope).map_err(|error| Failure::new(Class::Evaluation, format!("`when`: {error}")))?;
        if truth.holds {
            return Ok(None);
        }
        let operands: Vec<String> =
            truth.trace.iter().map(|operand| format!("{} = {}", operand.text, operand.value)).collect();
        let because = if operands.is_empty() { String::new() } else { format!(" ({})", operands.join(", ")) };
        Ok(Some(format!("`{}` is false{because}", when.text())))
    }

    async fn confirmed(&self, step: &Step, around: &Surroundings) -> Result<(), Failure> {
        let Some(confirm) = step.confirm.as_ref().filter(|_| !self.order.options.yes) else { return Ok(()) };
        let text = match fill(confirm, &around.scope, &self.shared.fan)?.0 {
            Json::String(text) => text,
            other => other.to_string(),
        };
        let question = Question::Confirm { step: self.title(step, &around.scope), text: text.clone() };
        let answer = self.asker.ask(&question).await;
        self.shared.fan.tell(EventKind::Asked { question: text, answer: words(&answer) });
        match answer {
            Answer::Yes => Ok(()),
            Answer::No(_) => Err(Failure::new(Class::Consent, "this step was not confirmed")),
            Answer::Nobody(hint) => {
                Err(Failure::new(Class::Consent, "this step asks for confirmation and nobody is there").help(hint))
            }
        }
    }

    /// What follows from a step: its `on-failure`, its `always`, its state, its event.
    pub(super) async fn finish(
        &self,
        step: &Step,
        id: &StepId,
        around: &Surroundings,
        tried: Tried,
        started: Instant,
    ) -> bool {
        self.note_state(step, around, &tried);
        if let UndoPolicy::Never(reason) = &step.undo {
            self.shared.made.reverse_by(id, &Reversal::Cannot(reason.clone()));
        }
        let bad = tried.verdict.status().is_bad();
        let title = self.title(step, &around.scope);
        if bad {
            self.blame(id, &title, &tried.verdict);
        }
        let handled = bad && self.answered(step, id, around, &title, &tried.verdict).await;
        if let Some(branch) = &step.always {
            let inner = Surroundings {
                phase: Phase::Always,
                stopped_by: CancelReason::SecondInterrupt,
                ..self.inside(id, around)
            };
            if !self.list_to_the_end(&branch.steps, &inner).await && around.phase != Phase::OnFailure {
                self.decide();
            }
        }
        let cancelled = tried.verdict.status() == StepStatus::Cancelled;
        let tolerated = bad && !cancelled && (step.continue_on_error || handled);
        if tolerated {
            self.absolve();
            self.tolerate();
        } else if bad && around.parent.is_none() && around.phase != Phase::OnFailure {
            self.decide();
        }
        self.end_step(step, around, self.end(id, tried, tolerated, started));
        !bad || tolerated
    }

    /// Runs the step's `on-failure`; says whether it handled the failure.
    async fn answered(&self, step: &Step, id: &StepId, around: &Surroundings, title: &str, verdict: &Verdict) -> bool {
        let interrupted = matches!(verdict, Verdict::Cancelled(reason) if *reason >= CancelReason::Interrupt);
        let Some(branch) = step.on_failure.as_ref().filter(|_| !interrupted) else { return false };
        let inner = Surroundings { phase: Phase::OnFailure, ..self.inside(id, around) };
        self.answering(branch, &inner, title, id, verdict).await && branch.handles
    }

    async fn answering(
        &self,
        branch: &Branch,
        inner: &Surroundings,
        title: &str,
        id: &StepId,
        verdict: &Verdict,
    ) -> bool {
        let mut scope = Scope::child(&inner.scope);
        scope.bind(
            "failure",
            crate::template::Value::from_json(serde_json::json!({
                "step": id.0, "name": title, "message": verdict.line(), "class": verdict.class().map(Class::word),
            })),
        );
        let inner = Surroundings { scope: Arc::new(scope), ..inner.clone() };
        self.list_to_the_end(&branch.steps, &inner).await
    }

    /// The surroundings of steps inside this one.
    pub(super) fn inside(&self, id: &StepId, around: &Surroundings) -> Surroundings {
        Surroundings { depth: around.depth + 1, parent: Some(id.clone()), ..around.clone() }
    }

    /// Makes the step's state visible to expressions.
    pub(super) fn note_state(&self, step: &Step, around: &Surroundings, tried: &Tried) {
        if !step.named {
            return;
        }
        around.frame.set(
            &step.id,
            StepState {
                status: tried.verdict.status(),
                changed: tried.changed,
                attempts: tried.attempts,
                outputs: Json::Object(tried.outputs.clone()),
                info: tried.info.clone(),
                error: failure_of(&tried.verdict),
                each: tried.each.clone(),
            },
        );
    }

    fn end(&self, id: &StepId, tried: Tried, tolerated: bool, started: Instant) -> StepEnd {
        let record = Record::Ended {
            step: id.0.clone(),
            outputs: Json::Object(tried.outputs.clone()),
            info: tried.info.clone(),
        };
        if let Err(error) = self.shared.ledger.remember(&record) {
            self.warn(error.to_string());
        }
        let shown = |(name, value): (String, Json)| {
            let value = if tried.secret.contains(&name) { MASK.into() } else { value };
            (name, value)
        };
        StepEnd {
            tolerated,
            changed: tried.changed,
            attempts: tried.attempts,
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            expectations: tried.expectations,
            outputs: tried.outputs.into_iter().map(shown).collect::<BTreeMap<_, _>>(),
            info: tried.info,
            ..ended(id.clone(), tried.verdict)
        }
    }

    pub(super) fn end_step(&self, step: &Step, around: &Surroundings, end: StepEnd) {
        if step.named && end.attempts == 0 {
            let state = Tried { attempts: 0, ..Tried::new(end.verdict.clone()) };
            self.note_state(step, around, &state);
        }
        self.shared.fan.tell(EventKind::StepFinished(Box::new(end)));
    }
}

pub(super) fn words(answer: &Answer) -> String {
    match answer {
        Answer::Yes => "yes".into(),
        Answer::No(reason) if reason.is_empty() => "no".into(),
        Answer::No(reason) => format!("no: {reason}"),
        Answer::Nobody(_) => "nobody is there".into(),
    }
}
