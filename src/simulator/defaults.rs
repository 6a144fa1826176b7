//! What the API server fills in where a manifest is silent.

use serde_json::{Value, json};

use super::object::{self, put, put_default};
use super::resource::Resource;

/// Fills the defaults of a kind; done at each write, as a patch may remove a field.
pub(super) fn apply(resource: &Resource, object: &mut Value) {
    match resource.plural {
        "pods" => {
            pod_spec(object.get_mut("spec"));
            put_default(object, &["spec", "enableServiceLinks"], true);
        }
        "deployments" => deployment(object),
        "replicasets" => replica_set(object),
        "statefulsets" => stateful_set(object),
        "daemonsets" => daemon_set(object),
        "jobs" => job(object.get_mut("spec")),
        "cronjobs" => cron_job(object),
        "namespaces" => namespace(object),
        "secrets" => secret(object),
        "services" => service(object),
        "persistentvolumeclaims" => put_default(object, &["spec", "volumeMode"], "Filesystem"),
        "persistentvolumes" => volume(object),
        "endpoints" => endpoints(object),
        "networkpolicies" => network_policy(object),
        _ => {}
    }
}

fn volume(object: &mut Value) {
    put_default(object, &["spec", "volumeMode"], "Filesystem");
    put_default(object, &["spec", "persistentVolumeReclaimPolicy"], "Retain");
    if object.pointer("/spec/hostPath").is_some_and(Value::is_object) {
        put_default(object, &["spec", "hostPath", "type"], "");
    }
}

fn endpoints(object: &mut Value) {
    for subset in object.get_mut("subsets").and_then(Value::as_array_mut).into_iter().flatten() {
        for port in subset.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            put_default(port, &["protocol"], "TCP");
        }
    }
}

