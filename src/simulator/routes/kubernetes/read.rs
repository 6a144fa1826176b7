//! GET: one object, and lists in pages.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value, json};

use super::events;
use super::path::Target;
use super::table::{self, Form, Listed, View};
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::reply::{self, Bare, Versioned};
use crate::simulator::selector::{FieldSelector, Selector};
use crate::simulator::status::{Cause, StatusError};

/// What a list or a watch picks.
pub(super) struct Filter {
    labels: Selector,
    fields: FieldSelector,
}

impl Filter {
    pub(super) fn of(ask: &Ask, target: &Target<'_>) -> Result<Self, StatusError> {
        let labels =
            Selector::parse(ask.query("labelSelector").unwrap_or_default()).map_err(StatusError::bad_request)?;
        let fields = FieldSelector::parse(target.resource, ask.query("fieldSelector").unwrap_or_default())?;
        Ok(Self { labels, fields })
    }

    pub(super) fn picks(&self, target: &Target<'_>, object: &Value) -> bool {
        target.ns.is_none_or(|ns| ns == object::namespace(object))
            && self.labels.matches(object::labels(object))
            && self.fields.matches(object)
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

pub(super) fn get(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let name = target.name.unwrap_or_default();
    let found = app.store.get(target.resource.plural, target.place(), name);
    let object = found.ok_or_else(|| StatusError::not_found(target.resource, name))?;
    let view = View::of(app, ask);
    Ok(match view.form {
        Form::Objects if target.modern => one(200, target, &events::modern(&object)),
        Form::Objects => one(200, target, &object),
        Form::Metadata => reply::json(200, &table::partial(&object)),
        Form::Table => reply::json(200, &Listed::one(target, &object).table(view, app.store.clock().now())),
    })
}

/// An answer that is one object.
pub(super) fn one(status: u16, target: &Target<'_>, object: &Value) -> Response {
    let api_version = target.api_version();
    reply::json(status, &Versioned { object, api_version: &api_version })
}

pub(super) fn list(app: &App, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    let filter = Filter::of(ask, target)?;
    let cursor = ask.query("continue").filter(|text| !text.is_empty()).map(Cursor::read).transpose()?;
    let (objects, version) = snapshot(app, ask, target, cursor.as_ref())?;
    let mut picked: Vec<_> = objects.into_iter().filter(|object| filter.picks(target, object)).collect();
    if let Some(cursor) = &cursor {
        picked.retain(|object| place(object) > (cursor.ns.as_str(), cursor.name.as_str()));
    }
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), version.to_string().into());
    let limit = ask.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    if let Some(rest) = limit.and_then(|limit| cut(&mut picked, limit)) {
        let last = picked.last().map(|object| place(object)).unwrap_or_default();
        metadata.insert("continue".into(), Cursor::write(version, last).into());
        if filter.is_empty() {
            metadata.insert("remainingItemCount".into(), rest.into());
        }
    }
    let view = View::of(app, ask);
    if view.form != Form::Objects {
        let listed = Listed { target, metadata, objects: picked.iter().map(|object| &**object).collect() };
        let table = view.form == Form::Table;
        let body = if table { listed.table(view, app.store.clock().now()) } else { listed.partial() };
        return Ok(reply::json(200, &body));
    }
    if target.modern {
        picked = picked.iter().map(|event| events::modern(event)).collect();
    }
    Ok(reply::json(200, &List { target, metadata, objects: &picked }))
}

/// Cuts a list to a page; how many are left over, when some are.
fn cut(objects: &mut Vec<Arc<Value>>, limit: usize) -> Option<usize> {
    let rest = objects.len().checked_sub(limit).filter(|rest| *rest > 0)?;
    objects.truncate(limit);
    Some(rest)
}

fn place(object: &Value) -> (&str, &str) {
    (object::namespace(object), object::name(object))
}

