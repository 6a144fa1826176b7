//! Tables: lists as kubectl prints them, cells made by the server.
//!
//! A client asks for them in `Accept` (`as=Table`). To give a kind its columns, add its row in
//! [`PRINTERS`]; a kind without one shows its name and its birth.

mod cells;
mod network;
mod pods;
mod workloads;

use serde_json::{Map, Value, json};

use super::path::Target;
use crate::clock::Timestamp;
use crate::simulator::App;
use crate::simulator::ask::Ask;
use crate::simulator::object::{self, text};
use crate::simulator::scenario::Batch;

/// In what form a client wants objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Objects,
    /// As a table.
    Table,
    /// Only what they have in `metadata`.
    Metadata,
}

/// How much of an object stands in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

/// How a client wants to see objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) form: Form,
    include: Include,
    /// Whether the server is one of before 1.21, whose tables are plainer.
    old: bool,
}

impl View {
    pub(super) fn of(app: &App, ask: &Ask) -> Self {
        let include = match ask.query("includeObject") {
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        };
        Self { form: Form::of(ask), include, old: app.switches.batch == Batch::V1Beta1 }
    }
}

impl Form {
    /// The first form in `Accept` that can be had.
    fn of(ask: &Ask) -> Self {
        for wanted in ask.header("accept").unwrap_or_default().split(',') {
            let mut parameters = wanted.split(';').map(str::trim);
            if !matches!(parameters.next(), Some("application/json" | "application/vnd.kubernetes.protobuf")) {
                continue;
            }
            match parameters.find_map(|parameter| parameter.strip_prefix("as=")) {
                Some("Table") => return Self::Table,
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Self::Metadata,
                Some(_) => {}
                None => return Self::Objects,
            }
        }
        Self::Objects
    }
}

/// Whether some form that the client takes can be had.
pub(super) fn is_acceptable(ask: &Ask) -> bool {
    let accept = ask.header("accept").unwrap_or_default();
    let known = |wanted: &str| {
        let kind = wanted.split(';').next().unwrap_or_default().trim();
        matches!(kind, "application/json" | "application/*" | "*/*")
    };
    accept.trim().is_empty() || accept.split(',').any(known)
}

/// A column: its name, its type, and whether only wide tables show it.
#[derive(Debug, Clone, Copy)]
struct Column(&'static str, &'static str, u8);

/// What a printer may look at beside the object.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: Timestamp,
    old: bool,
}

/// How the objects of a kind are shown.
struct Printer {
    plural: &'static str,
    columns: fn(bool) -> Vec<Column>,
    cells: fn(&Value, Moment) -> Vec<Value>,
}

static PRINTERS: &[Printer] = &[
    Printer { plural: "pods", columns: pods::columns, cells: pods::cells },
    Printer { plural: "deployments", columns: workloads::deployment_columns, cells: workloads::deployment },
    Printer { plural: "replicasets", columns: workloads::replica_set_columns, cells: workloads::replica_set },
    Printer { plural: "statefulsets", columns: workloads::stateful_set_columns, cells: workloads::stateful_set },
    Printer { plural: "daemonsets", columns: workloads::daemon_set_columns, cells: workloads::daemon_set },
    Printer { plural: "jobs", columns: workloads::job_columns, cells: workloads::job },
    Printer { plural: "cronjobs", columns: workloads::cron_job_columns, cells: workloads::cron_job },
    Printer { plural: "nodes", columns: cells::node_columns, cells: cells::node },
    Printer { plural: "namespaces", columns: cells::namespace_columns, cells: cells::namespace },
    Printer { plural: "services", columns: cells::service_columns, cells: cells::service },
    Printer { plural: "events", columns: cells::event_columns, cells: cells::event },
    Printer { plural: "configmaps", columns: cells::config_map_columns, cells: cells::config_map },
    Printer { plural: "secrets", columns: cells::secret_columns, cells: cells::secret },
    Printer { plural: "serviceaccounts", columns: cells::service_account_columns, cells: cells::service_account },
    Printer { plural: "persistentvolumeclaims", columns: cells::claim_columns, cells: cells::claim },
    Printer { plural: "poddisruptionbudgets", columns: cells::budget_columns, cells: cells::budget },
    Printer { plural: "endpoints", columns: network::endpoints_columns, cells: network::endpoints },
    Printer { plural: "leases", columns: network::lease_columns, cells: network::lease },
    Printer { plural: "networkpolicies", columns: network::policy_columns, cells: network::policy },
    Printer { plural: "ingresses", columns: network::ingress_columns, cells: network::ingress },
    Printer { plural: "persistentvolumes", columns: network::volume_columns, cells: network::volume },
    Printer { plural: "controllerrevisions", columns: cells::revision_columns, cells: cells::revision },
    Printer { plural: "resourcequotas", columns: cells::quota_columns, cells: cells::quota },
    Printer { plural: "horizontalpodautoscalers", columns: cells::autoscaler_columns, cells: cells::autoscaler },
];

