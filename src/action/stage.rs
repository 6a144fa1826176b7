//! A target in memory, for the tests of actions: objects by path, and a hand that moves them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::{Value, json};

use super::unbroken::Unbroken;
use super::{Action, ActionKind, Context, Made, OpenGate, RunFacts, Shared, Shelf};
use crate::clock::Clock;
use crate::cluster::provider::{self, Provider};
use crate::cluster::resource::Resource;
use crate::cluster::testing::{self, Script, Turn, answer};
use crate::cluster::transport::Wire;
use crate::document::{Mode, read};
use crate::event::{Fan, NoLedger, RunId, StepId};
use crate::secret::Redactor;
use crate::source::{Diagnostic, Source};
use crate::template::{Functions, Scope};

/// All objects, by path.
pub(super) type Objects = BTreeMap<String, Value>;

/// Moves objects after a request: a controller in a line.
type Hand = Box<dyn Fn(&mut Objects, &str, &str) + Send + Sync>;

/// Refuses requests, given method, path and how often this was asked before.
type Refuser = Box<dyn Fn(&str, &str, usize) -> Option<Turn> + Send + Sync>;

#[derive(Default)]
struct World {
    objects: Objects,
    hand: Option<Hand>,
    refuser: Option<Refuser>,
    asked: BTreeMap<String, usize>,
    version: u64,
}

/// A target in memory.
pub(super) struct Stage {
    world: Arc<Mutex<World>>,
    script: Arc<Script>,
    shared: Arc<Shared>,
}

impl Stage {
    pub(super) fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        Self::of(objects, provider::KUBERNETES)
    }

    /// A stage of the dialect that has middleware.
    pub(super) fn controlhub(objects: impl IntoIterator<Item = Value>) -> Self {
        Self::of(objects, provider::CONTROLHUB)
    }

    fn of(objects: impl IntoIterator<Item = Value>, provider: &'static dyn Provider) -> Self {
        let objects = objects.into_iter().map(|object| (path_of(&object), object)).collect();
        let world = Arc::new(Mutex::new(World { objects, version: 100, ..World::default() }));
        let played = Arc::clone(&world);
        let script = Script::ruled(move |wire| Some(played.lock().unwrap().play(wire)));
        let shared = Arc::new(Shared {
            client: testing::client_of(&script, provider),
            ledger: Arc::new(NoLedger::default()),
            fan: Arc::new(Fan::new(RunId("run-1".into()), "stage", clock(), Redactor::default(), Vec::new())),
            made: Made::default(),
            once: super::Choices::default(),
            unbroken: Unbroken::default(),
            gate: Arc::new(OpenGate),
            shelf: Arc::new(NoShelf),
            facts: RunFacts { run: "run-1".into(), book: "book".into(), ..RunFacts::default() },
        });
        Self { world, script, shared }
    }

    /// Moves objects after each request.
    pub(super) fn on(self, hand: impl Fn(&mut Objects, &str, &str) + Send + Sync + 'static) -> Self {
        self.world.lock().unwrap().hand = Some(Box::new(hand));
        self
    }

    /// Refuses some requests.
    pub(super) fn refusing(self, refuser: impl Fn(&str, &str, usize) -> Option<Turn> + Send + Sync + 'static) -> Self {
        self.world.lock().unwrap().refuser = Some(Box::new(refuser));
        self
    }

    /// The context of the step `step`.
    pub(super) fn context(&self) -> Context {
        let functions = Functions { jsonpath: |_, _| Ok(Vec::new()), clock: clock() };
        Context::new(Arc::clone(&self.shared), StepId("step".into()), Arc::new(Scope::new(functions)))
    }

    /// The changes that were made.
    pub(super) fn made(&self) -> Vec<super::MadeChange> {
        self.shared.made.all()
    }

    /// An object as it is now.
    pub(super) fn object(&self, like: &Value) -> Option<Value> {
        self.world.lock().unwrap().objects.get(&path_of(like)).cloned()
    }

    /// Method and path of all requests that change something, in order.
    pub(super) fn writes(&self) -> Vec<String> {
        let wires = self.script.wires();
        let changing = wires.iter().filter(|wire| wire.method != Method::GET && !is_rehearsed(wire));
        changing.map(|wire| format!("{} {}", wire.method, plain(&wire.path))).collect()
    }

    /// The body of the last request that changes something.
    pub(super) fn sent(&self) -> Value {
        let wires = self.script.wires();
        let last = wires.iter().rev().find(|wire| wire.method != Method::GET && !is_rehearsed(wire));
        last.map(body).unwrap_or_default()
    }
}

