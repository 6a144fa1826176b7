//! The rules of writing: names, versions, generations, finalizers.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use super::state::State;
use super::{Store, known};
use crate::simulator::defaults;
use crate::simulator::object;
use crate::simulator::resource::{Resource, Trait};
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
        Self {
            grace: Some(0),
            ..Self::default()
        }
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
    /// Adds an object as a client may: `uid`, stamps and version are ours, a status is not taken.
    ///
    /// # Errors
    /// When the kind is unknown, the name is missing, or the name is taken.
    pub fn create(&self, resource: &str, mut object: Value) -> Result<Arc<Value>, StatusError> {
        let resource = known(resource)?;
        for field in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "generation",
            "resourceVersion",
        ] {
            object::remove(&mut object, &["metadata", field]);
        }
        if resource.has(Trait::Status) {
            object::remove(&mut object, &["status"]);
        }
        self.add(resource, object)
    }

    /// Adds an object as it is, status, `uid` and stamps included: for worlds that have a past.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn seed(&self, resource: &str, object: Value) -> Result<Arc<Value>, StatusError> {
        self.add(known(resource)?, object)
    }

    fn add(
        &self,
        resource: &'static Resource,
        mut object: Value,
    ) -> Result<Arc<Value>, StatusError> {
        self.identify(resource, &mut object);
        defaults::apply(resource, &mut object);
        defaults::born(resource, &mut object);
        let (ns, name) = (object::namespace(&object), object::name(&object));
        let mut state = self.state();
        if state.get(resource.plural, ns, name).is_some() {
            return Err(StatusError::already_exists(resource, name));
        }
        Ok(self.keep(&mut state, resource, object))
    }

    /// Gives the object what only the server can: identity and birth.
    fn identify(&self, resource: &Resource, object: &mut Value) {
        object::put_default(object, &["kind"], resource.kind);
        object::put_default(object, &["apiVersion"], resource.api_version());
        let prefix = object::text(object, "/metadata/generateName").to_owned();
        if object::name(object).is_empty() && !prefix.is_empty() {
            object::put(
                object,
                &["metadata", "name"],
                format!("{prefix}{}", suffix(5)),
            );
        }
        if !resource.namespaced {
            object::remove(object, &["metadata", "namespace"]);
        }
        object::put_default(object, &["metadata", "uid"], fresh_uid());
        let now = object::stamp(self.clock().now());
        object::put_default(object, &["metadata", "creationTimestamp"], now);
        if resource.has(Trait::Generation) {
            object::put_default(object, &["metadata", "generation"], 1);
        }
    }

    /// Changes an object; a change of its spec raises the generation, no change keeps the version.
    ///
    /// # Errors
    /// When the object is missing, its version is not `expected`, or the closure refuses.
    #[expect(
        clippy::too_many_arguments,
        reason = "kind, namespace and name are one key, which every caller has in its hands as three words"
    )]
    pub fn update(
        &self,
        resource: &str,
        ns: &str,
        name: &str,
        expected: Option<u64>,
        change: impl FnOnce(&mut Value) -> Result<(), StatusError>,
    ) -> Result<Arc<Value>, StatusError> {
        self.change(resource, (ns, name), expected, |resource, old| {
            let mut new = old.clone();
            change(&mut new)?;
            if resource.has(Trait::Status) {
                copy(old, &mut new, "status");
            }
            keep_identity(old, &mut new);
            defaults::apply(resource, &mut new);
            if resource.has(Trait::Generation) && asks_for_more(resource, old, &new) {
                let generation = object::number(old, "/metadata/generation").unwrap_or_default();
                object::put(&mut new, &["metadata", "generation"], generation + 1);
            }
            Ok(new)
        })
    }

    /// Changes an object's status (its annotations too); what else the closure does is dropped.
    ///
    /// # Errors
    /// As [`Store::update`].
    #[expect(
        clippy::too_many_arguments,
        reason = "kind, namespace and name are one key, which every caller has in its hands as three words"
    )]
    pub fn update_status(
        &self,
        resource: &str,
        ns: &str,
        name: &str,
        expected: Option<u64>,
        change: impl FnOnce(&mut Value) -> Result<(), StatusError>,
    ) -> Result<Arc<Value>, StatusError> {
        self.change(resource, (ns, name), expected, |_, old| {
            let mut changed = old.clone();
            change(&mut changed)?;
            let mut new = old.clone();
            copy(&changed, &mut new, "status");
            if object::annotations(&changed) != object::annotations(old) {
                let annotations = object::annotations(&changed).clone();
                object::put(&mut new, &["metadata", "annotations"], annotations);
            }
            if let Some(fields) = changed.pointer("/metadata/managedFields") {
                object::put(&mut new, &["metadata", "managedFields"], fields.clone());
            }
            Ok(new)
        })
    }

    fn change(
        &self,
        resource: &str,
        (ns, name): (&str, &str),
        expected: Option<u64>,
        change: impl FnOnce(&Resource, &Value) -> Result<Value, StatusError>,
    ) -> Result<Arc<Value>, StatusError> {
        let resource = known(resource)?;
        let mut state = self.state();
        let Some(old) = state.get(resource.plural, ns, name) else {
            return Err(StatusError::not_found(resource, name));
        };
        if expected.is_some_and(|expected| expected != object::version(&old)) {
            return Err(StatusError::modified(resource, name));
        }
        let new = change(resource, &old)?;
        if is_released(resource, &new) {
            return Ok(self.drop(&mut state, resource, new));
        }
        if differs(&old, &new) {
            Ok(self.keep(&mut state, resource, new))
        } else {
            Ok(old)
        }
    }

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
            return Ok(Deleted::Gone(self.drop(&mut state, resource, new)));
        }
        let kept = if differs(&old, &new) {
            self.keep(&mut state, resource, new)
        } else {
            old
        };
        Ok(Deleted::Marked(kept))
    }

    /// The object with the marks of its deletion.
    fn marked(&self, resource: &Resource, old: &Value, options: &DeleteOptions) -> Value {
        let mut new = old.clone();
        let grace = grace(resource, old, options.grace);
        let present = object::number(old, "/metadata/deletionGracePeriodSeconds");
        if !object::is_deleting(old) || present.is_some_and(|present| grace < present) {
            let end = self.clock().now() + TimeDelta::seconds(grace);
            object::put(
                &mut new,
                &["metadata", "deletionTimestamp"],
                object::stamp(end),
            );
            object::put(&mut new, &["metadata", "deletionGracePeriodSeconds"], grace);
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

    fn keep(&self, state: &mut State, resource: &'static Resource, object: Value) -> Arc<Value> {
        if self.dry {
            return Arc::new(object);
        }
        let kept = state.keep(resource, object);
        self.announce(state.version());
        kept
    }

    fn drop(&self, state: &mut State, resource: &'static Resource, object: Value) -> Arc<Value> {
        if self.dry {
            return Arc::new(object);
        }
        let gone = state.drop(resource, object);
        self.announce(state.version());
        gone
    }
}

/// How long the object may take to end: only running pods may.
fn grace(resource: &Resource, object: &Value, asked: Option<i64>) -> i64 {
    let ended = matches!(
        object::text(object, "/status/phase"),
        "Succeeded" | "Failed"
    );
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
fn is_released(resource: &Resource, object: &Value) -> bool {
    let graceful =
        object::number(object, "/metadata/deletionGracePeriodSeconds").unwrap_or_default() > 0;
    let held = !object::list(object, "/metadata/finalizers").is_empty()
        || (resource.plural == "namespaces"
            && !object::list(object, "/spec/finalizers").is_empty());
    object::is_deleting(object) && !graceful && !held
}

fn check_preconditions(
    resource: &Resource,
    object: &Value,
    options: &DeleteOptions,
) -> Result<(), StatusError> {
    let (uid, version) = (
        object::uid(object),
        object::text(object, "/metadata/resourceVersion"),
    );
    let refusal = if let Some(asked) = options.uid.as_deref().filter(|asked| *asked != uid) {
        format!(
            "the UID in the precondition ({asked}) does not match the UID in record ({uid}). \
             The object might have been deleted and then recreated"
        )
    } else if let Some(asked) = options
        .resource_version
        .as_deref()
        .filter(|asked| *asked != version)
    {
        format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion \
             in record ({version}). The object might have been modified"
        )
    } else {
        return Ok(());
    };
    Err(StatusError::conflict(
        resource,
        object::name(object),
        &refusal,
    ))
}

/// What no writer may change.
fn keep_identity(old: &Value, new: &mut Value) {
    for field in ["apiVersion", "kind"] {
        copy(old, new, field);
    }
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "resourceVersion",
        "generation",
        "generateName",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        match old.pointer(&format!("/metadata/{field}")) {
            Some(value) => object::put(new, &["metadata", field], value.clone()),
            None => drop(object::remove(new, &["metadata", field])),
        }
    }
}

