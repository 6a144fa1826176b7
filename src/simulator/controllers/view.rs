//! What the controllers know of the cluster: every object, found by place, owner and node.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::simulator::object::{controller, name, namespace, owners, text, uid};

/// The place of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id {
    /// The plural name of its kind.
    pub(super) resource: &'static str,
    /// Its namespace; empty for objects of the cluster.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
}

impl Id {
    /// The place of an object of a kind.
    pub(super) fn of(resource: &'static str, object: &Value) -> Self {
        Self { resource, namespace: namespace(object).into(), name: name(object).into() }
    }

    /// The place that these words name.
    pub(super) fn new(resource: &'static str, namespace: &str, name: &str) -> Self {
        Self { resource, namespace: namespace.into(), name: name.into() }
    }
}

/// All objects as the watch log last told, with the indexes that reconciling needs.
#[derive(Debug, Default)]
pub(super) struct View {
    objects: BTreeMap<Id, Arc<Value>>,
    places: HashMap<String, Id>,
    dependents: HashMap<String, BTreeSet<Id>>,
    orphans: BTreeSet<Id>,
    unscheduled: BTreeSet<Id>,
    load: HashMap<String, usize>,
}

impl View {
    /// Takes in what an object has become, or that it is gone; says what it was.
    pub(super) fn take(&mut self, id: &Id, object: Option<Arc<Value>>) -> Option<Arc<Value>> {
        let before = self.objects.remove(id);
        if let Some(before) = &before {
            self.unlink(id, before);
        }
        if let Some(object) = object {
            self.link(id, &object);
            self.objects.insert(id.clone(), object);
        }
        before
    }

    fn link(&mut self, id: &Id, object: &Value) {
        self.places.insert(uid(object).to_owned(), id.clone());
        for owner in owners(object) {
            self.dependents.entry(text(owner, "/uid").to_owned()).or_default().insert(id.clone());
        }
        if matches!(id.resource, "pods" | "replicasets") && controller(object).is_none() {
            self.orphans.insert(id.clone());
        }
        if id.resource == "pods" && text(object, "/spec/nodeName").is_empty() {
            self.unscheduled.insert(id.clone());
        }
        if let Some(node) = node_of(id, object) {
            *self.load.entry(node.to_owned()).or_default() += 1;
        }
    }

    fn unlink(&mut self, id: &Id, object: &Value) {
        self.places.remove(uid(object));
        self.orphans.remove(id);
        self.unscheduled.remove(id);
        for owner in owners(object) {
            let owner = text(owner, "/uid");
            let Some(dependents) = self.dependents.get_mut(owner) else {
                continue;
            };
            dependents.remove(id);
            if dependents.is_empty() {
                self.dependents.remove(owner);
            }
        }
        if let Some(load) = node_of(id, object).and_then(|node| self.load.get_mut(node)) {
            *load = load.saturating_sub(1);
        }
    }

    /// The object at a place.
    pub(super) fn get(&self, id: &Id) -> Option<&Arc<Value>> {
        self.objects.get(id)
    }

    /// The place of the object with a UID.
    pub(super) fn place(&self, uid: &str) -> Option<&Id> {
        self.places.get(uid)
    }

    /// The objects of a kind, in one namespace or everywhere.
    pub(super) fn list<'a>(
        &'a self,
        resource: &'static str,
        within: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Value>> {
        let start = Id::new(resource, within.unwrap_or_default(), "");
        self.objects
            .range(start..)
            .take_while(move |(id, _)| id.resource == resource && within.is_none_or(|wanted| wanted == id.namespace))
            .map(|(_, object)| object)
    }

    /// The objects that name a UID as an owner.
    pub(super) fn dependents(&self, owner: &str) -> impl Iterator<Item = (&Id, &Arc<Value>)> {
        self.dependents
            .get(owner)
            .into_iter()
            .flatten()
            .filter_map(|id| self.objects.get(id).map(|object| (id, object)))
    }

    /// The objects of a kind that an owner controls.
    pub(super) fn controlled<'a>(
        &'a self,
        owner: &'a str,
        resource: &'static str,
    ) -> impl Iterator<Item = &'a Arc<Value>> {
        self.dependents(owner)
            .filter(move |(id, object)| {
                id.resource == resource && controller(object).is_some_and(|found| text(found, "/uid") == owner)
            })
            .map(|(_, object)| object)
    }

    /// The objects of a kind in a namespace that nobody controls.
    pub(super) fn orphans<'a>(
        &'a self,
        resource: &'static str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Value>> {
        self.orphans
            .range(Id::new(resource, namespace, "")..)
            .take_while(move |id| id.resource == resource && id.namespace == namespace)
            .filter_map(|id| self.objects.get(id))
    }

    /// The places of pods that have no node.
    pub(super) fn unscheduled(&self) -> impl Iterator<Item = &Id> {
        self.unscheduled.iter()
    }

    /// How many pods a node holds that are not over.
    pub(super) fn load(&self, node: &str) -> usize {
        self.load.get(node).copied().unwrap_or_default()
    }
}

/// The node that a pod burdens.
fn node_of<'a>(id: &Id, object: &'a Value) -> Option<&'a str> {
    let over = matches!(text(object, "/status/phase"), "Succeeded" | "Failed");
    let node = text(object, "/spec/nodeName");
    (id.resource == "pods" && !over && !node.is_empty()).then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(owner: &str, node: &str) -> Arc<Value> {
        Arc::new(json!({"metadata": {"namespace": "shop", "name": "web-1", "uid": "p1",
                "ownerReferences": [{"uid": owner, "controller": true}]},
            "spec": {"nodeName": node}}))
    }

    #[test]
    fn indexes_follow_an_object_through_changes() {
        let (mut view, id) = (View::default(), Id::new("pods", "shop", "web-1"));
        view.take(&id, Some(pod("a", "node-a")));
        assert_eq!((view.controlled("a", "pods").count(), view.load("node-a")), (1, 1));
        view.take(&id, Some(pod("b", "node-b")));
        assert_eq!((view.controlled("a", "pods").count(), view.load("node-a")), (0, 0));
        assert_eq!((view.controlled("b", "pods").count(), view.load("node-b")), (1, 1));
        assert!(view.take(&id, None).is_some());
        assert!(view.dependents.is_empty() && view.place("p1").is_none());
    }

    #[test]
    fn a_list_keeps_to_its_kind_and_namespace() {
        let mut view = View::default();
        for (resource, namespace) in [("pods", "shop"), ("pods", "shopping"), ("services", "shop")] {
            let object = json!({"metadata": {"namespace": namespace, "name": "x", "uid": namespace}});
            view.take(&Id::new(resource, namespace, "x"), Some(Arc::new(object)));
        }
        assert_eq!(view.list("pods", Some("shop")).count(), 1);
        assert_eq!(view.list("pods", None).count(), 2);
        assert_eq!(view.orphans("pods", "shopping").count(), 1);
    }
}
