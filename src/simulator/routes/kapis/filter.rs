//! Filters of the resources API; one that nobody knows matches nothing.

use serde_json::Value;

use crate::simulator::ask::Ask;
use crate::simulator::object::{self, list, number, text};
use crate::simulator::resource::Resource;
use crate::simulator::selector::Selector;

/// Parameters that say how to show a list, not what is in it.
const SHAPING: [&str; 4] = ["limit", "page", "sortBy", "ascending"];

/// Whether an object passes every filter of a query.
pub(super) fn keeps(ask: &Ask, resource: &Resource, object: &Value) -> bool {
    ask.queries()
        .iter()
        .filter(|(key, _)| !SHAPING.contains(&key.as_str()))
        .all(|(key, value)| passes(resource, key, value, object))
}

fn passes(resource: &Resource, key: &str, value: &str, object: &Value) -> bool {
    match key {
        "labelSelector" | "label" => selects(value, object::labels(object)),
        "annotation" => selects(value, object::annotations(object)),
        "name" => object::name(object).contains(value),
        "names" => value.split(',').any(|name| name == object::name(object)),
        "uid" => object::uid(object) == value,
        "namespace" => object::namespace(object) == value,
        "ownerReference" => object::owners(object).iter().any(|owner| text(owner, "/uid") == value),
        "ownerKind" => object::owners(object).iter().any(|owner| text(owner, "/kind") == value),
        "status" => status(object) == value,
        _ if resource.plural == "pods" => pod_passes(key, value, object),
        _ => false,
    }
}

/// A selector that cannot be read selects everything.
fn selects(selector: &str, labels: &serde_json::Map<String, Value>) -> bool {
    Selector::parse(selector).is_ok_and(|selector| selector.matches(labels)) || Selector::parse(selector).is_err()
}

fn pod_passes(key: &str, value: &str, pod: &Value) -> bool {
    match key {
        "nodeName" => text(pod, "/spec/nodeName") == value,
        "pvcName" => {
            let claims = list(pod, "/spec/volumes").iter();
            claims.map(|volume| text(volume, "/persistentVolumeClaim/claimName")).any(|claim| claim == value)
        }
        _ => false,
    }
}

/// The status of an object in the words of the resources API.
pub(super) fn status(object: &Value) -> &str {
    match text(object, "/kind") {
        "Deployment" | "StatefulSet" => {
            let (wanted, ready) =
                (number(object, "/spec/replicas").unwrap_or(1), number(object, "/status/readyReplicas"));
            workload(wanted, ready.unwrap_or_default())
        }
        "DaemonSet" => {
            let count = |field: &str| number(object, &format!("/status/{field}")).unwrap_or_default();
            workload(count("desiredNumberScheduled"), count("numberAvailable"))
        }
        "Job" => job(object),
        "Node" if object::flag(object, "/spec/unschedulable") => "unschedulable",
        "Node" if condition(object, "Ready") == "True" => "running",
        "Node" => "warning",
        _ => text(object, "/status/phase"),
    }
}

fn workload(wanted: i64, ready: i64) -> &'static str {
    match wanted {
        0 => "stopped",
        _ if wanted == ready => "running",
        _ => "updating",
    }
}

fn job(object: &Value) -> &'static str {
    match (condition(object, "Complete"), condition(object, "Failed")) {
        ("True", _) => "completed",
        (_, "True") => "failed",
        _ => "running",
    }
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    let found = list(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == kind);
    found.map(|condition| text(condition, "/status")).unwrap_or_default()
}
