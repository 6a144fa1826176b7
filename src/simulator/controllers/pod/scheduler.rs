//! The scheduler: the least loaded node that a pod can live on, or why there is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::conditions::{Condition, Conditions, Stamps, holds};
use super::super::turn::Turn;
use crate::simulator::fate::Becomes;
use crate::simulator::object::{flag, labels, list, map, name, namespace, put, text};
use crate::simulator::selector::Selector;

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Gives a pod a node, or says why none takes it.
pub(super) fn reconcile(turn: &mut Turn, pod: &Arc<Value>) {
    turn.speak_as("default-scheduler");
    if !turn.elapsed("scheduled", turn.timing.scheduled) {
        return;
    }
    let view = turn.view;
    let nodes: Vec<_> = view.list("nodes", None).collect();
    if turn.fate(pod).is_some_and(|fate| fate.becomes == Becomes::Unschedulable) {
        let reasons = BTreeMap::from([("Insufficient cpu".to_owned(), nodes.len())]);
        return refuse(turn, pod, &describe(&reasons, nodes.len(), "No preemption victims found for incoming pod"));
    }
    let mut reasons = BTreeMap::new();
    let mut best: Option<(usize, &str)> = None;
    for node in &nodes {
        let burden = (view.load(name(node)), name(node));
        match obstacle(pod, node, burden.0) {
            Some(reason) => *reasons.entry(reason).or_default() += 1,
            None if best.is_none_or(|best| burden < best) => best = Some(burden),
            None => {}
        }
    }
    if let Some((_, node)) = best {
        return bind(turn, pod, node);
    }
    let all = describe(&reasons, nodes.len(), "Preemption is not helpful for scheduling");
    refuse(turn, pod, &all);
}

/// Why a node cannot take a pod.
pub(in super::super) fn obstacle(pod: &Value, node: &Value, load: usize) -> Option<String> {
    if flag(node, "/spec/unschedulable") && !tolerates(pod, &json!({"key": UNSCHEDULABLE, "effect": "NoSchedule"})) {
        return Some("node(s) were unschedulable".into());
    }
    if !holds(node, "Ready") && !tolerates(pod, &json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}))
    {
        return Some("node(s) had untolerated taint {node.kubernetes.io/not-ready: }".into());
    }
    if !is_wanted_node(pod, node) {
        return Some("node(s) didn't match Pod's node affinity/selector".into());
    }
    let taint = list(node, "/spec/taints")
        .iter()
        .find(|taint| matches!(text(taint, "/effect"), "NoSchedule" | "NoExecute") && !tolerates(pod, taint));
    if let Some(taint) = taint {
        let (key, value) = (text(taint, "/key"), text(taint, "/value"));
        return Some(format!("node(s) had untolerated taint {{{key}: {value}}}"));
    }
    let room = text(node, "/status/allocatable/pods").parse().unwrap_or(110);
    (load >= room).then(|| "Too many pods".into())
}

fn tolerates(pod: &Value, taint: &Value) -> bool {
    list(pod, "/spec/tolerations").iter().any(|toleration| {
        let (key, effect) = (text(toleration, "/key"), text(toleration, "/effect"));
        let any_value = text(toleration, "/operator") == "Exists";
        (key == text(taint, "/key") || (key.is_empty() && any_value))
            && (any_value || text(toleration, "/value") == text(taint, "/value"))
            && (effect.is_empty() || effect == text(taint, "/effect"))
    })
}

/// Whether a pod's node selector and required affinity allow a node.
pub(in super::super) fn is_wanted_node(pod: &Value, node: &Value) -> bool {
    let terms =
        list(pod, "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    map(pod, "/spec/nodeSelector").iter().all(|(key, value)| labels(node).get(key) == Some(value))
        && (terms.is_empty() || terms.iter().any(|term| allows(term, node)))
}

fn allows(term: &Value, node: &Value) -> bool {
    let named = list(term, "/matchFields").iter().all(|field| {
        text(field, "/key") == "metadata.name" && list(field, "/values").iter().any(|value| value == name(node))
    });
    named && Selector::of(&json!({"matchExpressions": list(term, "/matchExpressions")})).matches(labels(node))
}

/// Says how many nodes had which reason, as the scheduler does.
fn describe(reasons: &BTreeMap<String, usize>, nodes: usize, preemption: &str) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".into();
    }
    let mut counted: Vec<_> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    counted.sort_unstable();
    format!(
        "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {nodes} {preemption}.",
        counted.join(", ")
    )
}

fn refuse(turn: &mut Turn, pod: &Arc<Value>, why: &str) {
    let mut conditions = Conditions::of(pod, Stamps::Probe);
    let said = conditions.get("PodScheduled").map_or("", |said| text(said, "/message"));
    if said == why {
        return;
    }
    let refusal = Condition::new("PodScheduled", "False", "Unschedulable", why);
    conditions.renew(&refusal, &turn.stamp());
    let mut status = pod.get("status").cloned().unwrap_or_default();
    put(&mut status, &["conditions"], conditions.into_value());
    turn.status(status);
    turn.warn(pod, "FailedScheduling", why);
}

fn bind(turn: &mut Turn, pod: &Arc<Value>, node: &str) {
    turn.patch("pods", pod, json!({"spec": {"nodeName": node}}));
    let mut conditions = Conditions::of(pod, Stamps::Probe);
    conditions.set(&Condition::plain("PodScheduled", true), &turn.stamp());
    let mut status = pod.get("status").cloned().unwrap_or_default();
    put(&mut status, &["conditions"], conditions.into_value());
    turn.status(status);
    let whole = format!("{}/{}", namespace(pod), name(pod));
    turn.normal(pod, "Scheduled", format!("Successfully assigned {whole} to {node}"));
}
