//! The `DaemonSet` controller: one pod on every node that may have one.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions::holds;
use super::deployment::share;
use super::ownership::{claim, named, pod_of, refusal};
use super::pod::{is_wanted_node, obstacle};
use super::replicaset::is_available;
use super::revisions::{LABEL, Revisions};
use super::turn::Turn;
use crate::simulator::object::{is_deleting, labels, list, name, namespace, number, put, text};

const TERMS: &str = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";

/// Conditions of a node that a daemon does not mind.
const TOLERATED: &[(&str, &str)] = &[
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// A `DaemonSet` in its turn.
struct Set<'a> {
    object: &'a Arc<Value>,
    /// Its pods by node, on their way out or not, the oldest first.
    pods: BTreeMap<String, Vec<Arc<Value>>>,
    /// The nodes that are to have a pod.
    wanted: Vec<String>,
    /// The nodes whose pods may stay.
    allowed: HashSet<String>,
    hash: String,
}

/// Brings a `DaemonSet` nearer to its spec.
pub(super) fn reconcile(turn: &mut Turn, object: &Arc<Value>) {
    turn.speak_as("daemonset-controller");
    let generation = number(object, "/metadata/generation").unwrap_or_default();
    if !turn.elapsed(&format!("observe {generation}"), turn.timing.observed) {
        return;
    }
    let revisions = Revisions::of(turn, object);
    let hash = revisions.present(turn, object).hash;
    let set = Set::find(turn, object, hash);
    if !is_deleting(object) {
        set.manage(turn);
        if text(object, "/spec/updateStrategy/type") != "OnDelete" {
            set.update(turn);
        }
        let pods = set.pods.values().flatten();
        let mut used: HashSet<_> = pods.map(|pod| hash_of(pod).to_owned()).collect();
        used.insert(set.hash.clone());
        revisions.prune(turn, object, &used);
    }
    set.write_status(turn);
}

fn hash_of(pod: &Value) -> &str {
    labels(pod).get(LABEL).and_then(Value::as_str).unwrap_or_default()
}

/// The node that a pod is on, or is to be on.
fn node_of(pod: &Value) -> &str {
    let bound = text(pod, "/spec/nodeName");
    if bound.is_empty() { text(pod, &format!("{TERMS}/0/matchFields/0/values/0")) } else { bound }
}

impl<'a> Set<'a> {
    fn find(turn: &mut Turn, object: &'a Arc<Value>, hash: String) -> Self {
        let mut pods: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for pod in claim(turn, object, "pods") {
            pods.entry(node_of(&pod).to_owned()).or_default().push(pod);
        }
        for crowd in pods.values_mut() {
            crowd.sort_by_key(|pod| text(pod, "/metadata/creationTimestamp").to_owned());
        }
        let mut probe = object.pointer("/spec/template").cloned().unwrap_or_default();
        tolerate(&mut probe);
        let nodes: Vec<_> = turn.view.list("nodes", None).collect();
        let named = |keep: &dyn Fn(&Value) -> bool| -> Vec<String> {
            nodes.iter().filter(|node| keep(node)).map(|node| name(node).to_owned()).collect()
        };
        let wanted = named(&|node| obstacle(&probe, node, 0).is_none());
        let allowed = named(&|node| is_wanted_node(&probe, node)).into_iter().collect();
        Self { object, pods, wanted, allowed, hash }
    }

