//! The rules of each kind, at any moment of an object's life.

use serde_json::Value;

use super::pods::pod_spec;
use super::{golang, meta, pointer};
use crate::simulator::object::{self, number, text};
use crate::simulator::resource::Resource;
use crate::simulator::selector::Selector;
use crate::simulator::status::Cause;

/// Adds what an object of a kind breaks to the causes.
pub(super) fn rules(resource: &Resource, object: &Value, causes: &mut Vec<Cause>) {
    match resource.plural {
        "pods" => {
            pod_spec("spec", object.get("spec"), causes);
            restart_policy(object, causes);
        }
        "services" => service(object, causes),
        "configmaps" => {
            keys("data", object::map(object, "/data"), causes);
            keys("binaryData", object::map(object, "/binaryData"), causes);
        }
        "secrets" => keys("data", object::map(object, "/data"), causes),
        "poddisruptionbudgets" => budget(object, causes),
        "deployments" | "replicasets" | "statefulsets" => {
            not_negative(object, &["spec.replicas", "spec.minReadySeconds"], causes);
            workload(object, causes);
            if resource.plural == "deployments" {
                deployment(object, causes);
            }
        }
        "daemonsets" => workload(object, causes),
        "jobs" => job("spec", object, causes),
        "cronjobs" => cron_job(object, causes),
        _ => {}
    }
}

fn not_negative(object: &Value, paths: &[&str], causes: &mut Vec<Cause>) {
    for path in paths {
        if let Some(found) = number(object, &pointer(path)).filter(|found| *found < 0) {
            causes.push(Cause::invalid(*path, &found.into(), "must be greater than or equal to 0"));
        }
    }
}

fn workload(object: &Value, causes: &mut Vec<Cause>) {
    let labels = object::map(object, "/spec/template/metadata/labels");
    let found = object.pointer("/spec/selector").filter(|selector| !selector.is_null());
    let selector = found.map(Selector::of);
    if found.is_none() && text(object, "/kind") != "DaemonSet" {
        causes.push(Cause::required("spec.selector", ""));
    } else if selector.as_ref().is_some_and(Selector::is_empty) {
        let kind = text(object, "/kind").to_ascii_lowercase();
        let shown = golang::selector(found.unwrap_or(&Value::Null));
        let why = format!("empty selector is invalid for {kind}");
        causes.push(Cause::invalid_as("spec.selector", &shown, &why));
    }
    meta::labels("spec.template.labels", labels, causes);
    if !selector.is_some_and(|selector| selector.matches(labels)) {
        causes.push(unmatched(labels));
    }
    pod_spec("spec.template.spec", object.pointer("/spec/template/spec"), causes);
    let policy = text(object, "/spec/template/spec/restartPolicy");
    if !policy.is_empty() && policy != "Always" {
        causes.push(Cause::unsupported("spec.template.spec.restartPolicy", &policy.into(), &["Always"]));
    }
}

fn unmatched(labels: &serde_json::Map<String, Value>) -> Cause {
    let why = "`selector` does not match template `labels`";
    Cause::invalid_as("spec.template.metadata.labels", &golang::map(labels), why)
}

fn restart_policy(pod: &Value, causes: &mut Vec<Cause>) {
    let (policy, known) = (text(pod, "/spec/restartPolicy"), ["Always", "OnFailure", "Never"]);
    if !policy.is_empty() && !known.contains(&policy) {
        causes.push(Cause::unsupported("spec.restartPolicy", &policy.into(), &known));
    }
}

/// The keys of data become names of files.
fn keys(field: &str, data: &serde_json::Map<String, Value>, causes: &mut Vec<Cause>) {
    let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
               'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    let is_good = |key: &str| key.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    for key in data.keys().filter(|key| !is_good(key)) {
        causes.push(Cause::invalid(format!("{field}[{key}]"), &key.as_str().into(), why));
    }
}

fn service(object: &Value, causes: &mut Vec<Cause>) {
    let ports = object::list(object, "/spec/ports");
    let needs_none = text(object, "/spec/type") == "ExternalName" || text(object, "/spec/clusterIP") == "None";
    if ports.is_empty() && !needs_none {
        causes.push(Cause::required("spec.ports", ""));
    }
    for (index, port) in ports.iter().enumerate() {
        for field in ["port", "targetPort"] {
            let found = number(port, &format!("/{field}")).filter(|found| !(1..=65_535).contains(found));
            if let Some(found) = found {
                let why = "must be between 1 and 65535, inclusive";
                causes.push(Cause::invalid(format!("spec.ports[{index}].{field}"), &found.into(), why));
            }
        }
    }
}

