//! `undo-steps`: takes back what steps changed, newest first.

use serde_json::json;

use crate::action::{Context, Observed};
use crate::engine::run::{Run, Surroundings};
use crate::event::{Class, Failure, StepId, Verdict};
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
        let info = json!({"undone": undone.done, "conflicts": undone.conflicts, "not_undoable": undone.cannot});
        for cannot in &undone.cannot {
            context.warn(format!("cannot be taken back: {cannot}"));
        }
        if let Some(reason) = undone.stopped {
            return Err(Verdict::Cancelled(reason));
        }
        if undone.conflicts.is_empty() {
            return Ok(Observed { result: info.clone(), info, changed: !undone.done.is_empty(), secret: false });
        }
        let failure = Failure::new(Class::Undo, format!("not taken back: {}", undone.conflicts.join("; ")))
            .help("a person must look: another writer changed what this run left, or the way back is broken");
        self.undo_failed(&failure);
        Err(Verdict::Errored(failure))
    }
}
