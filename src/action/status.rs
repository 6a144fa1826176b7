//! `status`: an application space at a glance: its workloads, pods and events.
//!
//! All lists are read at once. One that cannot be read fails the step: a
//! glance that leaves something out would look like good news.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::events;
use super::rollout::{replicas, status};
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{KindRow, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};

const RULE: TargetRule =
    TargetRule { kinds: &["namespace"], sets: false, container: false, object: false, required: true };

/// The lists, by the word for their kind.
const LANES: [&str; 5] = ["deployment", "statefulset", "daemonset", "pod", "event"];

/// The phases of pods, as they are counted.
const PHASES: [(&str, &str); 4] =
    [("Running", "running"), ("Pending", "pending"), ("Succeeded", "succeeded"), ("Failed", "failed")];

/// Counts what an application space holds and how well it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// How many of the newest events; 5 where nothing is written.
    #[serde(default = "five")]
    events: usize,
}

fn five() -> usize {
    5
}

#[derive(Debug)]
struct Status {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "status",
    help: "an application space: workloads, pods, events; a list that cannot be read fails the step",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Status { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Status {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.one(&self.target).await?;
        exists(context, &address).await?;
        let [deployments, stateful, daemons, pods, events] = lanes(context, address.name()).await?;
        let workloads = [("Deployment", deployments), ("StatefulSet", stateful), ("DaemonSet", daemons)];
        let result = json!({
            "workloads": workloads.iter().map(|(kind, items)| ((*kind).to_owned(), counted(items))).collect::<Map<_, _>>(),
            "pods": phases(&pods),
            "events": newest(events, self.arguments.events),
        });
        let unready: Vec<String> =
            workloads.iter().flat_map(|(_, items)| items).filter(|item| !is_ready(item)).map(in_words).collect();
        Ok(Observed { result, info: json!({"unready": unready}), ..Observed::default() })
    }
}

/// A namespace that is not there has empty lists, which would look like peace.
///
/// Who may list inside a namespace may still be forbidden to read the namespace itself.
async fn exists(context: &Context, address: &crate::cluster::resource::Address) -> Result<(), Failure> {
    match context.get(address).await {
        Err(failure) if failure.class != Class::Forbidden => Err(failure),
        _ => Ok(()),
    }
}

async fn lanes(context: &Context, namespace: &str) -> Result<[Vec<Value>; 5], Failure> {
    let [first, second, third, fourth, fifth] = LANES.map(|kind| lane(context, kind, namespace));
    let ends: [_; 5] = tokio::join!(first, second, third, fourth, fifth).into();
    let failed: Vec<(&str, &Failure)> =
        LANES.into_iter().zip(&ends).filter_map(|(kind, end)| Some((kind, end.as_ref().err()?))).collect();
    if let [(_, first), ..] = failed.as_slice() {
        let lines: Vec<String> = failed.iter().map(|(kind, failure)| format!("{kind}s: {failure}")).collect();
        let message = format!("{} of {} lists could not be read: {}", failed.len(), LANES.len(), lines.join("; "));
        return Err(Failure { message, ..(*first).clone() });
    }
    Ok(ends.map(Result::unwrap_or_default))
}

async fn lane(context: &Context, kind: &str, namespace: &str) -> Result<Vec<Value>, Failure> {
    let Some(row) = KindRow::of_singular(kind) else {
        return Err(Failure::new(Class::Unsupported, format!("no kind {kind}")));
    };
    context.list_all(row, namespace).await
}

/// Wanted and ready pods of a workload.
fn numbers(workload: &Value) -> (i64, i64) {
    match ObjectId::of(workload).kind.as_str() {
        "DaemonSet" => (status(workload, "desiredNumberScheduled"), status(workload, "numberReady")),
        _ => (replicas(workload), status(workload, "readyReplicas")),
    }
}

/// One that is wanted nowhere is as it should be.
pub(super) fn is_ready(workload: &Value) -> bool {
    let (wanted, ready) = numbers(workload);
    wanted == ready
}

pub(super) fn in_words(workload: &Value) -> String {
    let (wanted, ready) = numbers(workload);
    format!("{}: {ready} of {wanted} ready", ObjectId::of(workload))
}

fn counted(items: &[Value]) -> Value {
    json!({"ready": items.iter().filter(|item| is_ready(item)).count(), "total": items.len()})
}

/// Pods by phase; those that are going are counted a second time as `terminating`.
fn phases(pods: &[Value]) -> Value {
    let phase = |pod: &Value| pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut counts = json!({});
    let mut known = 0;
    for (word, name) in PHASES {
        let count = pods.iter().filter(|pod| phase(pod) == word).count();
        known += count;
        super::set(&mut counts, name, count);
    }
    let going = pods.iter().filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_some()).count();
    super::set(&mut counts, "unknown", pods.len() - known);
    super::set(&mut counts, "terminating", going);
    super::set(&mut counts, "total", pods.len());
    counts
}

/// The newest events, oldest of them first.
fn newest(mut items: Vec<Value>, most: usize) -> Vec<Value> {
    events::sort(&mut items);
    let superfluous = items.len().saturating_sub(most);
    items.split_off(superfluous)
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, deployment, pod, ready, refusal};
    use super::*;

    fn shop() -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "n"}})
    }

    #[tokio::test(start_paused = true)]
    async fn everything_is_counted_and_the_sick_are_named() {
        let mut sick = deployment("shop", "sick", 3);
        sick["status"]["readyReplicas"] = 1.into();
        let mut going = pod("shop", "b", "p2");
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        let mut lost = pod("shop", "c", "p3");
        lost["status"] = json!({"phase": "Unknown"});
        let stage = Stage::new([
            shop(),
            deployment("shop", "web", 2),
            deployment("shop", "off", 0),
            sick,
            pod("shop", "a", "p1"),
            going,
            lost,
        ]);
        let seen = ready(&ROW, "namespace: shop").act(&stage.context()).await.unwrap();
        let workloads = &seen.result["workloads"];
        assert_eq!(workloads["Deployment"], json!({"ready": 2, "total": 3}));
        assert_eq!(workloads["DaemonSet"], json!({"ready": 0, "total": 0}));
        assert_eq!(
            seen.result["pods"],
            json!({"running": 2, "pending": 0, "succeeded": 0, "failed": 0, "unknown": 1, "terminating": 1, "total": 3})
        );
        assert_eq!(seen.info, json!({"unready": ["Deployment shop/sick: 1 of 3 ready"]}));
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_cannot_be_read_fails_the_step() {
        let stage = Stage::new([shop()]).refusing(|_, path, _| {
            path.ends_with("/statefulsets").then(|| refusal(403, "Forbidden", "statefulsets.apps is forbidden"))
        });
        let failure = ready(&ROW, "namespace: shop").act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.class, Class::Forbidden);
        assert!(failure.message.starts_with("1 of 5 lists could not be read: statefulsets: "), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_namespace_that_is_not_there_is_no_peace() {
        let failure = ready(&ROW, "namespace: shop").act(&Stage::new([]).context()).await.unwrap_err();
        assert_eq!(failure.class, Class::NotFound);
    }

    #[test]
    fn only_the_newest_events_are_kept() {
        let at =
            |second: u32| json!({"metadata": {"name": "e"}, "lastTimestamp": format!("2026-01-01T00:00:{second:02}Z")});
        assert_eq!(newest(vec![at(3), at(1), at(2)], 2), [at(2), at(3)]);
        assert_eq!(newest(vec![at(1)], 0), Vec::<Value>::new());
    }
}