impl World {
    fn play(&mut self, wire: &Wire) -> Turn {
        let path = plain(&wire.path).to_owned();
        let asked = self.asked.entry(format!("{} {path}", wire.method)).or_default();
        *asked += 1;
        if let Some(turn) = self.refuser.as_ref().and_then(|refuse| refuse(wire.method.as_str(), &path, *asked)) {
            return turn;
        }
        let turn = match wire.method {
            // A watch stays silent, as behind a proxy that buffers: polls must do.
            Method::GET if wire.path.contains("watch=1") => Turn::Stream(Vec::new(), false),
            Method::GET => self.get(&path),
            Method::PATCH => self.patch(&path, wire),
            Method::DELETE => self.delete(&path, wire),
            Method::POST if path.ends_with("/eviction") => self.delete(path.trim_end_matches("/eviction"), wire),
            Method::POST => self.create(&path, wire),
            _ => refusal(405, "MethodNotAllowed", "not on this stage"),
        };
        self.move_on(wire.method.as_str(), &path);
        turn
    }

    /// Lets the hand move objects; what it moved has a new version, as on every server.
    fn move_on(&mut self, method: &str, path: &str) {
        let Some(hand) = &self.hand else { return };
        let before = self.objects.clone();
        hand(&mut self.objects, method, path);
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        for (path, object) in &mut self.objects {
            let moved = before.get(path).filter(|before| *before != object);
            if moved.is_some_and(|before| version(before) == version(object)) {
                self.version += 1;
                object["metadata"]["resourceVersion"] = self.version.to_string().into();
            }
        }
    }

    fn get(&self, path: &str) -> Turn {
        if let Some(object) = self.objects.get(path) {
            return answer(200, object.to_string());
        }
        let (root, plural) = path.rsplit_once('/').unwrap_or_default();
        if !plural.ends_with('s') || plural.contains('-') {
            return absent(path);
        }
        let within = |at: &str| {
            at.strip_prefix(root).is_some_and(|rest| {
                let rest = rest
                    .strip_prefix("/namespaces/")
                    .and_then(|rest| rest.split_once('/'))
                    .map_or(rest.trim_start_matches('/'), |(_, rest)| rest);
                rest.split_once('/').is_some_and(|(word, _)| word == plural)
            })
        };
        let items: Vec<&Value> = self.objects.iter().filter(|(at, _)| within(at)).map(|(_, object)| object).collect();
        answer(200, json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items}).to_string())
    }

    fn patch(&mut self, path: &str, wire: &Wire) -> Turn {
        let Some(before) = self.objects.get(path).cloned() else {
            let applies = wire.headers.get("content-type").is_some_and(|kind| kind == "application/apply-patch+yaml");
            return match path.rsplit_once('/').filter(|_| applies) {
                Some((collection, _)) => self.create(collection, wire),
                None => absent(path),
            };
        };
        let (mut after, change) = (before.clone(), body(wire));
        if change.is_array() {
            let operations: json_patch::Patch = serde_json::from_value(change).unwrap();
            if json_patch::patch(&mut after, &operations).is_err() {
                return refusal(422, "Invalid", "the server rejected our request due to an error in our request");
            }
        } else {
            let stale = |field: &str| {
                change.pointer(field).is_some_and(|wanted| before.pointer(field).is_some_and(|found| found != wanted))
            };
            if stale("/metadata/resourceVersion") || stale("/metadata/uid") {
                return refusal(409, "Conflict", "the object has been modified");
            }
            json_patch::merge(&mut after, &change);
        }
        if after
            .pointer("/metadata/annotations")
            .is_some_and(|notes| notes.as_object().is_some_and(serde_json::Map::is_empty))
        {
            after["metadata"].as_object_mut().unwrap().remove("annotations");
        }
        if after != before {
            self.version += 1;
            after["metadata"]["resourceVersion"] = self.version.to_string().into();
            if after["spec"] != before["spec"] {
                after["metadata"]["generation"] = (before["metadata"]["generation"].as_i64().unwrap_or(0) + 1).into();
            }
        }
        if !is_rehearsed(wire) {
            self.objects.insert(path.to_owned(), after.clone());
        }
        answer(200, after.to_string())
    }

    fn create(&mut self, collection: &str, wire: &Wire) -> Turn {
        let mut object = body(wire);
        let path = format!("{collection}/{}", object["metadata"]["name"].as_str().unwrap_or_default());
        if self.objects.contains_key(&path) {
            return refusal(409, "AlreadyExists", "it already exists");
        }
        self.version += 1;
        object["metadata"]["uid"] = format!("uid-{}", self.version).into();
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        if !is_rehearsed(wire) {
            self.objects.insert(path, object.clone());
        }
        answer(201, object.to_string())
    }

    fn delete(&mut self, path: &str, wire: &Wire) -> Turn {
        let Some(object) = self.objects.get(path) else { return absent(path) };
        let options = body(wire);
        let options = options.get("deleteOptions").unwrap_or(&options).clone();
        for field in ["uid", "resourceVersion"] {
            let wanted = options.pointer(&format!("/preconditions/{field}"));
            if wanted.is_some_and(|wanted| object["metadata"].get(field) != Some(wanted)) {
                return refusal(409, "Conflict", "Precondition failed");
            }
        }
        if is_rehearsed(wire) {
            return answer(201, json!({"kind": "Status", "status": "Success"}).to_string());
        }
        let finalizers = object.pointer("/metadata/finalizers").is_some();
        if finalizers {
            let object = self.objects.get_mut(path).unwrap();
            object["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z".into();
            return answer(200, object.to_string());
        }
        self.objects.remove(path);
        answer(200, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}).to_string())
    }
}

