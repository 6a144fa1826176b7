//! POST, PUT and PATCH on objects.

use axum::response::Response;
use serde_json::{Value, json};

use super::path::Target;
use super::read::one;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::patch::{self, Dialect, Manager, managed};
use crate::simulator::resource::Trait;
use crate::simulator::status::{Cause, StatusError};
use crate::simulator::store::Store;
use crate::simulator::{defaults, validation};

/// The store, or its door for rehearsals when the caller asks for a dry run.
pub(super) fn store(app: &App, ask: &Ask) -> Result<Store, StatusError> {
    match ask.query("dryRun") {
        None | Some("") => Ok(app.store.clone()),
        Some("All") => Ok(app.store.dry_run()),
        Some(other) => Err(StatusError::unprocessable(format!(
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"{other}\": supported values: \"All\""
        ))),
    }
}

/// Who writes, as the request tells.
pub(super) fn manager(app: &App, ask: &Ask, target: &Target<'_>) -> Manager {
    let agent = ask
        .header("user-agent")
        .and_then(|agent| agent.split('/').next())
        .unwrap_or("unknown");
    Manager {
        name: ask
            .query("fieldManager")
            .filter(|name| !name.is_empty())
            .unwrap_or(agent)
            .to_owned(),
        api_version: target.api_version(),
        subresource: target.sub.unwrap_or_default().to_owned(),
        time: object::stamp(app.store.clock().now()),
    }
}

