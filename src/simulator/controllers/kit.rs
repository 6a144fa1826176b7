//! A small cluster under virtual time, for the tests of the controllers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Controllers;
use crate::clock::Clock;
use crate::simulator::fate::PodFates;
use crate::simulator::object::{self, list, name, text};
use crate::simulator::scenario::Timing;
use crate::simulator::store::{ChangeKind, DeleteOptions, Propagation, Store};

/// Two nodes, a namespace `shop`, and running controllers.
pub(super) struct Cluster {
    pub(super) store: Store,
    began: u64,
    _controllers: Controllers,
}

impl Cluster {
    /// A cluster in which every pod runs.
    pub(super) fn start() -> Self {
        Self::fated(json!([]))
    }

    /// A cluster with these rules of fate, as a scenario writes them.
    pub(super) fn fated(rules: Value) -> Self {
        let noon = "2026-01-02T12:00:00Z".parse().expect("a stamp");
        let clock = Clock::starting_at(noon);
        let store = Store::new(clock);
        store.seed("namespaces", json!({"metadata": {"name": "shop"}})).expect("new");
        for node in ["node-a", "node-b"] {
            let ready = json!([{"type": "Ready", "status": "True"}]);
            let node = json!({"metadata": {"name": node}, "status": {"conditions": ready}});
            store.seed("nodes", node).expect("new");
        }
        let fates = PodFates::new(serde_json::from_value(rules).expect("legal rules"));
        let controllers = Controllers::start(&store, clock, Timing::default(), fates);
        Self { began: store.version(), store, _controllers: controllers }
    }

    /// Creates an object in `shop`.
    pub(super) fn create(&self, resource: &str, object: Value) -> Arc<Value> {
        let mut object = object;
        object::put(&mut object, &["metadata", "namespace"], "shop");
        self.store.create(resource, object).expect("new")
    }

    /// Merges a patch into an object in `shop`.
    pub(super) fn patch(&self, resource: &str, name: &str, patch: &Value) {
        let merge = |object: &mut Value| {
            json_patch::merge(object, patch);
            Ok(())
        };
        self.store.update(resource, "shop", name, None, merge).expect("there");
    }

    /// Deletes an object in `shop`.
    pub(super) fn delete(&self, resource: &str, name: &str, propagation: Propagation) {
        let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
        self.store.delete(resource, "shop", name, &options).expect("there");
    }

    /// Lets time pass.
    pub(super) async fn pass(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// An object in `shop`.
    pub(super) fn get(&self, resource: &str, name: &str) -> Arc<Value> {
        self.find(resource, name).unwrap_or_else(|| panic!("{resource} {name} is not there"))
    }

    /// An object in `shop`, if it is there.
    pub(super) fn find(&self, resource: &str, name: &str) -> Option<Arc<Value>> {
        self.store.get(resource, "shop", name)
    }

    /// The objects of a kind in `shop`.
    pub(super) fn list(&self, resource: &str) -> Vec<Arc<Value>> {
        self.store.list(resource, Some("shop")).0
    }

    /// What every state of an object has shown so far, repetitions left out.
    pub(super) fn history<T: PartialEq>(&self, resource: &str, wanted: &str, show: impl Fn(&Value) -> T) -> Vec<T> {
        let changes = self.store.log(self.began).expect("kept");
        let mut shown: Vec<T> = changes
            .iter()
            .filter(|change| change.resource.plural == resource && name(&change.object) == wanted)
            .filter(|change| change.kind != ChangeKind::Deleted)
            .map(|change| show(&change.object))
            .collect();
        shown.dedup();
        shown
    }

    /// The reasons of the events about objects of a kind, oldest first.
    pub(super) fn reasons(&self, kind: &str) -> Vec<String> {
        self.events(kind).iter().map(|event| text(event, "/reason").to_owned()).collect()
    }

    /// The words of the events about objects of a kind, oldest first.
    pub(super) fn words(&self, kind: &str) -> Vec<String> {
        self.events(kind).iter().map(|event| text(event, "/message").to_owned()).collect()
    }

    fn events(&self, kind: &str) -> Vec<Arc<Value>> {
        let mut events = self.list("events");
        events.retain(|event| text(event, "/involvedObject/kind") == kind);
        events.sort_by_key(|event| object::version(event));
        events
    }
}

/// The reason of a condition in an object's status.
pub(super) fn reason<'a>(object: &'a Value, kind: &str) -> &'a str {
    let conditions = list(object, "/status/conditions");
    let said = conditions.iter().find(|said| text(said, "/type") == kind);
    said.map_or("", |said| text(said, "/reason"))
}

/// A workload with three pods of one container.
pub(super) fn workload(name: &str, spec: &Value) -> Value {
    let mut object = json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "registry.example/web:1.0"}]},
            },
        },
    });
    json_patch::merge(&mut object, &json!({ "spec": spec }));
    object
}

/// The patch that gives a workload another image.
pub(super) fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}})
}
