//! How objects go: preconditions, graces, finalizers.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use super::write::differs;
use super::{Store, known};
use crate::simulator::object;
use crate::simulator::resource::Resource;
use crate::simulator::status::StatusError;

/// What happens to the objects that an object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They go first; the owner waits for them.
    Foreground,
    /// The owner goes at once, they follow.
    Background,
    /// They stay, without an owner.
    Orphan,
}

/// How to delete.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// What happens to dependants; the kind decides when it is not said.
    pub propagation: Option<Propagation>,
    /// Seconds a pod gets to end; the pod decides when it is not said.
    pub grace: Option<i64>,
    /// Refuse when the object has another UID.
    pub uid: Option<String>,
    /// Refuse when the object has another version.
    pub resource_version: Option<String>,
}

impl DeleteOptions {
    /// At once: what the node's agent sends when a pod's containers have ended.
    pub fn now() -> Self {
        Self { grace: Some(0), ..Self::default() }
    }
}

/// What a deletion led to.
#[derive(Debug, Clone)]
pub enum Deleted {
    /// The object is gone; this was its last state.
    Gone(Arc<Value>),
    /// The object is marked and stays until its finalizers, or its grace, are over.
    Marked(Arc<Value>),
}

impl Deleted {
    /// The object's last or present state.
    pub fn object(&self) -> &Arc<Value> {
        match self {
            Self::Gone(object) | Self::Marked(object) => object,
        }
    }
}

impl Store {
    /// Deletes an object, or marks it where a finalizer or a grace holds it.
    ///
    /// # Errors
    /// When the object is missing or a precondition does not hold.
    pub fn delete(
        &self,
        resource: &str,
        ns: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deleted, StatusError> {
        let resource = known(resource)?;
        let mut state = self.state();
        let Some(old) = state.get(resource.plural, ns, name) else {
            return Err(StatusError::not_found(resource, name));
        };
        check_preconditions(resource, &old, options)?;
        let new = self.marked(resource, &old, options);
        if is_released(resource, &new) {
            // What goes at once goes unmarked; only a pod's grace is worth a mark.
            let marked = resource.plural == "pods" || object::is_deleting(&old);
            let last = if marked { new } else { Value::clone(&old) };
            return Ok(Deleted::Gone(self.drop(&mut state, resource, last)));
        }
        let kept = if differs(&old, &new) { self.keep(&mut state, resource, new) } else { old };
        Ok(Deleted::Marked(kept))
    }

    /// The object with the marks of its deletion.
    fn marked(&self, resource: &Resource, old: &Value, options: &DeleteOptions) -> Value {
        let mut new = old.clone();
        let grace = grace(resource, old, options.grace);
        let present = object::number(old, "/metadata/deletionGracePeriodSeconds");
        if !object::is_deleting(old) || present.is_some_and(|present| grace < present) {
            let end = self.clock().now() + TimeDelta::seconds(grace);
            object::put(&mut new, &["metadata", "deletionTimestamp"], object::stamp(end));
            if resource.plural != "namespaces" {
                object::put(&mut new, &["metadata", "deletionGracePeriodSeconds"], grace);
            }
            if let Some(generation) = object::number(old, "/metadata/generation") {
                object::put(&mut new, &["metadata", "generation"], generation + 1);
            }
        }
        if resource.plural == "namespaces" {
            object::put(&mut new, &["status", "phase"], "Terminating");
        }
        hold(&mut new, options.propagation);
        new
    }
}

/// How long the object may take to end: only running pods may.
fn grace(resource: &Resource, object: &Value, asked: Option<i64>) -> i64 {
    let ended = matches!(object::text(object, "/status/phase"), "Succeeded" | "Failed");
    let unscheduled = object::text(object, "/spec/nodeName").is_empty();
    if resource.plural != "pods" || ended || unscheduled {
        return 0;
    }
    let own = object::number(object, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
    asked.unwrap_or(own).max(0)
}

/// Adds the finalizer by which the collector handles the dependants.
fn hold(object: &mut Value, propagation: Option<Propagation>) {
    let (wanted, other) = match propagation {
        Some(Propagation::Foreground) => (Some("foregroundDeletion"), "orphan"),
        Some(Propagation::Orphan) => (Some("orphan"), "foregroundDeletion"),
        Some(Propagation::Background) => (None, "foregroundDeletion"),
        None => return,
    };
    let mut finalizers = object::list(object, "/metadata/finalizers").to_vec();
    finalizers.retain(|held| held != other && Some(held.as_str().unwrap_or_default()) != wanted);
    finalizers.extend(wanted.map(Value::from));
    if finalizers.is_empty() {
        object::remove(object, &["metadata", "finalizers"]);
    } else {
        object::put(object, &["metadata", "finalizers"], finalizers);
    }
}

/// Whether nothing holds a deleted object any more.
pub(super) fn is_released(resource: &Resource, object: &Value) -> bool {
    let graceful = object::number(object, "/metadata/deletionGracePeriodSeconds").unwrap_or_default() > 0;
    let held = !object::list(object, "/metadata/finalizers").is_empty()
        || (resource.plural == "namespaces" && !object::list(object, "/spec/finalizers").is_empty());
    object::is_deleting(object) && !graceful && !held
}

fn check_preconditions(resource: &Resource, object: &Value, options: &DeleteOptions) -> Result<(), StatusError> {
    let (uid, version) = (object::uid(object), object::text(object, "/metadata/resourceVersion"));
    let refusal = if let Some(asked) = options.uid.as_deref().filter(|asked| *asked != uid) {
        format!(
            "the UID in the precondition ({asked}) does not match the UID in record ({uid}). \
             The object might have been deleted and then recreated"
        )
    } else if let Some(asked) = options.resource_version.as_deref().filter(|asked| *asked != version) {
        format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion \
             in record ({version}). The object might have been modified"
        )
    } else {
        return Ok(());
    };
    if let (true, Some(asked)) = (resource.plural == "namespaces", options.uid.as_deref().filter(|asked| *asked != uid))
    {
        let why = format!("Precondition failed: UID in precondition: {asked}, UID in object meta: {uid}");
        return Err(StatusError::conflict(resource, object::name(object), &why));
    }
    Err(StatusError::precondition(resource, object::name(object), &refusal))
}
