//! The Job controller: pods until enough have succeeded, too many have failed, or time is up.
//!
//! Finished pods are counted once: each carries a finalizer until the Job's status has counted
//! it, as in Kubernetes since 1.26, so that no deletion loses a count.

mod indexes;
mod status;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::conditions::{Condition, Conditions, Stamps, holds};
use super::ownership::{claim, is_active, named, pod_of, refusal};
use super::turn::Turn;
use crate::clock::Timestamp;
use crate::simulator::object::{annotations, flag, is_deleting, list, name, number, put, text};
use crate::simulator::store::Propagation;
use indexes::Indexes;

const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// A Job in its turn.
struct Job<'a> {
    object: &'a Arc<Value>,
    pods: Vec<Arc<Value>>,
    conditions: Conditions,
    succeeded: i64,
    failed: i64,
    indexes: Indexes,
}

/// Why a Job cannot go on.
type Failure = (&'static str, &'static str);

const TOO_MANY_FAILURES: Failure = ("BackoffLimitExceeded", "Job has reached the specified backoff limit");
const TOO_LATE: Failure = ("DeadlineExceeded", "Job was active longer than specified deadline");

/// Brings a Job one step nearer to its end.
pub(super) fn reconcile(turn: &mut Turn, object: &Arc<Value>) {
    turn.speak_as("job-controller");
    let pods = claim(turn, object, "pods");
    if is_finished(object) {
        for pod in &pods {
            release(turn, pod);
        }
        return expire(turn, object);
    }
    let mut job = Job::count(object, pods);
    if is_deleting(object) {
        return job.write(turn);
    }
    if flag(object, "/spec/suspend") {
        return job.suspend(turn);
    }
    job.resume(turn);
    match job.failure(turn) {
        Some(failure) => job.fail(turn, failure),
        None if job.is_complete() => job.complete(turn),
        None => {
            job.manage(turn);
            job.write(turn);
        }
    }
}

/// Whether a Job has come to an end, good or bad.
pub(super) fn is_finished(job: &Value) -> bool {
    holds(job, "Complete") || holds(job, "Failed")
}

/// Whether a pod is held until its Job has counted it.
pub(super) fn is_tracked(pod: &Value) -> bool {
    list(pod, "/metadata/finalizers").iter().any(|held| held == TRACKING)
}

/// Lets a pod go that needs not be counted.
pub(super) fn release(turn: &mut Turn, pod: &Value) {
    if is_tracked(pod) {
        let mut left = list(pod, "/metadata/finalizers").to_vec();
        left.retain(|held| held != TRACKING);
        turn.patch("pods", pod, json!({"metadata": {"finalizers": left}}));
    }
}

/// Deletes a finished Job whose time to live is over.
fn expire(turn: &mut Turn, job: &Value) {
    let Some(seconds) = number(job, "/spec/ttlSecondsAfterFinished") else {
        return;
    };
    let conditions = Conditions::of(job, Stamps::Probed);
    let end = ["Complete", "Failed"].into_iter().find_map(|kind| conditions.get(kind));
    let end = end.and_then(|end| text(end, "/lastTransitionTime").parse::<Timestamp>().ok());
    if end.is_some_and(|end| turn.reached(end + TimeDelta::seconds(seconds))) {
        turn.delete_by("jobs", job, Some(Propagation::Foreground));
    }
}

impl<'a> Job<'a> {
    /// Counts the pods that have finished since the last time.
    fn count(object: &'a Arc<Value>, pods: Vec<Arc<Value>>) -> Self {
        let mut job = Self {
            object,
            conditions: Conditions::of(object, Stamps::Probed),
            succeeded: number(object, "/status/succeeded").unwrap_or_default(),
            failed: number(object, "/status/failed").unwrap_or_default(),
            indexes: Indexes::of(object),
            pods,
        };
        for pod in job.pods.iter().filter(|pod| is_tracked(pod)) {
            if text(pod, "/status/phase") == "Succeeded" {
                job.succeeded += i64::from(job.indexes.complete(pod));
            } else if job.is_failure(pod) {
                job.failed += 1;
            }
        }
        job
    }

    /// A running pod that someone deletes counts as failed; one that a suspension stops does not.
    fn is_failure(&self, pod: &Value) -> bool {
        let replaces_failed_only = text(self.object, "/spec/podReplacementPolicy") == "Failed";
        let leaves = is_deleting(pod) && !replaces_failed_only;
        let is_over = text(pod, "/status/phase") == "Failed";
        (is_over || leaves) && !flag(self.object, "/spec/suspend") && !self.is_ending()
    }

    /// Whether the end is decided and its pods are on their way out.
    fn is_ending(&self) -> bool {
        self.conditions.holds("FailureTarget") || self.conditions.holds("SuccessCriteriaMet")
    }

    fn active(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.pods.iter().filter(|pod| is_active(pod))
    }

    fn active_count(&self) -> i64 {
        i64::try_from(self.active().count()).unwrap_or(i64::MAX)
    }

    fn spec(&self, field: &str) -> Option<i64> {
        number(self.object, &format!("/spec/{field}"))
    }

    fn backoff_limit(&self) -> i64 {
        self.spec("backoffLimit").unwrap_or(6)
    }

    /// How often containers were started again, where they are.
    fn restarts(&self) -> i64 {
        let in_place = text(self.object, "/spec/template/spec/restartPolicy") == "OnFailure";
        let restarts = self
            .active()
            .flat_map(|pod| list(pod, "/status/containerStatuses"))
            .filter_map(|status| number(status, "/restartCount"));
        if in_place { restarts.sum() } else { 0 }
    }