/// The objects as of the version that the caller wants: the present one, or that of the first page.
fn snapshot(
    app: &App,
    ask: &Ask,
    target: &Target<'_>,
    cursor: Option<&Cursor>,
) -> Result<(Vec<Arc<Value>>, u64), StatusError> {
    let plural = target.resource.plural;
    if let Some(cursor) = cursor {
        let past = app.store.list_at(plural, target.ns, cursor.version);
        return past.map(|objects| (objects, cursor.version)).map_err(|_| stale_cursor());
    }
    check_match(ask)?;
    let asked = asked_version(ask)?;
    if ask.query("resourceVersionMatch") == Some("Exact") {
        return Ok((app.store.list_at(plural, target.ns, asked)?, asked));
    }
    let (objects, version) = app.store.list(plural, target.ns);
    if asked > version {
        return Err(StatusError::too_large_version(asked, version));
    }
    Ok((objects, version))
}

/// The version that a caller names; 0 when there is none.
pub(super) fn asked_version(ask: &Ask) -> Result<u64, StatusError> {
    let asked = ask.query("resourceVersion").unwrap_or_default();
    let why = "strconv.ParseUint: parsing";
    let refused = || {
        let words = format!("resourceVersion: Invalid value: \"{asked}\": {why} \"{asked}\": invalid syntax");
        StatusError::unexplained(words)
    };
    if asked.is_empty() { Ok(0) } else { asked.parse().map_err(|_| refused()) }
}

/// `resourceVersionMatch` makes sense only with a version.
fn check_match(ask: &Ask) -> Result<(), StatusError> {
    let Some(asked) = ask.query("resourceVersionMatch").filter(|asked| !asked.is_empty()) else { return Ok(()) };
    let forbidden = |why: &str| Cause::forbidden("resourceVersionMatch", why);
    let version = ask.query("resourceVersion").unwrap_or_default();
    let cause = if version.is_empty() {
        forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided")
    } else if !matches!(asked, "Exact" | "NotOlderThan") {
        let allowed = ["Exact", "NotOlderThan", ""];
        Cause::unsupported("resourceVersionMatch", &asked.into(), &allowed)
    } else if asked == "Exact" && version == "0" {
        forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
    } else {
        return Ok(());
    };
    Err(StatusError::bad_options("ListOptions", &cause))
}

fn stale_cursor() -> StatusError {
    StatusError::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new \
         list without the continue parameter, or use the continue token in this response to retrieve the \
         remainder of the results. Continuing with the provided token results in an inconsistent list - objects \
         that were created, modified, or deleted between the time the first chunk was returned and now may show \
         up in the list.",
    )
}

/// Where the next page begins, sealed so that a client does not look inside.
struct Cursor {
    version: u64,
    ns: String,
    name: String,
}

impl Cursor {
    fn write(version: u64, (ns, name): (&str, &str)) -> String {
        URL_SAFE_NO_PAD.encode(json!({ "v": "meta.k8s.io/v1", "rv": version, "ns": ns, "start": name }).to_string())
    }

    fn read(text: &str) -> Result<Self, StatusError> {
        let broken =
            || StatusError::bad_request("invalid continue token: continue key is not valid: illegal base64 data");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| unreadable(&bytes))?;
        let version = token.get("rv").and_then(Value::as_u64).ok_or_else(broken)?;
        let text = |pointer| object::text(&token, pointer).to_owned();
        Ok(Self { version, ns: text("/ns"), name: text("/start") })
    }
}

/// A token that is no JSON, in the words of Go's decoder.
fn unreadable(bytes: &[u8]) -> StatusError {
    let first = bytes.first().copied().unwrap_or_default();
    let shown = if first.is_ascii_graphic() { char::from(first).to_string() } else { format!("\\u{first:04x}") };
    let why = format!("invalid character '{shown}' looking for beginning of value");
    StatusError::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
}

/// A list as it goes over the wire: items without kind and version.
pub(super) struct List<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) metadata: Map<String, Value>,
    pub(super) objects: &'a [Arc<Value>],
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", &self.target.resource.list_kind())?;
        map.serialize_entry("apiVersion", &self.target.api_version())?;
        map.serialize_entry("metadata", &self.metadata)?;
        let items: Vec<_> = self.objects.iter().map(|object| Bare(object)).collect();
        map.serialize_entry("items", &items)?;
        map.end()
    }
}
