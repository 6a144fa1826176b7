//! One step: whether it runs, what it did, what follows from that.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::frame::{StepState, failure_of};
use super::run::{Run, Surroundings, fill};
use crate::event::{
    Answer, CancelReason, Class, EventKind, Failure, Phase, Question, Record, Reversal, StepEnd, StepId, StepStatus,
    Verdict,
};
use crate::runbook::{Step, UndoPolicy};
use crate::secret::MASK;
use crate::template::{Scope, Value};

/// What came of trying a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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

/// A step on its way: itself, its full name, and where it runs.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) step: &'a Step,
    pub(super) id: &'a StepId,
    pub(super) around: &'a Surroundings,
}

impl At<'_> {
    /// The surroundings of steps inside this one.
    pub(super) fn inside(&self) -> Surroundings {
        Surroundings { depth: self.around.depth + 1, parent: Some(self.id.clone()), ..self.around.clone() }
    }

    /// Makes the step's state visible to expressions.
    pub(super) fn note(&self, tried: &Tried) {
        if !self.step.named {
            return;
        }
        let state = StepState {
            status: tried.verdict.status(),
            changed: tried.changed,
            attempts: tried.attempts,
            outputs: Json::Object(tried.outputs.clone()),
            info: tried.info.clone(),
            error: failure_of(&tried.verdict),
            each: tried.each.clone(),
        };
        self.around.frame.set(&self.step.id, state);
    }
}

