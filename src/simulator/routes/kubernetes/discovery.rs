//! Discovery: what groups, versions and kinds there are.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::events;
use super::path::served;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object::{put, text};
use crate::simulator::reply;
use crate::simulator::resource::{RESOURCES, Resource, Trait, group_version};
use crate::simulator::scenario::Batch;

/// Answers a discovery path; nothing when the path is none.
pub(super) fn answer(app: &App, ask: &Ask) -> Option<Response> {
    let batch = app.switches.batch;
    if let Some(response) = super::publish::aggregated(ask, batch) {
        return Some(response);
    }
    let body = match ask.segments().as_slice() {
        ["api"] => {
            json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })
        }
        ["apis"] => {
            let groups: Vec<_> = groups().into_iter().map(|name| group(name, batch)).collect();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        ["apis", name] if groups().contains(name) => {
            let mut group = group(name, batch);
            put(&mut group, &["kind"], "APIGroup");
            put(&mut group, &["apiVersion"], "v1");
            group
        }
        ["api", "v1"] => resources("", "v1", batch)?,
        ["apis", group, version] => resources(group, version, batch)?,
        _ => return None,
    };
    Some(reply::json(200, &body))
}

/// Whether a path leads into a group that is served, whatever it asks for there.
pub(super) fn has_group(segments: &[&str]) -> bool {
    match segments {
        ["api", "v1", ..] => true,
        ["apis", name, _, ..] => groups().contains(name),
        _ => false,
    }
}

/// What the server says about itself.
pub(super) fn version(batch: Batch) -> Value {
    let (minor, text, commit) = match batch {
        Batch::V1 => ("33", "v1.33.3", "80779bd6ff08b451e1c165a338a7b69351e9b0b8"),
        Batch::V1Beta1 => ("20", "v1.20.2", "faecb196815e248d3ecfb03c680a4507229c2a56"),
    };
    json!({
        "major": "1", "minor": minor, "gitVersion": text, "gitCommit": commit, "gitTreeState": "clean",
        "buildDate": "2025-07-15T17:59:41Z", "goVersion": "go1.24.4", "compiler": "gc", "platform": "linux/amd64",
    })
}

const OTHERS: [&str; 3] = ["authorization.k8s.io", "authentication.k8s.io", events::GROUP];

pub(super) fn groups() -> Vec<&'static str> {
    let mut groups: Vec<_> = Vec::new();
    for name in RESOURCES.iter().map(|resource| resource.group).chain(OTHERS) {
        if !name.is_empty() && !groups.contains(&name) {
            groups.push(name);
        }
    }
    groups
}

pub(super) fn versions(name: &str, batch: Batch) -> Vec<&'static str> {
    let mut versions = Vec::new();
    for resource in RESOURCES.iter().filter(|resource| resource.group == name) {
        for version in served(resource, batch) {
            if !versions.contains(version) {
                versions.push(*version);
            }
        }
    }
    if OTHERS.contains(&name) { vec!["v1"] } else { versions }
}

fn group(name: &str, batch: Batch) -> Value {
    let versions: Vec<_> = versions(name, batch)
        .into_iter()
        .map(|version| json!({ "groupVersion": group_version(name, version), "version": version }))
        .collect();
    json!({ "name": name, "preferredVersion": versions.first(), "versions": versions })
}

pub(super) fn resources(name: &str, version: &str, batch: Batch) -> Option<Value> {
    let mut rows: Vec<_> = RESOURCES
        .iter()
        .filter(|resource| resource.group == name && served(resource, batch).contains(&version))
        .flat_map(|resource| rows(resource, batch))
        .collect();
    if version == "v1" {
        rows.extend(reviews(name, batch));
        rows.extend((name == events::GROUP).then(events::row));
    }
    rows.sort_by(|one, other| text(one, "/name").cmp(text(other, "/name")));
    let is_bare = rows.is_empty();
    let mut list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version(name, version), "resources": rows,
    });
    if name.is_empty() {
        // The core group forgets to say what the list is.
        crate::simulator::object::remove(&mut list, &["apiVersion"]);
    }
    (!is_bare).then_some(list)
}

/// The questions that a caller may put about itself.
fn reviews(group: &str, batch: Batch) -> Vec<Value> {
    let kinds: &[(&str, &str)] = match group {
        "authorization.k8s.io" => &[
            ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
            ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
        ],
        "authentication.k8s.io" if batch == Batch::V1 => &[("selfsubjectreviews", "SelfSubjectReview")],
        _ => &[],
    };
    let row = |(plural, kind): &(&str, &str)| {
        let singular = if batch == Batch::V1 { kind.to_ascii_lowercase() } else { String::new() };
        json!({ "name": plural, "singularName": singular, "namespaced": false, "kind": kind, "verbs": ["create"] })
    };
    kinds.iter().map(row).collect()
}

fn rows(resource: &Resource, batch: Batch) -> Vec<Value> {
    let Resource { plural, singular, kind, namespaced, .. } = resource;
    // Before 1.27 the name of one was left to the client.
    let singular = if batch == Batch::V1Beta1 { "" } else { singular };
    let mut verbs = vec!["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    verbs.retain(|verb| *verb != "deletecollection" || *plural != "namespaces");
    let mut row = json!({
        "name": plural, "singularName": singular, "namespaced": namespaced, "kind": kind, "verbs": verbs,
    });
    if !resource.short.is_empty() {
        put(&mut row, &["shortNames"], json!(resource.short));
    }
    if resource.has(Trait::All) {
        put(&mut row, &["categories"], json!(["all"]));
    }
    put(&mut row, &["storageVersionHash"], storage_hash(resource));
    let mut rows = vec![row];
    let part = |name: &str, kind: &str, verbs: &[&str]| {
        json!({ "name": format!("{plural}/{name}"), "singularName": "", "namespaced": namespaced, "kind": kind,
            "verbs": verbs })
    };
    if resource.has(Trait::Status) {
        rows.push(part("status", kind, &["get", "patch", "update"]));
    }
    if resource.has(Trait::Scale) {
        let mut row = part("scale", "Scale", &["get", "patch", "update"]);
        put(&mut row, &["group"], "autoscaling");
        put(&mut row, &["version"], "v1");
        rows.push(row);
    }
    if *plural == "pods" {
        rows.push(part("log", "Pod", &["get"]));
        rows.push(part("exec", "PodExecOptions", &["create", "get"]));
        let mut row = part("eviction", "Eviction", &["create"]);
        put(&mut row, &["group"], "policy");
        put(&mut row, &["version"], "v1");
        rows.push(row);
    }
    rows
}

/// A word by which clients see that a kind is stored in another form: the start of the hash of its name.
fn storage_hash(resource: &Resource) -> String {
    let version = resource.versions.first().copied().unwrap_or_default();
    let name = format!("{}/{version}/{}", resource.group, resource.kind);
    let hash = digest(&SHA256, name.as_bytes());
    STANDARD.encode(hash.as_ref().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::resource::by_plural;

    #[test]
    fn the_hash_of_a_kind_is_that_of_real_servers() {
        assert_eq!(storage_hash(by_plural("pods").expect("a row")), "xPOwRZ+Yhw8=");
    }
}
