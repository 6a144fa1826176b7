//! What a place in the book can see.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::runbook::{Body, Control, Runbook, Step};

/// A step that can be seen from a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) step: &'a Step,
    /// Its outputs are there for sure.
    pub(super) certain: bool,
}

/// What a place can see; a clone shares the steps, so that a place costs the same in a book of any length.
#[derive(Debug, Clone, Default)]
pub(super) struct Visible<'a> {
    steps: Rc<Layer<'a>>,
    /// Names of loop items around the place.
    pub(super) items: Vec<String>,
    /// `failure` is bound.
    pub(super) failure: bool,
    /// Paths that a `when` around the place vouches for.
    pub(super) vouched: Vec<Vec<String>>,
    /// Every enclosing group runs for sure.
    pub(super) sure: bool,
}

/// The steps of one list, and those of the lists around it.
#[derive(Debug, Clone, Default)]
struct Layer<'a> {
    own: BTreeMap<&'a str, Seen<'a>>,
    outer: Option<Rc<Layer<'a>>>,
    /// Of what is further out, nothing is there for sure.
    doubts_outer: bool,
}

impl<'a> Visible<'a> {
    /// What the first step of a book sees.
    pub(super) fn first() -> Self {
        Self { sure: true, ..Self::default() }
    }

    /// A step by its id.
    pub(super) fn find(&self, id: &str) -> Option<Seen<'a>> {
        let (mut layer, mut doubted) = (self.steps.as_ref(), false);
        loop {
            if let Some(seen) = layer.own.get(id) {
                return Some(Seen { certain: seen.certain && !doubted, ..*seen });
            }
            doubted |= layer.doubts_outer;
            layer = layer.outer.as_deref()?;
        }
    }

    /// The ids of all steps, the nearest list first.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> + Clone {
        let layers = std::iter::successors(Some(self.steps.as_ref()), |layer| layer.outer.as_deref());
        layers.flat_map(|layer| layer.own.keys().copied())
    }

    /// What the first step of a list inside this place sees.
    pub(super) fn inside(&self) -> Self {
        let layer = Layer { outer: Some(Rc::clone(&self.steps)), ..Layer::default() };
        Self { steps: Rc::new(layer), ..self.clone() }
    }

    /// Notes that a step is over: it, and what was in its group, can be seen from now on.
    pub(super) fn passed(&mut self, step: &'a Step) {
        note(Rc::make_mut(&mut self.steps), step, self.sure);
    }

    /// Notes that a step is over, and that its outputs are not there for sure.
    pub(super) fn perhaps_passed(&mut self, step: &'a Step) {
        self.passed(step);
        if let Some(seen) = Rc::make_mut(&mut self.steps).own.get_mut(step.id.as_str()) {
            seen.certain = false;
        }
    }

    /// What is seen after everything may have happened: the same steps, none for sure.
    pub(super) fn afterwards(&self) -> Self {
        let layer = Layer { outer: Some(Rc::clone(&self.steps)), doubts_outer: true, ..Layer::default() };
        Self { steps: Rc::new(layer), sure: true, ..self.clone() }
    }
}

fn note<'a>(layer: &mut Layer<'a>, step: &'a Step, sure: bool) {
    let certain = sure && runs_for_sure(step);
    if step.named {
        layer.own.insert(&step.id, Seen { step, certain });
    }
    if step.for_each.is_none()
        && let Body::Control(Control::Group { steps, .. }) = &step.body
    {
        for step in steps {
            note(layer, step, certain);
        }
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
