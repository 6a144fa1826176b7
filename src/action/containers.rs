//! `containers`: what a pod's spec wants of each container, beside what its status says.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::wait::pods_of;
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{Target, TargetRule};
use crate::event::{Failure, ObjectId};

const RULE: TargetRule = TargetRule {
    kinds: &["pod", "deployment", "statefulset", "daemonset", "replicaset", "job"],
    sets: true,
    container: false,
    object: false,
    required: true,
};

/// Reads the containers of pods; of a workload, those of all its pods.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {}

#[derive(Debug)]
struct Containers {
    target: Target,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "containers",
    help: "the containers of pods: image, state, restarts, ports",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, Arguments {}) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Containers { target: target? }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Containers {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let (objects, complete) = match &self.target {
            Target::Set(set) => {
                let selection = context.select(set, 0).await?;
                (selection.items, selection.complete)
            }
            one => (vec![context.get(&context.one(one).await?).await?], true),
        };
        let mut pods = Vec::new();
        for object in objects {
            if ObjectId::of(&object).kind == "Pod" {
                pods.push(object);
            } else {
                pods.extend(pods_of(context, &object).await?);
            }
        }
        pods.sort_by_cached_key(|pod| {
            let id = ObjectId::of(pod);
            (id.namespace, id.name)
        });
        let items: Vec<Value> = pods.iter().flat_map(rows).collect();
        let total = items.len();
        let info = json!({"pods": pods.len(), "complete": complete});
        Ok(Observed { result: json!({"items": items, "total": total}), info, ..Observed::default() })
    }
}

/// A row for each container of a pod, init containers first.
fn rows(pod: &Value) -> Vec<Value> {
    let lists = [
        ("initContainers", "initContainerStatuses", "init"),
        ("containers", "containerStatuses", "container"),
        ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
    ];
    lists
        .into_iter()
        .flat_map(|(specs, statuses, kind)| {
            let list = |part: &str, field: &str| -> Vec<Value> {
                pod.get(part).and_then(|part| part.get(field)?.as_array()).cloned().unwrap_or_default()
            };
            let statuses = list("status", statuses);
            list("spec", specs)
                .into_iter()
                .map(move |spec| {
                    let status = statuses.iter().find(|status| status.get("name") == spec.get("name"));
                    row(pod, kind, &spec, status)
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

fn row(pod: &Value, kind: &str, spec: &Value, status: Option<&Value>) -> Value {
    let id = ObjectId::of(pod);
    let of = |field: &str| status.and_then(|status| status.get(field)).cloned();
    let state = of("state").unwrap_or_default();
    let (word, detail) = state
        .as_object()
        .and_then(|state| state.iter().next())
        .map_or(("waiting", &Value::Null), |(word, detail)| (word.as_str(), detail));
    let ports: Vec<String> = spec.get("ports").and_then(Value::as_array).into_iter().flatten().map(port).collect();
    json!({
        "namespace": id.namespace,
        "pod": id.name,
        "name": spec.get("name"),
        "kind": kind,
        "image": spec.get("image"),
        "image-id": of("imageID"),
        "ready": of("ready").unwrap_or(Value::Bool(false)),
        "restarts": of("restartCount").unwrap_or_else(|| 0.into()),
        "state": word,
        "reason": detail.get("reason"),
        "exit-code": detail.get("exitCode"),
        "last-state": of("lastState").filter(|last| last.as_object().is_some_and(|last| !last.is_empty())),
        "ports": ports,
    })
}

/// A port as people write it: `8080/TCP`.
fn port(port: &Value) -> String {
    let number = port.get("containerPort").and_then(Value::as_u64).unwrap_or_default();
    format!("{number}/{}", port.get("protocol").and_then(Value::as_str).unwrap_or("TCP"))
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, deployment, pod, ready};
    use super::*;

    fn web() -> Value {
        let mut pod = pod("shop", "web-1", "u");
        pod["spec"] = json!({"initContainers": [{"name": "init", "image": "busybox"}],
            "containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]}]});
        pod["status"]["containerStatuses"] = json!([{"name": "web", "ready": false, "restartCount": 4, "imageID": "sha256:a",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]);
        pod
    }

    #[tokio::test(start_paused = true)]
    async fn spec_and_status_are_one_row_and_init_containers_come_first() {
        let seen = ready(&ROW, "pod: shop/web-1").act(&Stage::new([web()]).context()).await.unwrap();
        assert_eq!(seen.result["total"], 2);
        let row = &seen.result["items"][1];
        assert_eq!(
            (&row["state"], &row["reason"], &row["restarts"]),
            (&json!("waiting"), &json!("CrashLoopBackOff"), &json!(4))
        );
        assert_eq!(
            (&row["ports"], &row["last-state"]["terminated"]["exitCode"]),
            (&json!(["80/TCP", "53/UDP"]), &json!(137))
        );
        let init = &seen.result["items"][0];
        assert_eq!((&init["kind"], &init["state"], &init["ready"]), (&json!("init"), &json!("waiting"), &json!(false)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_workload_gives_those_of_its_pods_and_a_set_those_of_each() {
        let mut set = deployment("shop", "web", 1);
        set["kind"] = "StatefulSet".into();
        let mut mine = web();
        mine["metadata"]["ownerReferences"] = json!([{"uid": "web-uid"}]);
        let stage = Stage::new([set, mine, pod("shop", "other", "o")]);
        assert_eq!(ready(&ROW, "statefulset: shop/web").act(&stage.context()).await.unwrap().info["pods"], 1);
        assert_eq!(ready(&ROW, "pods: {in: shop}").act(&stage.context()).await.unwrap().info["pods"], 2);
    }
}
