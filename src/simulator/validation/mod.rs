//! What the API server refuses: objects that break the rules of their kind.
//!
//! To add rules for a kind, add its row in `kinds.rs`; what must not change is
//! listed in [`immutable`].

mod golang;
mod kinds;
mod meta;
mod pods;

use serde_json::Value;

use super::object;
use super::resource::Resource;
use super::status::{Cause, StatusError};
use kinds::rules;

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
    meta::name(resource, object, &mut causes);
    meta::tags(object, &mut causes);
    kinds::born(resource, object, &mut causes);
    rules(resource, object, &mut causes);
    verdict(resource, object, &causes)
}

/// Checks an object that is to replace another.
///
/// # Errors
/// 422 with every cause, as the API server words it.
pub(super) fn updated(resource: &Resource, old: &Value, new: &Value) -> Result<(), StatusError> {
    let mut causes = Vec::new();
    meta::tags(new, &mut causes);
    meta::changed(old, new, &mut causes);
    rules(resource, new, &mut causes);
    for path in immutable(resource) {
        let (before, after) = (old.pointer(&pointer(path)), new.pointer(&pointer(path)));
        if before != after {
            let after = after.unwrap_or(&Value::Null);
            let shown = if *path == "spec.selector" { golang::selector(after) } else { after.to_string() };
            causes.push(Cause::invalid_as(*path, &shown, IMMUTABLE));
        }
    }
    match resource.plural {
        "pods" => frozen(old, new, &["image", "activeDeadlineSeconds", "tolerations"], POD_RULE, &mut causes),
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
    if causes.is_empty() { Ok(()) } else { Err(StatusError::invalid(resource, object::name(object), causes)) }
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
            ("/spec/replicas", json!(-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
            ("/metadata/name", json!(""), "metadata.name: Required value: name or generateName is required"),
            ("/metadata/name", json!("Web"), "a lowercase RFC 1123 subdomain must consist of"),
            ("/spec/selector/matchLabels/app", json!("x"), "`selector` does not match template `labels`"),
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
        object::put(&mut other, &["spec", "selector", "matchLabels"], json!({"app": "web", "x": "y"}));
        object::put(&mut other, &["spec", "template", "metadata", "labels", "x"], "y");
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
        let message = refused("cronjobs", &json!({"metadata": {"name": "n"}, "spec": {"schedule": "often"}}));
        assert!(message.contains("spec.schedule: Invalid value: \"often\""), "{message}");
    }
}