/// A policy speaks of what comes in, and of what goes out where it has rules for that.
fn network_policy(object: &mut Value) {
    let out = !object::list(object, "/spec/egress").is_empty();
    put_default(object, &["spec", "policyTypes"], if out { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
}

/// What an object of a kind gets once, at birth.
pub(super) fn born(resource: &Resource, object: &mut Value) {
    match resource.plural {
        "pods" => {
            put_default(object, &["status", "phase"], "Pending");
            put_default(object, &["status", "qosClass"], "BestEffort");
            put_default(object, &["spec", "preemptionPolicy"], "PreemptLowerPriority");
            put_default(object, &["spec", "priority"], 0);
            put_default(object, &["spec", "tolerations"], tolerations());
        }
        "jobs" => {
            if !object::flag(object, "/spec/manualSelector") {
                job_selector(object);
            }
            empty_status(resource, object);
        }
        "daemonsets" => {
            put_default(object, &["metadata", "annotations", TEMPLATE_GENERATION], "1");
            empty_status(resource, object);
        }
        "persistentvolumeclaims" => {
            protect(object, "kubernetes.io/pvc-protection");
            put_default(object, &["status", "phase"], "Pending");
        }
        "persistentvolumes" => {
            protect(object, "kubernetes.io/pv-protection");
            put_default(object, &["status", "phase"], "Pending");
        }
        "services" => {
            address(object);
            empty_status(resource, object);
        }
        "namespaces" => {
            put_default(object, &["spec", "finalizers"], json!(["kubernetes"]));
            put_default(object, &["status", "phase"], "Active");
        }
        _ => empty_status(resource, object),
    }
}

/// Counts the templates of a `DaemonSet`; kept for clients of before `apps/v1`.
pub(super) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// What holds a volume or a claim as long as it is in use.
fn protect(object: &mut Value, finalizer: &str) {
    let mut held = object::list(object, "/metadata/finalizers").to_vec();
    if !object::is_deleting(object) && !held.iter().any(|known| known == finalizer) {
        held.push(finalizer.into());
    }
    put(object, &["metadata", "finalizers"], held);
}

/// An address of the cluster, for services that have one.
fn address(object: &mut Value) {
    if object::text(object, "/spec/type") == "ExternalName" {
        return;
    }
    put_default(object, &["spec", "clusterIP"], format!("10.96.{}.{}", fastrand::u8(..), fastrand::u8(1..255)));
    let own = object::text(object, "/spec/clusterIP").to_owned();
    put_default(object, &["spec", "clusterIPs"], json!([own]));
}

/// What a status says before a controller has looked.
fn empty_status(resource: &Resource, object: &mut Value) {
    let status = match resource.plural {
        "deployments" | "cronjobs" | "jobs" | "resourcequotas" => json!({}),
        "replicasets" => json!({ "replicas": 0 }),
        "statefulsets" => json!({ "replicas": 0, "availableReplicas": 0 }),
        "daemonsets" => json!({ "currentNumberScheduled": 0, "numberMisscheduled": 0,
            "desiredNumberScheduled": 0, "numberReady": 0 }),
        "poddisruptionbudgets" => json!({ "disruptionsAllowed": 0, "currentHealthy": 0,
            "desiredHealthy": 0, "expectedPods": 0 }),
        "services" | "ingresses" => json!({ "loadBalancer": {} }),
        _ => return,
    };
    put_default(object, &["status"], status);
}

/// How long a pod stays on a node that is lost.
fn tolerations() -> Value {
    let tolerated = |what: &str| {
        json!({ "key": format!("node.kubernetes.io/{what}"), "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300 })
    };
    json!([tolerated("not-ready"), tolerated("unreachable")])
}

fn deployment(object: &mut Value) {
    put_default(object, &["spec", "replicas"], 1);
    put_default(object, &["spec", "revisionHistoryLimit"], 10);
    put_default(object, &["spec", "progressDeadlineSeconds"], 600);
    put_default(object, &["spec", "strategy", "type"], "RollingUpdate");
    if object::text(object, "/spec/strategy/type") == "RollingUpdate" {
        put_default(object, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], "25%");
        put_default(object, &["spec", "strategy", "rollingUpdate", "maxSurge"], "25%");
    }
    template(object);
}

fn replica_set(object: &mut Value) {
    put_default(object, &["spec", "replicas"], 1);
    template(object);
}

fn stateful_set(object: &mut Value) {
    put_default(object, &["spec", "replicas"], 1);
    put_default(object, &["spec", "revisionHistoryLimit"], 10);
    put_default(object, &["spec", "podManagementPolicy"], "OrderedReady");
    put_default(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
    if object::text(object, "/spec/updateStrategy/type") == "RollingUpdate" {
        put_default(object, &["spec", "updateStrategy", "rollingUpdate", "partition"], 0);
    }
    template(object);
}

fn daemon_set(object: &mut Value) {
    put_default(object, &["spec", "revisionHistoryLimit"], 10);
    put_default(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
    if object::text(object, "/spec/updateStrategy/type") == "RollingUpdate" {
        put_default(object, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"], 1);
    }
    template(object);
}

fn job(spec: Option<&mut Value>) {
    let Some(spec) = spec.filter(|spec| spec.is_object()) else {
        return;
    };
    let parallel = spec.get("parallelism").is_some_and(|count| !count.is_null());
    if !parallel {
        put_default(spec, &["completions"], 1);
    }
    put_default(spec, &["parallelism"], 1);
    put_default(spec, &["backoffLimit"], 6);
    put_default(spec, &["suspend"], false);
    pod_spec(spec.pointer_mut("/template/spec"));
}

/// A Job finds its pods by its own UID, unless the manifest brings a selector; what
/// the manifest says already is kept, and refused by validation where it differs.
fn job_selector(object: &mut Value) {
    let (uid, name) = (object::uid(object).to_owned(), object::name(object).to_owned());
    for (key, text) in [("controller-uid", &uid), ("job-name", &name)] {
        for key in [key, &format!("batch.kubernetes.io/{key}")] {
            put_default(object, &["spec", "template", "metadata", "labels", key], text.as_str());
        }
    }
    let selecting = ["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"];
    put_default(object, &selecting, uid);
    if object::labels(object).is_empty() {
        let labels = object::map(object, "/spec/template/metadata/labels").clone();
        put(object, &["metadata", "labels"], labels);
    }
}

fn cron_job(object: &mut Value) {
    put_default(object, &["spec", "concurrencyPolicy"], "Allow");
    put_default(object, &["spec", "suspend"], false);
    put_default(object, &["spec", "successfulJobsHistoryLimit"], 3);
    put_default(object, &["spec", "failedJobsHistoryLimit"], 1);
    pod_spec(object.pointer_mut("/spec/jobTemplate/spec/template/spec"));
}

fn namespace(object: &mut Value) {
    let name = object::name(object).to_owned();
    put_default(object, &["metadata", "labels", "kubernetes.io/metadata.name"], name);
}

fn service(object: &mut Value) {
    put_default(object, &["spec", "type"], "ClusterIP");
    put_default(object, &["spec", "sessionAffinity"], "None");
    let ports = object.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        let number = object::number(port, "/port").unwrap_or_default();
        put_default(port, &["protocol"], "TCP");
        if port.get("targetPort").is_none_or(|target| target.is_null() || *target == 0) {
            put(port, &["targetPort"], number);
        }
    }
}

/// `stringData` is written only: it lands in `data`, encoded.
fn secret(object: &mut Value) {
    use base64::Engine as _;
    put_default(object, &["type"], "Opaque");
    let Some(Value::Object(plain)) = object::remove(object, &["stringData"]) else {
        return;
    };
    for (key, text) in plain {
        let text = text.as_str().unwrap_or_default();
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        put(object, &["data", &key], encoded);
    }
}

fn template(object: &mut Value) {
    pod_spec(object.pointer_mut("/spec/template/spec"));
}

fn pod_spec(spec: Option<&mut Value>) {
    let Some(spec) = spec.filter(|spec| spec.is_object()) else {
        return;
    };
    put_default(spec, &["restartPolicy"], "Always");
    put_default(spec, &["terminationGracePeriodSeconds"], 30);
    put_default(spec, &["dnsPolicy"], "ClusterFirst");
    put_default(spec, &["schedulerName"], "default-scheduler");
    put_default(spec, &["securityContext"], json!({}));
    for field in ["initContainers", "containers"] {
        for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            pod_container(container);
        }
    }
}

fn pod_container(container: &mut Value) {
    let image = object::text(container, "/image");
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':'));
    let floating = !image.contains('@') && tag.is_none_or(|(_, tag)| tag == "latest");
    let policy = if floating { "Always" } else { "IfNotPresent" };
    put_default(container, &["imagePullPolicy"], policy);
    put_default(container, &["resources"], json!({}));
    put_default(container, &["terminationMessagePath"], "/dev/termination-log");
    put_default(container, &["terminationMessagePolicy"], "File");
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        put_default(port, &["protocol"], "TCP");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::resource::by_plural;

    fn filled(plural: &str, mut object: Value) -> Value {
        let resource = by_plural(plural).expect("a row");
        apply(resource, &mut object);
        born(resource, &mut object);
        object
    }

    #[test]
    fn a_deployment_rolls_by_quarters() {
        let object = filled("deployments", json!({"spec": {}}));
        assert_eq!(object.pointer("/spec/strategy/rollingUpdate/maxSurge"), Some(&json!("25%")));
        let object = filled("deployments", json!({"spec": {"strategy": {"type": "Recreate"}}}));
        assert_eq!(object.pointer("/spec/strategy/rollingUpdate"), None);
    }

    #[test]
    fn a_job_selects_by_its_uid() {
        let object = filled("jobs", json!({"metadata": {"name": "j", "uid": "u"}, "spec": {}}));
        assert_eq!(object.pointer("/spec/selector/matchLabels/batch.kubernetes.io~1controller-uid"), Some(&json!("u")));
        assert_eq!(object.pointer("/spec/template/metadata/labels/job-name"), Some(&json!("j")));
    }

    #[test]
    fn plain_secret_texts_are_encoded() {
        let object = filled("secrets", json!({"stringData": {"a": "b"}}));
        assert_eq!(object, json!({"type": "Opaque", "data": {"a": "Yg=="}}));
    }

    #[test]
    fn only_floating_tags_are_always_pulled() {
        for (image, policy) in [
            ("r.example:5000/web", "Always"),
            ("web:latest", "Always"),
            ("web:1.2", "IfNotPresent"),
            ("web@sha256:00", "IfNotPresent"),
        ] {
            let pod = filled("pods", json!({"spec": {"containers": [{"image": image}]}}));
            assert_eq!(object::text(&pod, "/spec/containers/0/imagePullPolicy"), policy, "{image}");
        }
    }
}
