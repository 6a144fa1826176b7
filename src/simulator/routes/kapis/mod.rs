//! `/kapis`: `KubeSphere`'s own API, with its surprises.
//!
//! Lists come from informer caches: items have no kind, the newest is first,
//! a filter that nobody knows matches nothing, and a label selector that
//! cannot be read selects everything.

mod cronjobs;
mod filter;
mod narrow;
mod operations;
mod page;

use std::sync::Arc;

use axum::response::Response;
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::permission::{self, Wish};
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::faults::Traits;
use crate::simulator::identity::Caller;
use crate::simulator::object;
use crate::simulator::reply::{self, Bare};
use crate::simulator::resource::{Resource, by_plural};

/// The kinds that the resources API lists.
const LISTED: [&str; 13] = [
    "namespaces",
    "nodes",
    "pods",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "jobs",
    "cronjobs",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
];

/// Kinds that it lists too, of which this cluster has none.
const EMPTY: [&str; 2] = ["networkpolicies", "ingresses"];

/// Answers a request below `/kapis`.
pub(super) fn route(app: &App, ask: &Ask, caller: &Caller) -> Response {
    match ask.segments().as_slice() {
        ["kapis", "resources.kubesphere.io", "v1alpha3", rest @ ..] if ask.method == Method::GET => {
            resources(app, ask, caller, rest)
        }
        ["kapis", "operations.kubesphere.io", "v1alpha2", rest @ ..] => operations::route(app, ask, caller, rest),
        ["kapis", "version"] => reply::json(200, &version()),
        _ if caller.is_admin() => reply::text(404, "404: Page Not Found"),
        segments => denied(caller, &Wish { verb: "get", resource: segments.last().unwrap_or(&""), ..Wish::default() }),
    }
}

fn version() -> Value {
    json!({ "gitVersion": "v3.3.0", "gitCommit": "0", "gitTreeState": "clean", "platform": "linux/amd64",
        "kubernetes": { "major": "1", "minor": "33", "gitVersion": "v1.33.3" } })
}

fn denied(caller: &Caller, wish: &Wish<'_>) -> Response {
    let mut error = permission::refusal(caller.name(), wish);
    error.message = reply::escaped(&error.message);
    reply::refusal(&error)
}

/// What a path asks for, in the words by which faults pick.
pub(super) fn traits<'a>(ask: &'a Ask, segments: &[&'a str]) -> Option<Traits<'a>> {
    let ["kapis", "resources.kubesphere.io", "v1alpha3", rest @ ..] = segments else {
        return None;
    };
    let place = Place::of(rest)?;
    let verb = if place.name.is_empty() { "list" } else { "get" };
    let known = LISTED.contains(&place.plural);
    (known && ask.method == Method::GET).then_some(Traits {
        resource: place.plural,
        namespace: place.ns,
        name: place.name,
        verb,
        ..Traits::default()
    })
}

/// What a path below the resources API names.
#[derive(Clone, Copy)]
struct Place<'a> {
    plural: &'a str,
    ns: &'a str,
    name: &'a str,
}

