//! `events`: what happened to an object and to what it owns, oldest first.
//!
//! Matched by UID, never by name: an object that was made anew does not
//! inherit the events of the one before. The whole list is read: a limit that
//! a server applies before we filter would hide events.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::target::is_owned;
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{KindRow, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};

const RULE: TargetRule = TargetRule {
    kinds: &[
        "deployment",
        "statefulset",
        "daemonset",
        "replicaset",
        "pod",
        "job",
        "cronjob",
        "node",
        "namespace",
        "service",
        "configmap",
        "secret",
    ],
    sets: false,
    container: false,
    object: true,
    required: true,
};

/// Where servers put the events of objects that lie in no namespace.
const NOWHERE: &str = "default";

/// Reads all events of an object and of what it owns; of a namespace, all events in it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {}

#[derive(Debug)]
struct Events {
    target: Target,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "events",
    help: "of an object and what it owns, complete, oldest first",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, Arguments {}) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Events { target: target? }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Events {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let object = context.get(&context.one(&self.target).await?).await?;
        let id = ObjectId::of(&object);
        let whole = id.kind == "Namespace";
        let namespace = match (whole, id.namespace.as_str()) {
            (true, _) => &id.name,
            (false, "") => NOWHERE,
            (false, namespace) => namespace,
        };
        let uids = if whole { Vec::new() } else { family(context, &object).await? };
        let mut items = listed(context, "event", namespace).await?;
        items.retain(|event| whole || regards(event, &uids));
        sort(&mut items);
        let info = json!({"objects": uids.len(), "events": items.len()});
        Ok(Observed { result: json!({"items": items}), info, ..Observed::default() })
    }
}

/// Oldest first; those of one moment by their names, so that the order is always the same.
pub(super) fn sort(events: &mut [Value]) {
    events.sort_by_cached_key(|event| (moment(event), ObjectId::of(event).name));
}

/// The UIDs of an object and of all that it owns, directly or through what it owns.
async fn family(context: &Context, object: &Value) -> Result<Vec<String>, Failure> {
    let id = ObjectId::of(object);
    let mut uids = vec![id.uid];
    // The kubelet writes a node's name where its UID belongs.
    if id.kind == "Node" {
        uids.push(id.name);
    }
    for kind in below(&id.kind) {
        let items = listed(context, kind, &id.namespace).await?;
        let owned: Vec<String> =
            items.iter().filter(|item| is_owned(item, &uids)).map(|item| ObjectId::of(item).uid).collect();
        uids.extend(owned);
    }
    Ok(uids)
}

/// The kinds that an object of a kind owns, those between first.
fn below(kind: &str) -> &'static [&'static str] {
    match kind {
        "Deployment" => &["replicaset", "pod"],
        "CronJob" => &["job", "pod"],
        "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => &["pod"],
        _ => &[],
    }
}

async fn listed(context: &Context, kind: &str, namespace: &str) -> Result<Vec<Value>, Failure> {
    let Some(row) = KindRow::of_singular(kind) else {
        return Err(Failure::new(Class::Unsupported, format!("no kind {kind}")));
    };
    context.list_all(row, namespace).await
}

/// Whether an event is about one of these objects; the newer API says `regarding`.
fn regards(event: &Value, uids: &[String]) -> bool {
    ["/involvedObject/uid", "/regarding/uid"]
        .iter()
        .filter_map(|pointer| event.pointer(pointer)?.as_str())
        .any(|uid| uids.iter().any(|known| known == uid))
}

/// When an event was last seen; events of the newer API write other fields than those of the old one.
pub(super) fn moment(event: &Value) -> Option<DateTime<Utc>> {
    let fields = [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/firstTimestamp",
        "/deprecatedLastTimestamp",
        "/metadata/creationTimestamp",
    ];
    fields.iter().find_map(|field| event.pointer(field)?.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, deployment, pod_of, ready};
    use super::*;

    fn event(name: &str, uid: &str, times: Value) -> Value {
        let mut event = json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": "2026-01-01T00:00:09Z"},
            "involvedObject": {"uid": uid}});
        for (field, value) in times.as_object().unwrap() {
            event[field] = value.clone();
        }
        event
    }

    #[test]
    fn old_and_new_events_are_put_into_one_order() {
        let at = |times| moment(&event("e", "u", times)).map(|moment| moment.timestamp() % 60);
        assert_eq!(
            at(json!({"lastTimestamp": "2026-01-01T00:00:03Z", "firstTimestamp": "2026-01-01T00:00:01Z"})),
            Some(3)
        );
        assert_eq!(at(json!({"lastTimestamp": null, "eventTime": "2026-01-01T00:00:04.123456Z"})), Some(4));
        let series =
            json!({"eventTime": "2026-01-01T00:00:04Z", "series": {"lastObservedTime": "2026-01-01T00:00:07Z"}});
        assert_eq!(at(series), Some(7));
        assert_eq!(at(json!({})), Some(9));
    }

    #[tokio::test(start_paused = true)]
    async fn the_events_of_the_whole_family_come_oldest_first_and_no_namesakes() {
        let web = deployment("shop", "web", 1);
        let mut set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web-1", "namespace": "shop", "uid": "rs"}});
        set["metadata"]["ownerReferences"] = json!([{"uid": "web-uid"}]);
        let pod = pod_of(&set, "web-1-a", "p1");
        let at = |second: u32| json!({"lastTimestamp": format!("2026-01-01T00:00:{second:02}Z")});
        let stage = Stage::new([
            web,
            set,
            pod,
            event("a", "p1", at(3)),
            event("b", "web-uid", at(1)),
            event("c", "rs", at(2)),
            event("d", "an-older-web", at(0)),
        ]);
        let seen = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap();
        let names: Vec<String> =
            seen.result["items"].as_array().unwrap().iter().map(|event| ObjectId::of(event).name).collect();
        assert_eq!(names, ["b", "c", "a"]);
        assert_eq!(seen.info, json!({"objects": 3, "events": 3}));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_not_there_has_no_events_to_show() {
        let failure = ready(&ROW, "pod: shop/gone").act(&Stage::new([]).context()).await.unwrap_err();
        assert_eq!(failure.class, Class::NotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn a_namespace_shows_all_of_its_events() {
        let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "n"}});
        let stage = Stage::new([shop, event("a", "p1", json!({})), event("b", "p2", json!({}))]);
        let seen = ready(&ROW, "namespace: shop").act(&stage.context()).await.unwrap();
        assert_eq!(seen.result["items"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_node_is_known_by_its_name_too() {
        assert!(regards(&event("e", "n1", json!({})), &["node-uid".into(), "n1".into()]));
        assert!(regards(&json!({"regarding": {"uid": "u"}}), &["u".into()]));
        assert!(!regards(&json!({}), &["u".into()]));
    }
}
