//! A list of steps, in order.

use std::future::Future;
use std::pin::Pin;

use tokio::time::Instant;

use super::guards::Tripwire;
use super::past::Ended;
use super::run::{Run, Surroundings};
use super::step::{At, Tried};
use super::tags;
use crate::event::{CancelReason, EventKind, Phase, StepHead, StepId, Verdict};
use crate::runbook::{Body, Step};

impl Run {
    /// Runs the steps until one goes badly; says whether none did.
    pub(super) fn list<'a>(
        &'a self,
        steps: &'a [Step],
        around: &'a Surroundings,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            for step in steps {
                if !self.in_list(step, around).await {
                    return false;
                }
            }
            true
        })
    }

    /// Runs every step, whatever the others do; says whether none went badly.
    pub(super) fn list_to_the_end<'a>(
        &'a self,
        steps: &'a [Step],
        around: &'a Surroundings,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            let mut all_well = true;
            for step in steps {
                all_well &= self.in_list(step, around).await;
            }
            all_well
        })
    }

    async fn in_list(&self, step: &Step, around: &Surroundings) -> bool {
        let id = match &around.parent {
            Some(parent) => parent.child(&step.id),
            None => StepId(step.id.clone()),
        };
        let at = At { step, id: &id, around };
        if let Some(ended) = self.past.take_ended(&id).filter(|ended| !self.is_verified_again(step, ended)) {
            return self.ended_before(at, &ended);
        }
        if let Some(reason) = self.stopped(around) {
            self.cancelled_before(at, reason);
            return false;
        }
        if !tags::is_picked(step, around.phase, &self.order.options) {
            self.skip(at, "its tags are not picked");
            return true;
        }
        self.step(at).await
    }

    /// Whether a wait that ended well is waited for once more (`--verify`).
    fn is_verified_again(&self, step: &Step, ended: &Ended) -> bool {
        let waits = matches!(&step.body, Body::Act(act) if act.outline.waits() && !step.may_change());
        self.order.options.verify && waits && ended.tried.verdict == Verdict::Passed
    }

    /// Why this list may not go on, if it may not.
    pub(super) fn stopped(&self, around: &Surroundings) -> Option<CancelReason> {
        if let Some(reason) = self.cancel.reason().filter(|reason| *reason >= around.stopped_by) {
            return Some(reason);
        }
        if around.wires.iter().any(Tripwire::is_tripped) {
            return Some(CancelReason::Guard);
        }
        around.deadline.filter(|deadline| *deadline <= Instant::now()).map(|_| CancelReason::Deadline)
    }

    fn cancelled_before(&self, at: At<'_>, reason: CancelReason) {
        let verdict = Verdict::Cancelled(reason);
        self.blame(at.id, &self.title(at.step, &at.around.scope), &verdict);
        if at.around.parent.is_none() && at.around.phase != Phase::OnFailure {
            self.decide();
        }
        self.untried(at, verdict);
    }

    pub(super) fn skip(&self, at: At<'_>, reason: &str) {
        self.untried(at, Verdict::Skipped(reason.to_owned()));
    }

    /// The events and the state of a step that is not tried.
    fn untried(&self, at: At<'_>, verdict: Verdict) {
        self.begin_step(at);
        let tried = Tried { attempts: 0, ..Tried::new(verdict) };
        at.note(&tried);
        self.end_step(at.id, tried, false, Instant::now());
    }

    pub(super) fn begin_step(&self, at: At<'_>) {
        self.shared.fan.tell(EventKind::StepStarted(Box::new(StepHead {
            step: at.id.clone(),
            name: self.title(at.step, &at.around.scope),
            action: at.step.action().to_owned(),
            place: self.order.book.source.place(at.step.span.start),
            phase: at.around.phase,
            depth: at.around.depth,
        })));
    }
}
