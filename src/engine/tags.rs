//! Picking steps by tag; only the book's `steps` can be picked.

use super::order::Options;
use crate::event::Phase;
use crate::runbook::{Runbook, Step};

/// Whether a step is to be run.
pub(super) fn is_picked(step: &Step, phase: Phase, options: &Options) -> bool {
    if phase != Phase::Steps {
        return true;
    }
    let has = |tags: &[String]| step.tags.iter().any(|tag| tags.contains(tag));
    let inner_has = || step.lists().iter().any(|list| list.iter().any(|inner| is_picked(inner, phase, options)));
    (options.tags.is_empty() || has(&options.tags) || (step.tags.is_empty() && !step.lists().is_empty() && inner_has()))
        && !has(&options.skip_tags)
}

/// Steps that are left out although a picked step reads them: `(left out, needed by)`.
pub fn unpicked(book: &Runbook, options: &Options) -> Vec<(String, String)> {
    if options.tags.is_empty() && options.skip_tags.is_empty() {
        return Vec::new();
    }
    let left_out: Vec<&Step> = book.steps.iter().filter(|step| !is_picked(step, Phase::Steps, options)).collect();
    let picked = book.steps.iter().filter(|step| is_picked(step, Phase::Steps, options));
    let mut needed = Vec::new();
    for step in picked {
        for name in crate::runbook::steps_read_by(step) {
            if left_out.iter().any(|left| left.id == name) {
                needed.push((name, step.id.clone()));
            }
        }
    }
    needed
}
