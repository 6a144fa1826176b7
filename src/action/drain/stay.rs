//! Which pods of a node stay, which go, and which would lose something.

use serde_json::Value;

use crate::action::context::Context;
use crate::action::failure;
use crate::action::reach::is_active;
use crate::cluster::resource::POD;
use crate::cluster::sieve::Sieve;
use crate::event::{Class, Failure, ObjectId};

/// What may be lost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Losses {
    /// Data in `emptyDir` volumes.
    pub(super) emptydir: bool,
    /// Pods that nothing replaces.
    pub(super) unmanaged: bool,
}

/// The pods of one node.
#[derive(Debug, Clone)]
pub(super) struct Bound(pub(super) String);

impl Sieve for Bound {
    fn fields(&self) -> Option<String> {
        Some(format!("spec.nodeName={}", self.0))
    }

    fn admits(&self, pod: &Value) -> bool {
        pod.pointer("/spec/nodeName").and_then(Value::as_str) == Some(&self.0)
    }
}

/// The pods of a node, by what becomes of them.
#[derive(Debug, Default)]
pub(super) struct OnNode {
    /// Those that are to go.
    pub(super) going: Vec<Value>,
    /// Those that stay: of daemon sets, and of the node itself.
    pub(super) staying: Vec<Value>,
}

impl OnNode {
    /// Reads the pods of a node; a list that may be incomplete is an error.
    pub(super) async fn read(context: &Context, node: &str) -> Result<Self, Failure> {
        let everywhere = POD.within(None).map_err(|error| failure::of_error(&error.into(), node))?;
        let listed = context.client().list(&everywhere, &Bound(node.to_owned())).await;
        let listed = listed.map_err(|error| failure::of_error(&error, &format!("list the pods of node {node}")))?;
        if listed.complete {
            return Ok(Self::of(listed.items));
        }
        let message =
            format!("the list of the pods of node {node} may be incomplete, and a drain may not depend on it");
        Err(Failure::new(Class::Forbidden, message).help("run it as somebody who may list pods in all namespaces"))
    }

    /// Sorts pods.
    pub(super) fn of(pods: Vec<Value>) -> Self {
        let (staying, going) = pods.into_iter().partition(stays);
        Self { going, staying }
    }

    /// Complains about every pod that would lose what may not be lost.
    pub(super) fn refuse(&self, losses: Losses, node: &str) -> Result<(), Failure> {
        let named = |what: &str, lost: fn(&Value) -> bool| {
            let pods: Vec<String> = self.going.iter().filter(|pod| lost(pod)).map(name).collect();
            (!pods.is_empty()).then(|| format!("{what}: {}", pods.join(", ")))
        };
        let emptydir = named("emptyDir data would be lost of", has_emptydir).filter(|_| !losses.emptydir);
        let unmanaged = named("nothing replaces", is_unmanaged).filter(|_| !losses.unmanaged);
        let keys = [("emptydir", emptydir.is_some()), ("unmanaged", unmanaged.is_some())];
        let keys: Vec<&str> = keys.into_iter().filter_map(|(key, lost)| lost.then_some(key)).collect();
        let lines: Vec<String> = emptydir.into_iter().chain(unmanaged).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let message = format!("node {node} is not drained: {}", lines.join("; "));
        let help = format!("where that is well, say `{}: delete`", keys.join(": delete` and `"));
        Err(Failure::new(Class::Conflict, message).help(help))
    }
}

/// A pod's name for people.
pub(super) fn name(pod: &Value) -> String {
    let id = ObjectId::of(pod);
    format!("{}/{}", id.namespace, id.name)
}

/// Whether a pod is on its way out.
pub(super) fn is_leaving(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_some()
}

/// Whether a pod would only come back to this node, or is not the server's to send away.
fn stays(pod: &Value) -> bool {
    let mirror = pod.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some();
    mirror || (controller(pod) == Some("DaemonSet") && is_active(pod))
}

fn controller(pod: &Value) -> Option<&str> {
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array)?;
    let owner = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    owner.get("kind").and_then(Value::as_str)
}

/// What has ended has nothing to lose.
fn is_unmanaged(pod: &Value) -> bool {
    is_active(pod) && controller(pod).is_none()
}

fn has_emptydir(pod: &Value) -> bool {
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    is_active(pod) && volumes.into_iter().flatten().any(|volume| volume.get("emptyDir").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, owner: Option<&str>, volumes: Value) -> Value {
        let owners: Vec<Value> = owner.map(|kind| json!({"kind": kind, "controller": true})).into_iter().collect();
        json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": name, "ownerReferences": owners},
            "spec": {"volumes": volumes}, "status": {"phase": "Running"}})
    }

    #[test]
    fn what_would_only_come_back_stays() {
        let mut mirror = pod("proxy", Some("Node"), json!([]));
        mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
        let pods = vec![pod("web", Some("ReplicaSet"), json!([])), pod("log", Some("DaemonSet"), json!([])), mirror];
        let sorted = OnNode::of(pods);
        let names = |pods: &[Value]| pods.iter().map(name).collect::<Vec<_>>();
        assert_eq!(
            (names(&sorted.going), names(&sorted.staying)),
            (vec!["shop/web".into()], vec!["shop/log".into(), "shop/proxy".into()])
        );
    }

    #[test]
    fn all_losses_are_named_at_once_with_the_key_that_allows_them() {
        let emptydir = json!([{"name": "tmp", "emptyDir": {}}]);
        let sorted = OnNode::of(vec![
            pod("a", Some("ReplicaSet"), emptydir.clone()),
            pod("b", None, json!([])),
            pod("c", None, emptydir),
        ]);
        let failure = sorted.refuse(Losses::default(), "n1").unwrap_err();
        assert_eq!(
            failure.message,
            "node n1 is not drained: emptyDir data would be lost of: shop/a, shop/c; nothing replaces: shop/b, shop/c"
        );
        assert_eq!(failure.help.unwrap(), "where that is well, say `emptydir: delete` and `unmanaged: delete`");
        let failure = sorted.refuse(Losses { emptydir: true, unmanaged: false }, "n1").unwrap_err();
        assert_eq!(failure.help.unwrap(), "where that is well, say `unmanaged: delete`");
        assert_eq!(sorted.refuse(Losses { emptydir: true, unmanaged: true }, "n1"), Ok(()));
    }

    #[test]
    fn a_pod_that_has_ended_loses_nothing() {
        let mut done = pod("job", None, json!([{"emptyDir": {}}]));
        done["status"]["phase"] = "Succeeded".into();
        assert_eq!(OnNode::of(vec![done]).refuse(Losses::default(), "n1"), Ok(()));
    }
}
