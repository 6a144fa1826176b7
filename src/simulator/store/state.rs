//! What the lock of the store guards: the objects by kind, namespace and name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::history::{Change, ChangeKind, History};
use super::logs::PodLogs;
use crate::simulator::object;
use crate::simulator::resource::Resource;
use crate::simulator::status::StatusError;

/// Objects of one kind: namespace → name → object.
type Collection = BTreeMap<String, BTreeMap<String, Arc<Value>>>;

/// Where an object stands.
type Place = (&'static str, String, String);

/// Versions start here, as in a cluster that has lived a while.
const FIRST_VERSION: u64 = 1_000;

pub(super) struct State {
    version: u64,
    collections: HashMap<&'static str, Collection>,
    dependents: HashMap<String, BTreeSet<Place>>,
    history: History,
    pub(super) logs: PodLogs,
    /// The name of the event that counts the repetitions of a cause.
    pub(super) recorded: HashMap<u64, (String, String)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: FIRST_VERSION,
            collections: HashMap::new(),
            dependents: HashMap::new(),
            history: History::default(),
            logs: PodLogs::default(),
            recorded: HashMap::new(),
        }
    }
}

impl State {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, plural: &str, ns: &str, name: &str) -> Option<Arc<Value>> {
        self.collections.get(plural)?.get(ns)?.get(name).cloned()
    }

    pub(super) fn list(&self, plural: &str, ns: Option<&str>) -> Vec<Arc<Value>> {
        let Some(collection) = self.collections.get(plural) else {
            return Vec::new();
        };
        match ns {
            Some(ns) => collection.get(ns).into_iter().flat_map(BTreeMap::values).cloned().collect(),
            None => collection.values().flat_map(BTreeMap::values).cloned().collect(),
        }
    }

    /// The present list with the writes since `version` taken back.
    pub(super) fn list_at(&self, plural: &str, ns: Option<&str>, version: u64) -> Result<Vec<Arc<Value>>, StatusError> {
        let place = |object: &Value| (object::namespace(object).to_owned(), object::name(object).to_owned());
        let mut objects: BTreeMap<_, _> =
            self.list(plural, ns).into_iter().map(|object| (place(&object), object)).collect();
        let changes = self.since(version)?;
        for change in changes.iter().rev().filter(|change| change.resource.plural == plural) {
            if ns.is_some_and(|ns| ns != object::namespace(&change.object)) {
                continue;
            }
            match &change.before {
                Some(before) => drop(objects.insert(place(before), Arc::clone(before))),
                None => drop(objects.remove(&place(&change.object))),
            }
        }
        Ok(objects.into_values().collect())
    }

    pub(super) fn owned_by(&self, uid: &str) -> Vec<(&'static str, Arc<Value>)> {
        let places = self.dependents.get(uid).into_iter().flatten();
        places.filter_map(|(plural, ns, name)| Some((*plural, self.get(plural, ns, name)?))).collect()
    }

    pub(super) fn since(&self, since: u64) -> Result<Vec<Change>, StatusError> {
        self.history.since(since, self.version)
    }

    pub(super) fn forget(&mut self) {
        self.history.forget();
    }

    /// Writes an object under the next version.
    pub(super) fn keep(&mut self, resource: &'static Resource, object: Value) -> Arc<Value> {
        let object = self.numbered(object);
        let (ns, name) = (object::namespace(&object).to_owned(), object::name(&object).to_owned());
        let collection = self.collections.entry(resource.plural).or_default();
        let before = collection.entry(ns).or_default().insert(name, Arc::clone(&object));
        let kind = if before.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.reindex(resource, before.as_deref(), Some(&object));
        self.record(kind, resource, Arc::clone(&object), before);
        object
    }

    /// Removes an object; `object` is its last state.
    pub(super) fn drop(&mut self, resource: &'static Resource, object: Value) -> Arc<Value> {
        let object = self.numbered(object);
        let names = self.collections.get_mut(resource.plural).and_then(|all| all.get_mut(object::namespace(&object)));
        let before = names.and_then(|names| names.remove(object::name(&object)));
        self.reindex(resource, before.as_deref(), None);
        if resource.plural == "pods" {
            self.logs.forget(object::namespace(&object), object::name(&object));
        }
        self.record(ChangeKind::Deleted, resource, Arc::clone(&object), before);
        object
    }

    fn numbered(&mut self, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object::put(&mut object, &["metadata", "resourceVersion"], self.version.to_string());
        Arc::new(object)
    }

    fn record(
        &mut self,
        kind: ChangeKind,
        resource: &'static Resource,
        object: Arc<Value>,
        before: Option<Arc<Value>>,
    ) {
        self.history.push(Change { version: self.version, kind, resource, object, before });
    }

    fn reindex(&mut self, resource: &'static Resource, before: Option<&Value>, now: Option<&Value>) {
        let (old, new) = (before.map(object::owners), now.map(object::owners));
        if old == new {
            return;
        }
        for (object, kept) in [(before, false), (now, true)] {
            let Some(object) = object else { continue };
            let ns = object::namespace(object);
            for owner in object::owners(object) {
                let place = (resource.plural, ns.to_owned(), object::name(object).to_owned());
                self.index(object::text(owner, "/uid"), place, kept);
            }
        }
    }

    fn index(&mut self, owner: &str, place: Place, kept: bool) {
        if kept {
            self.dependents.entry(owner.to_owned()).or_default().insert(place);
        } else if let Some(places) = self.dependents.get_mut(owner) {
            places.remove(&place);
            if places.is_empty() {
                self.dependents.remove(owner);
            }
        }
    }
}
