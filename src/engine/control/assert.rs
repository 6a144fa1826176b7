//! `assert`: conditions on what is known already.

use serde_json::Value;

use crate::action::Observed;
use crate::engine::run::{Run, Surroundings};
use crate::event::Verdict;
use crate::form::Form;

impl Run {
    pub(super) fn assert(&self, form: &Form, around: &Surroundings) -> Result<Observed, Verdict> {
        let (_, mismatches) = self.expected(form, &around.scope, &Value::Null).map_err(Verdict::Errored)?;
        if mismatches.is_empty() { Ok(Observed::default()) } else { Err(Verdict::Failed(mismatches)) }
    }
}
