//! `approve`: only a person answers; without one the run is paused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use crate::action::Observed;
use crate::clock::rfc3339;
use crate::engine::pause::Pause;
use crate::engine::run::{Run, evaluation};
use crate::engine::step::At;
use crate::event::{
    Answer, Approval as Given, Approve, CancelReason, Class, EventKind, Failure, Question, Record, StepId, Verdict,
    Waiting,
};
use crate::form::Form;
use crate::runbook::Approval;

impl Run {
    pub(super) async fn approve(&self, form: &Form, at: At<'_>) -> Result<Observed, Verdict> {
        let filled = form.fill(&at.around.scope).map_err(|complaints| Verdict::Errored(evaluation(&complaints)))?;
        filled.secrets.iter().for_each(|secret| self.shared.fan.redactor().register_value(secret));
        let approval = Approval::of(&filled.node).map_err(|complaints| Verdict::Errored(evaluation(&complaints)))?;
        let given = match self.past.answer(at.id) {
            Some(given) => given,
            None => self.asked_for(&approval, at).await?,
        };
        match given.rejected {
            Some(reason) => {
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                Err(Verdict::Errored(Failure::new(Class::Consent, format!("rejected by {}{why}", given.by))))
            }
            None => Ok(observed(given)),
        }
    }

    /// The answer of a person, journaled.
    async fn asked_for(&self, approval: &Approval, at: At<'_>) -> Result<Given, Verdict> {
        let left = self.time_left(approval, at.id)?;
        let line = format!("waiting for approval: {}", approval.message);
        self.shared.fan.tell(EventKind::StepWaiting(Waiting { step: at.id.clone(), line }));
        let question = Question::Approve(Approve {
            step: self.title(at.step, &at.around.scope),
            message: approval.message.clone(),
            fields: approval.fields(),
            next: self.effects_after(at.step, &at.around.scope),
        });
        let answer = tokio::select! {
            biased;
            reason = self.cancel.at_least(at.around.stopped_by) => return Err(Verdict::Cancelled(reason)),
            answer = self.asker.ask(&question) => answer,
            () = tokio::time::sleep(left) => return Err(too_late(approval)),
        };
        self.tell_asked(approval.message.clone(), &answer);
        let fields = match self.judged_answer(approval, answer) {
            Ok(fields) => fields,
            Err(waits) => return Err(self.wait_for_approval(at.id, waits)),
        };
        let rejected = fields.as_ref().err().cloned();
        let given = Given {
            by: self.order.actor.clone(),
            at: self.shared.fan.clock().now(),
            fields: fields.unwrap_or_default(),
            rejected,
        };
        let record = Record::Answered { step: at.id.0.clone(), answer: given.clone() };
        let kept = self.shared.ledger.remember(&record);
        kept.map_err(|error| Verdict::Errored(Failure::new(Class::Journal, error.to_string())))?;
        Ok(given)
    }

    /// The fields, or why not; or why the answer is none, and the run waits on.
    fn judged_answer(
        &self,
        approval: &Approval,
        answer: Answer,
    ) -> Result<Result<BTreeMap<String, Json>, String>, Failure> {
        let waits = |message: String| Failure::new(Class::Consent, message);
        if !matches!(answer, Answer::Nobody(_)) && !approval.may_be_given_by(&self.order.actor) {
            let message = format!("{} may not answer this: only {} may", self.order.actor, approval.by());
            return Err(waits(message));
        }
        let filled = match answer {
            Answer::Filled(fields) => fields,
            Answer::Yes => BTreeMap::new(),
            Answer::No(reason) => return Ok(Err(reason)),
            Answer::Nobody(_) | Answer::Chosen(_) => {
                return Err(waits(format!("waiting for approval: {}", approval.message)));
            }
        };
        match approval.read(&filled) {
            Ok(fields) => Ok(Ok(fields)),
            Err(wrong) => Err(waits(format!("the approval is not complete: {}", wrong.join("; ")))),
        }
    }

    fn wait_for_approval(&self, step: &StepId, failure: Failure) -> Verdict {
        let run = &self.shared.facts.run;
        let next = [format!("runhub approve {run}"), format!("runhub reject {run} REASON")];
        self.stop_for(Pause::of(failure).at(step).next(next));
        Verdict::Cancelled(CancelReason::Paused)
    }

    /// How long a person may still take, counted from when they were first asked.
    fn time_left(&self, approval: &Approval, step: &StepId) -> Result<Duration, Verdict> {
        let Some(limit) = approval.timeout else { return Ok(Duration::MAX / 8) };
        let now = self.shared.fan.clock().now();
        let waited = self.past.begun(step).map(|since| (now - since).to_std().unwrap_or_default());
        match limit.checked_sub(waited.unwrap_or_default()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(too_late(approval)),
        }
    }
}

fn too_late(approval: &Approval) -> Verdict {
    let limit = approval.timeout.unwrap_or_default();
    Verdict::Errored(Failure::new(Class::Timeout, format!("nobody approved it within {limit:?}: {}", approval.message)))
}

fn observed(given: Given) -> Observed {
    let fields: Map<String, Json> = given.fields.into_iter().collect();
    let result = json!({"by": given.by, "at": rfc3339(given.at), "fields": fields});
    Observed { info: json!({"by": given.by, "at": rfc3339(given.at)}), result, ..Observed::default() }
}
