//! Workloads: wanted, there, ready.

use super::Columns;
use super::object::{NONE, Object, count, ratio};
use crate::console::style::Tone;
use crate::console::table::Cell;

const TEMPLATE: &str = "/spec/template/spec/containers";
const ALL_MORE: &[&str] = &["CONTAINERS", "IMAGES", "SELECTOR"];

pub(super) static DEPLOYMENT: Columns = Columns {
    headings: &["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
    cells: |object| {
        vec![
            object.name(),
            ratio(object.number("/status/readyReplicas"), wanted(object)),
            count(object.number("/status/updatedReplicas")),
            count(object.number("/status/availableReplicas")),
            object.age(),
        ]
    },
    more: ALL_MORE,
    more_cells: all_more,
};

pub(super) static STATEFUL_SET: Columns = Columns {
    headings: &["NAME", "READY", "AGE"],
    cells: |object| vec![object.name(), ratio(object.number("/status/readyReplicas"), wanted(object)), object.age()],
    more: &["CONTAINERS", "IMAGES"],
    more_cells: |object| object.containers(TEMPLATE).into(),
};

pub(super) static DAEMON_SET: Columns = Columns {
    headings: &["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"],
    cells: |object| {
        let number = |field: &str| object.number(&format!("/status/{field}"));
        let wanted = number("desiredNumberScheduled");
        vec![
            object.name(),
            count(wanted),
            count(number("currentNumberScheduled")),
            ready(number("numberReady"), wanted),
            count(number("updatedNumberScheduled")),
            count(number("numberAvailable")),
            Cell::plain(node_selector(object)),
            object.age(),
        ]
    },
    more: ALL_MORE,
    more_cells: all_more,
};

pub(super) static REPLICA_SET: Columns = Columns {
    headings: &["NAME", "DESIRED", "CURRENT", "READY", "AGE"],
    cells: |object| {
        vec![
            object.name(),
            count(wanted(object)),
            count(object.number("/status/replicas")),
            ready(object.number("/status/readyReplicas"), wanted(object)),
            object.age(),
        ]
    },
    more: ALL_MORE,
    more_cells: all_more,
};

/// How many replicas are wanted: one where nothing is written.
fn wanted(object: &Object<'_>) -> i64 {
    object.at("/spec/replicas").map_or(1, |_| object.number("/spec/replicas"))
}

fn ready(ready: i64, wanted: i64) -> Cell {
    Cell::new(if ready < wanted { Tone::Odd } else { Tone::Plain }, ready.to_string())
}

fn all_more(object: &Object<'_>) -> Vec<Cell> {
    let [names, images] = object.containers(TEMPLATE);
    vec![names, images, object.selector()]
}

fn node_selector(object: &Object<'_>) -> String {
    let labels = object.at("/spec/template/spec/nodeSelector").and_then(serde_json::Value::as_object);
    let pairs: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") }
}
