//! Plays the past of the demo world under virtual time, and writes down what it leaves.

use std::fmt::Write as _;

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::{Clock, Timestamp};
use crate::simulator::controllers::Controllers;
use crate::simulator::fate::{PodFates, PodRule};
use crate::simulator::object::{self, controller, list, name, namespace, text, uid};
use crate::simulator::resource::{RESOURCES, by_kind};
use crate::simulator::scenario::Timing;
use crate::simulator::schema;
use crate::simulator::store::Store;

const HISTORY: &str = include_str!("history.json");

/// The present of the world that is written down; any would do.
const PRESENT: &str = "2026-03-04T12:00:00Z";

/// What happened when; what becomes of pods in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    pods: Vec<PodRule>,
    history: Vec<Chapter>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Chapter {
    minutes_ago: i64,
    objects: Vec<Value>,
    patches: Vec<Value>,
}

impl Chapter {
    fn happen(self, store: &Store) {
        for object in self.objects {
            store.seed(plural(&object), in_form(object)).expect("new");
        }
        for patch in self.patches {
            let merge = |object: &mut Value| {
                json_patch::merge(object, &patch);
                Ok(())
            };
            store.update(plural(&patch), namespace(&patch), name(&patch), None, merge).expect("there");
        }
    }
}

fn plural(object: &Value) -> &'static str {
    by_kind(text(object, "/apiVersion"), text(object, "/kind")).expect("a known kind").plural
}

/// A pace at which a cluster of this size lives.
fn pace() -> Timing {
    let millis = std::time::Duration::from_millis;
    Timing {
        scheduled: millis(50),
        pulled: millis(2_000),
        ready: millis(5_000),
        job: millis(9_000),
        ended: millis(2_000),
        back_off: millis(10_000),
        observed: millis(100),
    }
}

/// An object as the API server would have taken it.
fn in_form(mut object: Value) -> Value {
    let kind = schema::of_kind(text(&object, "/apiVersion"), text(&object, "/kind")).expect("a known kind");
    schema::decode(kind, &mut object).expect("decodable");
    object
}

/// Plays the history; needs a paused runtime of one thread.
pub(super) async fn play() -> Store {
    let history: History = serde_json::from_str(HISTORY).expect("legal");
    let present: Timestamp = PRESENT.parse().expect("a stamp");
    let began = present - TimeDelta::minutes(history.history[0].minutes_ago);
    fastrand::seed(20_260_304);
    let clock = Clock::starting_at(began);
    let store = Store::new(clock);
    for space in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        store.seed("namespaces", json!({"metadata": {"name": space}})).expect("new");
    }
    let _controllers = Controllers::start(&store, clock, pace(), PodFates::new(history.pods));
    for chapter in history.history {
        let moment = present - TimeDelta::minutes(chapter.minutes_ago);
        tokio::time::sleep((moment - clock.now()).to_std().unwrap_or_default()).await;
        chapter.happen(&store);
    }
    tokio::time::sleep((present - clock.now()).to_std().expect("still to come")).await;
    store
}

/// The world as its file has it: one object a line, stamps as spans.
pub(super) fn written(store: &Store) -> String {
    let present: Timestamp = PRESENT.parse().expect("a stamp");
    let (mut objects, mut logs) = (Vec::new(), Vec::new());
    for resource in RESOURCES {
        for found in store.list(resource.plural, None).0 {
            let mut object = Value::clone(&found);
            let is_forgotten = text(&object, "/lastTimestamp")
                .parse::<Timestamp>()
                .is_ok_and(|last| resource.plural == "events" && present - last > TimeDelta::hours(1));
            if is_forgotten {
                continue;
            }
            let anchor = anchor(store, &object, present);
            logs.extend(logs_of(store, &object, &anchor));
            object::remove(&mut object, &["metadata", "resourceVersion"]);
            object::remove(&mut object, &["involvedObject", "resourceVersion"]);
            anchor.relate(&mut object);
            objects.push(object);
        }
    }
    let mut file = String::from("{\n\"objects\": [\n");
    lines(&mut file, &objects);
    file.push_str("],\n\"logs\": [\n");
    lines(&mut file, &logs);
    file.push_str("]\n}\n");
    file
}

fn lines(file: &mut String, values: &[Value]) {
    for (index, value) in values.iter().enumerate() {
        let comma = if index + 1 == values.len() { "" } else { "," };
        writeln!(file, "{value}{comma}").expect("texts grow");
    }
}

fn logs_of(store: &Store, pod: &Value, anchor: &Anchor) -> Vec<Value> {
    let containers = list(pod, "/status/containerStatuses").iter();
    containers
        .map(|status| {
            let container = text(status, "/name");
            let log = store.pod_log(namespace(pod), name(pod), container);
            let said = log.current.iter().map(|line| json!([object::stamp(line.at), line.text]));
            let mut log = json!({
                "namespace": namespace(pod), "pod": name(pod), "container": container,
                "lines": said.collect::<Vec<_>>(),
            });
            anchor.relate(&mut log);
            log
        })
        .collect()
}

/// The moment that the stamps of an object count from.
struct Anchor {
    name: String,
    moment: Timestamp,
}

/// What a `CronJob` made counts from its last moment, all else from the present.
fn anchor(store: &Store, object: &Value, present: Timestamp) -> Anchor {
    let last = text(object, "/status/lastScheduleTime").parse::<Timestamp>();
    if let Ok(moment) = last {
        return Anchor { name: name(object).to_owned(), moment };
    }
    let keepers = ["jobs", "cronjobs"];
    let owner = controller(object).and_then(|owner| {
        let mut all = keepers.iter().flat_map(|kind| store.list(kind, None).0);
        all.find(|keeper| uid(keeper) == text(owner, "/uid"))
    });
    owner.map_or_else(|| Anchor { name: "now".to_owned(), moment: present }, |owner| anchor(store, &owner, present))
}

impl Anchor {
    /// Puts spans in the place of stamps, wherever they are.
    fn relate(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let minutes = (self.moment.timestamp() / 60).to_string();
                if let (20, Ok(moment)) = (text.len(), text.parse::<Timestamp>()) {
                    *text = format!("@{}{:+}", self.name, (moment - self.moment).num_seconds());
                } else if self.name != "now" && text.contains(&minutes) {
                    *text = text.replace(&minutes, &format!("@{}.minutes", self.name));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.relate(item)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.relate(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
