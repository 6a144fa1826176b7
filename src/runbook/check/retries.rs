//! Tries of what may not be done twice.

use crate::action::{Changes, Effect};
use crate::runbook::{Body, Control, Runbook, Step};
use crate::source::Diagnostic;

pub(super) fn complaints(book: &Runbook) -> Vec<Diagnostic> {
    book.walk().filter_map(complaint).collect()
}

fn complaint(step: &Step) -> Option<Diagnostic> {
    let retry = step.retry.as_ref().filter(|retry| retry.attempts > 1)?;
    let culprit = once_only(step)?;
    let complaint = Diagnostic::error(
        format!("`{}` may not be done twice, so this step may not be tried again", culprit.action()),
        retry.span,
    )
    .also(culprit.action_span, "this changes something each time");
    Some(complaint.help("put `retry` on the step that checks, or wait for what must be so before it"))
}

/// The step, it or one inside it, whose change is not the same done twice.
fn once_only(step: &Step) -> Option<&Step> {
    match &step.body {
        Body::Act(act) => {
            let repeatable = match act.kind.changes {
                Changes::No => true,
                Changes::Yes => act.kind.repeatable,
                Changes::Says => !matches!(act.outline.effect(), Effect::Final(_)),
            };
            (!repeatable).then_some(step)
        }
        Body::Control(Control::Group { steps, .. }) => steps.iter().find_map(once_only),
        Body::Control(Control::UndoSteps(_) | Control::Approve(_) | Control::Use(_)) => Some(step),
        Body::Control(_) => None,
    }
}
