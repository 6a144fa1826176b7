//! Waiting until pods that were told to go are gone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::super::Context;
use super::super::wait::{FAIL_FAST, pods_of};
use crate::event::{Class, Failure, ObjectId};

/// Waits until none of the old pods is left, by UID: a rollout counts a pod out as soon as it is told to go.
///
/// # Errors
/// When one has outlived its grace period for long: nothing here will end it.
pub(super) async fn await_gone(context: &Context, object: &Value, old: Vec<Value>) -> Result<(), Failure> {
    let mut leaving: BTreeMap<String, Option<Instant>> = old.iter().map(|pod| (ObjectId::of(pod).uid, None)).collect();
    let mut pause = Duration::from_millis(20);
    loop {
        let mut left = pods_of(context, object).await?;
        left.retain(|pod| leaving.contains_key(&ObjectId::of(pod).uid));
        if left.is_empty() {
            return Ok(());
        }
        for pod in &left {
            overdue(pod, leaving.entry(ObjectId::of(pod).uid).or_default())?;
        }
        let names: Vec<String> = left.iter().map(|pod| ObjectId::of(pod).name).collect();
        context.waiting(&format!("{} old pods to go: {}", left.len(), names.join(", ")), Vec::new());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Complains about a pod that should have ended a while ago, counted from when it was first seen to go.
fn overdue(pod: &Value, since: &mut Option<Instant>) -> Result<(), Failure> {
    if pod.pointer("/metadata/deletionTimestamp").is_none() {
        return Ok(());
    }
    let grace = pod.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_u64).unwrap_or(30);
    let since = since.get_or_insert_with(Instant::now);
    if since.elapsed() < Duration::from_secs(grace) + FAIL_FAST {
        return Ok(());
    }
    let id = ObjectId::of(pod);
    let message = format!("{id} was to end within {grace}s and is still there {FAIL_FAST:?} after that");
    Err(Failure::new(Class::Hopeless, message).because(vec![holding(pod)]).help(
        "look at its node and at what its finalizers wait for; `delete` with `grace-period: 0s` takes it off the record",
    ))
}

/// What keeps a pod that should have ended.
fn holding(pod: &Value) -> String {
    let finalizers = pod.pointer("/metadata/finalizers").and_then(Value::as_array);
    let names: Vec<&str> = finalizers.into_iter().flatten().filter_map(Value::as_str).collect();
    let node = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or("no node");
    match names.as_slice() {
        [] => format!("{} runs on {node}, which does not say that it has ended", ObjectId::of(pod)),
        names => format!("{} is held by finalizers: {}", ObjectId::of(pod), names.join(", ")),
    }
}
