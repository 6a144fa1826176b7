//! `undo-steps`: takes back what steps changed, newest first.

use crate::action::{Context, Observed};
use crate::engine::run::{Run, Surroundings};
use crate::event::{StepId, Verdict};
use crate::runbook::UndoWhich;

impl Run {
    pub(super) async fn undo_steps(
        &self,
        which: &UndoWhich,
        id: &StepId,
        around: &Surroundings,
    ) -> Result<Observed, Verdict> {
        let context = Context::new(self.shared.clone(), id.clone(), around.scope.clone());
        let undone = self.undo(which, &context, around).await;
        for cannot in &undone.cannot {
            context.warn(format!("cannot be taken back: {cannot}"));
        }
        let (info, verdict) = (undone.info(), undone.verdict());
        if let Verdict::Errored(failure) = &verdict {
            self.undo_failed(failure);
        }
        match verdict {
            Verdict::Passed => {
                Ok(Observed { result: info.clone(), info, changed: !undone.done.is_empty(), secret: false })
            }
            bad => Err(bad),
        }
    }
}
