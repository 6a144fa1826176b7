//! What a Job is made of, without what a server wrote into it: pure.

use serde_json::{Map, Value, json};

use crate::event::ObjectId;

/// What a server writes and would refuse or misread in a new object.
const OF_THE_SERVER: [&str; 7] =
    ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "selfLink", "generateName"];

/// The labels by which a Job's controller knows its pods.
const GENERATED: [&str; 4] =
    ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];

/// The manifest from which the same Job can be made again, under any name.
pub(super) fn cleaned(job: &Value) -> Value {
    let mut manifest = json!({"apiVersion": "batch/v1", "kind": "Job"});
    let mut metadata = job.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    metadata.retain(|field, _| !OF_THE_SERVER.contains(&field.as_str()) && !field.starts_with("deletion"));
    clean_finalizers(&mut metadata);
    clean_labels(&mut metadata);
    clean_annotations(&mut metadata);
    let mut spec = job.get("spec").cloned().unwrap_or_default();
    clean_spec(&mut spec);
    super::super::set(&mut manifest, "metadata", metadata);
    super::super::set(&mut manifest, "spec", spec);
    manifest
}

/// Whether the author of the Job wrote its selector.
fn is_manual(spec: &Value) -> bool {
    spec.get("manualSelector").and_then(Value::as_bool) == Some(true)
}

fn clean_spec(spec: &mut Value) {
    if is_manual(spec) {
        return;
    }
    if let Some(fields) = spec.as_object_mut() {
        // `shift_remove` keeps the others in the order written.
        fields.shift_remove("selector");
    }
    if let Some(metadata) = spec.pointer_mut("/template/metadata").and_then(Value::as_object_mut) {
        clean_labels(metadata);
        metadata.shift_remove("creationTimestamp");
    }
}

fn clean_labels(metadata: &mut Map<String, Value>) {
    if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
        labels.retain(|label, _| !GENERATED.contains(&label.as_str()));
    }
}

/// What a deletion has put there goes; what people wrote stays.
fn clean_finalizers(metadata: &mut Map<String, Value>) {
    let Some(list) = metadata.get_mut("finalizers").and_then(Value::as_array_mut) else { return };
    list.retain(|name| !matches!(name.as_str(), Some("orphan" | "foregroundDeletion")));
    if list.is_empty() {
        metadata.shift_remove("finalizers");
    }
}

/// Notes of controllers about the Job that was.
fn clean_annotations(metadata: &mut Map<String, Value>) {
    if let Some(notes) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        notes.retain(|note, _| note != "batch.kubernetes.io/job-tracking");
    }
}

/// Gives a manifest another name; a selector written by hand would take the old Job's pods, so it goes.
pub(super) fn renamed(mut manifest: Value, name: &str) -> Value {
    if let Some(metadata) = manifest.get_mut("metadata") {
        super::super::set(metadata, "name", name);
    }
    if let Some(spec) = manifest.get_mut("spec") {
        if let Some(fields) = spec.as_object_mut() {
            fields.shift_remove("manualSelector");
        }
        clean_spec(spec);
    }
    manifest
}

/// The CronJob that owns a Job, as `namespace/name`.
pub(super) fn cron_owner(job: &Value) -> Option<String> {
    let owners = job.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("kind").and_then(Value::as_str) == Some("CronJob"))?;
    Some(format!("{}/{}", ObjectId::of(job).namespace, owner.get("name")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished() -> Value {
        json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "migrate", "namespace": "shop", "uid": "u1", "resourceVersion": "9", "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{}], "finalizers": ["orphan"],
                "labels": {"app": "shop", "job-name": "migrate", "batch.kubernetes.io/controller-uid": "u1"},
                "annotations": {"team": "shop", "batch.kubernetes.io/job-tracking": ""},
                "ownerReferences": [{"kind": "Migration", "name": "m", "uid": "o1"}]},
            "spec": {"backoffLimit": 2, "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}},
                "template": {"metadata": {"creationTimestamp": null, "labels": {"app": "shop", "controller-uid": "u1",
                    "batch.kubernetes.io/job-name": "migrate"}}, "spec": {"restartPolicy": "Never"}}},
            "status": {"failed": 3}
        })
    }

    #[test]
    fn what_the_server_wrote_goes_and_what_people_wrote_stays() {
        assert_eq!(
            cleaned(&finished()),
            json!({
                "apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": "migrate", "namespace": "shop", "labels": {"app": "shop"}, "annotations": {"team": "shop"},
                    "ownerReferences": [{"kind": "Migration", "name": "m", "uid": "o1"}]},
                "spec": {"backoffLimit": 2, "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"restartPolicy": "Never"}}}
            })
        );
    }

    #[test]
    fn a_selector_written_by_hand_stays_with_its_name_only() {
        let mut job = finished();
        job["spec"]["manualSelector"] = json!(true);
        let again = cleaned(&job);
        assert_eq!(again["spec"]["selector"], job["spec"]["selector"]);
        assert_eq!(again["spec"]["template"], job["spec"]["template"]);
        let copy = renamed(again, "migrate-2");
        assert!(copy["spec"].get("selector").is_none() && copy["spec"].get("manualSelector").is_none());
        assert_eq!(copy["metadata"]["name"], "migrate-2");
    }

    #[test]
    fn only_a_cron_job_counts_as_such() {
        let mut job = finished();
        assert_eq!(cron_owner(&job), None);
        job["metadata"]["ownerReferences"][0] = json!({"kind": "CronJob", "name": "nightly", "uid": "c1"});
        assert_eq!(cron_owner(&job), Some("shop/nightly".into()));
    }
}
