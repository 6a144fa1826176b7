//! Kubernetes objects in the columns that kubectl shows them in.
//!
//! One file a family of kinds. To add a kind: a `Columns` in the file of its
//! family, and its row in `COLUMNS`. The words are those of kubectl's own
//! printers (`Terminating`, `Init:0/1`, `Evicted`), because people know them.

mod batch;
mod core;
mod node;
mod object;
mod pod;
mod workload;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::style::Style;
use super::table::{Cell, Table};
use crate::clock::Timestamp;
use object::Object;

/// How objects are looked at.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Whether the namespace has a column.
    pub namespaces: bool,
    /// Whether there are more columns.
    pub wide: bool,
    /// What ages are counted to.
    pub now: Timestamp,
}

/// The columns of a kind, and what stands in them.
struct Columns {
    headings: &'static [&'static str],
    cells: fn(&Object<'_>) -> Vec<Cell>,
    /// The columns that only `wide` shows.
    more: &'static [&'static str],
    more_cells: fn(&Object<'_>) -> Vec<Cell>,
}

/// The kinds with columns of their own.
static COLUMNS: &[(&str, &Columns)] = &[
    ("Pod", &pod::COLUMNS),
    ("Deployment", &workload::DEPLOYMENT),
    ("StatefulSet", &workload::STATEFUL_SET),
    ("DaemonSet", &workload::DAEMON_SET),
    ("ReplicaSet", &workload::REPLICA_SET),
    ("Job", &batch::JOB),
    ("CronJob", &batch::CRON_JOB),
    ("Node", &node::COLUMNS),
    ("Namespace", &core::NAMESPACE),
    ("Service", &core::SERVICE),
    ("ConfigMap", &core::CONFIG_MAP),
    ("Secret", &core::SECRET),
    ("Event", &core::EVENT),
];

/// The objects of one kind as a table; nothing where there are none.
pub fn table(kind: &str, items: &[Value], view: &View, style: &Style) -> String {
    let found = COLUMNS.iter().find(|(name, _)| *name == kind);
    let columns = found.map_or(&core::ANY, |(_, columns)| *columns);
    let more = if view.wide { columns.more } else { &[] };
    let namespace = view.namespaces.then_some("NAMESPACE");
    let mut table = Table::new(namespace.into_iter().chain(columns.headings.iter().chain(more).copied()));
    for item in items {
        let object = Object::new(item, view.now);
        let mut row = Vec::new();
        if view.namespaces {
            row.push(Cell::plain(object.text("/metadata/namespace")));
        }
        row.extend((columns.cells)(&object));
        if view.wide {
            row.extend((columns.more_cells)(&object));
        }
        table.push(row);
    }
    table.draw(style)
}

/// `kind/name`, as `-o name` writes it: `pod/web-1`, `deployment.apps/web`.
pub fn name(object: &Value) -> String {
    let text = |key: &str| object.pointer(key).and_then(Value::as_str).unwrap_or_default();
    let group = text("/apiVersion").split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
    format!("{}{group}/{}", text("/kind").to_lowercase(), text("/metadata/name"))
}
