//! What a step keeps for later ones.

use std::sync::Arc;

use serde_json::Value as Json;

use super::run::{Run, fill};
use super::step::Tried;
use crate::action::Observed;
use crate::event::{Class, Failure};
use crate::runbook::{OutputDeclaration, OutputSource, Step};
use crate::template::{Lookup, Scope, Value};

/// An output is at most this large, as JSON.
const LARGEST: usize = 1024 * 1024;

/// A JSON object whose fields become values only when they are asked for:
/// a list of a thousand pods costs nothing where an expression reads one field.
#[derive(Debug)]
struct Lazy(Json);

impl Lookup for Lazy {
    fn get(&self, key: &str) -> Option<Value> {
        self.0.get(key).cloned().map(Value::from_json)
    }

    fn keys(&self) -> Vec<String> {
        self.0.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    }
}

/// A layer in which `result` and `info` are bound.
pub(super) fn with_result(outer: &Scope, observed: &Observed) -> Scope {
    let mut scope = outer.clone();
    let result = match &observed.result {
        object @ Json::Object(_) => Value::lookup(Arc::new(Lazy(object.clone()))),
        other => Value::from_json(other.clone()),
    };
    scope.bind("result", result);
    scope.bind("info", Value::from_json(observed.info.clone()));
    if observed.secret {
        scope.taint(&["result"]);
    }
    scope
}

impl Run {
    /// Computes a step's outputs, top to bottom; the layer that comes back has `outputs` bound.
    pub(super) fn outputs(
        &self,
        step: &Step,
        mut scope: Scope,
        observed: &Observed,
        tried: &mut Tried,
    ) -> Result<Scope, Failure> {
        for output in &step.outputs {
            scope.bind("outputs", Value::from_json(Json::Object(tried.outputs.clone())));
            let Some((value, tainted)) = self.output(output, &scope, observed)? else { continue };
            if value.to_string().len() > LARGEST {
                return Err(Failure::new(Class::Evaluation, format!("output `{}` is larger than 1 MiB", output.name)));
            }
            if output.secret || tainted {
                self.shared.fan.redactor().register_value(&value);
                tried.secret.push(output.name.clone());
                scope.taint(&["outputs", &output.name]);
            }
            tried.outputs.insert(output.name.clone(), value);
        }
        scope.bind("outputs", Value::from_json(Json::Object(tried.outputs.clone())));
        Ok(scope)
    }

    pub(super) fn output(
        &self,
        output: &OutputDeclaration,
        scope: &Scope,
        observed: &Observed,
    ) -> Result<Option<(Json, bool)>, Failure> {
        let path = match &output.from {
            OutputSource::Value(form) => {
                let named =
                    |failure: Failure| Failure::new(failure.class, format!("output `{}`: {failure}", output.name));
                return fill(form, scope, &self.shared.fan).map(Some).map_err(named);
            }
            OutputSource::Path(path) => path,
        };
        let nodes = path.select(&observed.result);
        if output.many {
            return Ok(Some((nodes.into_iter().cloned().collect(), observed.secret)));
        }
        match (nodes.as_slice(), &output.default) {
            ([only], _) => Ok(Some(((*only).clone(), observed.secret))),
            ([], Some(default)) => fill(default, scope, &self.shared.fan).map(Some),
            ([], None) if output.optional => Ok(None),
            ([], None) => {
                Err(Failure::new(Class::Expectation, format!("output `{}`: {path} selects nothing", output.name))
                    .help("give it a `default`, or say `optional: true`"))
            }
            (several, _) => Err(Failure::new(
                Class::Evaluation,
                format!("output `{}`: {path} selects {} nodes", output.name, several.len()),
            )
            .help("say `many: true` to keep them as a list")),
        }
    }
}
