//! `group`: several steps as one.

use crate::action::Observed;
use crate::engine::run::Run;
use crate::engine::step::At;
use crate::event::{Class, Failure, Verdict};
use crate::runbook::{Guard, Step};

impl Run {
    pub(super) async fn group(&self, steps: &[Step], guards: &[Guard], at: At<'_>) -> Result<Observed, Verdict> {
        let (watch, inner) = self.guard(guards, at.id, &at.inside()).await.map_err(Verdict::Errored)?;
        let all_well = self.under(&watch, self.list(steps, &inner)).await;
        let changed = self.shared.made.changed(at.id);
        if all_well {
            return Ok(Observed { changed, ..Observed::default() });
        }
        if let Some(reason) = self.stopped(at.around) {
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
