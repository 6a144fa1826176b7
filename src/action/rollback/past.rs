//! The revisions that a workload remembers.

use serde_json::Value;

use super::super::Context;
use super::super::rollout::generation;
use super::super::target::is_owned;
use crate::cluster::resource::{CONTROLLER_REVISION, REPLICA_SET};
use crate::event::{Class, Failure, ObjectId};

const NUMBER: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";

/// One revision of a pod template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision {
    pub(super) number: u64,
    pub(super) template: Value,
}

/// All revisions of a workload.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Past {
    /// The workload's UID.
    pub(super) uid: String,
    /// Its generation when its past was read.
    pub(super) generation: i64,
    /// The revision that its spec holds now.
    pub(super) present: u64,
    /// In words for people.
    name: String,
    /// Oldest first.
    revisions: Vec<Revision>,
}

impl Past {
    /// What a workload remembers, by owner UID.
    ///
    /// # Errors
    /// When it cannot be read, or the present revision is not among it.
    pub(super) async fn of(context: &Context, object: &Value) -> Result<Self, Failure> {
        let id = ObjectId::of(object);
        let is_deployment = id.kind == "Deployment";
        let resource = if is_deployment { &REPLICA_SET } else { &CONTROLLER_REVISION };
        let mut owned = context.list_resource(resource, &id.namespace).await?;
        owned.retain(|item| is_owned(item, std::slice::from_ref(&id.uid)));
        let read = if is_deployment { of_replica_set } else { of_controller_revision };
        let mut revisions: Vec<Revision> = owned.iter().filter_map(read).collect();
        revisions.sort_by_key(|revision| revision.number);
        let present = if is_deployment { number(object) } else { updated(object, &owned, &revisions) };
        let present = present.ok_or_else(|| {
            Failure::new(Class::Invalid, format!("{id} does not tell its present revision"))
                .help("its controller has not seen it yet: wait for its rollout first")
        })?;
        Ok(Self { uid: id.uid.clone(), generation: generation(object), present, name: id.to_string(), revisions })
    }

    /// The revision to go to: the one asked for, or the one before the present.
    ///
    /// # Errors
    /// When it is not remembered; the ones that are, are named.
    pub(super) fn choose(&self, wanted: Option<u64>) -> Result<&Revision, Failure> {
        let found = match wanted {
            Some(wanted) => self.revisions.iter().find(|revision| revision.number == wanted),
            None => self.revisions.iter().rfind(|revision| revision.number < self.present),
        };
        found.ok_or_else(|| {
            let wanted =
                wanted.map_or_else(|| "no earlier revision".to_owned(), |wanted| format!("no revision {wanted}"));
            let kept: Vec<String> = self.revisions.iter().map(|revision| revision.number.to_string()).collect();
            let line = format!("{} remembers {wanted}", self.name);
            let help = format!("it is at {} and remembers: {}", self.present, kept.join(", "));
            Failure::new(Class::NotFound, line).help(help)
        })
    }
}

fn number(object: &Value) -> Option<u64> {
    object.pointer(NUMBER)?.as_str()?.parse().ok()
}

/// The template of a `ReplicaSet`, without the label that the deployment put there.
fn of_replica_set(set: &Value) -> Option<Revision> {
    let mut template = set.pointer("/spec/template")?.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    Some(Revision { number: number(set)?, template })
}

/// The template of a `ControllerRevision`, without the directive that makes it a patch.
fn of_controller_revision(revision: &Value) -> Option<Revision> {
    let mut template = revision.pointer("/data/spec/template")?.clone();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    Some(Revision { number: revision.get("revision")?.as_u64()?, template })
}

/// A stateful set names the revision that it updates to; a daemon set runs its newest.
fn updated(object: &Value, owned: &[Value], revisions: &[Revision]) -> Option<u64> {
    let Some(name) = object.pointer("/status/updateRevision") else {
        return revisions.last().map(|revision| revision.number);
    };
    let named = owned.iter().find(|revision| revision.pointer("/metadata/name") == Some(name))?;
    named.get("revision")?.as_u64()
}
