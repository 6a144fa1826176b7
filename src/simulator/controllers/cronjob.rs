//! The `CronJob` controller: a Job at every moment of a schedule.
//!
//! Schedules are read in UTC whatever `spec.timeZone` says.

use std::str::FromStr as _;
use std::sync::Arc;

use chrono::TimeDelta;
use croner::Cron;
use serde_json::{Value, json};

use super::conditions::holds;
use super::job::is_finished;
use super::ownership::{named, reference};
use super::turn::Turn;
use crate::clock::Timestamp;
use crate::simulator::object::{
    annotations, flag, is_deleting, labels, list, name, namespace, number, put, stamp, text, uid,
};

const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// Starts the Job that is due, forgets old ones, and tells of those at work.
pub(super) fn reconcile(turn: &mut Turn, cron: &Arc<Value>) {
    turn.speak_as("cronjob-controller");
    let mut jobs: Vec<_> = turn.view.controlled(uid(cron), "jobs").cloned().collect();
    jobs.sort_by_key(|job| text(job, "/metadata/creationTimestamp").to_owned());
    let mut status = noted(turn, cron, &jobs);
    if !is_deleting(cron) {
        forget_old(turn, cron, &jobs);
        if !flag(cron, "/spec/suspend") {
            follow_schedule(turn, cron, (&jobs, &mut status));
        }
    }
    turn.status(status);
}

/// The status with the Jobs at work that were at work before, and the last good end.
fn noted(turn: &mut Turn, cron: &Arc<Value>, jobs: &[Arc<Value>]) -> Value {
    let mut status = cron.get("status").cloned().unwrap_or_else(|| json!({}));
    let mut active = list(cron, "/status/active").to_vec();
    active.retain(|known| {
        let job = jobs.iter().find(|job| uid(job) == text(known, "/uid"));
        if let Some(job) = job.filter(|job| is_finished(job)) {
            let end = if holds(job, "Complete") { "Complete" } else { "Failed" };
            let message = format!("Saw completed job: {}, condition: {end}", name(job));
            turn.normal(cron, "SawCompletedJob", message);
            return false;
        }
        job.is_some()
    });
    let ends = jobs.iter().map(|job| text(job, "/status/completionTime"));
    let last = ends.max().unwrap_or_default();
    if last > text(cron, "/status/lastSuccessfulTime") {
        put(&mut status, &["lastSuccessfulTime"], last);
    }
    set_active(&mut status, active);
    status
}

fn set_active(status: &mut Value, active: Vec<Value>) {
    if active.is_empty() {
        json_patch::merge(status, &json!({"active": null}));
    } else {
        put(status, &["active"], active);
    }
}

/// Deletes finished Jobs beyond the wanted history, the oldest first.
fn forget_old(turn: &mut Turn, cron: &Value, jobs: &[Arc<Value>]) {
    for (end, limit, default) in
        [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)]
    {
        let kept = number(cron, &format!("/spec/{limit}")).unwrap_or(default);
        let ended: Vec<_> = jobs.iter().filter(|job| holds(job, end)).collect();
        let excess = ended.len().saturating_sub(usize::try_from(kept).unwrap_or_default());
        for job in ended.into_iter().take(excess) {
            turn.delete("jobs", job);
        }
    }
}

fn follow_schedule(turn: &mut Turn, cron: &Arc<Value>, (jobs, status): (&[Arc<Value>], &mut Value)) {
    let pattern = text(cron, "/spec/schedule");
    let schedule = match Cron::from_str(pattern) {
        Ok(schedule) => schedule,
        Err(error) => {
            if turn.first("unparseable") {
                let message = format!("unparseable schedule: \"{pattern}\" : {error}");
                turn.warn(cron, "UnparseableSchedule", message);
            }
            return;
        }
    };
    if let Ok(next) = schedule.find_next_occurrence(&turn.now, false) {
        turn.reached(next);
    }
    if let Some(due) = due(turn.now, cron, &schedule) {
        begin(turn, cron, (jobs, status), due);
    }
}

/// The latest moment of the schedule that has come and is not done; earlier ones are missed.
fn due(now: Timestamp, cron: &Value, schedule: &Cron) -> Option<Timestamp> {
    let read = |pointer| text(cron, pointer).parse::<Timestamp>().ok();
    let since = read("/status/lastScheduleTime").or_else(|| read("/metadata/creationTimestamp"))?;
    let deadline = number(cron, "/spec/startingDeadlineSeconds");
    let since = deadline.map_or(since, |seconds| since.max(now - TimeDelta::seconds(seconds)));
    let latest = schedule.find_previous_occurrence(&now, true).ok()?;
    (latest > since).then_some(latest)
}

fn begin(turn: &mut Turn, cron: &Arc<Value>, (jobs, status): (&[Arc<Value>], &mut Value), due: Timestamp) {
    let mut active = list(status, "/active").to_vec();
    match text(cron, "/spec/concurrencyPolicy") {
        "Forbid" if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency \
                           policy is Forbid";
            return turn.normal(cron, "JobAlreadyActive", message);
        }
        "Replace" => {
            for known in active.drain(..) {
                let Some(job) = jobs.iter().find(|job| uid(job) == text(&known, "/uid")) else {
                    continue;
                };
                turn.delete("jobs", job);
                turn.normal(cron, "SuccessfulDelete", format!("Deleted job {}", name(job)));
            }
        }
        _ => {}
    }
    let job = named(fresh(cron, due));
    active.push(json!({
        "apiVersion": "batch/v1", "kind": "Job", "namespace": namespace(cron),
        "name": name(&job), "uid": uid(&job),
    }));
    turn.normal(cron, "SuccessfulCreate", format!("Created job {}", name(&job)));
    turn.create("jobs", job);
    set_active(status, active);
    put(status, &["lastScheduleTime"], stamp(due));
}