static PLAIN: Printer = Printer { plural: "", columns: cells::plain_columns, cells: cells::plain };

/// Objects of a kind, with what their list says of itself.
pub(super) struct Listed<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) metadata: Map<String, Value>,
    pub(super) objects: Vec<&'a Value>,
}

impl<'a> Listed<'a> {
    /// One object, which is its own list.
    pub(super) fn one(target: &'a Target<'a>, object: &'a Value) -> Self {
        let mut metadata = Map::new();
        metadata.insert("resourceVersion".into(), text(object, "/metadata/resourceVersion").into());
        Self { target, metadata, objects: vec![object] }
    }

    /// Their metadata alone.
    pub(super) fn partial(&self) -> Value {
        json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": self.metadata,
            "items": self.objects.iter().map(|object| partial(object)).collect::<Vec<_>>(),
        })
    }

    /// Their table.
    pub(super) fn table(&self, view: View, now: Timestamp) -> Value {
        let printer = PRINTERS.iter().find(|row| row.plural == self.target.resource.plural).unwrap_or(&PLAIN);
        let moment = Moment { now, old: view.old };
        let row = |object: &&Value| {
            let mut row = json!({ "cells": (printer.cells)(object, moment) });
            if let Some(conditions) = pods::conditions(self.target.resource.plural, object) {
                object::put(&mut row, &["conditions"], conditions);
            }
            let shown = match view.include {
                Include::Nothing => Value::Null,
                Include::Metadata => partial(object),
                Include::Object => in_version(self.target, object),
            };
            object::put(&mut row, &["object"], shown);
            row
        };
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": self.metadata,
            "columnDefinitions": (printer.columns)(moment.old).into_iter().map(definition).collect::<Vec<_>>(),
            "rows": self.objects.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn in_version(target: &Target<'_>, object: &Value) -> Value {
    let mut object = object.clone();
    object::put(&mut object, &["apiVersion"], target.api_version());
    object
}

/// The part of an object that every kind has.
pub(super) fn partial(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata") })
}

fn definition(Column(name, kind, priority): Column) -> Value {
    let format = if name == "Name" && priority == 0 { "name" } else { "" };
    let description = match name {
        "Name" => "Name must be unique within a namespace.",
        "Age" => "How long ago the object was created.",
        _ => "",
    };
    json!({ "name": name, "type": kind, "format": format, "description": description, "priority": priority })
}

/// How long ago something was, as people say it.
fn ago(now: Timestamp, stamp: &str) -> String {
    let Ok(then) = stamp.parse::<Timestamp>() else { return "<unknown>".into() };
    span((now - then).num_seconds())
}

/// A span in at most two units, coarser the longer it is (apimachinery `duration.HumanDuration`).
fn span(seconds: i64) -> String {
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match seconds {
        ..-1 => "<invalid>".into(),
        -1 => "0s".into(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(hours / 24, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{}d", hours / 24),
        63_072_000..252_288_000 => two(hours / 24 / 365, "y", hours / 24 % 365, "d"),
        _ => format!("{}y", hours / 24 / 365),
    }
}

fn age(object: &Value, moment: Moment) -> Value {
    ago(moment.now, text(object, "/metadata/creationTimestamp")).into()
}

/// The names or images of the containers of a template.
fn listed(template: &Value, field: &str) -> Value {
    let containers = object::list(template, "/spec/containers").iter();
    containers.map(|container| text(container, field)).collect::<Vec<_>>().join(",").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_coarser_the_longer_they_are() {
        for (seconds, expected) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (3_600, "60m"),
            (10_860, "3h1m"),
            (90_000, "25h"),
            (200_000, "2d7h"),
            (864_000, "10d"),
            (94_608_000, "3y"),
        ] {
            assert_eq!(span(seconds), expected);
        }
    }
}
