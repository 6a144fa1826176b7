//! Fills a cluster with the objects of a scenario.

use serde_json::{Value, json};

use super::object::{self, text};
use super::resource::{Resource, by_kind};
use super::scenario::{Role, ScenarioError, User, World};
use super::schema;
use super::store::Store;

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The users of a scenario; the demo world brings its own when none is named.
pub(super) fn users(world: World, named: Vec<User>) -> Vec<User> {
    if !named.is_empty() || world == World::Empty {
        return named;
    }
    vec![User::new("alice", Role::PlatformAdmin), User::new("bob", Role::PlatformRegular)]
}

/// Puts the world and the scenario's own objects into the store.
///
/// # Errors
/// When an object is of no kind that is served, or is there already.
pub(super) fn build(store: &Store, world: World, objects: Vec<Value>) -> Result<(), ScenarioError> {
    if world == World::Demo {
        super::world::build(store)?;
    }
    for name in NAMESPACES {
        ensure_namespace(store, name)?;
    }
    if world == World::Empty && !objects.iter().any(|object| text(object, "/kind") == "Node") {
        add(store, node("node-a"))?;
    }
    // Namespaces first: whoever lives in one would bring it, bare.
    let (namespaces, others): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|object| text(object, "/kind") == "Namespace");
    namespaces.into_iter().chain(others).try_for_each(|object| add(store, object))
}

fn add(store: &Store, object: Value) -> Result<(), ScenarioError> {
    let kind = kind_of(&object)?;
    let ns = object::namespace(&object);
    if kind.namespaced && ns.is_empty() {
        let name = object::name(&object);
        return Err(ScenarioError::new(format!("{} \"{name}\" has no metadata.namespace", kind.kind)));
    }
    if kind.namespaced {
        ensure_namespace(store, ns)?;
    }
    put(store, kind, object)
}

/// Puts an object in, in the form that its kind has.
fn put(store: &Store, kind: &Resource, mut object: Value) -> Result<(), ScenarioError> {
    if let Some(form) = schema::of_kind(&kind.api_version(), kind.kind) {
        let about = format!("{} \"{}\"", kind.kind, object::name(&object));
        schema::decode(form, &mut object).map_err(|why| ScenarioError::new(format!("{about}: {why}")))?;
    }
    store.seed(kind.plural, object).map(drop).map_err(|error| ScenarioError::new(error.message))
}

fn kind_of(object: &Value) -> Result<&'static Resource, ScenarioError> {
    let (version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    by_kind(version, kind)
        .ok_or_else(|| ScenarioError::new(format!("kind \"{kind}\" of \"{version}\" is not served here")))
}

fn ensure_namespace(store: &Store, name: &str) -> Result<(), ScenarioError> {
    if store.get("namespaces", "", name).is_some() {
        return Ok(());
    }
    add(store, json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }))
}

/// A healthy node with room for all.
fn node(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
        "spec": { "podCIDR": "10.233.64.0/24" },
        "status": {
            "capacity": { "cpu": "8", "memory": "32Gi", "pods": "220" },
            "allocatable": { "cpu": "8", "memory": "32Gi", "pods": "220" },
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady",
                "message": "kubelet is posting ready status" }],
            "addresses": [{ "type": "InternalIP", "address": "192.168.40.5" }, { "type": "Hostname", "address": name }],
            "nodeInfo": { "kubeletVersion": "v1.33.3", "containerRuntimeVersion": "containerd://1.7.27",
                "osImage": "ExampleOS 24", "kernelVersion": "6.8.0", "architecture": "amd64",
                "operatingSystem": "linux" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test]
    async fn namespaces_of_objects_come_by_themselves() {
        let store = Store::new(Clock::system());
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}});
        build(&store, World::Empty, vec![object]).expect("legal");
        assert!(store.get("namespaces", "", "shop").is_some());
        assert_eq!(store.list("nodes", None).0.len(), 1);
    }

    #[tokio::test]
    async fn an_unknown_kind_is_refused() {
        let store = Store::new(Clock::system());
        let object = json!({"apiVersion": "example.org/v1", "kind": "Gadget", "metadata": {"name": "g"}});
        let error = build(&store, World::Empty, vec![object]).expect_err("unknown");
        assert!(error.to_string().contains("Gadget"), "{error}");
    }
}
