//! A list of steps, in order.

use std::future::Future;
use std::pin::Pin;

use super::run::{Run, Surroundings};
use super::tags;
use crate::event::{CancelReason, EventKind, Phase, StepEnd, StepHead, StepId, Verdict};
use crate::runbook::Step;

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
        if let Some(reason) = self.stopped(around) {
            self.cancelled_before(step, &id, around, reason);
            return false;
        }
        if !tags::is_picked(step, around.phase, &self.order.options) {
            self.skip(step, &id, around, "its tags are not picked");
            return true;
        }
        self.step(step, id, around).await
    }

    /// Why this list may not go on, if it may not.
    pub(super) fn stopped(&self, around: &Surroundings) -> Option<CancelReason> {
        if let Some(reason) = self.cancel.reason().filter(|reason| *reason >= around.stopped_by) {
            return Some(reason);
        }
        around.deadline.filter(|deadline| *deadline <= tokio::time::Instant::now()).map(|_| CancelReason::Deadline)
    }

    fn cancelled_before(&self, step: &Step, id: &StepId, around: &Surroundings, reason: CancelReason) {
        let verdict = Verdict::Cancelled(reason);
        self.begin_step(step, id, around);
        self.blame(id, &self.title(step, &around.scope), &verdict);
        if around.parent.is_none() && around.phase != Phase::OnFailure {
            self.decide();
        }
        self.end_step(step, around, ended(id.clone(), verdict));
    }

    pub(super) fn skip(&self, step: &Step, id: &StepId, around: &Surroundings, reason: &str) {
        self.begin_step(step, id, around);
        self.end_step(step, around, ended(id.clone(), Verdict::Skipped(reason.to_owned())));
    }

    pub(super) fn begin_step(&self, step: &Step, id: &StepId, around: &Surroundings) {
        self.shared.fan.tell(EventKind::StepStarted(Box::new(StepHead {
            step: id.clone(),
            name: self.title(step, &around.scope),
            action: step.action().to_owned(),
            place: self.order.book.source.place(step.span.start),
            phase: around.phase,
            depth: around.depth,
        })));
    }
}

/// The end of a step that was never tried.
pub(super) fn ended(step: StepId, verdict: Verdict) -> StepEnd {
    StepEnd {
        step,
        verdict,
        tolerated: false,
        changed: false,
        attempts: 0,
        elapsed_ms: 0,
        expectations: 0,
        outputs: std::collections::BTreeMap::new(),
        info: serde_json::Value::Null,
    }
}
