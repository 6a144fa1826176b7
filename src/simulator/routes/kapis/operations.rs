//! The operations API of `KubeSphere`: a Job is run again by deleting and creating it.
//!
//! Olares does not have it; a scenario may.

use axum::response::Response;
use http::Method;
use serde_json::{Value, json};

use super::denied;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::identity::Caller;
use crate::simulator::object;
use crate::simulator::reply;
use crate::simulator::resource::by_plural;
use crate::simulator::routes::permission::{Wish, allows};
use crate::simulator::scenario::Presence;
use crate::simulator::status::StatusError;
use crate::simulator::store::DeleteOptions;

/// Answers a request below the operations API.
pub(super) fn route(app: &App, ask: &Ask, caller: &Caller, rest: &[&str]) -> Response {
    let [ns, name] = match rest {
        ["namespaces", ns, "jobs", name] => [*ns, *name],
        _ => ["", ""],
    };
    let wish = Wish { verb: "create", group: "operations.kubesphere.io", resource: "jobs", sub: "", ns, name };
    if !allows(caller, &wish) || (app.switches.operations_api == Presence::Absent && !caller.is_admin()) {
        return denied(caller, &wish);
    }
    if app.switches.operations_api == Presence::Absent || ns.is_empty() || ask.method != Method::POST {
        return reply::text(404, "404: Page Not Found");
    }
    match ask.query("action") {
        Some("rerun") => rerun(app, ask, ns, name),
        other => said(400, &format!("invalid operation {}", other.unwrap_or_default())),
    }
}

fn said(status: u16, message: &str) -> Response {
    reply::json(status, &json!({ "message": message }))
}

fn rerun(app: &App, ask: &Ask, ns: &str, name: &str) -> Response {
    let Some(job) = app.store.get("jobs", ns, name) else {
        return said(500, &format!("jobs.batch \"{name}\" not found"));
    };
    if ask.query("resourceVersion") != Some(object::text(&job, "/metadata/resourceVersion")) {
        let conflict = by_plural("jobs").map(|resource| StatusError::modified(resource, name).message);
        return said(409, &conflict.unwrap_or_default());
    }
    let deleted = app.store.delete("jobs", ns, name, &DeleteOptions::default());
    let created = deleted.and_then(|_| app.store.create("jobs", copy(&job)));
    if created.is_ok() { said(200, "success") } else { said(500, &format!("failed to rerun job {name}")) }
}

/// The Job without what the server gave it.
fn copy(job: &Value) -> Value {
    let mut copy = job.clone();
    for path in [
        &["status"][..],
        &["metadata", "ownerReferences"],
        &["metadata", "managedFields"],
        &["spec", "selector"],
        &["spec", "template", "metadata", "labels", "controller-uid"],
    ] {
        object::remove(&mut copy, path);
    }
    copy
}
