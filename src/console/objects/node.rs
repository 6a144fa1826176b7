//! Nodes.

use serde_json::Value;

use super::Columns;
use super::object::{NONE, Object, UNKNOWN, status_word};
use crate::console::table::Cell;

/// The prefix of labels that name a node's role.
const ROLE: &str = "node-role.kubernetes.io/";

pub(super) static COLUMNS: Columns = Columns {
    headings: &["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
    cells: |node| {
        vec![
            node.name(),
            status_word(status(node)),
            Cell::plain(roles(node)),
            node.age(),
            Cell::plain(node.text("/status/nodeInfo/kubeletVersion")),
        ]
    },
    more: &["INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"],
    more_cells: |node| {
        let info = |field: &str| {
            let text = node.text(&format!("/status/nodeInfo/{field}"));
            Cell::plain(if text.is_empty() { UNKNOWN } else { text })
        };
        vec![
            Cell::plain(address(node, "InternalIP")),
            Cell::plain(address(node, "ExternalIP")),
            info("osImage"),
            info("kernelVersion"),
            info("containerRuntimeVersion"),
        ]
    },
};

fn status(node: &Object<'_>) -> String {
    let ready = match node.condition("Ready") {
        "True" => "Ready",
        "" => "Unknown",
        _ => "NotReady",
    };
    let cordoned = node.at("/spec/unschedulable") == Some(&Value::Bool(true));
    if cordoned { format!("{ready},SchedulingDisabled") } else { ready.to_owned() }
}

fn roles(node: &Object<'_>) -> String {
    let labels = node.at("/metadata/labels").and_then(Value::as_object);
    let role = |(key, value): (&String, &Value)| match key.strip_prefix(ROLE) {
        Some(role) if !role.is_empty() => Some(role.to_owned()),
        _ if key == "kubernetes.io/role" => value.as_str().filter(|role| !role.is_empty()).map(str::to_owned),
        _ => None,
    };
    let mut roles: Vec<String> = labels.into_iter().flatten().filter_map(role).collect();
    roles.sort();
    roles.dedup();
    if roles.is_empty() { NONE.to_owned() } else { roles.join(",") }
}

fn address(node: &Object<'_>, kind: &str) -> String {
    let of_kind = |address: &&Value| address.get("type").and_then(Value::as_str) == Some(kind);
    let found = node.list("/status/addresses").iter().find(of_kind);
    found.and_then(|address| address.get("address")?.as_str()).unwrap_or(NONE).to_owned()
}
