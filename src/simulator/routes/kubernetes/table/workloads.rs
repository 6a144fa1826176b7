//! The rows of workloads.

use serde_json::Value;

use super::{Column, Moment, age, ago, listed, span};
use crate::clock::Timestamp;
use crate::simulator::object::{flag, list, map, name, number, text};
use crate::simulator::selector::Selector;

/// Name, what is special, age, and what wide tables show of the template.
fn columns_of(special: &[Column], wide: &[&'static str]) -> Vec<Column> {
    let mut all = vec![Column("Name", "string", 0)];
    all.extend_from_slice(special);
    all.push(Column("Age", "string", 0));
    all.extend(wide.iter().map(|name| Column(name, "string", 1)));
    all
}

const TEMPLATE: [&str; 3] = ["Containers", "Images", "Selector"];

fn counts(names: &[&'static str]) -> Vec<Column> {
    names.iter().map(|name| Column(name, "integer", 0)).collect()
}

fn count(object: &Value, field: &str) -> Value {
    number(object, field).unwrap_or_default().into()
}

/// The cells of a row: the name, what is special, the age, and the template's.
fn row(object: &Value, moment: Moment, special: Vec<Value>) -> Vec<Value> {
    let mut cells = vec![name(object).into()];
    cells.extend(special);
    cells.push(age(object, moment));
    let template = object.pointer("/spec/template").unwrap_or(&Value::Null);
    cells.extend([listed(template, "/name"), listed(template, "/image")]);
    cells
}

fn selector(object: &Value) -> Value {
    let shown = object.pointer("/spec/selector").map(|selector| Selector::of(selector).to_string());
    shown.filter(|text| !text.is_empty()).unwrap_or_else(|| "<none>".into()).into()
}

fn selected(object: &Value, moment: Moment, special: Vec<Value>) -> Vec<Value> {
    let mut cells = row(object, moment, special);
    cells.push(selector(object));
    cells
}

fn share(object: &Value, wanted: i64) -> Value {
    format!("{}/{wanted}", number(object, "/status/readyReplicas").unwrap_or_default()).into()
}

pub(super) fn deployment_columns(_: bool) -> Vec<Column> {
    columns_of(
        &[Column("Ready", "string", 0), Column("Up-to-date", "string", 0), Column("Available", "string", 0)],
        &TEMPLATE,
    )
}

pub(super) fn deployment(object: &Value, moment: Moment) -> Vec<Value> {
    let wanted = number(object, "/spec/replicas").unwrap_or_default();
    let special = vec![
        share(object, wanted),
        count(object, "/status/updatedReplicas"),
        count(object, "/status/availableReplicas"),
    ];
    selected(object, moment, special)
}

pub(super) fn replica_set_columns(_: bool) -> Vec<Column> {
    columns_of(&counts(&["Desired", "Current", "Ready"]), &TEMPLATE)
}

pub(super) fn replica_set(object: &Value, moment: Moment) -> Vec<Value> {
    let fields = ["/spec/replicas", "/status/replicas", "/status/readyReplicas"];
    selected(object, moment, fields.map(|field| count(object, field)).to_vec())
}

pub(super) fn stateful_set_columns(_: bool) -> Vec<Column> {
    columns_of(&[Column("Ready", "string", 0)], &["Containers", "Images"])
}

pub(super) fn stateful_set(object: &Value, moment: Moment) -> Vec<Value> {
    row(object, moment, vec![share(object, number(object, "/spec/replicas").unwrap_or_default())])
}

pub(super) fn daemon_set_columns(_: bool) -> Vec<Column> {
    let mut special = counts(&["Desired", "Current", "Ready", "Up-to-date", "Available"]);
    special.push(Column("Node Selector", "string", 0));
    columns_of(&special, &TEMPLATE)
}

pub(super) fn daemon_set(object: &Value, moment: Moment) -> Vec<Value> {
    let fields = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let mut special: Vec<_> = fields.iter().map(|field| count(object, &format!("/status/{field}"))).collect();
    let nodes = map(object, "/spec/template/spec/nodeSelector").iter();
    let nodes: Vec<_> = nodes.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    special.push(if nodes.is_empty() { "<none>".into() } else { nodes.join(",").into() });
    selected(object, moment, special)
}

pub(super) fn job_columns(old: bool) -> Vec<Column> {
    let names: &[&str] = if old { &["Completions", "Duration"] } else { &["Status", "Completions", "Duration"] };
    let special: Vec<_> = names.iter().map(|name| Column(name, "string", 0)).collect();
    columns_of(&special, &TEMPLATE)
}

pub(super) fn job(object: &Value, moment: Moment) -> Vec<Value> {
    let done = number(object, "/status/succeeded").unwrap_or_default();
    let parallel = number(object, "/spec/parallelism").unwrap_or_default();
    let completions = match number(object, "/spec/completions") {
        Some(wanted) => format!("{done}/{wanted}"),
        None if parallel > 1 => format!("{done}/1 of {parallel}"),
        None => format!("{done}/1"),
    };
    let mut special = vec![completions.into(), duration(object, moment).into()];
    if !moment.old {
        special.insert(0, job_status(object).into());
    }
    selected(object, moment, special)
}

fn duration(job: &Value, moment: Moment) -> String {
    let Ok(began) = text(job, "/status/startTime").parse::<Timestamp>() else { return String::new() };
    let ended = text(job, "/status/completionTime").parse().unwrap_or(moment.now);
    span((ended - began).num_seconds())
}

fn job_status(job: &Value) -> &'static str {
    let holds = |kind: &str| {
        let said = list(job, "/status/conditions").iter().find(|said| text(said, "/type") == kind);
        said.is_some_and(|said| text(said, "/status") == "True")
    };
    match () {
        () if holds("Complete") => "Complete",
        () if holds("Failed") => "Failed",
        () if job.pointer("/metadata/deletionTimestamp").is_some_and(|stamp| !stamp.is_null()) => "Terminating",
        () if holds("Suspended") => "Suspended",
        () if holds("FailureTarget") => "FailureTarget",
        () => "Running",
    }
}

pub(super) fn cron_job_columns(old: bool) -> Vec<Column> {
    let mut special = vec![Column("Schedule", "string", 0)];
    if !old {
        special.push(Column("Timezone", "string", 0));
    }
    special.extend([
        Column("Suspend", "boolean", 0),
        Column("Active", "integer", 0),
        Column("Last Schedule", "string", 0),
    ]);
    columns_of(&special, &TEMPLATE)
}

pub(super) fn cron_job(object: &Value, moment: Moment) -> Vec<Value> {
    let last = text(object, "/status/lastScheduleTime");
    let zone = text(object, "/spec/timeZone");
    let mut cells = vec![name(object).into(), text(object, "/spec/schedule").into()];
    if !moment.old {
        cells.push(if zone.is_empty() { "<none>" } else { zone }.into());
    }
    // A printer of Go shows a boolean by its words.
    let suspended = if flag(object, "/spec/suspend") { "True" } else { "False" };
    cells.extend([suspended.into(), list(object, "/status/active").len().into()]);
    cells.push(if last.is_empty() { "<none>".into() } else { ago(moment.now, last).into() });
    cells.push(age(object, moment));
    let template = object.pointer("/spec/jobTemplate/spec/template").unwrap_or(&Value::Null);
    cells.extend([listed(template, "/name"), listed(template, "/image")]);
    let selector = object.pointer("/spec/jobTemplate/spec").map(selector);
    cells.push(selector.unwrap_or_else(|| "<none>".into()));
    cells
}
