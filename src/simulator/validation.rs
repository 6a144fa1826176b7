//! What the API server refuses: objects that break the rules of their kind.

use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

use super::object::{self, list, number, text};
use super::resource::Resource;
use super::selector::Selector;
use super::status::{Cause, StatusError};

/// Names of most objects.
static SUBDOMAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").ok()
});

const NAME_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
    '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const IMMUTABLE: &str = "field is immutable";
const POD_RULE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
    tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const STATEFUL_SET_RULE: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', \
    'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/// Checks an object that is to be created.
///
/// # Errors
/// 422 with every cause, as the API server words it.
pub(super) fn created(resource: &Resource, object: &Value) -> Result<(), StatusError> {
    let mut causes = Vec::new();
    name(object, &mut causes);
    rules(resource, object, &mut causes);
    verdict(resource, object, &causes)
}

/// Checks an object that is to replace another.
///
/// # Errors
/// 422 with every cause, as the API server words it.
pub(super) fn updated(resource: &Resource, old: &Value, new: &Value) -> Result<(), StatusError> {
    let mut causes = Vec::new();
    rules(resource, new, &mut causes);
    for path in immutable(resource) {
        let (before, after) = (old.pointer(&pointer(path)), new.pointer(&pointer(path)));
        if before != after {
            causes.push(Cause::invalid(
                *path,
                after.unwrap_or(&Value::Null),
                IMMUTABLE,
            ));
        }
    }
    match resource.plural {
        "pods" => frozen(
            old,
            new,
            &["image", "activeDeadlineSeconds", "tolerations"],
            POD_RULE,
            &mut causes,
        ),
        "statefulsets" => frozen(
            old,
            new,
            &[
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ],
            STATEFUL_SET_RULE,
            &mut causes,
        ),
        _ => {}
    }
    verdict(resource, new, &causes)
}

fn verdict(resource: &Resource, object: &Value, causes: &[Cause]) -> Result<(), StatusError> {
    if causes.is_empty() {
        Ok(())
    } else {
        Err(StatusError::invalid(resource, object::name(object), causes))
    }
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

fn immutable(resource: &Resource) -> &'static [&'static str] {
    match resource.plural {
        "deployments" | "replicasets" | "daemonsets" => &["spec.selector"],
        "jobs" => &["spec.selector", "spec.template", "spec.completions"],
        "secrets" => &["type"],
        _ => &[],
    }
}

/// Outside of `free` fields of the spec (anywhere below it) nothing may differ.
fn frozen(old: &Value, new: &Value, free: &[&str], rule: &str, causes: &mut Vec<Cause>) {
    let stripped = |object: &Value| {
        let mut spec = object.get("spec").cloned().unwrap_or_default();
        strip(&mut spec, free);
        spec
    };
    if stripped(old) != stripped(new) {
        causes.push(Cause::forbidden("spec", rule));
    }
}

fn strip(value: &mut Value, free: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !free.contains(&key.as_str()));
            fields.values_mut().for_each(|inner| strip(inner, free));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| strip(inner, free)),
        _ => {}
    }
}

fn name(object: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(object);
    if name.is_empty() {
        if text(object, "/metadata/generateName").is_empty() {
            causes.push(Cause::required(
                "metadata.name",
                "name or generateName is required",
            ));
        }
    } else if name.len() > 253 || !SUBDOMAIN.as_ref().is_some_and(|rule| rule.is_match(name)) {
        causes.push(Cause::invalid("metadata.name", &name.into(), NAME_RULE));
    }
}

