//! POST, PUT and PATCH on objects.

use axum::response::Response;
use http::Method;
use http::header::WARNING;
use serde_json::{Value, json};

use super::path::Target;
use super::read::one;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::patch::{self, Dialect, Manager, managed};
use crate::simulator::resource::{Trait, by_kind};
use crate::simulator::scenario::Batch;
use crate::simulator::schema::{self, Slips};
use crate::simulator::status::{Cause, StatusError};
use crate::simulator::store::{Store, fresh_uid};
use crate::simulator::{defaults, validation};

/// The store, or its door for rehearsals when the caller asks for a dry run.
pub(super) fn store(app: &App, ask: &Ask) -> Result<Store, StatusError> {
    match ask.query("dryRun") {
        None | Some("") => Ok(app.store.clone()),
        Some("All") => Ok(app.store.dry_run()),
        Some(other) => Err(bad_dry_run(ask, other)),
    }
}

fn bad_dry_run(ask: &Ask, asked: &str) -> StatusError {
    let kind = match ask.method {
        Method::POST => "CreateOptions",
        Method::PUT => "UpdateOptions",
        Method::PATCH => "PatchOptions",
        _ => "DeleteOptions",
    };
    let message = format!("Unsupported value: []string{{\"{asked}\"}}: supported values: \"All\"");
    let cause = Cause { field: "dryRun".into(), reason: "FieldValueNotSupported", message };
    StatusError::bad_options(kind, &cause)
}

/// Who writes, as the request tells.
pub(super) fn manager(app: &App, ask: &Ask, target: &Target<'_>) -> Manager {
    let agent = ask.header("user-agent").and_then(|agent| agent.split('/').next()).unwrap_or("unknown");
    Manager {
        name: ask.query("fieldManager").filter(|name| !name.is_empty()).unwrap_or(agent).to_owned(),
        api_version: target.api_version(),
        subresource: target.sub.unwrap_or_default().to_owned(),
        time: object::stamp(app.store.clock().now()),
    }
}

pub(super) fn create(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let mut object = ask.json(target.resource.kind)?;
    fit(target, &mut object)?;
    let warnings = form(app, ask, target, &mut object)?;
    made(app, ask, target, (object, &warnings))
}

/// Adds an object that has its form.
fn made(
    app: &App,
    ask: &Ask,
    target: &Target<'_>,
    (mut object, warnings): (Value, &[String]),
) -> Result<Response, StatusError> {
    if !object::text(&object, "/metadata/resourceVersion").is_empty() {
        return Err(StatusError::unexplained("resourceVersion should not be set on objects to be created"));
    }
    open_namespace(app, target, &object)?;
    admit(target, &object)?;
    object::remove(&mut object, &["metadata", "managedFields"]);
    defaults::apply(target.resource, &mut object);
    count_templates(target, &json!({}), &mut object);
    managed::track(&manager(app, ask, target), &json!({}), &mut object);
    let made = store(app, ask)?.create(target.resource.plural, object)?;
    Ok(warned(one(201, target, &made), warnings))
}

/// Brings a body into the form of its kind; gives the warnings about what was dropped.
fn form(app: &App, ask: &Ask, target: &Target<'_>, object: &mut Value) -> Result<Vec<String>, StatusError> {
    let Some(kind) = schema::of_kind(&target.api_version(), target.resource.kind) else { return Ok(Vec::new()) };
    let Slips(slips) = schema::decode(kind, object).map_err(|why| undecodable(target, &why))?;
    match field_validation(app, ask) {
        _ if slips.is_empty() => Ok(slips),
        FieldValidation::Strict => Err(undecodable(target, &strict(&slips))),
        FieldValidation::Warn => Ok(slips),
        FieldValidation::Ignore => Ok(Vec::new()),
    }
}

fn strict(slips: &[String]) -> String {
    format!("strict decoding error: {}", slips.join(", "))
}

/// What becomes of fields that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldValidation {
    Strict,
    Warn,
    Ignore,
}

/// What the caller asks for; servers before 1.25 drop such fields without a word.
fn field_validation(app: &App, ask: &Ask) -> FieldValidation {
    match ask.query("fieldValidation") {
        _ if app.switches.batch == Batch::V1Beta1 => FieldValidation::Ignore,
        Some("Strict") => FieldValidation::Strict,
        Some("Ignore") => FieldValidation::Ignore,
        _ => FieldValidation::Warn,
    }
}

fn warned(mut response: Response, warnings: &[String]) -> Response {
    for warning in warnings {
        if let Ok(value) = format!("299 - {}", Value::from(warning.as_str())).parse() {
            response.headers_mut().append(WARNING, value);
        }
    }
    response
}

/// Checks what is to be created as the server will see it: with an identity and with its defaults.
fn admit(target: &Target<'_>, object: &Value) -> Result<(), StatusError> {
    let mut filled = object.clone();
    object::put(&mut filled, &["metadata", "uid"], fresh_uid());
    defaults::apply(target.resource, &mut filled);
    defaults::born(target.resource, &mut filled);
    validation::created(target.resource, &filled)
}

