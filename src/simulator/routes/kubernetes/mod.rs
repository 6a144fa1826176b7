//! The Kubernetes API: `/api`, `/apis` and the small paths beside them.
//!
//! A request names a [`Target`]; its verb picks the file that answers. To add
//! a subresource, add a file and its row in [`answer`].

mod delete;
mod discovery;
mod events;
mod eviction;
mod exec;
mod logs;
mod path;
mod publish;
mod read;
mod review;
mod scale;
mod table;
mod watch;
mod write;

use std::sync::Arc;

use axum::response::Response;
use http::Method;

pub(in crate::simulator) use path::Target;

use super::permission;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::identity::{Caller, Door};
use crate::simulator::reply;
use crate::simulator::resource::Trait;
use crate::simulator::status::StatusError;

/// Answers a request below `/api` or `/apis`.
pub(super) fn route(app: &Arc<App>, ask: &Ask, caller: &Caller) -> Response {
    let segments = ask.segments();
    let answered = match Target::parse(&segments, app.switches.batch) {
        Some(target) => permission::check(caller, target.verb(ask), &target).and_then(|()| answer(app, ask, &target)),
        None => review::answer(ask, caller)
            .unwrap_or_else(|| discovery::answer(app, ask).ok_or_else(StatusError::no_such_path)),
    };
    answered.unwrap_or_else(|error| {
        let core = segments.first() == Some(&"api");
        let nowhere = error == StatusError::no_such_path() && !core && !discovery::has_group(&segments);
        if nowhere { reply::text(404, "404 page not found\n") } else { reply::refusal(&error) }
    })
}

/// Answers `/version`, the health checks and whatever else a plain client asks for.
pub(super) fn beside(app: &App, ask: &Ask, caller: &Caller) -> Response {
    match ask.segments().as_slice() {
        ["version"] => reply::json(200, &discovery::version(app.switches.batch)),
        ["healthz" | "livez" | "readyz", ..] => reply::text(200, "ok"),
        ["openapi", ..] => publish::openapi(app, ask).unwrap_or_else(|| reply::refusal(&StatusError::no_such_path())),
        _ if caller.door == Door::ControlHub => reply::page(),
        _ => reply::text(404, "404 page not found\n"),
    }
}

fn answer(app: &Arc<App>, ask: &Ask, target: &Target<'_>) -> Result<Response, StatusError> {
    if !matches!(target.sub, Some("log" | "exec")) && !table::is_acceptable(ask) {
        return Err(StatusError::not_acceptable());
    }
    if target.modern && !matches!(target.verb(ask), "get" | "list" | "watch") {
        return Err(StatusError::method_not_allowed());
    }
    if target.sub == Some("status") && !target.resource.has(Trait::Status) {
        return Err(StatusError::no_such_path());
    }
    match (target.verb(ask), target.sub) {
        ("get", None | Some("status")) => read::get(app, ask, target),
        ("list", None) => read::list(app, ask, target),
        ("watch", None) => watch::watch(app, ask, target),
        ("create" | "deletecollection", None) if target.resource.namespaced && target.ns.is_none() => {
            Err(StatusError::method_not_allowed())
        }
        ("deletecollection", None) if target.resource.plural == "namespaces" => Err(StatusError::method_not_allowed()),
        ("create", None) if target.name.is_none() => write::create(app, ask, target),
        ("update", None | Some("status")) if target.name.is_some() => write::update(app, ask, target),
        ("patch", None | Some("status")) if target.name.is_some() => write::patch(app, ask, target),
        ("delete", None) => delete::delete(app, ask, target),
        ("deletecollection", None) => delete::delete_collection(app, ask, target),
        (_, Some(part)) => subresource(app, ask, target, part),
        _ => Err(StatusError::method_not_allowed()),
    }
}

fn subresource(app: &Arc<App>, ask: &Ask, target: &Target<'_>, part: &str) -> Result<Response, StatusError> {
    match (target.resource.plural, part, &ask.method) {
        ("pods", "log", &Method::GET) => logs::logs(app, ask, target),
        ("pods", "exec", &Method::GET | &Method::POST) => exec::exec(app, ask, target),
        ("pods", "eviction", &Method::POST) => eviction::evict(app, ask, target),
        ("namespaces", "finalize", &Method::PUT) => delete::finalize(app, ask, target),
        (_, "scale", _) if target.resource.has(Trait::Scale) => scale::answer(app, ask, target),
        ("pods", "log" | "eviction" | "exec", _) => Err(StatusError::method_not_allowed()),
        _ => Err(StatusError::no_such_path()),
    }
}

#[cfg(test)]
mod tests;