fn rules(resource: &Resource, object: &Value, causes: &mut Vec<Cause>) {
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

/// Fields whose type the API server's decoder insists on; a mismatch is its own error.
///
/// # Errors
/// The decoder's words about the first such field.
pub(super) fn decodable(object: &Value) -> Result<(), String> {
    let kind = text(object, "/kind");
    for field in [
        "replicas",
        "parallelism",
        "completions",
        "backoffLimit",
        "minReadySeconds",
    ] {
        expect(
            object,
            kind,
            &format!("spec.{field}"),
            "int32",
            Value::is_i64,
        )?;
    }
    for field in ["suspend", "paused", "unschedulable"] {
        expect(
            object,
            kind,
            &format!("spec.{field}"),
            "bool",
            Value::is_boolean,
        )?;
    }
    for path in [
        "metadata.labels",
        "metadata.annotations",
        "data",
        "stringData",
    ] {
        expect(object, kind, path, "map[string]string", Value::is_object)?;
        for value in object::map(object, &pointer(path)).values() {
            expect_value(value, kind, path, "string", Value::is_string)?;
        }
    }
    Ok(())
}

fn expect(
    object: &Value,
    kind: &str,
    path: &str,
    wanted: &str,
    fits: fn(&Value) -> bool,
) -> Result<(), String> {
    object.pointer(&pointer(path)).map_or(Ok(()), |value| {
        expect_value(value, kind, path, wanted, fits)
    })
}

fn expect_value(
    value: &Value,
    kind: &str,
    path: &str,
    wanted: &str,
    fits: fn(&Value) -> bool,
) -> Result<(), String> {
    if value.is_null() || fits(value) {
        return Ok(());
    }
    let owner = if path.starts_with("spec.") {
        "Spec"
    } else {
        ""
    };
    let found = match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) | Value::Null => "string",
    };
    Err(format!(
        "json: cannot unmarshal {found} into Go struct field {kind}{owner}.{path} of type {wanted}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::resource::by_plural;
    use serde_json::json;

    fn deployment() -> Value {
        json!({"metadata": {"name": "web"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
    }

    fn refused(plural: &str, object: &Value) -> String {
        let resource = by_plural(plural).expect("a row");
        created(resource, object).map_or_else(|error| error.message, |()| "legal".into())
    }

    #[test]
    fn a_sound_deployment_is_legal() {
        assert_eq!(refused("deployments", &deployment()), "legal");
    }

    #[test]
    fn each_broken_rule_is_named_in_the_servers_words() {
        for (path, value, words) in [
            (
                "/spec/replicas",
                json!(-1),
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            ),
            (
                "/metadata/name",
                json!(""),
                "metadata.name: Required value: name or generateName is required",
            ),
            (
                "/metadata/name",
                json!("Web"),
                "a lowercase RFC 1123 subdomain must consist of",
            ),
            (
                "/spec/selector/matchLabels/app",
                json!("x"),
                "`selector` does not match template `labels`",
            ),
            (
                "/spec/template/spec/containers/0/image",
                json!(""),
                "spec.template.spec.containers[0].image: Required value",
            ),
        ] {
            let mut object = deployment();
            *object.pointer_mut(path).expect(path) = value;
            let message = refused("deployments", &object);
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_selector_and_a_job_template_are_immutable() {
        let resource = by_plural("deployments").expect("a row");
        let mut other = deployment();
        object::put(
            &mut other,
            &["spec", "selector", "matchLabels"],
            json!({"app": "web", "x": "y"}),
        );
        object::put(
            &mut other,
            &["spec", "template", "metadata", "labels", "x"],
            "y",
        );
        let error = updated(resource, &deployment(), &other).expect_err("immutable");
        assert!(error.message.ends_with("field is immutable"), "{error}");
    }

    #[test]
    fn a_pod_may_change_its_image_only() {
        let resource = by_plural("pods").expect("a row");
        let pod = |image: &str, command: &str| json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": image, "command": [command]}]}});
        updated(resource, &pod("a", "x"), &pod("b", "x")).expect("an image");
        updated(resource, &pod("a", "x"), &pod("a", "y")).expect_err("a command");
    }

    #[test]
    fn a_cron_schedule_must_be_one() {
        let message = refused(
            "cronjobs",
            &json!({"metadata": {"name": "n"}, "spec": {"schedule": "often"}}),
        );
        assert!(
            message.contains("spec.schedule: Invalid value: \"often\""),
            "{message}"
        );
    }

    #[test]
    fn the_decoder_insists_on_types() {
        let error = decodable(&json!({"kind": "Deployment", "spec": {"replicas": "3"}}))
            .expect_err("a text");
        assert_eq!(
            error,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        );
    }
}
