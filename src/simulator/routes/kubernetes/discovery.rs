//! Discovery: what groups, versions and kinds there are.

use axum::response::Response;
use serde_json::{Value, json};

use super::path::served;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::reply;
use crate::simulator::resource::{RESOURCES, Resource, Trait, group_version};
use crate::simulator::scenario::Batch;

/// Answers a discovery path; nothing when the path is none.
pub(super) fn answer(app: &App, ask: &Ask) -> Option<Response> {
    let batch = app.switches.batch;
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
            crate::simulator::object::put(&mut group, &["kind"], "APIGroup");
            crate::simulator::object::put(&mut group, &["apiVersion"], "v1");
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

const REVIEWS: [&str; 2] = ["authorization.k8s.io", "authentication.k8s.io"];

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<_> = Vec::new();
    for name in RESOURCES.iter().map(|resource| resource.group).chain(REVIEWS) {
        if !name.is_empty() && !groups.contains(&name) {
            groups.push(name);
        }
    }
    groups
}

fn versions(name: &str, batch: Batch) -> Vec<&'static str> {
    let mut versions = Vec::new();
    for resource in RESOURCES.iter().filter(|resource| resource.group == name) {
        for version in served(resource, batch) {
            if !versions.contains(version) {
                versions.push(*version);
            }
        }
    }
    if REVIEWS.contains(&name) { vec!["v1"] } else { versions }
}

fn group(name: &str, batch: Batch) -> Value {
    let versions: Vec<_> = versions(name, batch)
        .into_iter()
        .map(|version| json!({ "groupVersion": group_version(name, version), "version": version }))
        .collect();
    json!({ "name": name, "preferredVersion": versions.first(), "versions": versions })
}

fn resources(name: &str, version: &str, batch: Batch) -> Option<Value> {
    let mut rows: Vec<_> = RESOURCES
        .iter()
        .filter(|resource| resource.group == name && served(resource, batch).contains(&version))
        .flat_map(rows)
        .collect();
    if version == "v1" {
        rows.extend(review(name));
    }
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version(name, version), "resources": rows,
    });
    (!rows.is_empty()).then_some(list)
}

fn review(group: &str) -> Option<Value> {
    let (plural, kind) = match group {
        "authorization.k8s.io" => ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        "authentication.k8s.io" => ("selfsubjectreviews", "SelfSubjectReview"),
        _ => return None,
    };
    Some(json!({ "name": plural, "singularName": "", "namespaced": false, "kind": kind, "verbs": ["create"] }))
}

fn rows(resource: &Resource) -> Vec<Value> {
    let Resource { plural, singular, kind, namespaced, .. } = resource;
    let categories: &[&str] = if resource.has(Trait::All) { &["all"] } else { &[] };
    let mut rows = vec![json!({
        "name": plural, "singularName": singular, "namespaced": namespaced, "kind": kind,
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": resource.short, "categories": categories,
    })];
    let part = |name: &str, kind: &str, verbs: &[&str]| {
        json!({ "name": format!("{plural}/{name}"), "singularName": "", "namespaced": namespaced, "kind": kind,
            "verbs": verbs })
    };
    if resource.has(Trait::Status) {
        rows.push(part("status", kind, &["get", "patch", "update"]));
    }
    if resource.has(Trait::Scale) {
        let mut row = part("scale", "Scale", &["get", "patch", "update"]);
        crate::simulator::object::put(&mut row, &["group"], "autoscaling");
        crate::simulator::object::put(&mut row, &["version"], "v1");
        rows.push(row);
    }
    if *plural == "pods" {
        rows.push(part("log", "Pod", &["get"]));
        let mut row = part("eviction", "Eviction", &["create"]);
        crate::simulator::object::put(&mut row, &["group"], "policy");
        crate::simulator::object::put(&mut row, &["version"], "v1");
        rows.push(row);
    }
    rows
}
