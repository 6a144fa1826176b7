//! `note`: a line in the report.

use crate::action::Observed;
use crate::engine::run::{Run, Surroundings, fill};
use crate::event::{EventKind, Note, StepId, Verdict};
use crate::form::Form;

impl Run {
    pub(super) fn note(&self, form: &Form, id: &StepId, around: &Surroundings) -> Result<Observed, Verdict> {
        let (value, _) = fill(form, &around.scope, &self.shared.fan).map_err(Verdict::Errored)?;
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        self.shared.fan.tell(EventKind::Noted(Note { step: Some(id.clone()), text }));
        Ok(Observed::default())
    }
}
