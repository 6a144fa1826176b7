//! Jobs: how they end, what a new one is made of, and how it is made without fail.
//!
//! For `rerun` and `trigger`. A Job ends by its conditions; one that failed is
//! a failure with its pods' own words.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::change::Proposal;
use super::context::Context;
use super::failure;
use super::follow::Follow;
use super::rollout::{condition, status, text};
use super::wait::{Explainer, FAIL_FAST, Waited, explain, gone, pods_of};
use crate::cluster::Request;
use crate::cluster::Write;
use crate::cluster::resource::{Address, JOB};
use crate::event::{Class, Failure, ObjectId, Reversal, Verb};

/// The longest name of a Job: its pods bear it as a label.
const LONGEST_NAME: usize = 63;

/// Why none of it is taken back.
pub(super) const NO_WAY_BACK: &str = "a job's effects cannot be taken back";

/// The annotation under which we know our own creation again.
pub(super) const RUN: &str = "runhub.dev/run";

/// How a Job ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ended {
    /// All that was to be done is done.
    Complete,
    /// It gave up, and why.
    Failed(String),
}

/// How a Job ended; nothing while it has not.
pub(super) fn ended(job: &Value) -> Option<Ended> {
    let holds = |name| condition(job, name).filter(|found| text(found, "status") == "True");
    if let Some(failed) = holds("Failed") {
        let words = [text(failed, "reason"), text(failed, "message")];
        return Some(Ended::Failed(
            words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(": "),
        ));
    }
    holds("Complete").map(|_| Ended::Complete)
}

/// How far a Job that has not ended has come, in one line.
pub(super) fn line(job: &Value) -> String {
    if job.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return "the job is suspended".into();
    }
    let wanted = ["completions", "parallelism"].iter().find_map(|field| job.get("spec")?.get(field)?.as_i64());
    let (done, active, failed) = (status(job, "succeeded"), status(job, "active"), status(job, "failed"));
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{done} of {} succeeded, {active} active{failed}", wanted.unwrap_or(1))
}

/// Waits until the Job of this UID has ended; one that failed is a failure.
///
/// # Errors
/// When it failed, is gone or was replaced, or a hopeless cause stays.
pub(super) async fn await_end(context: &Context, address: &Address, uid: &str) -> Result<Waited, Failure> {
    let started = Instant::now();
    let mut follow = Follow::object(context, address);
    let mut explainer = None;
    let mut observations = 0;
    loop {
        let Some(job) = follow.next().await? else { return Err(gone(address)) };
        observations += 1;
        if ObjectId::of(&job).uid != uid {
            let message = format!("{address} was replaced by another of its name while it was waited for");
            return Err(Failure::new(Class::Conflict, message));
        }
        match ended(&job) {
            Some(Ended::Complete) => return Ok(Waited { object: job, observations, elapsed: started.elapsed() }),
            Some(Ended::Failed(why)) => return Err(failed(context, &job, &why).await),
            None => {}
        }
        let explainer = explainer.get_or_insert_with(|| Explainer::new(patience(&job)));
        explainer.look(context, &job, line(&job), false).await?;
    }
}

/// A container that is started again where it crashed is the Job's own way to try again: its backoff limit decides.
fn patience(job: &Value) -> Duration {
    let policy = job.pointer("/spec/template/spec/restartPolicy").and_then(Value::as_str);
    if policy == Some("OnFailure") { Duration::MAX } else { FAIL_FAST }
}

/// The failure of a Job that gave up: its own words, its pods' and the last event's.
pub(super) async fn failed(context: &Context, job: &Value, why: &str) -> Failure {
    let mut cause = explain(context, job, why).await.unwrap_or_default();
    for exit in pods_of(context, job).await.unwrap_or_default().iter().flat_map(exits) {
        cause.push(exit);
    }
    let failure = Failure::new(Class::Hopeless, format!("{} failed: {why}", ObjectId::of(job))).because(cause);
    failure.help("its `logs` say more, as long as its pods are there")
}