#[derive(Debug)]
struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, name: &str, _: &[u8]) -> Result<String, String> {
        Ok(name.to_owned())
    }
}

fn clock() -> Clock {
    Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap())
}

fn plain(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

fn is_rehearsed(wire: &Wire) -> bool {
    wire.path.contains("dryRun=All") || body(wire).get("dryRun").is_some()
}

fn body(wire: &Wire) -> Value {
    wire.body.as_ref().map(|body| serde_json::from_slice(body).unwrap()).unwrap_or_default()
}

/// A refusal in the words of an API server.
pub(super) fn refusal(code: u16, reason: &str, message: &str) -> Turn {
    answer(
        code,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": {"name": "x"}, "code": code})
        .to_string(),
    )
}

fn absent(path: &str) -> Turn {
    refusal(404, "NotFound", &format!("\"{}\" not found", path.rsplit('/').next().unwrap_or_default()))
}

/// Where an object lies.
pub(super) fn path_of(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let resource = Resource::of_kind(text("/kind")).unwrap();
    let namespace = Some(text("/metadata/namespace")).filter(|namespace| !namespace.is_empty());
    resource.at(namespace, text("/metadata/name")).unwrap().path().to_string()
}

/// An action as a book writes its arguments.
pub(super) fn ready(row: &ActionKind, yaml: &str) -> Box<dyn Action> {
    let (action, out) = decoded(row, yaml, Mode::Whole);
    assert!(out.is_empty(), "{yaml}: {out:?}");
    action.unwrap()
}

/// What is wrong with the arguments of an action.
pub(super) fn complaints(row: &ActionKind, yaml: &str) -> Vec<Diagnostic> {
    decoded(row, yaml, Mode::Whole).1
}

/// An action read from the arguments as a book writes them.
pub(super) fn decoded(row: &ActionKind, yaml: &str, mode: Mode) -> (Option<Box<dyn Action>>, Vec<Diagnostic>) {
    let (node, mut out) = read(&Source::new("book.yaml", yaml));
    let action = (row.decode)(&node.unwrap(), mode, &mut out);
    (action, out)
}

/// A pod that runs and is ready.
pub(super) fn pod(namespace: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "uid": uid, "resourceVersion": "1"},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}

/// A pod that runs, is ready, and is owned by an object.
pub(super) fn pod_of(owner: &Value, name: &str, uid: &str) -> Value {
    let mut member = pod(owner["metadata"]["namespace"].as_str().unwrap(), name, uid);
    member["metadata"]["ownerReferences"] =
        json!([{"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}]);
    member
}

/// A deployment that has arrived.
pub(super) fn deployment(namespace: &str, name: &str, replicas: u32) -> Value {
    let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name, "uid": format!("{name}-uid"), "resourceVersion": "7", "generation": 1},
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "web", "image": "registry.example/web:1.0"}]}}},
        "status": {}});
    arrived(&mut object);
    object
}

/// Lets a deployment arrive where its spec wants it.
pub(super) fn arrived(object: &mut Value) {
    let (generation, wanted) = (object["metadata"]["generation"].clone(), object["spec"]["replicas"].clone());
    object["status"] = json!({"observedGeneration": generation, "replicas": wanted, "updatedReplicas": wanted,
        "readyReplicas": wanted, "availableReplicas": wanted});
}
