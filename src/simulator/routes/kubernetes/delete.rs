//! DELETE of one object or many, and the end of a namespace.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::path::Target;
use super::read::{Filter, List, one};
use super::write::store;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::reply;
use crate::simulator::resource::Trait;
use crate::simulator::status::{Cause, StatusError};
use crate::simulator::store::{DeleteOptions, Deleted, Propagation, Store};

pub(super) fn delete(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let options = delete_options(ask, target)?;
    let name = target.name.unwrap_or_default();
    let deleted = door(app, ask)?.delete(target.resource.plural, target.place(), name, &options)?;
    match deleted {
        Deleted::Gone(object) if !target.resource.has(Trait::ReturnsDeleted) => {
            Ok(reply::json(200, &success(target, &object)))
        }
        Deleted::Gone(object) | Deleted::Marked(object) => Ok(one(200, target, &object)),
    }
}

fn success(target: &Target<'_>, object: &Value) -> Value {
    let mut details = Map::new();
    details.insert("name".into(), object::name(object).into());
    if !target.resource.group.is_empty() {
        details.insert("group".into(), target.resource.group.into());
    }
    details.insert("kind".into(), target.resource.plural.into());
    details.insert("uid".into(), object::uid(object).into());
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}

pub(super) fn delete_collection(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let (filter, options) = (Filter::of(ask, target)?, delete_options(ask, target)?);
    let (objects, _) = app.store.list(target.resource.plural, target.ns);
    let doomed = objects.iter().filter(|object| filter.picks(target, object));
    let store = door(app, ask)?;
    let doomed: Vec<_> = doomed.cloned().collect();
    for object in &doomed {
        let (ns, name) = (object::namespace(object), object::name(object));
        match store.delete(target.resource.plural, ns, name, &options) {
            Ok(_) => {}
            Err(error) if error.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), app.store.version().to_string().into());
    Ok(reply::json(200, &List { target, metadata, objects: &doomed }))
}

/// The store, or its door for rehearsals: a deletion may also ask for one in its body.
fn door(app: &App, ask: &Ask) -> Result<Store, StatusError> {
    let body = if ask.body.is_empty() { json!({}) } else { ask.json("DeleteOptions")? };
    let rehearsed = object::list(&body, "/dryRun").iter().any(|stage| stage == "All");
    if rehearsed { Ok(app.store.dry_run()) } else { store(app, ask) }
}

/// The options of a deletion: the body's, then the query's.
fn delete_options(ask: &Ask, target: &Target<'_>) -> Result<DeleteOptions, StatusError> {
    let body = if ask.body.is_empty() { json!({}) } else { ask.json("DeleteOptions")? };
    let text = |pointer: &str| Some(object::text(&body, pointer)).filter(|text| !text.is_empty());
    if body.get("orphanDependents").is_some_and(Value::is_boolean)
        && let Some(policy) = text("/propagationPolicy")
    {
        let why = "orphanDependents and deletionPropagation cannot be both set";
        return Err(StatusError::bad_options(
            "DeleteOptions",
            &Cause::invalid("propagationPolicy", &policy.into(), why),
        ));
    }
    let propagation = match text("/propagationPolicy").or(ask.query("propagationPolicy")) {
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Background") => Some(Propagation::Background),
        Some("Orphan") => Some(Propagation::Orphan),
        Some(other) => return Err(unknown_propagation(other)),
        None if orphans_by_default(target) => Some(Propagation::Orphan),
        None => None,
    };
    let grace = object::number(&body, "/gracePeriodSeconds");
    Ok(DeleteOptions {
        propagation,
        grace: grace.or(ask.number("gracePeriodSeconds")?),
        uid: text("/preconditions/uid").map(str::to_owned),
        resource_version: text("/preconditions/resourceVersion").map(str::to_owned),
    })
}

/// For old clients' sake these leave their pods or jobs behind unless told otherwise.
fn orphans_by_default(target: &Target<'_>) -> bool {
    matches!((target.resource.plural, target.version), ("jobs", "v1") | ("cronjobs", "v1beta1"))
}

fn unknown_propagation(policy: &str) -> StatusError {
    let allowed = ["Foreground", "Background", "Orphan", "nil"];
    let cause = Cause::unsupported("propagationPolicy", &policy.into(), &allowed);
    StatusError::bad_options("DeleteOptions", &cause)
}

/// Lets a terminating namespace go: the one way to change its `spec.finalizers`.
pub(super) fn finalize(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let body = ask.json("Namespace")?;
    let finalizers = object::list(&body, "/spec/finalizers").to_vec();
    let name = target.name.unwrap_or_default();
    let changed = store(app, ask)?.update("namespaces", "", name, None, |namespace| {
        object::put(namespace, &["spec", "finalizers"], finalizers);
        Ok(())
    })?;
    Ok(one(200, target, &changed))
}
