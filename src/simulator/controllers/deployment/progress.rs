//! The status of a Deployment: its numbers, whether it is available, whether it gets on.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::conditions::{Condition, Conditions, Stamps};
use super::super::turn::Turn;
use super::desired;
use super::rolling::Window;
use super::sets::Sets;
use crate::clock::Timestamp;
use crate::simulator::object::{flag, is_deleting, list, name, number, put, text};

/// A deadline that nobody set; Kubernetes writes it as the largest number.
const NO_DEADLINE: i64 = 2_147_483_647;

/// The numbers of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
    unavailable: i64,
}

impl Numbers {
    fn of(sets: &Sets) -> Self {
        let available = sets.sum("availableReplicas");
        Self {
            replicas: sets.sum("replicas"),
            updated: sets.new.as_ref().map_or(0, |set| set.status("replicas")),
            ready: sets.sum("readyReplicas"),
            available,
            unavailable: (sets.total() - available).max(0),
        }
    }

    fn written(deployment: &Value) -> Self {
        let read = |field: &str| number(deployment, &format!("/status/{field}")).unwrap_or_default();
        Self {
            replicas: read("replicas"),
            updated: read("updatedReplicas"),
            ready: read("readyReplicas"),
            available: read("availableReplicas"),
            unavailable: read("unavailableReplicas"),
        }
    }

    /// Whether every pod is of the present template and available.
    fn are_complete(&self, wanted: i64) -> bool {
        self.updated == wanted && self.replicas == wanted && self.available == wanted
    }

    /// Whether more is done than `before`.
    fn are_ahead_of(&self, before: &Self) -> bool {
        self.updated > before.updated
            || self.replicas - self.updated < before.replicas - before.updated
            || self.ready > before.ready
            || self.available > before.available
    }
}

/// Whether the rollout is over and well.
pub(super) fn is_complete(deployment: &Value, sets: &Sets) -> bool {
    Numbers::of(sets).are_complete(desired(deployment))
}

/// Writes the status without judging progress: of a Deployment that is paused, scaled or leaving.
pub(super) fn write_plain_status(turn: &mut Turn, deployment: &Arc<Value>, sets: &Sets) {
    let mut conditions = Conditions::of(deployment, Stamps::Update);
    if !is_deleting(deployment) {
        note_pause(turn, deployment, &mut conditions);
    }
    note_availability(turn, deployment, sets, &mut conditions);
    write(turn, deployment, sets, conditions);
}

/// Writes the status of a Deployment that is rolling out, or has.
pub(super) fn write_rollout_status(turn: &mut Turn, deployment: &Arc<Value>, sets: &Sets) {
    let mut conditions = Conditions::of(deployment, Stamps::Update);
    note_pause(turn, deployment, &mut conditions);
    note_new_set(turn, deployment, sets, &mut conditions);
    note_availability(turn, deployment, sets, &mut conditions);
    judge(turn, deployment, sets, &mut conditions);
    note_failure(turn, sets, &mut conditions);
    write(turn, deployment, sets, conditions);
}

