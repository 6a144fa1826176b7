//! The rules of each kind, at any moment of an object's life.

use serde_json::Value;

use super::pointer;
use crate::simulator::object::{self, list, number, text};
use crate::simulator::resource::Resource;
use crate::simulator::selector::Selector;
use crate::simulator::status::Cause;

/// Adds what an object of a kind breaks to the causes.
pub(super) fn rules(resource: &Resource, object: &Value, causes: &mut Vec<Cause>) {
    match resource.plural {
        "pods" => pod_spec("spec", object.get("spec"), causes),
        "deployments" | "replicasets" | "statefulsets" => {
            not_negative(object, &["spec.replicas", "spec.minReadySeconds"], causes);
            workload(object, causes);
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
            causes.push(Cause::invalid(
                *path,
                &found.into(),
                "must be greater than or equal to 0",
            ));
        }
    }
}

fn workload(object: &Value, causes: &mut Vec<Cause>) {
    let selector = object
        .pointer("/spec/selector")
        .filter(|selector| !selector.is_null());
    match selector.map(Selector::of) {
        None => causes.push(Cause::required("spec.selector", "")),
        Some(selector) if selector.is_empty() => {
            let why = "empty selector is invalid for deployment";
            causes.push(Cause::invalid("spec.selector", &serde_json::json!({}), why));
        }
        Some(selector) => {
            let labels = object::map(object, "/spec/template/metadata/labels");
            if !selector.matches(labels) {
                let why = "`selector` does not match template `labels`";
                causes.push(Cause::invalid(
                    "spec.template.metadata.labels",
                    &labels.clone().into(),
                    why,
                ));
            }
        }
    }
    pod_spec(
        "spec.template.spec",
        object.pointer("/spec/template/spec"),
        causes,
    );
    let policy = text(object, "/spec/template/spec/restartPolicy");
    if !policy.is_empty() && policy != "Always" {
        causes.push(Cause::unsupported(
            "spec.template.spec.restartPolicy",
            &policy.into(),
            &["Always"],
        ));
    }
}

fn job(path: &str, object: &Value, causes: &mut Vec<Cause>) {
    let fields: Vec<_> = [
        "parallelism",
        "completions",
        "backoffLimit",
        "activeDeadlineSeconds",
        "ttlSecondsAfterFinished",
    ]
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
    } else if let Err(error) = schedule.parse::<croner::Cron>() {
        causes.push(Cause::invalid(
            "spec.schedule",
            &schedule.into(),
            &error.to_string(),
        ));
    }
    let policy = text(object, "/spec/concurrencyPolicy");
    if !matches!(policy, "" | "Allow" | "Forbid" | "Replace") {
        let allowed = ["Allow", "Forbid", "Replace"];
        causes.push(Cause::unsupported(
            "spec.concurrencyPolicy",
            &policy.into(),
            &allowed,
        ));
    }
    if object::name(object).len() > 52 {
        let why = "must be no more than 52 characters";
        causes.push(Cause::invalid(
            "metadata.name",
            &object::name(object).into(),
            why,
        ));
    }
    job("spec.jobTemplate.spec", object, causes);
}

fn pod_spec(path: &str, spec: Option<&Value>, causes: &mut Vec<Cause>) {
    let containers = spec
        .map(|spec| list(spec, "/containers"))
        .unwrap_or_default();
    if containers.is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut seen = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let place = format!("{path}.containers[{index}]");
        for field in ["name", "image"] {
            if text(container, &format!("/{field}")).is_empty() {
                causes.push(Cause::required(format!("{place}.{field}"), ""));
            }
        }
        let name = text(container, "/name");
        if seen.contains(&name) && !name.is_empty() {
            causes.push(Cause::duplicate(format!("{place}.name"), &name.into()));
        }
        seen.push(name);
    }
}