    fn failure(&mut self, turn: &mut Turn) -> Option<Failure> {
        if let Some(said) = self.conditions.get("FailureTarget") {
            let late = text(said, "/reason") == TOO_LATE.0;
            return Some(if late { TOO_LATE } else { TOO_MANY_FAILURES });
        }
        let restarts = self.restarts();
        if self.failed > self.backoff_limit() || (restarts > 0 && restarts >= self.backoff_limit()) {
            return Some(TOO_MANY_FAILURES);
        }
        let start = text(self.object, "/status/startTime").parse::<Timestamp>().ok()?;
        let deadline = TimeDelta::seconds(self.spec("activeDeadlineSeconds")?);
        turn.reached(start + deadline).then_some(TOO_LATE)
    }

    fn is_complete(&self) -> bool {
        match self.spec("completions") {
            Some(completions) => self.succeeded >= completions,
            None => self.succeeded > 0 && self.active_count() == 0,
        }
    }

    fn stop_all(&self, turn: &mut Turn) {
        for pod in self.active() {
            turn.delete("pods", pod);
            turn.normal(self.object, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)));
        }
    }

    fn suspend(mut self, turn: &mut Turn) {
        self.stop_all(turn);
        if !self.conditions.holds("Suspended") {
            turn.normal(self.object, "Suspended", "Job suspended");
        }
        self.say(turn, "Suspended", ("JobSuspended", "Job suspended"));
        self.write(turn);
    }

    fn resume(&mut self, turn: &mut Turn) {
        if self.conditions.holds("Suspended") {
            let resumed = Condition::new("Suspended", "False", "JobResumed", "Job resumed");
            self.conditions.set(&resumed, &turn.stamp());
            turn.normal(self.object, "Resumed", "Job resumed");
        }
    }

    fn say(&mut self, turn: &Turn, kind: &'static str, (reason, message): (&'static str, &str)) {
        self.conditions.set(&Condition::new(kind, "True", reason, message), &turn.stamp());
    }

    /// The Job has failed once its last pod has ended.
    fn fail(mut self, turn: &mut Turn, failure: Failure) {
        if !self.is_ending() {
            // Those that are stopped now have not succeeded either.
            self.failed += self.active_count();
        }
        self.stop_all(turn);
        self.say(turn, "FailureTarget", failure);
        if self.pods.iter().all(|pod| !is_running(pod)) {
            self.say(turn, "Failed", failure);
            turn.warn(self.object, failure.0, failure.1);
        }
        self.write(turn);
    }

    fn complete(mut self, turn: &mut Turn) {
        let why = ("CompletionsReached", "Reached expected number of succeeded pods");
        self.stop_all(turn);
        self.say(turn, "SuccessCriteriaMet", why);
        if self.pods.iter().all(|pod| !is_running(pod)) {
            self.say(turn, "Complete", why);
            turn.normal(self.object, "Completed", "Job completed");
        }
        self.write(turn);
    }

    /// Makes the pods that lack, after a pause when some failed, and takes away those too many.
    fn manage(&self, turn: &mut Turn) {
        let (active, parallel) = (self.active_count(), self.spec("parallelism").unwrap_or(1));
        let wanted = match self.spec("completions") {
            Some(completions) => parallel.min(completions - self.succeeded),
            None if self.succeeded > 0 => active,
            None => parallel,
        };
        let excess = usize::try_from(active - wanted).unwrap_or_default();
        for pod in self.active().take(excess) {
            turn.delete("pods", pod);
            turn.normal(self.object, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)));
        }
        let lacking = usize::try_from(wanted - active).unwrap_or_default();
        if lacking > 0 && self.may_retry(turn) {
            self.grow(turn, lacking);
        }
    }

    fn may_retry(&self, turn: &mut Turn) -> bool {
        let failures = self.failed + turn.count("refused");
        let pause = if failures > 0 { turn.pause(failures) } else { Duration::ZERO };
        turn.elapsed(&format!("retry {failures}"), pause)
    }

    fn grow(&self, turn: &mut Turn, lacking: usize) {
        let template = self.object.pointer("/spec/template").unwrap_or(&Value::Null);
        let mut free = self.indexes.free(self.active(), self.spec("completions"));
        for _ in 0..lacking {
            let mut pod = pod_of(self.object, template);
            put(&mut pod, &["metadata", "finalizers"], json!([TRACKING]));
            if self.indexes.are_used() {
                let Some(index) = free.pop_front() else {
                    return;
                };
                indexes::mark(self.object, &mut pod, index);
            }
            let pod = named(pod);
            if let Some(refusal) = refusal(turn, &pod) {
                turn.tally("refused");
                turn.warn(self.object, "FailedCreate", format!("Error creating: {refusal}"));
                self.may_retry(turn);
                return;
            }
            turn.normal(self.object, "SuccessfulCreate", format!("Created pod: {}", name(&pod)));
            turn.create("pods", pod);
        }
    }
}

/// Whether a pod holds its node still.
fn is_running(pod: &Value) -> bool {
    !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// The number that an indexed Job gave a pod.
fn index_of(pod: &Value) -> Option<i64> {
    let index = annotations(pod).get("batch.kubernetes.io/job-completion-index")?;
    index.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests;
