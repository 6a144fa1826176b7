//! `/eviction`: a deletion that disruption budgets may forbid.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use super::path::Target;
use super::write::store;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::reply;
use crate::simulator::selector::Selector;
use crate::simulator::status::StatusError;
use crate::simulator::store::{DeleteOptions, Store};

pub(super) fn evict(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let body = if ask.body.is_empty() { json!({}) } else { ask.json("Eviction")? };
    let (ns, name) = (target.place(), target.name.unwrap_or_default());
    let pod = app.store.get("pods", ns, name).ok_or_else(|| StatusError::not_found(target.resource, name))?;
    let store = store(app, ask)?;
    if !may_always_go(&pod) {
        spend(&store, &pod)?;
    }
    let text = |pointer| Some(object::text(&body, pointer)).filter(|text| !text.is_empty()).map(str::to_owned);
    let options = DeleteOptions {
        grace: object::number(&body, "/deleteOptions/gracePeriodSeconds"),
        uid: text("/deleteOptions/preconditions/uid"),
        resource_version: text("/deleteOptions/preconditions/resourceVersion"),
        propagation: None,
    };
    store.delete("pods", ns, name, &options)?;
    Ok(reply::json(
        201,
        &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }),
    ))
}

/// Pods that serve nobody are outside of every budget.
fn may_always_go(pod: &Value) -> bool {
    matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed" | "Pending") || object::is_deleting(pod)
}

/// Takes one disruption from the pod's budget.
fn spend(store: &Store, pod: &Value) -> Result<(), StatusError> {
    let budgets = budgets_of(store, pod);
    let [budget] = budgets.as_slice() else {
        return if budgets.is_empty() { Ok(()) } else { Err(too_many_budgets()) };
    };
    let (ns, name) = (object::namespace(budget), object::name(budget));
    let (healthy, desired) = (health(budget, "currentHealthy"), health(budget, "desiredHealthy"));
    if !is_ready(pod) && healthy > 0 && healthy >= desired {
        return Ok(());
    }
    let stamp = object::stamp(store.clock().now());
    store.update_status("poddisruptionbudgets", ns, name, None, |budget| {
        let allowed = health(budget, "disruptionsAllowed");
        if allowed < 1 {
            return Err(exhausted(budget));
        }
        object::put(budget, &["status", "disruptionsAllowed"], allowed - 1);
        object::put(budget, &["status", "disruptedPods", object::name(pod)], stamp);
        Ok(())
    })?;
    Ok(())
}

fn budgets_of(store: &Store, pod: &Value) -> Vec<Arc<Value>> {
    let (mut budgets, _) = store.list("poddisruptionbudgets", Some(object::namespace(pod)));
    budgets.retain(|budget| {
        let selector = budget.pointer("/spec/selector").map(Selector::of);
        selector.is_some_and(|selector| selector.matches(object::labels(pod)))
    });
    budgets
}

fn health(budget: &Value, field: &str) -> i64 {
    object::number(budget, &format!("/status/{field}")).unwrap_or_default()
}

fn is_ready(pod: &Value) -> bool {
    object::list(pod, "/status/conditions")
        .iter()
        .any(|condition| object::text(condition, "/type") == "Ready" && object::text(condition, "/status") == "True")
}

fn exhausted(budget: &Value) -> StatusError {
    let mut error = StatusError::too_many("Cannot evict pod as it would violate the pod's disruption budget.", None);
    let message = format!(
        "The disruption budget {} needs {} healthy pods and has {} currently",
        object::name(budget),
        health(budget, "desiredHealthy"),
        health(budget, "currentHealthy")
    );
    error.details = json!({ "causes": [{ "reason": "DisruptionBudget", "message": message }] });
    error
}

fn too_many_budgets() -> StatusError {
    StatusError::internal(
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    )
}
