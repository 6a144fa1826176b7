//! The garbage collector: dependants follow their owners, by the rule of the deletion.

use std::sync::Arc;

use serde_json::{Value, json};

use super::turn::Turn;
use crate::simulator::object::{flag, is_deleting, list, owners, text, uid};
use crate::simulator::resource::{RESOURCES, by_kind};
use crate::simulator::store::Propagation;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Deletes the object if its owners are gone, and does for its dependants what its own deletion
/// asks; says whether the object itself is collected.
pub(super) fn collect(turn: &mut Turn, object: &Arc<Value>) -> bool {
    if is_deleting(object) {
        if holds(object, ORPHAN) {
            orphan_dependents(turn, object);
        } else if holds(object, FOREGROUND) {
            delete_dependents(turn, object);
        }
        return false;
    }
    let owners = owners(object);
    let abandoned = !owners.is_empty() && owners.iter().all(|owner| is_gone(turn, owner));
    if abandoned {
        turn.delete(turn.id().resource, object);
    }
    abandoned
}

/// Owners of kinds that are not served here are taken to live elsewhere.
fn is_gone(turn: &Turn, owner: &Value) -> bool {
    by_kind(text(owner, "/apiVersion"), text(owner, "/kind")).is_some()
        && turn.view.place(text(owner, "/uid")).is_none()
}

fn holds(object: &Value, finalizer: &str) -> bool {
    list(object, "/metadata/finalizers").iter().any(|held| held == finalizer)
}

/// Lets the object go, as far as a finalizer goes.
fn release(turn: &mut Turn, object: &Value, finalizer: &str) {
    let mut left = list(object, "/metadata/finalizers").to_vec();
    left.retain(|held| held != finalizer);
    turn.patch(turn.id().resource, object, json!({"metadata": {"finalizers": left}}));
}

/// Takes the owner out of its dependants, then lets it go.
fn orphan_dependents(turn: &mut Turn, owner: &Value) {
    let view = turn.view;
    for (id, dependent) in view.dependents(uid(owner)) {
        let mut left = owners(dependent).to_vec();
        left.retain(|reference| text(reference, "/uid") != uid(owner));
        let left = if left.is_empty() { Value::Null } else { left.into() };
        turn.patch(id.resource, dependent, json!({"metadata": {"ownerReferences": left}}));
    }
    release(turn, owner, ORPHAN);
}

/// Deletes what holds the owner back; when nothing does, lets it go.
fn delete_dependents(turn: &mut Turn, owner: &Value) {
    let view = turn.view;
    let mut blocked = false;
    for (id, dependent) in view.dependents(uid(owner)) {
        if !blocks(dependent, uid(owner)) {
            continue;
        }
        blocked = true;
        let has_own = view.dependents(uid(dependent)).any(|(_, own)| blocks(own, uid(dependent)));
        let rule = if has_own { Propagation::Foreground } else { Propagation::Background };
        turn.delete_by(id.resource, dependent, Some(rule));
    }
    if !blocked {
        release(turn, owner, FOREGROUND);
    }
}

fn blocks(dependent: &Value, owner: &str) -> bool {
    owners(dependent).iter().any(|reference| text(reference, "/uid") == owner && flag(reference, "/blockOwnerDeletion"))
}

/// The namespace controller: what a terminating namespace holds goes, then the namespace.
pub(super) fn terminate(turn: &mut Turn, namespace: &Arc<Value>) {
    if !is_deleting(namespace) {
        return;
    }
    let view = turn.view;
    let mut empty = true;
    for resource in RESOURCES.iter().filter(|resource| resource.namespaced) {
        for object in view.list(resource.plural, Some(&turn.id().name)) {
            empty = false;
            turn.delete(resource.plural, object);
        }
    }
    if empty {
        turn.patch("namespaces", namespace, json!({"spec": {"finalizers": null}}));
    }
}
