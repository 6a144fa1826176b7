//! `group`: several steps as one.

use crate::action::Observed;
use crate::engine::run::{Run, Surroundings};
use crate::event::{Class, Failure, StepId, Verdict};
use crate::runbook::Step;

impl Run {
    pub(super) async fn group(&self, steps: &[Step], id: &StepId, around: &Surroundings) -> Result<Observed, Verdict> {
        let inner = self.inside(id, around);
        let all_well = self.list(steps, &inner).await;
        let changed = self.shared.made.changed(id);
        if all_well {
            return Ok(Observed { changed, ..Observed::default() });
        }
        if let Some(reason) = self.stopped(around) {
            return Err(Verdict::Cancelled(reason));
        }
        Err(Verdict::Errored(match self.blamed() {
            Some(blamed) => Failure {
                message: format!("{}: {}", blamed.step, blamed.verdict.line()),
                ..blamed.failure.unwrap_or_else(|| Failure::new(Class::Assertion, ""))
            },
            None => Failure::new(Class::Assertion, "a step of the group failed"),
        }))
    }
}
