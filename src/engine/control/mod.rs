//! What steps do with the run itself; one file a control.
//!
//! To add one: its variant in `runbook::Control`, its file here, its arm below.

mod approve;
mod assert;
mod fail;
mod group;
mod note;
mod pause;
mod undo_steps;

use super::run::Run;
use super::step::At;
use crate::action::Observed;
use crate::event::{Class, Failure, Verdict};
use crate::runbook::Control;

impl Run {
    /// Carries a control out.
    pub(super) async fn control(&self, at: At<'_>, control: &Control) -> Result<Observed, Verdict> {
        let At { step, id, around } = at;
        match control {
            Control::Group { steps, guards } => self.group(steps, guards, at).await,
            Control::Note(form) => self.note(form, id, around),
            Control::Assert(form) => self.assert(form, around),
            Control::Pause(form) => self.pause(form, id, around).await,
            Control::Fail(form) => Err(self.fail(form, around)),
            Control::UndoSteps(which) => self.undo_steps(which, id, around).await,
            Control::Approve(form) => self.approve(form, at).await,
            Control::Use(_) => Err(Verdict::Errored(Failure::new(
                Class::Unsupported,
                format!("this version of runhub cannot carry out `{}`", step.action()),
            ))),
        }
    }
}