/// Where the API server keeps its kinds; its messages say so.
const SCHEME: &str = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30";

/// The object must be of the kind, and lie in the namespace, that the path says.
fn fit(target: &Target<'_>, object: &mut Value) -> Result<(), StatusError> {
    let resource = target.resource;
    let (kind, api_version) =
        (object::text(object, "/kind").to_owned(), object::text(object, "/apiVersion").to_owned());
    let expected = target.api_version();
    let known = by_kind(&api_version, &kind).is_some_and(|found| found.plural == resource.plural);
    if known && api_version != expected {
        return Err(StatusError::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    let said = !api_version.is_empty() || !kind.is_empty();
    if said && !known {
        let version = api_version.rsplit('/').next().unwrap_or_default();
        return Err(StatusError::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {}: no kind \"{kind}\" is registered for version \
             \"{api_version}\" in scheme \"{SCHEME}\"",
            resource.kind
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
    StatusError::bad_request(format!("{kind} in version \"{}\" cannot be handled as a {kind}: {why}", target.version))
}

/// New objects need a namespace that is there and stays.
fn open_namespace(app: &App, target: &Target<'_>, object: &Value) -> Result<(), StatusError> {
    let Some(ns) = target.ns else { return Ok(()) };
    let Some(namespace) = app.store.get("namespaces", "", ns) else {
        let resource = crate::simulator::resource::by_plural("namespaces");
        return Err(resource.map_or_else(StatusError::no_such_path, |found| StatusError::not_found(found, ns)));
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
    let mut body = ask.json(target.resource.kind)?;
    fit(target, &mut body)?;
    let warnings = form(app, ask, target, &mut body)?;
    let writer = manager(app, ask, target);
    let is_there = app.store.get(target.resource.plural, target.place(), target.name.unwrap_or_default()).is_some();
    if !is_there && target.sub.is_none() && target.resource.has(Trait::CreatedByUpdate) {
        same_name(target, &body)?;
        object::put(&mut body, &["metadata", "name"], target.name.unwrap_or_default());
        return made(app, ask, target, (body, &warnings));
    }
    let changed = change(&store(app, ask)?, target, &writer, |object| {
        same_name(target, &body)?;
        check_identity(target, ask, object, &body)?;
        let held = object.pointer("/spec/finalizers").filter(|_| target.resource.plural == "namespaces").cloned();
        *object = body;
        if let Some(held) = held {
            object::put(object, &["spec", "finalizers"], held);
        }
        Ok(())
    })?;
    Ok(warned(one(200, target, &changed), &warnings))
}

pub(super) fn patch(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let dialect = Dialect::of(ask.header("content-type").unwrap_or_default())?;
    let body = dialect.read(&ask.body)?;
    if dialect == Dialect::Apply {
        return apply(app, ask, target, body);
    }
    let writer = manager(app, ask, target);
    let mut warnings = Vec::new();
    let changed = change(&store(app, ask)?, target, &writer, |object| {
        let before = object.clone();
        patch::apply(dialect, object, &body)?;
        same_name(target, object)?;
        check_identity(target, ask, &before, object)?;
        warnings = form_patched(app, ask, target, object).map_err(|error| match (dialect, error) {
            (Dialect::Strategic, Unfit(why)) => unmerged(&body, &why),
            (_, Unfit(why)) => unfit(object, &why),
        })?;
        Ok(())
    })?;
    Ok(warned(one(200, target, &changed), &warnings))
}

/// As [`form`], for what a patch has made.
fn form_patched(app: &App, ask: &Ask, target: &Target<'_>, object: &mut Value) -> Result<Vec<String>, Unfit> {
    let Some(kind) = schema::of_kind(&target.api_version(), target.resource.kind) else { return Ok(Vec::new()) };
    let Slips(slips) = schema::decode(kind, object).map_err(Unfit)?;
    match field_validation(app, ask) {
        FieldValidation::Strict if !slips.is_empty() => Err(Unfit(strict(&slips))),
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Strict | FieldValidation::Warn => Ok(slips),
    }
}

/// Why what a patch has made is no object of the kind.
struct Unfit(String);

/// A strategic merge shows the patch, and of a wrong type only what was expected.
fn unmerged(patch: &Value, why: &str) -> StatusError {
    let wanted = why.rsplit_once(" of type ").map(|(_, wanted)| format!("unrecognized type: {wanted}"));
    let shown = patch::golang(patch).into();
    StatusError::bad_patch(&Cause::invalid("patch", &shown, wanted.as_deref().unwrap_or(why)))
}

fn unfit(patched: &Value, why: &str) -> StatusError {
    StatusError::bad_patch(&Cause::invalid("patch", &patched.to_string().into(), why))
}

/// Server-side apply: also creates what is not there.
fn apply(app: &App, ask: &Ask, target: &Target<'_>, mut config: Value) -> Result<Response, StatusError> {
    if ask.query("fieldManager").is_none_or(str::is_empty) {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(StatusError::bad_options("PatchOptions", &cause));
    }
    suits(app, target, &config)?;
    fit(target, &mut config)?;
    same_name(target, &config)?;
    let warnings = check_config(app, ask, target, &config)?;
    let (writer, store) = (manager(app, ask, target), store(app, ask)?);
    let (plural, name) = (target.resource.plural, target.name.unwrap_or_default());
    if app.store.get(plural, target.place(), name).is_none() && target.sub.is_none() {
        open_namespace(app, target, &config)?;
        let mut born = managed::apply(&writer, &json!({}), &config, true)?;
        form_patched(app, ask, target, &mut born).map_err(|Unfit(why)| unfit(&config, &why))?;
        admit(target, &born)?;
        let made = store.create(plural, born)?;
        return Ok(warned(one(201, target, &made), &warnings));
    }
    let force = ask.flag("force");
    let write = |object: &mut Value| {
        let before = object.clone();
        *object = managed::apply(&writer, &before, &config, force)?;
        check_identity(target, ask, &before, object)?;
        form_patched(app, ask, target, object).map_err(|Unfit(why)| unfit(&before, &why))?;
        checked(target, &before, object)
    };
    let changed = if target.sub == Some("status") {
        store.update_status(plural, target.place(), name, None, write)?
    } else {
        store.update(plural, target.place(), name, None, write)?
    };
    Ok(warned(one(200, target, &changed), &warnings))
}

/// A configuration says of what kind it is; another version of the kind is as wrong as another kind.
fn suits(app: &App, target: &Target<'_>, config: &Value) -> Result<(), StatusError> {
    let (version, expected) = (object::text(config, "/apiVersion"), target.api_version());
    let kind = object::text(config, "/kind");
    if version != expected {
        return Err(StatusError::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {version}, expected: {expected}"
        )));
    }
    if kind == target.resource.kind {
        return Ok(());
    }
    let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
    let why = format!("no corresponding type for {group}/{version}, Kind={kind}");
    let old = app.switches.batch == Batch::V1Beta1;
    let words = if old { "failed to create typed patch object" } else { "failed to convert patch to typed object" };
    Err(StatusError::unexplained(format!("{words}: {why}")))
}

/// A configuration is kept as it is, but it must fit its type (typed apply knows no other fields).
fn check_config(app: &App, ask: &Ask, target: &Target<'_>, config: &Value) -> Result<Vec<String>, StatusError> {
    form(app, ask, target, &mut config.clone())
}

/// Changes an object, or its status, and notes who did.
pub(super) fn change(
    store: &Store,
    target: &Target<'_>,
    manager: &Manager,
    change: impl FnOnce(&mut Value) -> Result<(), StatusError>,
) -> Result<std::sync::Arc<Value>, StatusError> {
    let (plural, ns, name) = (target.resource.plural, target.place(), target.name.unwrap_or_default());
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
        defaults::apply(target.resource, object);
        count_templates(target, &before, object);
        managed::track(manager, &before, object);
        checked(target, &before, object)
    };
    if target.sub == Some("status") {
        store.update_status(plural, ns, name, None, write)
    } else {
        store.update(plural, ns, name, None, write)
    }
}

/// A `DaemonSet` counts its templates.
fn count_templates(target: &Target<'_>, before: &Value, object: &mut Value) {
    if target.resource.plural == "daemonsets" && before.pointer("/spec/template") != object.pointer("/spec/template") {
        let count = object::annotations(before).get(defaults::TEMPLATE_GENERATION);
        let count: i64 = count.and_then(Value::as_str).and_then(|count| count.parse().ok()).unwrap_or_default();
        object::put(object, &["metadata", "annotations", defaults::TEMPLATE_GENERATION], (count + 1).to_string());
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
fn check_identity(target: &Target<'_>, ask: &Ask, present: &Value, wanted: &Value) -> Result<(), StatusError> {
    let resource = target.resource;
    let (uid, name) = (object::uid(wanted), object::name(present));
    if !uid.is_empty() && uid != object::uid(present) {
        return Err(foreign(target, ask, present, uid));
    }
    let version = object::text(wanted, "/metadata/resourceVersion");
    if !version.is_empty() && version != "0" && version != object::text(present, "/metadata/resourceVersion") {
        return Err(StatusError::modified(resource, name));
    }
    Ok(())
}

/// A whole object of another UID fails its precondition; a patch fails for changing what is immutable.
fn foreign(target: &Target<'_>, ask: &Ask, present: &Value, uid: &str) -> StatusError {
    let (resource, name) = (target.resource, object::name(present));
    if ask.method == Method::PATCH {
        return StatusError::invalid(
            resource,
            name,
            &[Cause::invalid("metadata.uid", &uid.into(), "field is immutable")],
        );
    }
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{name}, ResourceVersion: 0, \
         AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
        resource.plural,
        object::namespace(present),
        object::uid(present)
    );
    StatusError::conflict(resource, name, &why)
}
