//! What a place in the book can see.

use std::collections::BTreeSet;

use crate::runbook::{Body, Control, Runbook, Step};

/// A step that can be seen from a place.
#[derive(Debug, Clone)]
pub(super) struct Seen<'a> {
    pub(super) step: &'a Step,
    /// Its outputs are there for sure.
    pub(super) certain: bool,
}

/// What a place can see.
#[derive(Debug, Clone, Default)]
pub(super) struct Visible<'a> {
    pub(super) steps: Vec<Seen<'a>>,
    /// Names of loop items around the place.
    pub(super) items: Vec<String>,
    /// `failure` is bound.
    pub(super) failure: bool,
    /// Paths that a `when` around the place vouches for.
    pub(super) vouched: Vec<Vec<String>>,
    /// Every enclosing group runs for sure.
    pub(super) sure: bool,
}

impl<'a> Visible<'a> {
    /// What the first step of a book sees.
    pub(super) fn first() -> Self {
        Self { sure: true, ..Self::default() }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Seen<'a>> {
        self.steps.iter().find(|seen| seen.step.id == id)
    }

    /// Notes that a step is over: it, and what was in its group, can be seen from now on.
    pub(super) fn passed(&mut self, step: &'a Step) {
        let certain = self.sure && runs_for_sure(step);
        if step.named {
            self.steps.push(Seen { step, certain });
        }
        if step.for_each.is_none()
            && let Body::Control(Control::Group { steps, .. }) = &step.body
        {
            let mut inner = Visible { sure: certain, ..Visible::default() };
            for step in steps {
                inner.passed(step);
            }
            self.steps.extend(inner.steps);
        }
    }

    /// What is seen after everything may have happened: the same steps, none for sure.
    pub(super) fn afterwards(&self) -> Self {
        let steps = self.steps.iter().map(|seen| Seen { certain: false, ..seen.clone() }).collect();
        Self { steps, sure: true, ..self.clone() }
    }
}

fn runs_for_sure(step: &Step) -> bool {
    let handled = step.on_failure.as_ref().is_some_and(|branch| branch.handles);
    // Tags do not count: leaving out a step that is needed is refused when the run begins.
    step.when.is_none() && step.for_each.is_none() && !step.continue_on_error && !handled
}

/// All ids of a book.
pub(super) fn ids(book: &Runbook) -> BTreeSet<&str> {
    book.walk().filter(|step| step.named).map(|step| step.id.as_str()).collect()
}
