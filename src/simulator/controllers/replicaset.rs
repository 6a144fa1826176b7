//! The `ReplicaSet` controller: as many pods as wanted, and the word about those that are refused.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::conditions::{Condition, Conditions, Stamps, holds};
use super::ownership::{claim, is_active, named, pod_of, refusal};
use super::turn::Turn;
use crate::clock::Timestamp;
use crate::simulator::object::{annotations, is_deleting, labels, list, map, name, number, put, text};

/// Brings a `ReplicaSet` to its number of pods.
pub(super) fn reconcile(turn: &mut Turn, set: &Arc<Value>) {
    turn.speak_as("replicaset-controller");
    let pods: Vec<_> = claim(turn, set, "pods").into_iter().filter(|pod| is_active(pod)).collect();
    let refusal = if is_deleting(set) { None } else { settle(turn, set, &pods) };
    write_status(turn, set, &pods, refusal);
}

/// Makes or deletes pods; gives the words with which a pod was refused.
fn settle(turn: &mut Turn, set: &Arc<Value>, pods: &[Arc<Value>]) -> Option<String> {
    let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or_default();
    if pods.len() < wanted {
        return grow(turn, set, wanted - pods.len());
    }
    if pods.len() == wanted {
        return None;
    }
    let mut ranked: Vec<_> = pods.iter().collect();
    ranked.sort_by_cached_key(|pod| rank(turn, pod));
    for pod in ranked.into_iter().take(pods.len() - wanted) {
        turn.delete("pods", pod);
        turn.normal(set, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)));
    }
    None
}

fn grow(turn: &mut Turn, set: &Arc<Value>, missing: usize) -> Option<String> {
    if let Some(refusal) = pending_refusal(turn, set) {
        return Some(refusal);
    }
    let template = set.pointer("/spec/template").unwrap_or(&Value::Null);
    for _ in 0..missing {
        let pod = named(pod_of(set, template));
        if let Some(refusal) = refusal(turn, &pod) {
            turn.warn(set, "FailedCreate", format!("Error creating: {refusal}"));
            let tries = turn.tally("refused");
            turn.reset("retry");
            turn.elapsed("retry", turn.pause(tries));
            return Some(refusal);
        }
        turn.normal(set, "SuccessfulCreate", format!("Created pod: {}", name(&pod)));
        turn.create("pods", pod);
    }
    None
}

/// The words of the last refusal, while it is too early to try again.
fn pending_refusal(turn: &mut Turn, set: &Value) -> Option<String> {
    let conditions = Conditions::of(set, Stamps::Transition);
    let said = text(conditions.get("ReplicaFailure")?, "/message").to_owned();
    let pause = turn.pause(turn.count("refused"));
    (!turn.elapsed("retry", pause)).then_some(said)
}

/// Pods that matter least sort first.
fn rank(turn: &Turn, pod: &Value) -> impl Ord + use<> {
    let cost = annotations(pod)
        .get("controller.kubernetes.io/pod-deletion-cost")
        .and_then(Value::as_str)
        .and_then(|cost| cost.parse::<i64>().ok())
        .unwrap_or_default();
    let phase = ["Pending", "Unknown", "Running"].iter().position(|phase| *phase == text(pod, "/status/phase"));
    let node = text(pod, "/spec/nodeName");
    let crowd = turn.view.load(node);
    (
        (!node.is_empty(), phase, holds(pod, "Ready"), cost),
        (std::cmp::Reverse(crowd), -restarts(pod)),
        (std::cmp::Reverse(text(pod, "/metadata/creationTimestamp").to_owned()), name(pod).to_owned()),
    )
}

/// How often the containers of a pod have been started again.
fn restarts(pod: &Value) -> i64 {
    let statuses = list(pod, "/status/containerStatuses").iter();
    statuses.filter_map(|status| number(status, "/restartCount")).sum()
}

/// Whether a pod has been ready for `seconds`; if it is still to prove that, another look follows.
pub(super) fn is_available(turn: &mut Turn, pod: &Value, seconds: i64) -> bool {
    let ready = list(pod, "/status/conditions")
        .iter()
        .find(|said| text(said, "/type") == "Ready" && text(said, "/status") == "True");
    let Some(ready) = ready else { return false };
    let since = text(ready, "/lastTransitionTime").parse::<Timestamp>();
    seconds == 0 || since.is_ok_and(|since| turn.reached(since + TimeDelta::seconds(seconds)))
}

fn write_status(turn: &mut Turn, set: &Value, pods: &[Arc<Value>], refusal: Option<String>) {
    let steady = number(set, "/spec/minReadySeconds").unwrap_or_default();
    let ready = pods.iter().filter(|pod| holds(pod, "Ready")).count();
    let available = pods.iter().filter(|pod| is_available(turn, pod, steady)).count();
    let wanted = map(set, "/spec/template/metadata/labels");
    let labelled =
        pods.iter().filter(|pod| wanted.iter().all(|(key, value)| labels(pod).get(key) == Some(value))).count();
    let generation = number(set, "/metadata/generation").unwrap_or_default();
    let mut status = json!({"replicas": pods.len(), "observedGeneration": generation});
    let counted = [("fullyLabeledReplicas", labelled), ("readyReplicas", ready), ("availableReplicas", available)];
    for (field, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
        put(&mut status, &[field], count);
    }
    let mut conditions = Conditions::of(set, Stamps::Transition);
    match refusal {
        Some(words) => {
            let failure = Condition::new("ReplicaFailure", "True", "FailedCreate", words);
            conditions.set(&failure, &turn.stamp());
        }
        None => conditions.remove("ReplicaFailure"),
    }
    if !conditions.is_empty() {
        put(&mut status, &["conditions"], conditions.into_value());
    }
    turn.status(status);
}
