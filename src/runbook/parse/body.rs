//! What a step does: an action of the table, or a control.

use std::sync::Arc;

use super::Parser;
use crate::action::{self, Action};
use crate::document::{Entry, Mode};
use crate::form::Form;
use crate::runbook::{Act, Body};
use crate::source::Diagnostic;

impl Parser {
    pub(super) fn body(&mut self, entry: &Entry, id: &str) -> Option<Body> {
        match action::find(&entry.key.text) {
            Some(kind) => {
                let before = self.errors();
                let arguments = Form::new(entry.value.clone(), &mut self.out);
                let outline: Arc<dyn Action> = Arc::from((kind.decode)(arguments.node(), Mode::Holes, &mut self.out)?);
                let ready = (arguments.is_whole() && self.errors() == before).then(|| outline.clone());
                Some(Body::Act(Act { kind, arguments, ready, outline }))
            }
            None => self.control(entry, id).map(Body::Control),
        }
    }

    fn errors(&self) -> usize {
        self.out.iter().filter(|complaint| Diagnostic::is_error(complaint)).count()
    }
}
