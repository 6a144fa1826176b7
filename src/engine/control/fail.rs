//! `fail`: an end with a message.

use crate::engine::run::{Run, Surroundings, fill};
use crate::event::{Class, Failure, Verdict};
use crate::form::Form;

impl Run {
    pub(super) fn fail(&self, form: &Form, around: &Surroundings) -> Verdict {
        Verdict::Errored(match fill(form, &around.scope, &self.shared.fan) {
            Ok((value, _)) => {
                Failure::new(Class::Assertion, value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
            }
            Err(failure) => failure,
        })
    }
}