fn budget(object: &Value, causes: &mut Vec<Cause>) {
    not_negative(object, &["spec.minAvailable", "spec.maxUnavailable"], causes);
    let is_said = |field| object.pointer(field).is_some_and(|value| !value.is_null());
    if is_said("/spec/minAvailable") && is_said("/spec/maxUnavailable") {
        let spec = object.get("spec").cloned().unwrap_or_default();
        causes.push(Cause::invalid("spec", &spec, "minAvailable and maxUnavailable cannot be both set"));
    }
}

/// Deployments have a rule of their own about how they roll.
fn deployment(object: &Value, causes: &mut Vec<Cause>) {
    let kind = text(object, "/spec/strategy/type");
    if !matches!(kind, "" | "Recreate" | "RollingUpdate") {
        causes.push(Cause::unsupported("spec.strategy.type", &kind.into(), &["Recreate", "RollingUpdate"]));
    }
    let none = |field: &str| {
        let value = object.pointer(&format!("/spec/strategy/rollingUpdate/{field}"));
        value.is_some_and(|value| value.as_i64() == Some(0) || value == "0%")
    };
    if none("maxSurge") && none("maxUnavailable") {
        let (zero, why) = ("intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}", "may not be 0 when `maxSurge` is 0");
        causes.push(Cause::invalid_as("spec.strategy.rollingUpdate.maxUnavailable", zero, why));
    }
    let deadline = number(object, "/spec/progressDeadlineSeconds");
    if deadline.is_some_and(|deadline| deadline <= number(object, "/spec/minReadySeconds").unwrap_or_default()) {
        let value = deadline.unwrap_or_default().into();
        causes.push(Cause::invalid("spec.progressDeadlineSeconds", &value, "must be greater than minReadySeconds"));
    }
}

/// Adds what a new object of a kind breaks.
pub(super) fn born(resource: &Resource, object: &Value, causes: &mut Vec<Cause>) {
    if resource.plural == "jobs" && !object::flag(object, "/spec/manualSelector") {
        generated_selector(object, causes);
    }
}

/// A Job's selector and the labels that go with it are the server's to make.
fn generated_selector(job: &Value, causes: &mut Vec<Cause>) {
    let labels = object::map(job, "/spec/template/metadata/labels");
    for (key, wanted) in [
        ("batch.kubernetes.io/controller-uid", object::uid(job)),
        ("controller-uid", object::uid(job)),
        ("batch.kubernetes.io/job-name", object::name(job)),
        ("job-name", object::name(job)),
    ] {
        if labels.get(key).is_some_and(|found| found != wanted) {
            let field = format!("spec.template.metadata.labels[{key}]");
            causes.push(Cause::invalid_as(field, &golang::map(labels), &format!("must be '{wanted}'")));
        }
    }
    let found = job.pointer("/spec/selector").unwrap_or(&Value::Null);
    if object::map(found, "/matchLabels").len() != 1 {
        causes.push(Cause::invalid_as("spec.selector", &golang::selector(found), "`selector` not auto-generated"));
    }
    if !Selector::of(found).matches(labels) {
        causes.push(unmatched(labels));
    }
}

fn job(path: &str, object: &Value, causes: &mut Vec<Cause>) {
    let fields: Vec<_> =
        ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"]
            .iter()
            .map(|field| format!("{path}.{field}"))
            .collect();
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    not_negative(object, &fields, causes);
    let spec = format!("{path}.template.spec");
    let template = object.pointer(&pointer(&spec));
    pod_spec(&spec, template, causes);
    if template.is_some_and(|template| matches!(text(template, "/restartPolicy"), "" | "Always")) {
        let why = "valid values: \"OnFailure\", \"Never\"";
        causes.push(Cause::required(format!("{spec}.restartPolicy"), why));
    }
}

fn cron_job(object: &Value, causes: &mut Vec<Cause>) {
    let schedule = text(object, "/spec/schedule");
    if schedule.is_empty() {
        causes.push(Cause::required("spec.schedule", ""));
    } else if let Err(why) = readable(schedule) {
        causes.push(Cause::invalid("spec.schedule", &schedule.into(), &why));
    }
    let policy = text(object, "/spec/concurrencyPolicy");
    if !matches!(policy, "" | "Allow" | "Forbid" | "Replace") {
        let allowed = ["Allow", "Forbid", "Replace"];
        causes.push(Cause::unsupported("spec.concurrencyPolicy", &policy.into(), &allowed));
    }
    if object::name(object).len() > 52 {
        let why = "must be no more than 52 characters";
        causes.push(Cause::invalid("metadata.name", &object::name(object).into(), why));
    }
    job("spec.jobTemplate.spec", object, causes);
}

/// Whether a schedule is one of Kubernetes: five fields, or a word such as `@daily`.
fn readable(schedule: &str) -> Result<(), String> {
    let fields: Vec<_> = schedule.split_whitespace().collect();
    if fields.len() != 5 && !schedule.starts_with('@') {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    }
    schedule.parse::<croner::Cron>().map(drop).map_err(|error| error.to_string())
}
