//! The `ControllerRevisions` of `StatefulSets` and `DaemonSets`: the pod templates that they have had.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::ownership::reference;
use super::template::Template;
use super::turn::Turn;
use crate::simulator::object::{labels, name, namespace, number, put, remove, text, uid};

/// The label by which a pod names the revision that it was made from.
pub(super) const LABEL: &str = "controller-revision-hash";

/// The present template of a workload, as a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Revision {
    /// The name of the `ControllerRevision`.
    pub(super) name: String,
    /// The short name of the template.
    pub(super) hash: String,
}

/// The revisions of a workload, the oldest first.
pub(super) struct Revisions {
    all: Vec<Arc<Value>>,
}

impl Revisions {
    /// The revisions that a workload owns.
    pub(super) fn of(turn: &Turn, workload: &Value) -> Self {
        let owned = turn.view.controlled(uid(workload), "controllerrevisions");
        let mut all: Vec<_> = owned.cloned().collect();
        all.sort_by_key(|revision| number(revision, "/revision"));
        Self { all }
    }

    /// The revision of the workload's present template, made or renewed where it must be.
    pub(super) fn present(&self, turn: &mut Turn, workload: &Value) -> Revision {
        let template = Template::of(workload, LABEL);
        let next = self.all.last().and_then(|last| number(last, "/revision")).unwrap_or(0) + 1;
        let position = self.all.iter().rposition(|known| is_of(known, &template));
        let Some(known) = position.and_then(|index| self.all.get(index)) else {
            let hash = template.hash(number(workload, "/status/collisionCount").unwrap_or_default());
            let name = format!("{}-{hash}", name(workload));
            turn.create("controllerrevisions", fresh(workload, (&name, &hash), next));
            return Revision { name, hash };
        };
        if position != Some(self.all.len() - 1) {
            turn.patch("controllerrevisions", known, json!({ "revision": next }));
        }
        Revision { name: name(known).into(), hash: text(known, "/metadata/labels/controller-revision-hash").into() }
    }

    /// The pod template of a revision, if it is still known.
    pub(super) fn template(&self, wanted: &str) -> Option<Value> {
        let known = self.all.iter().find(|revision| name(revision) == wanted)?;
        let mut template = known.pointer("/data/spec/template")?.clone();
        remove(&mut template, &["$patch"]);
        Some(template)
    }

    /// Deletes the oldest revisions beyond the wanted history; those in use stay.
    pub(super) fn prune(&self, turn: &mut Turn, workload: &Value, used: &HashSet<String>) {
        let limit = number(workload, "/spec/revisionHistoryLimit").unwrap_or(10);
        let is_used = |revision: &Value| {
            used.contains(name(revision)) || used.contains(text(revision, "/metadata/labels/controller-revision-hash"))
        };
        let idle: Vec<_> = self.all.iter().filter(|revision| !is_used(revision)).collect();
        let excess = idle.len().saturating_sub(usize::try_from(limit).unwrap_or_default());
        for revision in idle.into_iter().take(excess) {
            turn.delete("controllerrevisions", revision);
        }
    }
}

fn is_of(revision: &Value, template: &Template) -> bool {
    let Some(data) = revision.get("data") else {
        return false;
    };
    Template::of(data, LABEL).is_same(template)
}

fn fresh(workload: &Value, (name, hash): (&str, &str), revision: i64) -> Value {
    let mut template = workload.pointer("/spec/template").cloned().unwrap_or_default();
    let mut marks = labels(&template).clone();
    marks.insert(LABEL.into(), hash.into());
    put(&mut template, &["$patch"], "replace");
    json!({
        "metadata": {
            "name": name, "namespace": namespace(workload), "labels": marks,
            "ownerReferences": [reference(workload)],
        },
        "data": { "spec": { "template": template } },
        "revision": revision,
    })
}
