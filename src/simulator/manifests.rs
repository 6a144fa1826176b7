//! What goes in and out as files: manifests, and the kubeconfig of a simulated cluster.

use serde_json::{Value, json};

use super::Simulator;
use super::object::{self, list, text};
use super::resource::by_kind;

/// The objects of a document, lists taken apart, each with a namespace where its kind needs one;
/// and the names of those whose kind is not served here.
pub fn objects(document: Value) -> (Vec<Value>, Vec<String>) {
    let (mut served, mut others) = (Vec::new(), Vec::new());
    let items =
        if text(&document, "/kind").ends_with("List") { list(&document, "/items").to_vec() } else { vec![document] };
    for mut object in items {
        let (version, kind) = (text(&object, "/apiVersion"), text(&object, "/kind"));
        let Some(resource) = by_kind(version, kind) else {
            others.push(format!("{kind} {} of {version}: this kind is not served here", object::name(&object)));
            continue;
        };
        if resource.namespaced && object::namespace(&object).is_empty() {
            object::put(&mut object, &["metadata", "namespace"], "default");
        }
        object::put(&mut object, &["apiVersion"], resource.api_version());
        object::remove(&mut object, &["metadata", "resourceVersion"]);
        served.push(object);
    }
    (served, others)
}

/// A kubeconfig with a context for each user, whom the address of the server names by a token; the
/// first user's is the current one. It is JSON, which every reader of YAML takes.
pub fn kubeconfig(simulator: &Simulator, url: &str) -> String {
    let users: Vec<_> = simulator.users().map(|(name, _)| name.to_owned()).collect();
    let cluster = |name: &String| {
        let token = simulator.lasting_token(name).unwrap_or_default();
        json!({ "name": name, "cluster": { "server": format!("{url}/as/{token}") } })
    };
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": users.first(),
        "clusters": users.iter().map(cluster).collect::<Vec<_>>(),
        "users": users.iter().map(|name| json!({ "name": name, "user": {} })).collect::<Vec<_>>(),
        "contexts": users.iter().map(|name| json!({ "name": name, "context": { "cluster": name, "user": name } }))
            .collect::<Vec<_>>(),
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_taken_apart_and_strangers_are_named() {
        let (served, others) = objects(json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "7"}},
            {"apiVersion": "example.org/v1", "kind": "Gadget", "metadata": {"name": "g"}}]}));
        assert_eq!(
            served,
            [json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "default"}})]
        );
        assert_eq!(others, ["Gadget g of example.org/v1: this kind is not served here"]);
    }
}
