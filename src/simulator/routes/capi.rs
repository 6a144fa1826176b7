//! `/capi`: what the BFF of `ControlHub` answers itself.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use super::super::identity::Caller;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object;
use crate::simulator::reply::{self, Bare};
use crate::simulator::scenario::{Cookie, Role};

/// The namespaces that the BFF calls the system's, for every user the same.
const SYSTEM: [&str; 13] = [
    "os-platform",
    "os-network",
    "os-framework",
    "os-gpu",
    "kubesphere-monitoring-federated",
    "kubesphere-controls-system",
    "kubesphere-system",
    "kubesphere-monitoring-system",
    "kubekey-system",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "default",
];

/// Answers a request below `/capi`.
pub(super) fn route(app: &App, ask: &Ask, caller: &Caller) -> Response {
    if app.switches.cookie == Cookie::Required && !caller.cookie {
        return reply::text(401, "Not Login");
    }
    match ask.segments().as_slice() {
        ["capi", "app", "detail"] => detail(app, caller),
        ["capi", "namespaces", "group"] => groups(app, caller),
        _ => reply::text(404, "Not Found"),
    }
}

fn detail(app: &App, caller: &Caller) -> Response {
    let admin = caller.is_admin();
    let manage = if admin { "manage" } else { "view" };
    let name = caller.name();
    let body = json!({
        "localeManifest": {},
        "user": {
            "email": format!("{name}@runhub.example"), "lang": "en", "username": name,
            "globalrole": caller.user.role.name(), "grantedClusters": [],
            "lastLoginTime": object::stamp(app.store.clock().now()),
            "globalRules": { "clusters": [manage], "users": [manage] },
        },
        "runtime": "containerd", "clusterRole": "host", "systemNamespaces": SYSTEM,
    });
    reply::json(200, &body)
}

/// Namespaces by the user whose name they end in; the rest is shared, or the system's.
fn groups(app: &App, caller: &Caller) -> Response {
    let (mut namespaces, _) = app.store.list("namespaces", None);
    namespaces.retain(|namespace| is_visible(caller, namespace));
    namespaces.sort_by(|one, other| created(other).cmp(created(one)));
    let mut groups = Vec::new();
    for name in user_order(app) {
        let (own, rest) = namespaces.into_iter().partition(|ns| object::name(ns).ends_with(&format!("-{name}")));
        namespaces = rest;
        groups.push((name, own));
    }
    if caller.is_admin() {
        let (shared, system) = namespaces.into_iter().partition(|ns| object::name(ns).ends_with("-shared"));
        groups.push(("Shared".to_owned(), shared));
        groups.push(("System".to_owned(), system));
    }
    let body: Vec<Value> = groups.iter().filter(|(_, data)| !data.is_empty()).map(group).collect();
    reply::json(200, &body)
}

fn group((title, data): &(String, Vec<Arc<Value>>)) -> Value {
    let data: Vec<_> = data.iter().filter_map(|found| serde_json::to_value(Bare(found)).ok()).collect();
    json!({ "title": title, "data": data })
}

fn is_visible(caller: &Caller, namespace: &Value) -> bool {
    let label = object::labels(namespace).get("kubesphere.io/workspace").and_then(Value::as_str);
    let own = object::name(namespace).split('-').any(|piece| piece == caller.name());
    label != Some("kubesphere.io/devopsproject") && (caller.is_admin() || own)
}

fn created(namespace: &Value) -> &str {
    object::text(namespace, "/metadata/creationTimestamp")
}

/// The admin first, then the users, newest first.
fn user_order(app: &App) -> Vec<String> {
    let users = app.identity.users();
    let admin = users.iter().find(|user| user.role == Role::PlatformAdmin);
    let others = users.iter().rev().filter(|user| admin.is_none_or(|admin| admin.name != user.name));
    admin.into_iter().chain(others).map(|user| user.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use crate::simulator::testkit::Kit;
    use serde_json::{Value, json};

    async fn kit(name: &str) -> Kit {
        let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let kit = Kit::new(json!({"world": "empty", "users": [
            {"name": "mira", "password": "pw", "role": "platform-admin"}, {"name": "tomo", "password": "pw"}],
            "objects": [namespace("user-space-mira"), namespace("notes-tomo"), namespace("gallery-shared")]}));
        kit.login(name, "pw").await
    }

    fn titles(groups: &Value) -> Vec<&str> {
        groups.as_array().into_iter().flatten().filter_map(|group| group["title"].as_str()).collect()
    }

    #[tokio::test]
    async fn the_detail_names_user_and_role() {
        let (status, body) = kit("tomo").await.get("/capi/app/detail").await;
        assert_eq!((status, &body["user"]["globalrole"]), (200, &json!("platform-regular")));
        assert_eq!(body["systemNamespaces"].as_array().map(Vec::len), Some(13));
        assert_eq!(body.get("workspaces"), None);
    }

    #[tokio::test]
    async fn namespaces_are_grouped_by_the_end_of_their_name() {
        let (_, groups) = kit("mira").await.get("/capi/namespaces/group").await;
        assert_eq!(titles(&groups), ["mira", "tomo", "Shared", "System"]);
        assert_eq!(groups[0]["data"][0].get("kind"), None);
        let (_, groups) = kit("tomo").await.get("/capi/namespaces/group").await;
        assert_eq!(titles(&groups), ["tomo"]);
    }
}
