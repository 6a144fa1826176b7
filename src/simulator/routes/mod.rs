//! The doors of the simulated server: one file a prefix.
//!
//! To add a prefix, add its file and its row in [`dispatch`]. Each layer
//! answers, and refuses, in its own shape.

mod auth;
mod capi;
mod kapis;
mod kubernetes;
mod middleware;
mod permission;

use std::sync::Arc;

use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, Method};
use serde_json::json;

use super::App;
use super::ask::Ask;
use super::faults::Traits;
use super::identity::{Caller, Denied, Door};
use super::object;
use super::patch::{Manager, managed};
use super::reply;
use super::scenario::{Cookie, Expired};
use super::status::StatusError;
use kubernetes::Target;

/// Endings that nginx takes for static files, wherever they stand.
const STATIC: [&str; 7] = [".js", ".css", ".png", ".jpg", ".svg", ".woff", ".woff2"];

/// The first page of the login.
const LOGIN: &str = "https://auth.runhub.sim/";

/// Bytes of a body that nginx lets through.
const LARGEST_BODY: usize = 1 << 20;

const TOO_LARGE: &str = "<html><head><title>413 Request Entity Too Large</title></head><body></body></html>\n";

/// What a request asks for, in the words by which faults pick.
pub(super) fn traits<'a>(app: &App, ask: &'a Ask, uri: &'a str) -> Traits<'a> {
    let method = ask.method.as_str();
    let segments = ask.segments();
    if let Some(target) = Target::parse(&segments, app.switches.batch) {
        let [namespace, name] = [target.ns, target.name].map(Option::unwrap_or_default);
        return Traits { method, uri, resource: target.resource.plural, namespace, name, verb: target.verb(ask) };
    }
    kapis::traits(ask, &segments).map_or(Traits { method, uri, ..Traits::default() }, |found| Traits {
        method,
        uri,
        ..found
    })
}

/// Whether a path is one of the login's, for which nobody has a token yet.
pub(super) fn is_login(ask: &Ask) -> bool {
    matches!(ask.segments().as_slice(), ["api", "firstfactor" | "refresh"] | ["api", "secondfactor", "totp"])
}

/// A page that claims to come from elsewhere is taken for a forgery.
pub(super) fn forged(ask: &Ask) -> Option<Response> {
    ask.header("origin").map(|_| {
        reply::html(400, "<html><head><title>400 Bad Request</title></head><body><h1>Bad Request</h1></body></html>\n")
    })
}

/// Answers a request of the login.
pub(super) fn login(app: &App, ask: &Ask) -> Response {
    auth::route(app, ask)
}

/// Answers a request of a recognised caller.
pub(super) fn dispatch(app: &Arc<App>, ask: &Ask, caller: &Caller) -> Response {
    if STATIC.iter().any(|ending| ask.uri.path().ends_with(ending)) {
        return reply::html(404, "<html><head><title>404 Not Found</title></head><body></body></html>\n");
    }
    if caller.door == Door::ControlHub && ask.body.len() > LARGEST_BODY {
        return reply::html(413, TOO_LARGE);
    }
    let proxied = matches!(ask.path.first().map(String::as_str), Some("api" | "apis" | "kapis"));
    if proxied && app.switches.cookie == Cookie::Required && !caller.cookie {
        let uri = ask.uri.to_string();
        return forbidden(None, &traits(app, ask, &uri));
    }
    match ask.path.first().map(String::as_str) {
        Some("capi") => capi::route(app, ask, caller),
        Some("kapis") => kapis::route(app, ask, caller),
        Some("middleware") => middleware::route(app, ask, caller),
        Some("api" | "apis") => kubernetes::route(app, ask, caller),
        _ => kubernetes::beside(app, ask, caller),
    }
}

/// Turns away a caller whom nobody knows.
pub(super) fn denied(app: &App, ask: &Ask, why: Denied) -> Response {
    match why {
        Denied::Unknown => reply::refusal(&StatusError::unauthorized("Unauthorized")),
        Denied::Nobody if ask.header("x-unauth-error") != Some("Non-Redirect") => {
            let mut response = reply::html(302, format!("<a href=\"{LOGIN}\">Found</a>.\n"));
            response.headers_mut().insert(LOCATION, HeaderValue::from_static(LOGIN));
            response
        }
        Denied::Spent if app.switches.expired == Expired::Unauthorized => {
            reply::refusal(&StatusError::unauthorized("Unauthorized: token is expired"))
        }
        Denied::Nobody | Denied::Spent => edge(ask),
    }
}

