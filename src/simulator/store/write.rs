//! The rules of writing: names, versions, generations.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::delete::is_released;
use super::state::State;
use super::{Store, known};
use crate::simulator::defaults;
use crate::simulator::object;
use crate::simulator::quota;
use crate::simulator::resource::{Resource, Trait};
use crate::simulator::status::StatusError;

impl Store {
    /// Adds an object as a client may: `uid`, stamps and version are ours, a status is not taken.
    ///
    /// # Errors
    /// When the kind is unknown, the name is missing, or the name is taken.
    pub fn create(&self, resource: &str, mut object: Value) -> Result<Arc<Value>, StatusError> {
        let resource = known(resource)?;
        for field in ["uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion"] {
            object::remove(&mut object, &["metadata", field]);
        }
        if resource.has(Trait::Status) {
            object::remove(&mut object, &["status"]);
        }
        self.admit(resource, &object)?;
        self.add(resource, object)
    }

    /// Refuses what a quota of the namespace has no room for.
    fn admit(&self, resource: &Resource, object: &Value) -> Result<(), StatusError> {
        let ns = object::namespace(object);
        let (quotas, _) = self.list("resourcequotas", Some(ns));
        if quotas.is_empty() || !resource.namespaced {
            return Ok(());
        }
        let objects = |plural: &str| self.list(plural, Some(ns)).0;
        let refusal = quota::refusal(&quotas, &objects, (resource.plural, &resource.qualified()), object);
        refusal.map_or(Ok(()), |words| {
            Err(StatusError::forbidden(words, resource.plural, resource.group, object::name(object)))
        })
    }

    /// Adds an object as it is, status, `uid` and stamps included: for worlds that have a past.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn seed(&self, resource: &str, object: Value) -> Result<Arc<Value>, StatusError> {
        self.add(known(resource)?, object)
    }

    /// Adds an object that a controller has made: as it is, if the quotas have room for it.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub(in crate::simulator) fn make(&self, resource: &str, object: Value) -> Result<Arc<Value>, StatusError> {
        let resource = known(resource)?;
        self.admit(resource, &object)?;
        self.add(resource, object)
    }

    fn add(&self, resource: &'static Resource, mut object: Value) -> Result<Arc<Value>, StatusError> {
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
            object::put(object, &["metadata", "name"], format!("{prefix}{}", suffix(5)));
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
            let mut new = old.clone();
            change(&mut new)?;
            keep_all_but_status(old, &mut new);
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
            // What is deleted is what was there: the finalizer goes with the object.
            self.drop(&mut state, resource, Value::clone(&old));
            return Ok(Arc::new(new));
        }
        if differs(&old, &new) { Ok(self.keep(&mut state, resource, new)) } else { Ok(old) }
    }

    pub(super) fn keep(&self, state: &mut State, resource: &'static Resource, object: Value) -> Arc<Value> {
        if self.dry {
            return Arc::new(object);
        }
        let kept = state.keep(resource, object);
        self.announce(state.version());
        kept
    }

    pub(super) fn drop(&self, state: &mut State, resource: &'static Resource, object: Value) -> Arc<Value> {
        if self.dry {
            return Arc::new(object);
        }
        let gone = state.drop(resource, object);
        self.announce(state.version());
        gone
    }
}

/// What a writer of the status may not change: all but the status, labels, annotations and bookkeeping.
fn keep_all_but_status(old: &Value, new: &mut Value) {
    // Deployments alone keep their labels.
    let labels = if object::text(old, "/kind") == "Deployment" { None } else { Some("labels") };
    let kept: Vec<_> = ["annotations", "managedFields"]
        .into_iter()
        .chain(labels)
        .map(|field| (field, object::remove(new, &["metadata", field])))
        .collect();
    if let (Some(old), Some(new)) = (old.as_object(), new.as_object_mut()) {
        new.retain(|field, _| field == "status" || old.contains_key(field));
    }
    let fields = old.as_object().into_iter().flat_map(|fields| fields.keys());
    for field in fields.filter(|field| *field != "status") {
        if old.get(field) != new.get(field) {
            copy(old, new, field);
        }
    }
    for (field, value) in kept {
        match value {
            Some(value) => object::put(new, &["metadata", field], value),
            None => drop(object::remove(new, &["metadata", field])),
        }
    }
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
        let (kept, present) = (metadata(old, field), metadata(new, field));
        if kept == present {
            continue;
        }
        match kept {
            Some(value) => object::put(new, &["metadata", field], value.clone()),
            None => drop(object::remove(new, &["metadata", field])),
        }
    }
}

fn metadata<'a>(object: &'a Value, field: &str) -> Option<&'a Value> {
    object.get("metadata")?.get(field)
}

fn copy(from: &Value, to: &mut Value, field: &str) {
    match from.get(field) {
        Some(value) => object::put(to, &[field], value.clone()),
        None => drop(object::remove(to, &[field])),
    }
}

/// Whether a controller has something new to do; for Deployments annotations count.
fn asks_for_more(resource: &Resource, old: &Value, new: &Value) -> bool {
    let annotated = resource.plural == "deployments" && object::annotations(old) != object::annotations(new);
    annotated || old.get("spec") != new.get("spec")
}

/// Whether a write is one; the bookkeeping of managers alone is not.
pub(super) fn differs(old: &Value, new: &Value) -> bool {
    let parts = |object| (object::map(object, ""), object::map(object, "/metadata"));
    let ((old, old_metadata), (new, new_metadata)) = (parts(old), parts(new));
    !is_same_but("metadata", old, new) || !is_same_but("managedFields", old_metadata, new_metadata)
}

fn is_same_but(field: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    let counted = |fields: &Map<String, Value>| fields.len() - usize::from(fields.contains_key(field));
    counted(old) == counted(new) && old.iter().all(|(key, value)| key == field || new.get(key) == Some(value))
}

/// A UID that no object has.
pub(in crate::simulator) fn fresh_uid() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string()
}

/// Random letters of the alphabet that Kubernetes uses for names.
pub(super) fn suffix(length: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length).filter_map(|_| ALPHABET.get(fastrand::usize(..ALPHABET.len())).copied().map(char::from)).collect()
}
