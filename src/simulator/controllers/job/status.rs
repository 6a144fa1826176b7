//! The status of a Job, and the release of the pods that it has counted.

use serde_json::{Value, json};

use super::super::conditions::holds;
use super::super::turn::Turn;
use super::{Job, is_running, release};
use crate::simulator::object::{is_deleting, put, text};

impl Job<'_> {
    /// Writes what is known, then lets the pods go that are counted in it.
    pub(super) fn write(self, turn: &mut Turn) {
        let status = self.status(turn);
        turn.status(status);
        for pod in &self.pods {
            let counted = !is_running(pod) || is_deleting(pod);
            if counted {
                release(turn, pod);
            }
        }
    }

    fn status(&self, turn: &Turn) -> Value {
        let ready = self.active().filter(|pod| holds(pod, "Ready")).count();
        let leaving = self.pods.iter().filter(|pod| is_deleting(pod) && is_running(pod)).count();
        let ended = self.conditions.holds("Complete") || self.conditions.holds("Failed");
        let stopped = self.conditions.holds("Suspended") || self.is_ending();
        let mut status = json!({"ready": ready, "terminating": leaving, "uncountedTerminatedPods": {}});
        if let Some(start) = self.start_time(turn) {
            put(&mut status, &["startTime"], start);
        }
        if self.conditions.holds("Complete") {
            put(&mut status, &["completionTime"], turn.stamp());
        }
        let active = if ended || stopped { 0 } else { self.active_count() };
        let counted = [("active", active), ("succeeded", self.succeeded), ("failed", self.failed)];
        for (field, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
            put(&mut status, &[field], count);
        }
        let done = self.indexes.text();
        if !done.is_empty() {
            put(&mut status, &["completedIndexes"], done);
        }
        if !self.conditions.is_empty() {
            put(&mut status, &["conditions"], self.conditions.clone().into_value());
        }
        status
    }

    /// When the Job began; a suspended one has not.
    fn start_time(&self, turn: &Turn) -> Option<String> {
        let began = text(self.object, "/status/startTime");
        match (self.conditions.holds("Suspended"), began.is_empty()) {
            (true, _) => None,
            (false, true) => Some(turn.stamp()),
            (false, false) => Some(began.to_owned()),
        }
    }
}