/// How the containers of a pod ended that did not end well.
fn exits(pod: &Value) -> Vec<String> {
    let name = ObjectId::of(pod).name;
    let statuses = ["initContainerStatuses", "containerStatuses"]
        .iter()
        .filter_map(|field| pod.get("status")?.get(field)?.as_array())
        .flatten();
    let ends = statuses.filter_map(|container| {
        let state = |of: &str| container.get(of)?.get("terminated");
        let end = state("state").or_else(|| state("lastState"))?;
        let code = end.get("exitCode").and_then(Value::as_i64).filter(|code| *code != 0)?;
        let words = format!("{} {}", text(end, "reason"), text(end, "message"));
        Some(format!("container {name}/{}: exit code {code} {}", text(container, "name"), words.trim()))
    });
    ends.map(|line| line.trim_end().to_owned()).collect()
}

/// A name of its own for a Job that is made from something else.
pub(super) fn fresh_name(stem: &str) -> String {
    let suffix: String = (0..5).map(|_| fastrand::alphanumeric().to_ascii_lowercase()).collect();
    let room = LONGEST_NAME - suffix.len() - 1;
    let stem: String = stem.chars().take(room).collect();
    format!("{}-{suffix}", stem.trim_end_matches(['-', '.']))
}

/// Notes on an object that this run made it.
pub(super) fn mark(manifest: &mut Value, run: &str) {
    annotate(manifest, RUN, run);
}

/// Writes an annotation into a manifest.
pub(super) fn annotate(manifest: &mut Value, name: &str, value: &str) {
    let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let notes = metadata.entry("annotations").or_insert_with(|| json!({}));
    super::set(notes, name, value);
}

/// Where a Job of this name lies.
pub(super) fn address(namespace: &str, name: &str) -> Result<Address, Failure> {
    JOB.at(Some(namespace), name).map_err(|error| failure::of_error(&error.into(), &format!("job {name}")))
}

/// The Job at an address, if this very run made it.
pub(super) async fn of_this_run(context: &Context, address: &Address) -> Result<Option<Value>, Failure> {
    let mark = format!("/metadata/annotations/{}", RUN.replace('/', "~1"));
    let ours = |job: &Value| job.pointer(&mark).and_then(Value::as_str) == Some(&context.facts().run);
    Ok(context.find(address).await?.filter(ours))
}

/// The creation of a Job, ready to be sent.
pub(super) fn creation(address: &Address, manifest: Value, summary: String) -> Proposal {
    Proposal {
        verb: Verb::Create,
        address: Some(address.clone()),
        object: ObjectId { uid: String::new(), ..ObjectId::of(&manifest) },
        summary,
        request: request(address, manifest),
        before: None,
        written: Vec::new(),
        reversal: Reversal::Cannot(NO_WAY_BACK.into()),
        pods: 0,
    }
}

/// The request that creates a Job.
pub(super) fn request(address: &Address, manifest: Value) -> Request<Write> {
    address.collection().create(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_ends_by_its_conditions_alone() {
        let job = |conditions: Value| json!({"status": {"succeeded": 1, "conditions": conditions}});
        assert_eq!(ended(&job(json!([]))), None);
        assert_eq!(ended(&job(json!([{"type": "Complete", "status": "True"}]))), Some(Ended::Complete));
        assert_eq!(ended(&job(json!([{"type": "Failed", "status": "False"}]))), None);
        let failed =
            json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}]);
        assert_eq!(ended(&job(failed)), Some(Ended::Failed("BackoffLimitExceeded: too often".into())));
    }

    #[test]
    fn the_line_counts_what_is_done() {
        let job = json!({"spec": {"completions": 3}, "status": {"succeeded": 1, "active": 2, "failed": 1}});
        assert_eq!(line(&job), "1 of 3 succeeded, 2 active, 1 failed");
        assert_eq!(line(&json!({"spec": {"suspend": true}})), "the job is suspended");
    }

    #[test]
    fn a_container_that_ended_badly_is_named_with_its_code() {
        let pod = json!({"metadata": {"name": "migrate-x"}, "status": {"containerStatuses": [
            {"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}},
            {"name": "side", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}});
        assert_eq!(exits(&pod), ["container migrate-x/main: exit code 3 Error"]);
    }

    proptest::proptest! {
        #[test]
        fn a_fresh_name_is_a_legal_name(stem in "[a-z0-9]([a-z0-9-]{0,80}[a-z0-9])?(\\.[a-z0-9]{1,9})?") {
            let name = fresh_name(&stem);
            proptest::prop_assert!(name.len() <= LONGEST_NAME);
            let edges = name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
                && name.ends_with(|letter: char| letter.is_ascii_alphanumeric());
            proptest::prop_assert!(edges && !name.contains(".-"));
        }
    }
}
