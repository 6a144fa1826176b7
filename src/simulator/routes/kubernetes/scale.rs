//! `/scale`: the count of replicas, seen the same way on every workload.

use axum::response::Response;
use http::Method;
use serde_json::{Value, json};

use super::path::Target;
use super::write::{change, manager, store};
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::patch::{self, Dialect};
use crate::simulator::reply;
use crate::simulator::resource::Resource;
use crate::simulator::selector::Selector;
use crate::simulator::status::{Cause, StatusError};

/// What a scale calls itself in errors.
static SCALE: Resource = Resource {
    plural: "scales",
    singular: "scale",
    kind: "Scale",
    group: "autoscaling",
    versions: &["v1"],
    namespaced: true,
    short: &[],
    traits: &[],
};

pub(super) fn answer(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    match ask.method {
        Method::GET => {
            let name = target.name.unwrap_or_default();
            let found = app.store.get(target.resource.plural, target.place(), name);
            let workload = found.ok_or_else(|| missing(target, name))?;
            Ok(reply::json(200, &scale_of(&workload)))
        }
        Method::PUT => {
            let body = ask.json("Scale")?;
            set(app, ask, target, |_| Ok(body))
        }
        Method::PATCH => {
            let dialect = Dialect::of(ask.header("content-type").unwrap_or_default())?;
            let body = dialect.read(&ask.body)?;
            set(app, ask, target, |mut scale| patch::apply(dialect, &mut scale, &body).map(|()| scale))
        }
        _ => Err(StatusError::method_not_allowed()),
    }
}

/// Some workloads name the part as well: `deployments/scale.apps`.
fn missing(target: &Target<'_>, name: &str) -> StatusError {
    let mut error = StatusError::not_found(target.resource, name);
    if matches!(target.resource.plural, "deployments" | "replicasets") {
        let part = format!("{}/scale", target.resource.plural);
        error.message = format!("{part}.{} \"{name}\" not found", target.resource.group);
        object::put(&mut error.details, &["kind"], part);
    }
    error
}

fn set(
    app: &App,
    ask: &Ask,
    target: &Target<'_>,
    wanted: impl FnOnce(Value) -> Result<Value, StatusError>,
) -> Result<Response, StatusError> {
    let writer = manager(app, ask, target);
    let changed = change(&store(app, ask)?, target, &writer, |workload| {
        let scale = wanted(scale_of(workload))?;
        let version = object::text(&scale, "/metadata/resourceVersion");
        if !version.is_empty() && version != object::text(workload, "/metadata/resourceVersion") {
            return Err(StatusError::modified(target.resource, object::name(workload)));
        }
        let replicas = object::number(&scale, "/spec/replicas").unwrap_or_default();
        if replicas < 0 {
            return Err(negative(object::name(workload), replicas));
        }
        object::put(workload, &["spec", "replicas"], replicas);
        Ok(())
    })?;
    Ok(reply::json(200, &scale_of(&changed)))
}

fn negative(name: &str, replicas: i64) -> StatusError {
    let why = "must be greater than or equal to 0";
    let cause = Cause::invalid("spec.replicas", &replicas.into(), why);
    StatusError::invalid(&SCALE, name, &[cause])
}

fn scale_of(workload: &Value) -> Value {
    let selector = workload.pointer("/spec/selector").map(Selector::of).unwrap_or_default();
    let replicas = object::number(workload, "/spec/replicas").unwrap_or_default();
    // Go leaves a zero out here, unlike in the workloads themselves.
    let spec = if replicas == 0 { json!({}) } else { json!({ "replicas": replicas }) };
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": object::name(workload), "namespace": object::namespace(workload), "uid": object::uid(workload),
            "resourceVersion": object::text(workload, "/metadata/resourceVersion"),
            "creationTimestamp": object::text(workload, "/metadata/creationTimestamp"),
        },
        "spec": spec,
        "status": {
            "replicas": object::number(workload, "/status/replicas").unwrap_or_default(),
            "selector": selector.to_string(),
        },
    })
}
