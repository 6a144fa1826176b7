//! What kubectl reads about a server before it does anything: all groups in one answer, and OpenAPI.

use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::discovery::{groups, resources, version, versions};
use super::path::served;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object::{self, list, text};
use crate::simulator::reply;
use crate::simulator::resource::{RESOURCES, group_version};
use crate::simulator::scenario::Batch;
use crate::simulator::schema::openapi::{self, Served};

const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/// `/openapi/v2` and `/openapi/v3`; the latter is younger than 1.24.
pub(super) fn openapi(app: &App, ask: &Ask) -> Option<Response> {
    let batch = app.switches.batch;
    let old = batch == Batch::V1Beta1;
    let about = version(batch);
    let release = text(&about, "/gitVersion");
    match ask.segments().as_slice() {
        ["openapi", "v2"] if ask.header("accept").is_some_and(|kinds| kinds.contains("proto-openapi.spec.v2")) => {
            Some(reply::bytes(200, PROTOBUF, openapi::v2_protobuf(&all(batch), release, old)))
        }
        ["openapi", "v2"] => Some(reply::json(200, &openapi::v2(&all(batch), release, old))),
        ["openapi", "v3"] if !old => Some(reply::json(200, &index(batch))),
        ["openapi", "v3", rest @ ..] if !old => {
            let (group, version) = match rest {
                ["api", version] => ("", *version),
                ["apis", group, version] => (*group, *version),
                _ => return None,
            };
            let some: Vec<_> =
                all(batch).into_iter().filter(|row| row.group == group && row.version == version).collect();
            resources(group, version, batch)?;
            Some(reply::json(200, &openapi::v3(&some, release, old)))
        }
        _ => None,
    }
}

fn prefix(group: &str, version: &str) -> String {
    let root = if group.is_empty() { "api" } else { "apis" };
    format!("{root}/{}", group_version(group, version))
}

/// Where the documents of the groups lie.
fn index(batch: Batch) -> Value {
    let mut paths = Map::new();
    for group in std::iter::once("").chain(groups()) {
        for version in versions(group, batch) {
            let path = prefix(group, version);
            let url = format!("/openapi/v3/{path}?hash={}", about_hash(&path, batch));
            paths.insert(path, json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

/// A word that changes with the content, which here only the version of the server decides.
fn about_hash(path: &str, batch: Batch) -> String {
    let about = version(batch);
    let bytes = format!("{path} {}", text(&about, "/gitVersion"));
    bytes
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
        .to_string()
}

fn all(batch: Batch) -> Vec<Served> {
    let rows =
        RESOURCES.iter().flat_map(|resource| served(resource, batch).iter().map(move |version| (resource, *version)));
    let row = |(resource, version): (&'static crate::simulator::resource::Resource, &'static str)| {
        let place = if resource.namespaced { "namespaces/{namespace}/" } else { "" };
        let path = format!("/{}/{place}{}/{{name}}", prefix(resource.group, version), resource.plural);
        Served { path, group: resource.group, version, kind: resource.kind }
    };
    rows.map(row).collect()
}

/// All groups of one root in one answer, for clients that ask for it; younger than 1.26.
pub(super) fn aggregated(ask: &Ask, batch: Batch) -> Option<Response> {
    let wanted = ask.header("accept")?.split(',').find(|kind| kind.contains("as=APIGroupDiscoveryList"))?;
    let dialect = if wanted.contains("v=v2beta1") { "v2beta1" } else { "v2" };
    let names = match ask.segments().as_slice() {
        _ if batch == Batch::V1Beta1 => return None,
        ["api"] => vec![""],
        ["apis"] => groups(),
        _ => return None,
    };
    let items: Vec<_> = names.into_iter().map(|name| group(name, batch)).collect();
    let body = json!({ "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{dialect}"),
        "metadata": {}, "items": items });
    let mut response = reply::json(200, &body);
    let kind = format!("application/json;g=apidiscovery.k8s.io;v={dialect};as=APIGroupDiscoveryList");
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Some(response)
}

fn group(name: &str, batch: Batch) -> Value {
    let versions: Vec<_> = versions(name, batch)
        .into_iter()
        .map(|version| {
            let rows = resources(name, version, batch).map(|found| list(&found, "/resources").to_vec());
            json!({ "version": version, "freshness": "Current", "resources": nested(name, version, &rows.unwrap_or_default()) })
        })
        .collect();
    json!({ "metadata": { "name": name, "creationTimestamp": null }, "versions": versions })
}

/// The flat rows of a version, with the parts of a resource below it.
fn nested(group: &str, version: &str, rows: &[Value]) -> Vec<Value> {
    let (parts, wholes): (Vec<_>, Vec<_>) = rows.iter().partition(|row| text(row, "/name").contains('/'));
    let whole = |row: &&Value| {
        let name = text(row, "/name");
        let mut entry = json!({
            "resource": name, "responseKind": { "group": group, "version": version, "kind": row.get("kind") },
            "scope": if object::flag(row, "/namespaced") { "Namespaced" } else { "Cluster" },
            "singularResource": row.get("singularName"), "verbs": row.get("verbs"),
        });
        for field in ["shortNames", "categories"] {
            if let Some(some) = row.get(field) {
                object::put(&mut entry, &[field], some.clone());
            }
        }
        let below =
            parts.iter().filter_map(|part| Some((text(part, "/name").strip_prefix(name)?.strip_prefix('/')?, part)));
        let below: Vec<_> = below.map(|(name, part)| subresource((group, version), name, part)).collect();
        if !below.is_empty() {
            object::put(&mut entry, &["subresources"], below);
        }
        entry
    };
    wholes.iter().map(whole).collect()
}

fn subresource((group, version): (&str, &str), name: &str, part: &Value) -> Value {
    let own = |field: &str, other: &str| part.get(field).and_then(Value::as_str).unwrap_or(other).to_owned();
    json!({
        "subresource": name, "verbs": part.get("verbs"),
        "responseKind": { "group": own("group", group), "version": own("version", version), "kind": part.get("kind") },
    })
}
