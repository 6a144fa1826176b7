//! What this version cannot carry out. `check` lets it pass: the book is legal.

use crate::runbook::{Body, Control, FailureBranch, Runbook};
use crate::source::Diagnostic;

/// Complaints about steps that this version cannot carry out; nothing may be sent then.
pub fn unsupported(book: &Runbook) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = book
        .walk()
        .filter(|step| match &step.body {
            Body::Act(act) => !act.kind.supported,
            Body::Control(control) => matches!(control, Control::Use(_) | Control::Approve(_)),
        })
        .map(|step| {
            Diagnostic::error(
                format!("this version of runhub checks `{}` but cannot carry it out yet", step.action()),
                step.action_span,
            )
        })
        .collect();
    if let Some(FailureBranch::Pause(span)) = &book.on_failure {
        out.push(Diagnostic::error(
            "this version of runhub checks `on-failure: pause` but cannot carry it out yet",
            *span,
        ));
    }
    out
}