    fn pods_on(&self, node: &str) -> &[Arc<Value>] {
        self.pods.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    /// Makes pods where they lack; takes away those that failed or have no place.
    fn manage(&self, turn: &mut Turn) {
        for node in self.wanted.iter().filter(|node| self.pods_on(node).is_empty()) {
            self.make(turn, node);
        }
        for (node, pods) in &self.pods {
            let over = |pod: &&Arc<Value>| matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
            for pod in pods.iter().filter(over) {
                let message = format!(
                    "Found failed daemon pod {}/{} on node {node}, will try to kill it",
                    namespace(pod),
                    name(pod)
                );
                turn.warn(self.object, "FailedDaemonPod", message);
                self.take(turn, pod);
            }
            if !self.allowed.contains(node) {
                self.take_all(turn, pods);
            }
        }
    }

    fn make(&self, turn: &mut Turn, node: &str) {
        let template = self.object.pointer("/spec/template").unwrap_or(&Value::Null);
        let mut pod = pod_of(self.object, template);
        put(&mut pod, &["metadata", "labels", LABEL], self.hash.as_str());
        tolerate(&mut pod);
        let fields = json!([{"key": "metadata.name", "operator": "In", "values": [node]}]);
        let path: Vec<_> = TERMS.split('/').skip(1).collect();
        put(&mut pod, &path, json!([{ "matchFields": fields }]));
        let pod = named(pod);
        if let Some(refusal) = refusal(turn, &pod) {
            let tries = turn.count("refused");
            if tries == 0 || turn.elapsed(&format!("retry {tries}"), turn.pause(tries)) {
                let tries = turn.tally("refused");
                turn.warn(self.object, "FailedCreate", format!("Error creating: {refusal}"));
                turn.elapsed(&format!("retry {tries}"), turn.pause(tries));
            }
            return;
        }
        turn.normal(self.object, "SuccessfulCreate", format!("Created pod: {}", name(&pod)));
        turn.create("pods", pod);
    }

    fn take(&self, turn: &mut Turn, pod: &Value) {
        if !is_deleting(pod) {
            turn.delete("pods", pod);
            turn.normal(self.object, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)));
        }
    }

    fn take_all<'p>(&self, turn: &mut Turn, pods: impl IntoIterator<Item = &'p Arc<Value>>) {
        for pod in pods {
            self.take(turn, pod);
        }
    }

    fn bound(&self, field: &str, default: i64) -> i64 {
        let pointer = format!("/spec/updateStrategy/rollingUpdate/{field}");
        let total = i64::try_from(self.wanted.len()).unwrap_or(i64::MAX);
        self.object.pointer(&pointer).map_or(default, |bound| share(bound, total, true))
    }

    fn steady(&self) -> i64 {
        number(self.object, "/spec/minReadySeconds").unwrap_or_default()
    }

    /// Replaces pods of older templates, as far as enough nodes keep a good one.
    fn update(&self, turn: &mut Turn) {
        let mut surge = self.bound("maxSurge", 0);
        let mut spare = self.bound("maxUnavailable", 1);
        let (mut broken, mut good) = (Vec::new(), Vec::new());
        for node in &self.wanted {
            let (new, old): (Vec<_>, Vec<_>) = self.pods_on(node).iter().partition(|pod| hash_of(pod) == self.hash);
            let serves = |turn: &mut Turn, pods: &[&Arc<Value>]| {
                pods.iter().any(|pod| !is_deleting(pod) && is_available(turn, pod, self.steady()))
            };
            let (new_serves, old_serves) = (serves(turn, &new), serves(turn, &old));
            match (old.is_empty(), old_serves) {
                (false, _) if new_serves => broken.extend(old),
                (false, true) => good.push((node, old, new.is_empty())),
                (false, false) => {
                    broken.extend(old);
                    spare -= 1;
                }
                (true, _) if !new_serves => spare -= 1,
                (true, _) => {}
            }
        }
        self.take_all(turn, broken);
        for (node, old, alone) in good {
            if surge > 0 && alone {
                self.make(turn, node);
            } else if surge == 0 && spare > 0 {
                self.take_all(turn, old);
            }
            surge -= i64::from(surge > 0);
            spare -= 1;
        }
    }

    fn write_status(&self, turn: &mut Turn) {
        let steady = self.steady();
        let (mut scheduled, mut ready, mut available, mut updated) = (0, 0, 0, 0);
        for node in &self.wanted {
            let pods = self.pods_on(node);
            scheduled += i64::from(!pods.is_empty());
            ready += i64::from(pods.iter().any(|pod| holds(pod, "Ready")));
            available += i64::from(pods.iter().any(|pod| is_available(turn, pod, steady)));
            let newest = pods.iter().rfind(|pod| !is_deleting(pod));
            updated += i64::from(newest.is_some_and(|pod| hash_of(pod) == self.hash));
        }
        let desired = i64::try_from(self.wanted.len()).unwrap_or(i64::MAX);
        let stray = self.pods.keys().filter(|node| !self.wanted.contains(node)).count();
        let mut status = json!({
            "observedGeneration": number(self.object, "/metadata/generation").unwrap_or_default(),
            "currentNumberScheduled": scheduled, "numberMisscheduled": stray,
            "desiredNumberScheduled": desired, "numberReady": ready,
        });
        let counted = [
            ("updatedNumberScheduled", updated),
            ("numberAvailable", available),
            ("numberUnavailable", desired - available),
        ];
        for (field, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
            put(&mut status, &[field], count);
        }
        turn.status(status);
    }
}

