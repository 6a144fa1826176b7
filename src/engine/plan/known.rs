//! What expressions see of a planned step: what is known of it, and why the rest is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::engine::run::fill;
use crate::engine::step::At;
use crate::event::{Class, Failure};
use crate::runbook::Runbook;
use crate::template::{Lookup, Scope, Value};

/// Named values, some of which are not known.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(BTreeMap<String, Value>);

impl Known {
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    pub(super) fn into_value(self) -> Value {
        Value::lookup(Arc::new(self))
    }
}

impl Lookup for Known {
    fn get(&self, key: &str) -> Option<Value> {
        self.0.get(key).cloned()
    }

    fn keys(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

/// What is known of a step once a plan has looked at it.
#[derive(Debug, Clone, Default)]
pub(super) struct Foreknown {
    /// Its status, where it is known.
    pub(super) status: Option<&'static str>,
    /// Whether it changes anything, where that is known.
    pub(super) changed: Option<bool>,
    /// Its outputs; one that is not known has none.
    pub(super) outputs: BTreeMap<String, Option<Json>>,
    /// Its facts, where they are known.
    pub(super) info: Option<Json>,
    /// Why the rest is not known.
    pub(super) why: String,
}

impl Foreknown {
    /// A step of which nothing is known, and why.
    pub(super) fn nothing(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }

    /// A step that is skipped.
    pub(super) fn skipped() -> Self {
        Self { status: Some("skipped"), changed: Some(false), info: Some(Json::Null), ..Self::default() }
    }

    /// The value of `steps.<id>`; `declared` are the names of its outputs.
    pub(super) fn into_value(self, declared: &[String]) -> Value {
        let unknown = || Value::unknown(self.why.clone());
        let of = |value: Option<Json>| value.map_or_else(unknown, Value::from_json);
        let mut outputs = Known::default();
        for name in declared {
            match self.outputs.get(name) {
                Some(Some(value)) => outputs.set(name, Value::from_json(value.clone())),
                None if self.status == Some("skipped") => {}
                None if self.info.is_some() => {}
                Some(None) | None => outputs.set(name, unknown()),
            }
        }
        let mut state = Known::default();
        state.set("status", of(self.status.map(Into::into)));
        state.set("changed", of(self.changed.map(Into::into)));
        state.set("attempts", if self.status == Some("skipped") { Value::from_json(0.into()) } else { unknown() });
        state.set("outputs", outputs.into_value());
        state.set("info", of(self.info.clone()));
        state.set("error", of(matches!(self.status, Some("passed" | "skipped")).then_some(Json::Null)));
        state.set("each", unknown());
        state.into_value()
    }
}

/// The book's vars as a plan knows them: what each run makes anew is not known.
pub(super) fn with_vars(mut scope: Scope, book: &Runbook, fan: &crate::event::Fan) -> Result<Scope, Failure> {
    let mut vars = Known::default();
    for variable in &book.vars {
        scope.bind("vars", vars.clone().into_value());
        let made_anew = variable.value.holes().iter().any(|hole| hole.template.uses_generators());
        let partly = variable.value.fill_known(&scope).map_err(|complaints| named(&variable.name, &complaints))?;
        let value = if made_anew || !partly.unknown.is_empty() {
            Value::unknown(format!("each run makes `vars.{}` anew", variable.name))
        } else {
            let (value, tainted) = fill(&variable.value, &scope, fan)?;
            if variable.secret || tainted {
                fan.redactor().register_value(&value);
            }
            Value::from_json(value)
        };
        vars.set(&variable.name, value);
    }
    scope.bind("vars", vars.into_value());
    Ok(scope)
}

fn named(name: &str, complaints: &[crate::source::Diagnostic]) -> Failure {
    let failure = crate::engine::run::evaluation(complaints);
    Failure::new(Class::Evaluation, format!("variable `{name}`: {failure}"))
}

/// Binds what a plan knows of a step.
pub(super) fn foresee(at: At<'_>, known: Foreknown) {
    if at.step.named {
        let declared: Vec<String> = at.step.outputs.iter().map(|output| output.name.clone()).collect();
        at.around.frame.foresee(&at.step.id, known.into_value(&declared));
    }
}