/// The Job of a moment; the moment is in its name, so that none is started twice.
fn fresh(cron: &Value, due: Timestamp) -> Value {
    let template = cron.pointer("/spec/jobTemplate").unwrap_or(&Value::Null);
    let mut notes = annotations(template).clone();
    notes.insert(SCHEDULED.into(), stamp(due).into());
    json!({
        "metadata": {
            "name": format!("{}-{}", name(cron), due.timestamp() / 60),
            "namespace": namespace(cron), "labels": labels(template), "annotations": notes,
            "ownerReferences": [reference(cron)],
        },
        "spec": template.get("spec").cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::kit::Cluster;
    use super::*;

    const MINUTE: u64 = 60_000;

    fn cron(spec: &Value) -> Value {
        let mut cron = json!({
            "metadata": {"name": "nightly"},
            "spec": {
                "schedule": "*/10 * * * *",
                "jobTemplate": {"spec": {"template": {"spec": {
                    "restartPolicy": "Never", "containers": [{"name": "clean", "image": "clean:1"}],
                }}}},
            },
        });
        json_patch::merge(&mut cron, &json!({ "spec": spec }));
        cron
    }

    /// Jobs that never end by themselves.
    fn endless() -> Cluster {
        Cluster::fated(json!([{"match": {"name-prefix": "nightly"}, "becomes": "unschedulable"}]))
    }

    fn active(cluster: &Cluster) -> usize {
        list(&cluster.get("cronjobs", "nightly"), "/status/active").len()
    }

    #[tokio::test(start_paused = true)]
    async fn jobs_start_by_the_schedule_and_the_old_ones_go() {
        let cluster = Cluster::start();
        cluster.create("cronjobs", cron(&json!({})));
        cluster.pass(MINUTE).await;
        assert!(cluster.list("jobs").is_empty());
        cluster.pass(9 * MINUTE + 10).await;
        assert_eq!((cluster.list("jobs").len(), active(&cluster)), (1, 1));
        cluster.pass(MINUTE).await;
        let nightly = cluster.get("cronjobs", "nightly");
        assert_eq!(text(&nightly, "/status/lastScheduleTime"), "2026-01-02T12:10:00Z");
        assert_eq!(text(&nightly, "/status/lastSuccessfulTime"), "2026-01-02T12:10:00Z");
        assert_eq!(active(&cluster), 0);
        assert_eq!(cluster.reasons("CronJob"), ["SuccessfulCreate", "SawCompletedJob"]);
        cluster.pass(60 * MINUTE).await;
        assert_eq!((cluster.list("jobs").len(), cluster.list("pods").len()), (3, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_suspended_schedule_starts_nothing_and_makes_up_for_one_miss() {
        let cluster = Cluster::start();
        cluster.create("cronjobs", cron(&json!({"suspend": true})));
        cluster.pass(35 * MINUTE).await;
        assert!(cluster.list("jobs").is_empty());
        cluster.patch("cronjobs", "nightly", &json!({"spec": {"suspend": false}}));
        cluster.pass(MINUTE).await;
        assert_eq!(cluster.list("jobs").len(), 1);
        assert_eq!(text(&cluster.get("cronjobs", "nightly"), "/status/lastScheduleTime"), "2026-01-02T12:30:00Z");
    }

    #[tokio::test(start_paused = true)]
    async fn a_miss_beyond_the_starting_deadline_is_let_go() {
        let cluster = Cluster::start();
        cluster.create("cronjobs", cron(&json!({"suspend": true, "startingDeadlineSeconds": 30})));
        cluster.pass(35 * MINUTE).await;
        cluster.patch("cronjobs", "nightly", &json!({"spec": {"suspend": false}}));
        cluster.pass(MINUTE).await;
        assert!(cluster.list("jobs").is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_concurrency_policy_decides_about_a_second_job() {
        for (policy, expected) in [("Allow", 2), ("Forbid", 1), ("Replace", 1)] {
            let cluster = endless();
            cluster.create("cronjobs", cron(&json!({ "concurrencyPolicy": policy })));
            cluster.pass(11 * MINUTE).await;
            let first = name(&cluster.list("jobs")[0]).to_owned();
            cluster.pass(10 * MINUTE).await;
            assert_eq!((cluster.list("jobs").len(), active(&cluster)), (expected, expected), "{policy}");
            let stayed = cluster.find("jobs", &first).is_some();
            assert_eq!(stayed, policy != "Replace", "{policy}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_schedule_that_cannot_be_read_is_told() {
        let cluster = Cluster::start();
        cluster.create("cronjobs", cron(&json!({"schedule": "often"})));
        cluster.pass(MINUTE).await;
        assert_eq!(cluster.reasons("CronJob"), ["UnparseableSchedule"]);
    }
}