pub(super) fn create(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let mut object = ask.json()?;
    fit(target, &mut object)?;
    validation::decodable(&object).map_err(|why| undecodable(target, &why))?;
    if !object::text(&object, "/metadata/resourceVersion").is_empty() {
        return Err(StatusError::internal(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    open_namespace(app, target, &object)?;
    admit(target, &mut object)?;
    object::remove(&mut object, &["metadata", "managedFields"]);
    managed::track(&manager(app, ask, target), &json!({}), &mut object);
    let made = store(app, ask)?.create(target.resource.plural, object)?;
    Ok(one(201, target, &made))
}

/// Checks what is to be created as the server will see it: with its defaults.
fn admit(target: &Target<'_>, object: &mut Value) -> Result<(), StatusError> {
    let mut filled = object.clone();
    defaults::apply(target.resource, &mut filled);
    validation::created(target.resource, &filled)
}

/// The object must be of the kind, and lie in the namespace, that the path says.
fn fit(target: &Target<'_>, object: &mut Value) -> Result<(), StatusError> {
    let resource = target.resource;
    let (kind, api_version) = (
        object::text(object, "/kind").to_owned(),
        object::text(object, "/apiVersion").to_owned(),
    );
    let expected = target.api_version();
    if !api_version.is_empty() && api_version != expected {
        return Err(StatusError::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if !kind.is_empty() && kind != resource.kind {
        return Err(StatusError::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {}: no kind \"{kind}\" is registered for version \
             \"{expected}\"",
            target.version, resource.kind
        )));
    }
    object::put(object, &["kind"], resource.kind);
    object::put(object, &["apiVersion"], resource.api_version());
    let ns = object::namespace(object).to_owned();
    if resource.namespaced && !ns.is_empty() && ns != target.place() {
        return Err(StatusError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if resource.namespaced {
        object::put(object, &["metadata", "namespace"], target.place());
    }
    Ok(())
}

fn undecodable(target: &Target<'_>, why: &str) -> StatusError {
    let kind = target.resource.kind;
    StatusError::bad_request(format!(
        "{kind} in version \"{}\" cannot be handled as a {kind}: {why}",
        target.version
    ))
}

/// New objects need a namespace that is there and stays.
fn open_namespace(app: &App, target: &Target<'_>, object: &Value) -> Result<(), StatusError> {
    let Some(ns) = target.ns else { return Ok(()) };
    let Some(namespace) = app.store.get("namespaces", "", ns) else {
        let resource = crate::simulator::resource::by_plural("namespaces");
        return Err(resource.map_or_else(StatusError::no_such_path, |found| {
            StatusError::not_found(found, ns)
        }));
    };
    if !object::is_deleting(&namespace) {
        return Ok(());
    }
    let (resource, name) = (target.resource, object::name(object));
    let message = format!(
        "{} \"{name}\" is forbidden: unable to create new content in namespace {ns} because it is being terminated",
        resource.qualified()
    );
    let mut error = StatusError::forbidden(message, resource.plural, resource.group, name);
    let cause = json!([{ "reason": "NamespaceTerminating", "message": format!("namespace {ns} is being terminated"),
        "field": "metadata.namespace" }]);
    object::put(&mut error.details, &["causes"], cause);
    Err(error)
}

pub(super) fn update(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let mut body = ask.json()?;
    fit(target, &mut body)?;
    validation::decodable(&body).map_err(|why| undecodable(target, &why))?;
    let writer = manager(app, ask, target);
    let changed = change(&store(app, ask)?, target, &writer, |object| {
        same_name(target, &body)?;
        check_identity(target, object, &body)?;
        *object = body;
        Ok(())
    })?;
    Ok(one(200, target, &changed))
}

pub(super) fn patch(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let dialect = Dialect::of(ask.header("content-type").unwrap_or_default())?;
    let body = dialect.read(&ask.body)?;
    if dialect == Dialect::Apply {
        return apply(app, ask, target, body);
    }
    let writer = manager(app, ask, target);
    let changed = change(&store(app, ask)?, target, &writer, |object| {
        let before = object.clone();
        patch::apply(dialect, object, &body)?;
        same_name(target, object)?;
        check_identity(target, &before, object)?;
        validation::decodable(object).map_err(|why| unfit(&ask.body, &why))
    })?;
    Ok(one(200, target, &changed))
}

fn unfit(patch: &[u8], why: &str) -> StatusError {
    let text = Value::from(String::from_utf8_lossy(patch));
    let cause = Cause::invalid("patch", &text, why);
    StatusError::unprocessable(format!(" \"\" is invalid: patch: {}", cause.message))
}

/// Server-side apply: also creates what is not there.
fn apply(
    app: &App,
    ask: &Ask,
    target: &Target<'_>,
    mut config: Value,
) -> Result<Response, StatusError> {
    if ask.query("fieldManager").is_none_or(str::is_empty) {
        return Err(StatusError::unprocessable(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        ));
    }
    fit(target, &mut config)?;
    same_name(target, &config)?;
    validation::decodable(&config).map_err(|why| undecodable(target, &why))?;
    let (writer, store) = (manager(app, ask, target), store(app, ask)?);
    let (plural, name) = (target.resource.plural, target.name.unwrap_or_default());
    if app.store.get(plural, target.place(), name).is_none() && target.sub.is_none() {
        open_namespace(app, target, &config)?;
        let born = managed::apply(&writer, &json!({}), &config, true)?;
        let mut filled = born.clone();
        admit(target, &mut filled)?;
        let made = store.create(plural, born)?;
        return Ok(one(201, target, &made));
    }
    let force = ask.flag("force");
    let write = |object: &mut Value| {
        let before = object.clone();
        *object = managed::apply(&writer, &before, &config, force)?;
        check_identity(target, &before, object)?;
        checked(target, &before, object)
    };
    let changed = if target.sub == Some("status") {
        store.update_status(plural, target.place(), name, None, write)?
    } else {
        store.update(plural, target.place(), name, None, write)?
    };
    Ok(one(200, target, &changed))
}

/// Changes an object, or its status, and notes who did.
pub(super) fn change(
    store: &Store,
    target: &Target<'_>,
    manager: &Manager,
    change: impl FnOnce(&mut Value) -> Result<(), StatusError>,
) -> Result<std::sync::Arc<Value>, StatusError> {
    let (plural, ns, name) = (
        target.resource.plural,
        target.place(),
        target.name.unwrap_or_default(),
    );
    let write = |object: &mut Value| {
        let before = object.clone();
        change(object)?;
        match before.pointer("/metadata/managedFields") {
            Some(fields) => object::put(object, &["metadata", "managedFields"], fields.clone()),
            None => drop(object::remove(object, &["metadata", "managedFields"])),
        }
        if target.sub == Some("status") {
            managed::track(manager, &before, object);
            return Ok(());
        }
        if target.resource.has(Trait::Status) {
            match before.get("status") {
                Some(status) => object::put(object, &["status"], status.clone()),
                None => drop(object::remove(object, &["status"])),
            }
        }
        managed::track(manager, &before, object);
        checked(target, &before, object)
    };
    if target.sub == Some("status") {
        store.update_status(plural, ns, name, None, write)
    } else {
        store.update(plural, ns, name, None, write)
    }
}

fn checked(target: &Target<'_>, before: &Value, object: &Value) -> Result<(), StatusError> {
    let mut filled = object.clone();
    defaults::apply(target.resource, &mut filled);
    validation::updated(target.resource, before, &filled)
}

fn same_name(target: &Target<'_>, object: &Value) -> Result<(), StatusError> {
    let (found, wanted) = (object::name(object), target.name.unwrap_or_default());
    if found.is_empty() || found == wanted {
        return Ok(());
    }
    Err(StatusError::bad_request(format!(
        "the name of the object ({found}) does not match the name on the URL ({wanted})"
    )))
}

/// A writer that names a UID or a version means that object, in that state.
fn check_identity(target: &Target<'_>, present: &Value, wanted: &Value) -> Result<(), StatusError> {
    let resource = target.resource;
    let (uid, name) = (object::uid(wanted), object::name(present));
    if !uid.is_empty() && uid != object::uid(present) {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{name}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            resource.plural,
            object::namespace(present),
            object::uid(present)
        );
        return Err(StatusError::conflict(resource, name, &why));
    }
    let version = object::text(wanted, "/metadata/resourceVersion");
    if !version.is_empty()
        && version != "0"
        && version != object::text(present, "/metadata/resourceVersion")
    {
        return Err(StatusError::modified(resource, name));
    }
    Ok(())
}
