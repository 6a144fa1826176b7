//! The simulated cluster behind a gate that counts, and kills.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use runhub::clock::Clock;
use runhub::simulator::Simulator;
use runhub::simulator::scenario::Scenario;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::kit::{Case, Ended};

/// When the client is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The request has left, and never arrives.
    Before,
    /// The server has done what was asked; the answer never arrives.
    After,
}

/// Counts requests, and kills at one of them.
#[derive(Debug)]
pub(super) struct Gate {
    at: Option<(usize, Moment)>,
    seen: AtomicUsize,
    victim: Mutex<Option<Arc<Mutex<Child>>>>,
}

impl Gate {
    /// Kills at the n-th request.
    pub(super) fn at(request: usize, moment: Moment) -> Self {
        Self { at: Some((request, moment)), ..Self::open() }
    }

    /// Lets everything pass.
    pub(super) fn open() -> Self {
        Self { at: None, seen: AtomicUsize::new(0), victim: Mutex::default() }
    }

    fn kill(&self) {
        if let Some(child) = self.victim.lock().unwrap().take() {
            // One that has ended already cannot be killed.
            let _ = child.lock().unwrap().kill();
        }
    }

    fn hits(&self, number: usize, moment: Moment) -> bool {
        self.at == Some((number, moment))
    }
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let number = gate.seen.fetch_add(1, Ordering::SeqCst) + 1;
    if gate.hits(number, Moment::Before) {
        gate.kill();
        std::future::pending::<()>().await;
    }
    let response = next.run(request).await;
    if gate.hits(number, Moment::After) {
        gate.kill();
        std::future::pending::<()>().await;
    }
    response
}

/// A cluster that outlives its clients.
pub(super) struct World {
    simulator: Simulator,
    gate: Arc<Gate>,
    url: String,
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub(super) fn new(gate: Gate) -> Self {
        let text = std::fs::read_to_string(super::folder().join("world.yaml")).unwrap();
        let (node, _) = runhub::document::read(&runhub::source::Source::new("world.yaml", text));
        let scenario = Scenario::from_value(node.unwrap().to_json()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let gate = Arc::new(gate);
        let (simulator, url) = runtime.block_on(async {
            let simulator = Simulator::new(scenario, Clock::system()).unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router =
                Router::new().fallback_service(simulator.service()).layer(from_fn_with_state(Arc::clone(&gate), pass));
            tokio::spawn(async move { drop(axum::serve(listener, router).await) });
            (simulator, url)
        });
        Self { simulator, gate, url, runtime }
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A token of alice.
    pub(super) fn token(&self) -> String {
        self.simulator.login("alice").expect("alice may enter").0
    }

    /// Sends a case here, as alice.
    pub(super) fn take(&self, case: Case) -> Case {
        case.served(&self.url, &self.token())
    }

    /// How many requests came by.
    pub(super) fn seen(&self) -> usize {
        self.gate.seen.load(Ordering::SeqCst)
    }

    /// Runs a case until the gate, the system or its own end stops it.
    pub(super) fn until_killed(&self, case: Case) -> Ended {
        let mut command = case.command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut stderr = child.stderr.take().expect("a pipe");
        let child = Arc::new(Mutex::new(child));
        *self.gate.victim.lock().unwrap() = Some(Arc::clone(&child));
        let mut said = Vec::new();
        std::io::Read::read_to_end(&mut stderr, &mut said).expect("it can be read");
        let status = child.lock().unwrap().wait().expect("it can be waited for");
        case.ended(status.code(), &[], &said)
    }

    /// What was changed and how often, by the server's own log: fresh names on one form.
    pub(super) fn changes(&self) -> BTreeMap<String, usize> {
        let mut changes = BTreeMap::new();
        for seen in self.simulator.requests() {
            let asks = seen.path.contains("accessreviews") || seen.path.contains("selfsubject");
            let rehearsed = seen.query.contains("dryRun");
            let changing = seen.method != "GET" && !asks && !rehearsed && (200..300).contains(&seen.status);
            if changing && seen.path.contains("/namespaces/") | seen.path.contains("/nodes/") {
                *changes.entry(format!("{} {}", seen.method, on_one_form(&seen.path))).or_default() += 1;
            }
        }
        changes
    }

    /// The parts of the cluster that the book is about.
    pub(super) fn state(&self) -> BTreeMap<String, Value> {
        let read = |path: &str| {
            let request = Request::get(path).header("X-Authorization", self.token());
            let request = request.header("Cookie", format!("auth_token={}", self.token()));
            let request = request.body(axum::body::Body::empty()).unwrap();
            self.runtime.block_on(async {
                let answer = self.simulator.service().oneshot(request).await.unwrap();
                let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
                serde_json::from_slice::<Value>(&body).unwrap()
            })
        };
        let mut state = BTreeMap::new();
        for path in [
            "/apis/apps/v1/namespaces/shop/deployments",
            "/api/v1/namespaces/shop/configmaps",
            "/api/v1/namespaces/shop/services",
            "/apis/batch/v1/namespaces/shop/cronjobs",
            "/apis/batch/v1/namespaces/shop/jobs",
            "/api/v1/nodes",
        ] {
            let list = read(path);
            for item in list["items"].as_array().unwrap_or_else(|| panic!("{path}: {list}")) {
                let name = on_one_form(item["metadata"]["name"].as_str().unwrap());
                state.insert(format!("{path}/{name}"), essence(item));
            }
        }
        state
    }
}

/// What must be the same in the end, whatever happened on the way.
fn essence(item: &Value) -> Value {
    let mut data = item["data"].clone();
    if let Some(fields) = data.as_object_mut() {
        fields.remove("token");
    }
    let spec = &item["spec"];
    serde_json::json!({
        "data": data,
        "replicas": spec["replicas"],
        "image": spec["template"]["spec"]["containers"][0]["image"],
        "suspend": spec["suspend"].as_bool().unwrap_or(false),
        "unschedulable": spec["unschedulable"].as_bool().unwrap_or(false),
        "externalIPs": spec["externalIPs"],
        "held": item["metadata"]["annotations"]["runhub.dev/held"],
    })
}

/// Names that a controller or chance gave, as one.
fn on_one_form(path: &str) -> String {
    let fresh =
        regex::Regex::new(r"\b(api|web)-[0-9a-z]{8,10}-[0-9a-z]{5}\b|\b(migrate|nightly)-[0-9a-z]{5,10}\b").unwrap();
    fresh.replace_all(path, "$1$2-<fresh>").into_owned()
}
