//! What this version cannot carry out. `check` lets it pass: the book is legal.

use crate::runbook::{Body, Control, Runbook};
use crate::source::Diagnostic;

/// Complaints about steps that this version cannot carry out; nothing may be sent then.
pub fn unsupported(book: &Runbook) -> Vec<Diagnostic> {
    book.walk()
        .filter(|step| match &step.body {
            Body::Act(act) => !act.kind.supported,
            Body::Control(control) => matches!(control, Control::Use(_)),
        })
        .map(|step| {
            Diagnostic::error(
                format!("this version of runhub checks `{}` but cannot carry it out yet", step.action()),
                step.action_span,
            )
        })
        .collect()
}