/// Why a step is skipped, if it is.
fn unwanted(step: &Step, scope: &Scope) -> Result<Option<String>, Failure> {
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

impl Run {
    /// Runs one step; says whether the list goes on.
    pub(super) async fn step(&self, at: At<'_>) -> bool {
        let started = Instant::now();
        // What was begun was wanted; a step that goes on is not weighed again.
        let begun = self.past.begun(at.id).is_some();
        let unwanted = if begun { Ok(None) } else { unwanted(at.step, &at.around.scope) };
        match unwanted {
            Ok(None) => {}
            Ok(Some(reason)) => {
                self.skip(at, &reason);
                return true;
            }
            Err(failure) => {
                self.begin_step(at);
                return self.finish(at, Tried::new(Verdict::Errored(failure)), started).await;
            }
        }
        self.begin_step(at);
        let tried = match self.past.take_tried(at.id) {
            Some(tried) => {
                self.shared.made.close(at.id);
                tried
            }
            None => self.tried(at, begun && self.shared.made.changed(at.id)).await,
        };
        self.finish(at, tried, started).await
    }

    async fn tried(&self, at: At<'_>, confirmed: bool) -> Tried {
        let confirmed = if confirmed { Ok(()) } else { self.confirmed(at).await };
        match (confirmed, &at.step.for_each) {
            (Err(failure), _) => Tried { attempts: 0, ..Tried::new(Verdict::Errored(failure)) },
            (Ok(()), Some(looped)) => self.each(at, looped).await,
            (Ok(()), None) => self.attempts(at).await,
        }
    }

    async fn confirmed(&self, at: At<'_>) -> Result<(), Failure> {
        let Some(confirm) = at.step.confirm.as_ref().filter(|_| !self.order.options.yes) else { return Ok(()) };
        let text = match fill(confirm, &at.around.scope, &self.shared.fan)?.0 {
            Json::String(text) => text,
            other => other.to_string(),
        };
        let question = Question::Confirm { step: self.title(at.step, &at.around.scope), text: text.clone() };
        let answer = self.asker.ask(&question).await;
        self.shared.fan.tell(EventKind::Asked { question: text, answer: words(&answer) });
        match answer {
            Answer::Yes => Ok(()),
            Answer::No(_) | Answer::Filled(_) | Answer::Chosen(_) => {
                Err(Failure::new(Class::Consent, "this step was not confirmed"))
            }
            Answer::Nobody(hint) => {
                Err(Failure::new(Class::Consent, "this step asks for confirmation and nobody is there").help(hint))
            }
        }
    }

    /// What follows from a step: its `on-failure`, its `always`, its state, its event.
    async fn finish(&self, at: At<'_>, tried: Tried, started: Instant) -> bool {
        at.note(&tried);
        self.remember(at, &tried);
        if let UndoPolicy::Never(reason) = &at.step.undo {
            self.shared.made.reverse_by(at.id, &Reversal::Cannot(reason.clone()));
        }
        let bad = tried.verdict.status().is_bad();
        let title = self.title(at.step, &at.around.scope);
        if bad {
            self.blame(at.id, &title, &tried.verdict);
        }
        let handled = bad && self.answered(at, &title, &tried.verdict).await;
        if let Some(branch) = &at.step.always {
            let stopped_by = CancelReason::SecondInterrupt;
            let inner = Surroundings { phase: Phase::Always, stopped_by, wires: Vec::new(), ..at.inside() };
            if !self.list_to_the_end(&branch.steps, &inner).await && at.around.phase != Phase::OnFailure {
                self.decide();
            }
        }
        let cancelled = tried.verdict.status() == StepStatus::Cancelled;
        let followed = (bad && at.step.on_failure.is_some()) || at.step.always.is_some();
        if followed && !cancelled && self.pending().is_some() {
            // What follows from it was stopped half-way: those who go on find it unfinished, and go on there.
            return !bad;
        }
        let tolerated = bad && !cancelled && (at.step.continue_on_error || handled);
        if tolerated {
            self.absolve();
            self.tolerate();
        } else if bad && at.around.parent.is_none() && at.around.phase != Phase::OnFailure {
            self.decide();
        }
        self.end_step(at.id, tried, tolerated, started);
        !bad || tolerated
    }

    /// Runs the step's `on-failure`; says whether it handled the failure.
    async fn answered(&self, at: At<'_>, title: &str, verdict: &Verdict) -> bool {
        let interrupted = matches!(verdict, Verdict::Cancelled(reason) if *reason >= CancelReason::Interrupt);
        let Some(branch) = at.step.on_failure.as_ref().filter(|_| !interrupted) else { return false };
        let mut scope = Scope::child(&at.around.scope);
        let class = verdict.class().map(Class::word);
        let failure = json!({"step": at.id.0, "name": title, "message": verdict.line(), "class": class});
        scope.bind("failure", Value::from_json(failure));
        let inner = Surroundings { phase: Phase::OnFailure, scope: Arc::new(scope), wires: Vec::new(), ..at.inside() };
        self.list_to_the_end(&branch.steps, &inner).await && branch.handles
    }

    /// Keeps a try for those who go on; one that was stopped is made again instead.
    pub(super) fn remember(&self, at: At<'_>, tried: &Tried) {
        let stopped = matches!(tried.verdict, Verdict::Cancelled(reason) if reason >= CancelReason::Interrupt);
        let branches = at.step.on_failure.is_some() || at.step.always.is_some();
        // The step's last event says it all.
        let plain = !branches && tried.outputs.is_empty() && tried.info.is_null() && tried.each.is_none();
        if stopped || plain {
            return;
        }
        let kept = serde_json::to_value(tried).map_err(|error| error.to_string()).and_then(|tried| {
            let record = Record::Tried { step: at.id.0.clone(), tried };
            self.shared.ledger.remember(&record).map_err(|error| error.to_string())
        });
        if let Err(error) = kept {
            self.warn(error);
        }
    }

    /// The step's last event.
    pub(super) fn end_step(&self, id: &StepId, tried: Tried, tolerated: bool, started: Instant) {
        let kept = self.may_pause().then(|| tried.clone());
        let end = tried.end(id.clone(), tolerated, started);
        if let Some(tried) = kept {
            self.past.note_end(&end, &tried);
        }
        self.shared.fan.tell(EventKind::StepFinished(Box::new(end)));
    }
}

impl Tried {
    /// The step's last event; secret outputs are hidden.
    pub(super) fn end(self, id: StepId, tolerated: bool, started: Instant) -> StepEnd {
        let secret = self.secret;
        let shown = |(name, value): (String, Json)| {
            let value = if secret.contains(&name) { MASK.into() } else { value };
            (name, value)
        };
        StepEnd {
            step: id,
            verdict: self.verdict,
            tolerated,
            changed: self.changed,
            attempts: self.attempts,
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            expectations: self.expectations,
            outputs: self.outputs.into_iter().map(shown).collect(),
            info: self.info,
        }
    }
}

pub(super) fn words(answer: &Answer) -> String {
    match answer {
        Answer::Yes => "yes".into(),
        Answer::No(reason) if reason.is_empty() => "no".into(),
        Answer::No(reason) => format!("no: {reason}"),
        Answer::Nobody(_) => "nobody is there".into(),
        Answer::Filled(fields) if fields.is_empty() => "approved".into(),
        Answer::Filled(fields) => format!("approved, with {}", fields.keys().cloned().collect::<Vec<_>>().join(", ")),
        Answer::Chosen(choice) => choice.word().into(),
    }
}