fn copy(from: &Value, to: &mut Value, field: &str) {
    match from.get(field) {
        Some(value) => object::put(to, &[field], value.clone()),
        None => drop(object::remove(to, &[field])),
    }
}

/// Whether a controller has something new to do; for Deployments annotations count.
fn asks_for_more(resource: &Resource, old: &Value, new: &Value) -> bool {
    let annotated =
        resource.plural == "deployments" && object::annotations(old) != object::annotations(new);
    annotated || old.get("spec") != new.get("spec")
}

/// Whether a write is one; the bookkeeping of managers alone is not.
fn differs(old: &Value, new: &Value) -> bool {
    if old == new {
        return false;
    }
    let mut new = new.clone();
    match old.pointer("/metadata/managedFields") {
        Some(fields) => object::put(&mut new, &["metadata", "managedFields"], fields.clone()),
        None => drop(object::remove(&mut new, &["metadata", "managedFields"])),
    }
    *old != new
}

fn fresh_uid() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes())
        .into_uuid()
        .to_string()
}

/// Random letters of the alphabet that Kubernetes uses for names.
pub(super) fn suffix(length: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length)
        .filter_map(|_| {
            ALPHABET
                .get(fastrand::usize(..ALPHABET.len()))
                .copied()
                .map(char::from)
        })
        .collect()
}