impl<'a> Place<'a> {
    fn of(segments: &[&'a str]) -> Option<Self> {
        let (plural, ns, name) = match segments {
            ["namespaces", ns, plural] => (*plural, *ns, ""),
            ["namespaces", ns, plural, name] => (*plural, *ns, *name),
            [plural] => (*plural, "", ""),
            [plural, name] => (*plural, "", *name),
            _ => return None,
        };
        Some(Self { plural, ns, name })
    }

    /// Whether the BFF narrows this path for those who are not admins.
    fn is_narrowed(self) -> bool {
        self.ns.is_empty() && self.name.is_empty() && narrow::PATHS.contains(&self.plural)
    }
}

fn resources(app: &App, ask: &Ask, caller: &Caller, rest: &[&str]) -> Response {
    let Some(place) = Place::of(rest) else {
        return reply::text(404, "404: Page Not Found");
    };
    let resource = by_plural(place.plural).filter(|found| LISTED.contains(&found.plural));
    let wish = Wish {
        verb: if place.name.is_empty() { "list" } else { "get" },
        group: resource.map_or("", |found| found.group),
        resource: place.plural,
        sub: "",
        ns: place.ns,
        name: place.name,
    };
    let narrowed = !caller.is_admin() && place.is_narrowed();
    if !narrowed && !permission::allows(caller, &wish) {
        return denied(caller, &wish);
    }
    match resource {
        _ if EMPTY.contains(&place.plural) => items(&[], 0, None),
        None => reply::text(404, "resource is not supported\n"),
        Some(resource) if !place.name.is_empty() => one(app, resource, place),
        Some(resource) => list(app, ask, resource, place, narrowed.then_some(caller)),
    }
}

/// A getter's errors are plain text with status 500, even for what is not there.
fn one(app: &App, resource: &'static Resource, place: Place<'_>) -> Response {
    if let Some(object) = app.store.get(resource.plural, place.ns, place.name) {
        return reply::json(200, &Bare(&dressed(app, object)));
    }
    let message = format!("{} \"{}\" not found", resource.qualified(), place.name);
    reply::text(500, format!("{}\n", reply::escaped(&message)))
}

fn list(app: &App, ask: &Ask, resource: &'static Resource, place: Place<'_>, narrow_to: Option<&Caller>) -> Response {
    let ns = Some(place.ns).filter(|ns| !ns.is_empty());
    let objects = cached(app, ask, resource, ns);
    let unpaged = narrow_to.is_some() && resource.plural == "pods";
    let paged = if resource.plural == "cronjobs" {
        let Some(paged) = cronjobs::page(ask, objects) else {
            return reply::text(500, "Internal server error");
        };
        paged
    } else {
        page::page(ask, resource, objects, unpaged)
    };
    let shown: Vec<_> = paged.items.into_iter().map(|object| dressed(app, object)).collect();
    match narrow_to {
        None => items(&shown, paged.total, None),
        Some(caller) => {
            let kept = narrow::narrowed(shown, resource, caller.name());
            items(&kept, kept.len(), Some(paged.total))
        }
    }
}

/// The objects as the caches have them: behind by as many writes as a fault says.
fn cached(app: &App, ask: &Ask, resource: &Resource, ns: Option<&str>) -> Vec<Arc<Value>> {
    let (present, version) = app.store.list(resource.plural, ns);
    if ask.lag == 0 {
        return present;
    }
    let past = app.store.list_at(resource.plural, ns, version.saturating_sub(ask.lag));
    past.unwrap_or(present)
}

/// The envelope of a list; `total` is what the BFF adds where it narrowed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    items: Vec<Bare<'a>>,
    total_items: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

fn items(objects: &[Arc<Value>], total_items: usize, total: Option<usize>) -> Response {
    let items = objects.iter().map(|object| Bare(object)).collect();
    reply::json(200, &Envelope { items, total_items, total })
}

/// Nodes carry what their pods ask for in annotations.
fn dressed(app: &App, object: Arc<Value>) -> Arc<Value> {
    if object::text(&object, "/kind") != "Node" {
        return object;
    }
    let (pods, _) = app.store.list("pods", None);
    let name = object::name(&object);
    let here = pods.iter().filter(|pod| object::text(pod, "/spec/nodeName") == name).count();
    let mut node = Value::clone(&object);
    for (key, value) in [
        ("cpu-requests", format!("{}m", here * 100)),
        ("memory-requests", format!("{}Mi", here * 128)),
        ("cpu-limits", format!("{}m", here * 200)),
        ("memory-limits", format!("{}Mi", here * 256)),
    ] {
        object::put(&mut node, &["metadata", "annotations", &format!("node.kubesphere.io/{key}")], value);
    }
    Arc::new(node)
}

#[cfg(test)]
mod tests;
