//! Why a workload does not get on: from its pods and events, pure.
//!
//! A cause is *hopeless* when waiting alone does not mend it: an image that
//! cannot be pulled, a container that crashes at once, no node to run on, a
//! quota. Whether it stays hopeless is the waiter's affair.

use serde_json::Value;

use super::rollout::{condition, text};
use crate::event::ObjectId;

/// What keeps a pod from being ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause {
    /// One line (`web-6c9f: ImagePullBackOff registry.example/web:1.9`).
    pub(crate) line: String,
    /// Waiting alone does not mend it.
    pub(crate) hopeless: bool,
}

/// The states in which the kubelet holds a container back and only a change of its spec or surroundings helps.
const HOPELESS: [&str; 8] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];

/// The first thing that is wrong with a pod, if anything is.
pub(crate) fn of_pod(pod: &Value) -> Option<Cause> {
    let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    unscheduled(pod)
        .or_else(|| held_back(pod))
        .or_else(|| ended(pod))
        .map(|(line, hopeless)| Cause { line: format!("{name}: {line}"), hopeless })
}

fn unscheduled(pod: &Value) -> Option<(String, bool)> {
    let found = condition(pod, "PodScheduled").filter(|found| text(found, "status") == "False")?;
    Some((format!("{}: {}", text(found, "reason"), text(found, "message")), text(found, "reason") == "Unschedulable"))
}

fn held_back(pod: &Value) -> Option<(String, bool)> {
    ["initContainerStatuses", "containerStatuses"]
        .iter()
        .filter_map(|field| pod.get("status")?.get(field)?.as_array())
        .flatten()
        .find_map(|container| {
            let waiting = container.pointer("/state/waiting")?;
            let reason = text(waiting, "reason");
            if matches!(reason, "" | "ContainerCreating" | "PodInitializing") {
                return None;
            }
            let subject = if reason.contains("Image") { text(container, "image") } else { text(waiting, "message") };
            Some((format!("{reason} {subject}").trim_end().to_owned(), HOPELESS.contains(&reason)))
        })
}

fn ended(pod: &Value) -> Option<(String, bool)> {
    let status = pod.get("status")?;
    (text(status, "phase") == "Failed").then(|| {
        let reason = Some(text(status, "reason")).filter(|reason| !reason.is_empty()).unwrap_or("Failed");
        (format!("{reason} {}", text(status, "message")).trim_end().to_owned(), false)
    })
}

/// The chain from the workload down to the last event, outermost first.
pub(crate) fn chain(object: &Value, line: &str, pods: &[Value], events: &[Value]) -> Vec<String> {
    let mut chain = vec![format!("{}: {line}", ObjectId::of(object))];
    let Some((pod, cause)) = worst(pods) else {
        chain.extend(last_warning(events, object).map(|event| format!("event {event}")));
        return chain;
    };
    if let Some(owner) = pod.pointer("/metadata/ownerReferences/0").filter(|owner| text(owner, "kind") == "ReplicaSet")
    {
        chain.push(format!("ReplicaSet {}", text(owner, "name")));
    }
    chain.push(format!("Pod {}", cause.line));
    chain.extend(last_warning(events, pod).map(|event| format!("event {event}")));
    chain
}

/// The pod with the gravest cause: hopeless ones first.
pub(crate) fn worst(pods: &[Value]) -> Option<(&Value, Cause)> {
    pods.iter().filter_map(|pod| of_pod(pod).map(|cause| (pod, cause))).max_by_key(|(_, cause)| cause.hopeless)
}

fn last_warning(events: &[Value], regarding: &Value) -> Option<String> {
    let uid = regarding.pointer("/metadata/uid");
    events
        .iter()
        .rfind(|event| text(event, "type") == "Warning" && event.pointer("/involvedObject/uid") == uid)
        .map(|event| format!("{}: {}", text(event, "reason"), text(event, "message")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(status: &Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "web-1", "uid": "u1", "ownerReferences": [{"kind": "ReplicaSet", "name": "web"}]}, "status": status})
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_hopeless_and_named() {
        let found = of_pod(&pod(&json!({"phase": "Pending", "containerStatuses": [
            {"name": "web", "image": "registry.example/web:1.9", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]})));
        assert_eq!(
            found,
            Some(Cause { line: "web-1: ImagePullBackOff registry.example/web:1.9".into(), hopeless: true })
        );
    }

    #[test]
    fn a_pod_that_is_being_created_has_no_cause() {
        let creating = json!({"phase": "Pending", "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
        assert_eq!(of_pod(&pod(&creating)), None);
    }

    #[test]
    fn the_chain_runs_from_the_workload_to_the_event() {
        let web = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "uid": "d1"}});
        let sick = pod(&json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes are available"}]}));
        let event = json!({"type": "Warning", "reason": "FailedScheduling", "message": "0/2 nodes", "involvedObject": {"uid": "u1"}});
        assert_eq!(
            chain(&web, "0 of 1 available", &[sick], &[event]),
            [
                "Deployment shop/web: 0 of 1 available",
                "ReplicaSet web",
                "Pod web-1: Unschedulable: 0/2 nodes are available",
                "event FailedScheduling: 0/2 nodes",
            ]
        );
    }
}
