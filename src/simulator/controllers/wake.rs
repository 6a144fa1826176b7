//! Which objects want a look after a change.

use serde_json::Value;

use super::machine::Queue;
use super::view::{Id, View};
use crate::simulator::object::{controller, is_deleting, owners, text, uid};

/// Queues what a change touches: the object, its owners, and who else minds.
pub(super) fn after(queue: &mut Queue, view: &View, (id, before, now): (&Id, Option<&Value>, Option<&Value>)) {
    if id.resource == "events" {
        return home(queue, view, id);
    }
    if now.is_some() {
        queue.push(id.clone());
    }
    for owner in [before, now].into_iter().flatten().flat_map(owners) {
        push_all(queue, view.place(text(owner, "/uid")));
    }
    if !id.namespace.is_empty() && id.resource != "resourcequotas" {
        push_kind(queue, view, "resourcequotas", Some(&id.namespace));
    }
    match id.resource {
        "pods" => pod(queue, view, (id, before, now)),
        "nodes" => node(queue, view),
        "replicasets" if now.is_some_and(|set| controller(set).is_none()) => {
            push_kind(queue, view, "deployments", Some(&id.namespace));
        }
        _ => {}
    }
    if let (Some(before), None) = (before, now) {
        gone(queue, view, (id, before));
    }
}

fn pod(queue: &mut Queue, view: &View, (id, _, now): (&Id, Option<&Value>, Option<&Value>)) {
    push_kind(queue, view, "poddisruptionbudgets", Some(&id.namespace));
    if now.is_some_and(|pod| controller(pod).is_none() && !is_deleting(pod)) {
        for keeper in ["replicasets", "statefulsets", "daemonsets", "jobs"] {
            push_kind(queue, view, keeper, Some(&id.namespace));
        }
    }
}

fn node(queue: &mut Queue, view: &View) {
    push_all(queue, view.unscheduled());
    push_kind(queue, view, "daemonsets", None);
}

/// What an object leaves behind: dependants, a terminating namespace, room on a node.
fn gone(queue: &mut Queue, view: &View, (id, before): (&Id, &Value)) {
    push_all(queue, view.dependents(uid(before)).map(|(dependent, _)| dependent));
    home(queue, view, id);
    if id.resource == "pods" {
        let claims = view.list("persistentvolumeclaims", Some(&id.namespace)).filter(|claim| is_deleting(claim));
        push_all(queue, claims.map(|claim| Id::of("persistentvolumeclaims", claim)).collect::<Vec<_>>().iter());
        push_all(queue, view.unscheduled());
        let keeper = controller(before).and_then(|owner| view.place(text(owner, "/uid")));
        let keepers = keeper.and_then(|keeper| view.get(keeper)).map(|keeper| owners(keeper));
        for owner in keepers.into_iter().flatten() {
            push_all(queue, view.place(text(owner, "/uid")));
        }
    }
}

/// A terminating namespace minds what becomes of the objects in it.
fn home(queue: &mut Queue, view: &View, id: &Id) {
    let home = Id::new("namespaces", "", &id.namespace);
    if view.get(&home).is_some_and(|home| is_deleting(home)) {
        queue.push(home);
    }
}

fn push_kind(queue: &mut Queue, view: &View, resource: &'static str, within: Option<&str>) {
    push_all(queue, view.list(resource, within).map(|object| Id::of(resource, object)).collect::<Vec<_>>().iter());
}

fn push_all<'a>(queue: &mut Queue, ids: impl IntoIterator<Item = &'a Id>) {
    for id in ids {
        queue.push(id.clone());
    }
}