/// Lets a daemon live on nodes that others avoid.
fn tolerate(pod: &mut Value) {
    let mut all = list(pod, "/spec/tolerations").to_vec();
    all.extend(TOLERATED.iter().map(|(key, effect)| json!({"key": key, "operator": "Exists", "effect": effect})));
    put(pod, &["spec", "tolerations"], all);
}

#[cfg(test)]
mod tests {
    use super::super::kit::{Cluster, image, workload};
    use super::*;
    use crate::simulator::store::Propagation;

    fn numbers(set: &Value) -> [i64; 4] {
        ["desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberUnavailable"]
            .map(|field| number(set, &format!("/status/{field}")).unwrap_or_default())
    }

    async fn settled(spec: Value) -> Cluster {
        let cluster = Cluster::start();
        cluster.create("daemonsets", workload("agent", &spec));
        cluster.pass(500).await;
        cluster
    }

    #[tokio::test(start_paused = true)]
    async fn every_node_has_a_pod_even_a_cordoned_or_a_new_one() {
        let cluster = settled(json!({})).await;
        assert_eq!(numbers(&cluster.get("daemonsets", "agent")), [2, 2, 2, 0]);
        let node = json!({"metadata": {"name": "node-c"}, "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        cluster.store.seed("nodes", node).expect("new");
        cluster.pass(500).await;
        assert_eq!(numbers(&cluster.get("daemonsets", "agent")), [3, 3, 3, 0]);
        let nodes: HashSet<_> = cluster.list("pods").iter().map(|pod| node_of(pod).to_owned()).collect();
        assert!(nodes.contains("node-c"), "{nodes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_update_takes_one_node_at_a_time() {
        let cluster = settled(json!({})).await;
        cluster.patch("daemonsets", "agent", &image("registry.example/web:2.0"));
        cluster.pass(1_000).await;
        let seen = cluster.history("daemonsets", "agent", numbers);
        let rolled = seen.iter().skip_while(|numbers| numbers[2] < 2);
        assert!(rolled.clone().all(|numbers| numbers[2] >= 1), "{seen:?}");
        assert!(rolled.clone().any(|numbers| numbers[1..3] == [1, 1]), "{seen:?}");
        assert_eq!(seen.last(), Some(&[2, 2, 2, 0]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_surge_keeps_the_old_pod_until_the_new_one_serves() {
        let rolling = json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
        let cluster = settled(json!({ "updateStrategy": rolling })).await;
        cluster.patch("daemonsets", "agent", &image("registry.example/web:2.0"));
        cluster.pass(1_000).await;
        let seen = cluster.history("daemonsets", "agent", numbers);
        assert!(seen.iter().skip_while(|numbers| numbers[2] < 2).all(|numbers| numbers[2] == 2), "{seen:?}");
        assert_eq!(seen.last(), Some(&[2, 2, 2, 0]));
        assert_eq!(cluster.list("pods").len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn on_delete_leaves_pods_until_someone_deletes_them() {
        let cluster = settled(json!({"updateStrategy": {"type": "OnDelete"}})).await;
        cluster.patch("daemonsets", "agent", &image("registry.example/web:2.0"));
        cluster.pass(500).await;
        assert_eq!(numbers(&cluster.get("daemonsets", "agent")), [2, 0, 2, 0]);
        let first = cluster.list("pods").remove(0);
        cluster.delete("pods", name(&first), Propagation::Background);
        cluster.pass(500).await;
        assert_eq!(numbers(&cluster.get("daemonsets", "agent")), [2, 1, 2, 0]);
    }
}