/// A pause, and its end, stand in the place of progress.
fn note_pause(turn: &mut Turn, deployment: &Value, conditions: &mut Conditions) {
    let (paused, said) = (flag(deployment, "/spec/paused"), conditions.reason("Progressing"));
    if deadline(deployment).is_none() || said == "ProgressDeadlineExceeded" {
        return;
    }
    let (reason, message) = match (paused, said == "DeploymentPaused") {
        (true, false) => ("DeploymentPaused", "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        _ => return,
    };
    conditions.set(&Condition::new("Progressing", "Unknown", reason, message), &turn.stamp());
}

/// A set that has just been made, or found again, starts the clock of progress.
fn note_new_set(turn: &mut Turn, deployment: &Value, sets: &Sets, conditions: &mut Conditions) {
    let Some(new) = &sets.new else { return };
    if deadline(deployment).is_none() {
        return;
    }
    let name = name(&new.object);
    let condition = if new.object.pointer("/metadata/uid").is_none() {
        let message = format!("Created new replica set \"{name}\"");
        Condition::new("Progressing", "True", "NewReplicaSetCreated", message)
    } else if conditions.get("Progressing").is_none() || is_rollback(deployment, sets) {
        let message = format!("Found new replica set \"{name}\"");
        Condition::new("Progressing", "True", "FoundNewReplicaSet", message)
    } else {
        return;
    };
    conditions.set(&condition, &turn.stamp());
}

/// Whether an older template is back: its set has another revision than the Deployment tells.
fn is_rollback(deployment: &Value, sets: &Sets) -> bool {
    let told = text(deployment, "/metadata/annotations/deployment.kubernetes.io~1revision");
    let note = sets.revision_note();
    note.values().any(|revision| !told.is_empty() && revision != told)
}

fn judge(turn: &mut Turn, deployment: &Value, sets: &Sets, conditions: &mut Conditions) {
    if deadline(deployment).is_none() {
        return conditions.remove("Progressing");
    }
    let (numbers, before) = (Numbers::of(sets), Numbers::written(deployment));
    let said = conditions.reason("Progressing").to_owned();
    if numbers.replicas == numbers.updated && said == "NewReplicaSetAvailable" {
        return;
    }
    let who = sets.new.as_ref().map_or_else(
        || format!("Deployment \"{}\"", name(deployment)),
        |set| format!("ReplicaSet \"{}\"", name(&set.object)),
    );
    if numbers.are_complete(desired(deployment)) {
        let message = format!("{who} has successfully progressed.");
        let done = Condition::new("Progressing", "True", "NewReplicaSetAvailable", message);
        conditions.set(&done, &turn.stamp());
    } else if numbers.are_ahead_of(&before) {
        let message = format!("{who} is progressing.");
        let going = Condition::new("Progressing", "True", "ReplicaSetUpdated", message);
        conditions.renew(&going, &turn.stamp());
    } else if is_overdue(turn, deployment, conditions) {
        let message = format!("{who} has timed out progressing.");
        let late = Condition::new("Progressing", "False", "ProgressDeadlineExceeded", message);
        conditions.set(&late, &turn.stamp());
    }
}

/// Whether the last sign of progress is too long ago; if not, another look follows.
fn is_overdue(turn: &mut Turn, deployment: &Value, conditions: &Conditions) -> bool {
    let (Some(seconds), Some(said)) = (deadline(deployment), conditions.get("Progressing")) else {
        return false;
    };
    match text(said, "/reason") {
        "NewReplicaSetAvailable" => false,
        "ProgressDeadlineExceeded" => true,
        _ => text(said, "/lastUpdateTime").parse::<Timestamp>().is_ok_and(|last| {
            // Stamps are whole seconds: one more makes up for what they cut off.
            turn.reached(last + TimeDelta::seconds(seconds.saturating_add(1)))
        }),
    }
}

fn deadline(deployment: &Value) -> Option<i64> {
    number(deployment, "/spec/progressDeadlineSeconds").filter(|seconds| *seconds < NO_DEADLINE)
}

/// A set that cannot make its pods makes the Deployment say so.
fn note_failure(turn: &mut Turn, sets: &Sets, conditions: &mut Conditions) {
    let failing = sets.new.iter().chain(&sets.old).find_map(|set| {
        list(&set.object, "/status/conditions").iter().find(|said| text(said, "/type") == "ReplicaFailure")
    });
    match failing {
        Some(said) => {
            let message = text(said, "/message");
            let condition = Condition::new("ReplicaFailure", "True", "FailedCreate", message);
            conditions.set(&condition, &turn.stamp());
        }
        None => conditions.remove("ReplicaFailure"),
    }
}

fn note_availability(turn: &Turn, deployment: &Value, sets: &Sets, conditions: &mut Conditions) {
    let wanted = desired(deployment) - Window::of(deployment).unavailable;
    let condition = if sets.sum("availableReplicas") >= wanted {
        let message = "Deployment has minimum availability.";
        Condition::new("Available", "True", "MinimumReplicasAvailable", message)
    } else {
        let message = "Deployment does not have minimum availability.";
        Condition::new("Available", "False", "MinimumReplicasUnavailable", message)
    };
    conditions.set(&condition, &turn.stamp());
}

fn write(turn: &mut Turn, deployment: &Arc<Value>, sets: &Sets, conditions: Conditions) {
    let numbers = Numbers::of(sets);
    let mut status = json!({
        "observedGeneration": number(deployment, "/metadata/generation").unwrap_or_default(),
    });
    let counted = [
        ("replicas", numbers.replicas),
        ("updatedReplicas", numbers.updated),
        ("readyReplicas", numbers.ready),
        ("availableReplicas", numbers.available),
        ("unavailableReplicas", numbers.unavailable),
    ];
    for (field, count) in counted.into_iter().filter(|(_, count)| *count != 0) {
        put(&mut status, &[field], count);
    }
    if let Some(collisions) = deployment.pointer("/status/collisionCount") {
        put(&mut status, &["collisionCount"], collisions.clone());
    }
    put(&mut status, &["conditions"], conditions.into_value());
    turn.annotated_status(status, sets.revision_note());
}
