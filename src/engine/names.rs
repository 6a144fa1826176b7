//! The names that every step of a run can use: `inputs`, `vars`, `run`, `target`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::order::{Doors, Order};
use super::past::Past;
use super::run::{fill, taint};
use crate::clock::rfc3339;
use crate::document::JsonPath;
use crate::event::{Class, Failure, Fan, Record};
use crate::runbook::InputType;
use crate::template::{Functions, Lookup, Scope, Value};

/// The names that every run has: inputs, `run`, `target`.
pub(super) fn base_scope(order: &Order, fan: &Fan, taints: &[Vec<String>], past: &Past) -> Scope {
    let functions = Functions { jsonpath: select, clock: fan.clock() };
    let mut scope = Scope::new(functions);
    scope.bind("inputs", Value::lookup(Arc::new(BoundInputs::of(order))));
    let run = json!({
        "id": fan.run().0,
        "started_at": rfc3339(past.began_at().unwrap_or_else(|| fan.clock().now())),
        "book": order.book.name,
        "actor": past.head().map_or(&order.actor, |head| &head.actor),
    });
    scope.bind("run", Value::from_json(run));
    scope.bind("target", Value::from_json(json!(order.target)));
    taint(&mut scope, taints);
    scope
}

/// The inputs as expressions see them: a declared duration compares as one.
#[derive(Debug)]
struct BoundInputs(BTreeMap<String, Value>);

impl BoundInputs {
    fn of(order: &Order) -> Self {
        let bound = order.inputs.values.iter().map(|(name, value)| {
            let declared = order.book.inputs.iter().find(|input| input.name == *name);
            let duration = declared.filter(|input| input.kind() == InputType::Duration);
            let bound = duration.and_then(|_| Value::duration(value.as_str()?));
            (name.clone(), bound.unwrap_or_else(|| Value::from_json(value.clone())))
        });
        Self(bound.collect())
    }
}

impl Lookup for BoundInputs {
    fn get(&self, key: &str) -> Option<Value> {
        self.0.get(key).cloned()
    }

    fn keys(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

fn select(value: &Json, path: &str) -> Result<Vec<Json>, String> {
    let path = JsonPath::parse(path)?;
    Ok(path.select(value).into_iter().cloned().collect())
}

/// Computes the vars, and keeps them with the inputs for those who go on.
pub(super) fn with_new_vars(base: Scope, order: &Order, doors: &Doors) -> Result<Scope, Failure> {
    let (scope, vars) = with_vars(base, order, &doors.fan)?;
    let remembered = [Record::Inputs(json!(order.inputs.values)), Record::Vars(vars.into_iter().collect())];
    for record in &remembered {
        doors.ledger.remember(record).map_err(|error| Failure::new(Class::Journal, error.to_string()))?;
    }
    Ok(scope)
}

/// Binds the vars as an earlier process computed them.
pub(super) fn with_known_vars(mut scope: Scope, vars: &Json, fan: &Fan, taints: &[Vec<String>]) -> Scope {
    for (name, value) in vars.as_object().into_iter().flatten() {
        if taints.iter().any(|path| matches!(path.as_slice(), [root, var] if root == "vars" && var == name)) {
            fan.redactor().register_value(value);
        }
    }
    scope.bind("vars", Value::from_json(vars.clone()));
    scope
}

fn with_vars(base: Scope, order: &Order, fan: &Fan) -> Result<(Scope, BTreeMap<String, Json>), Failure> {
    let mut vars: BTreeMap<String, Json> = BTreeMap::new();
    let mut scope = base;
    for variable in &order.book.vars {
        scope.bind("vars", Value::from_json(json!(vars)));
        let (value, tainted) = fill(&variable.value, &scope, fan)
            .map_err(|failure| Failure::new(failure.class, format!("variable `{}`: {failure}", variable.name)))?;
        if variable.secret || tainted {
            fan.redactor().register_value(&value);
        }
        vars.insert(variable.name.clone(), value);
    }
    scope.bind("vars", Value::from_json(json!(vars)));
    Ok((scope, vars))
}
