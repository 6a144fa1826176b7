//! Who belongs to whom: selectors, owner references, adoption, new pods from a template.

use std::sync::Arc;

use serde_json::{Value, json};

use super::template::ALPHABET;
use super::turn::Turn;
use crate::simulator::fate::Becomes;
use crate::simulator::object::{is_deleting, labels, map, name, namespace, owners, put, text, uid};
use crate::simulator::quota;
use crate::simulator::selector::Selector;
use crate::simulator::store::fresh_uid;

/// The reference by which an object says that `owner` controls it.
pub(super) fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": text(owner, "/apiVersion"), "kind": text(owner, "/kind"),
        "name": name(owner), "uid": uid(owner), "controller": true, "blockOwnerDeletion": true,
    })
}

/// The objects of a kind that `owner` controls, once those that it should not have are released
/// and those that nobody has are adopted; ones on their way out are among them.
pub(super) fn claim(turn: &mut Turn, owner: &Value, resource: &'static str) -> Vec<Arc<Value>> {
    let selector = Selector::of(owner.pointer("/spec/selector").unwrap_or(&Value::Null));
    if selector.is_empty() {
        return Vec::new();
    }
    let view = turn.view;
    let (kept, foreign): (Vec<_>, Vec<_>) = view
        .controlled(uid(owner), resource)
        .cloned()
        .partition(|owned| selector.matches(labels(owned)) || is_deleting(owned));
    for owned in foreign {
        let mut left = owners(&owned).to_vec();
        left.retain(|reference| text(reference, "/uid") != uid(owner));
        turn.patch(resource, &owned, json!({"metadata": {"ownerReferences": left}}));
    }
    if !is_deleting(owner) {
        adopt(turn, (owner, &selector), resource);
    }
    kept
}

/// Adopted objects show up as owned in the next turn.
fn adopt(turn: &mut Turn, (owner, selector): (&Value, &Selector), resource: &'static str) {
    let view = turn.view;
    for orphan in view.orphans(resource, namespace(owner)) {
        if !is_deleting(orphan) && selector.matches(labels(orphan)) && is_alive(orphan) {
            let mut all = owners(orphan).to_vec();
            all.push(reference(owner));
            turn.patch(resource, orphan, json!({"metadata": {"ownerReferences": all}}));
        }
    }
}

/// Whether a pod is neither over nor on its way out.
pub(super) fn is_active(pod: &Value) -> bool {
    is_alive(pod) && !is_deleting(pod)
}

fn is_alive(pod: &Value) -> bool {
    !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// A pod as the template of `owner` has it, to be named by the server.
pub(super) fn pod_of(owner: &Value, template: &Value) -> Value {
    let mut pod = json!({
        "metadata": {
            "generateName": format!("{}-", name(owner)), "namespace": namespace(owner),
            "labels": labels(template), "ownerReferences": [reference(owner)],
        },
        "spec": template.get("spec").cloned().unwrap_or_default(),
    });
    let annotations = map(template, "/metadata/annotations");
    if !annotations.is_empty() {
        put(&mut pod, &["metadata", "annotations"], annotations.clone());
    }
    pod
}

/// Gives a pod the name and UID that the server would, so that an event can tell it and its fate
/// is known before it is made.
pub(super) fn named(mut pod: Value) -> Value {
    if name(&pod).is_empty() {
        let letters = (0..5).filter_map(|_| ALPHABET.get(fastrand::usize(..ALPHABET.len())));
        let suffix: String = letters.copied().map(char::from).collect();
        let name = format!("{}{suffix}", text(&pod, "/metadata/generateName"));
        put(&mut pod, &["metadata", "name"], name);
    }
    put(&mut pod, &["metadata", "uid"], fresh_uid());
    pod
}

/// The words with which a quota refuses a pod, when that is its fate or there is no room.
pub(super) fn refusal(turn: &Turn, pod: &Value) -> Option<String> {
    if turn.fate(pod).is_some_and(|fate| fate.becomes == Becomes::Quota) {
        let name = name(pod);
        return Some(format!(
            "pods \"{name}\" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=10, \
             limited: pods=10"
        ));
    }
    let home = namespace(pod);
    let quotas: Vec<_> = turn.view.list("resourcequotas", Some(home)).cloned().collect();
    if quotas.is_empty() {
        return None;
    }
    let pods = |plural: &str| {
        if plural == "pods" { turn.view.list("pods", Some(home)).cloned().collect() } else { Vec::new() }
    };
    quota::refusal(&quotas, &pods, ("pods", "pods"), pod)
}