/// What the edge says to a token that is worth nothing.
fn edge(ask: &Ask) -> Response {
    let body = json!({
        "fa2": false, "method": ask.method.as_str(), "session_id": format!("s-{:016x}", fastrand::u64(..)),
        "target_url": format!("https://control-hub.runhub.sim{}", ask.uri),
    });
    reply::json(459, &body)
}

/// What the layer that a path belongs to says when it fails with a status.
pub(super) fn failure(ask: &Ask, status: u16) -> Response {
    match (status, ask.path.first().map(String::as_str)) {
        (401 | 459, _) => {
            let mut response = edge(ask);
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
            response
        }
        (502..=504, _) => {
            let title = match status {
                502 => "502 Bad Gateway",
                503 => "503 Service Temporarily Unavailable",
                _ => "504 Gateway Time-out",
            };
            reply::html(
                status,
                format!(
                    "<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center><hr><center>nginx</center></body></html>\n"
                ),
            )
        }
        (_, Some("api" | "apis")) => reply::refusal(&simulated(status)),
        _ => reply::text(status, "Internal server error"),
    }
}

fn simulated(status: u16) -> StatusError {
    let mut error = StatusError::internal("etcdserver: request timed out");
    error.code = status;
    let (reason, message) = match status {
        400 => ("BadRequest", "the server rejected our request for an unknown reason"),
        404 => ("NotFound", "the server could not find the requested resource"),
        408 => ("Timeout", "the request timed out"),
        _ => return error,
    };
    (error.reason, error.message) = (reason, message.to_owned());
    error
}

/// What a server that is asked too often says.
pub(super) fn throttled(ask: &Ask, retry_after: Option<u64>) -> Response {
    let mut response = if matches!(ask.path.first().map(String::as_str), Some("api" | "apis")) {
        let words = "the server has received too many requests and has asked us to try again later";
        reply::refusal(&StatusError::too_many(words, retry_after))
    } else {
        reply::text(429, "Too many requests, please try again later.")
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(http::header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A conflict that is nobody's fault.
pub(super) fn conflict(traits: &Traits<'_>) -> Response {
    let resource = super::resource::by_plural(traits.resource);
    let error = resource
        .map_or_else(|| StatusError::internal("conflict"), |resource| StatusError::modified(resource, traits.name));
    reply::refusal(&error)
}

/// Changes the object that a request is about, as another actor would.
pub(super) fn meddle(app: &App, traits: &Traits<'_>, patch: &serde_json::Value) {
    let change = |object: &mut serde_json::Value| {
        let before = object.clone();
        json_patch::merge(object, patch);
        let manager = Manager {
            name: "someone-else".to_owned(),
            api_version: object::text(object, "/apiVersion").to_owned(),
            subresource: String::new(),
            time: object::stamp(app.store.clock().now()),
        };
        managed::track(&manager, &before, object);
        Ok(())
    };
    // Nobody can change what is not there.
    drop(app.store.update(traits.resource, traits.namespace, traits.name, None, change));
}

/// A permission that is denied for this once.
pub(super) fn forbidden(caller: Option<&Caller>, traits: &Traits<'_>) -> Response {
    let group = super::resource::by_plural(traits.resource).map_or("", |resource| resource.group);
    let wish = permission::Wish {
        verb: traits.verb,
        group,
        resource: traits.resource,
        sub: "",
        ns: traits.namespace,
        name: traits.name,
    };
    reply::refusal(&permission::refusal(caller.map_or("system:anonymous", Caller::name), &wish))
}

/// The past that a request names is forgotten: a watch hears it in its stream, a list at once.
pub(super) fn gone(app: &App, ask: &Ask) -> Response {
    let version = app.store.version();
    let asked = ask.query("resourceVersion").unwrap_or("0");
    let error = StatusError::expired(format!("too old resource version: {asked} ({version})"));
    if ask.method == Method::GET && ask.flag("watch") {
        return reply::json(200, &json!({ "type": "ERROR", "object": error.body() }));
    }
    reply::refusal(&error)
}
