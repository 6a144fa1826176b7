//! The figures that the simulator answers for.
//!
//! `cargo bench --bench simulator` prints them. Everything runs in one process, without the binary:
//! a world of 100,000 pods, a thousand watchers, a client on the loopback interface.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that measures real time, prints a table, and ends when anything is not as it should be"
)]

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use runhub::clock::Clock;
use runhub::simulator::Simulator;
use runhub::simulator::scenario::Scenario;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const PODS: usize = 100_000;
const WATCHERS: usize = 1_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        start().await;
        requests().await;
        fan_out().await;
        pods().await;
    });
    runtime.shutdown_background();
}

fn say(what: &str, figure: &str) {
    println!("{what:<48} {figure}");
}

fn scenario(document: Value) -> Scenario {
    Scenario::from_value(document).expect("a legal scenario")
}

fn empty() -> Simulator {
    let world = json!({"world": "empty", "switches": {"anonymous": "admin"}});
    Simulator::new(scenario(world), Clock::system()).expect("a world")
}

/// From nothing to a server on a port.
async fn start() {
    for (name, world) in [("demo", json!({})), ("empty", json!({"world": "empty"}))] {
        let mut times = Vec::new();
        for _ in 0..31 {
            let began = Instant::now();
            let simulator = Simulator::new(scenario(world.clone()), Clock::system()).expect("a world");
            let serving = simulator.serve(0).await.expect("a port");
            times.push(began.elapsed());
            drop((serving, simulator));
        }
        times.sort_unstable();
        let (first, median) = (times.last().expect("some"), times.get(15).expect("some"));
        say(&format!("start, {name} world (aim < 5 ms)"), &format!("{median:.2?} median, {first:.2?} slowest"));
    }
}

async fn get(simulator: &Simulator, uri: &str) -> usize {
    let request = Request::get(uri).body(Body::empty()).expect("a request");
    let response = simulator.service().oneshot(request).await.expect("infallible");
    assert!(response.status().is_success(), "{uri}: {}", response.status());
    response.into_body().collect().await.expect("whole").to_bytes().len()
}

/// One connection each, as fast as they can.
async fn requests() {
    let simulator = empty();
    let serving = simulator.serve(0).await.expect("a port");
    let url = format!("{}/api/v1/namespaces/default", serving.url);
    let client = reqwest::Client::builder().build().expect("a client");
    let until = Instant::now() + Duration::from_secs(3);
    let each = (0..8).map(|_| async {
        let mut count = 0_u32;
        while Instant::now() < until {
            let answer = client.get(&url).send().await.expect("an answer");
            drop(answer.bytes().await.expect("whole"));
            count += 1;
        }
        count
    });
    let count: u32 = futures_util::future::join_all(each).await.into_iter().sum();
    say("GET of one object, 8 connections", &format!("{:.0} requests/s", f64::from(count) / 3.0));
}

/// From a write to the last of a thousand watchers.
async fn fan_out() {
    let simulator = empty();
    let mut streams = Vec::new();
    for _ in 0..WATCHERS {
        let uri = format!("/api/v1/configmaps?watch=1&resourceVersion={}", simulator.store().version());
        let request = Request::get(uri).body(Body::empty()).expect("a request");
        let response = simulator.service().oneshot(request).await.expect("infallible");
        streams.push(response.into_body().into_data_stream());
    }
    let heard = streams.into_iter().map(|mut stream| tokio::spawn(async move { stream.next().await.is_some() }));
    let heard: Vec<_> = heard.collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}});
    simulator.store().create("configmaps", object).expect("new");
    for one in heard {
        assert!(one.await.expect("no panic"), "a watcher that heard nothing");
    }
    say(&format!("one write to {WATCHERS} watchers"), &format!("{:.2?}", began.elapsed()));
}

fn pod(index: usize) -> Value {
    json!({
        "metadata": {"name": format!("web-{index:06}"), "namespace": format!("ns-{}", index % 100),
            "labels": {"app": format!("app-{}", index % 1_000), "tier": "web"}},
        "spec": {"nodeName": "node-a", "containers": [{"name": "web", "image": "registry.example/web:1.4.2",
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}]},
        "status": {"phase": "Running", "podIP": "10.233.64.9", "startTime": "2026-01-02T03:04:05Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"}],
            "containerStatuses": [{"name": "web", "ready": true, "restartCount": 0, "started": true,
                "image": "registry.example/web:1.4.2", "imageID": "x", "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}}]},
    })
}

/// Bytes of memory that the process has in use.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("a Linux");
    let pages: usize = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4_096
}

async fn pods() {
    let simulator = empty();
    let (before, began) = (resident(), Instant::now());
    for index in 0..PODS {
        simulator.store().seed("pods", pod(index)).expect("new");
    }
    let filled = began.elapsed();
    let each = (resident() - before) as f64 / PODS as f64;
    say(
        &format!("{PODS} pods put in"),
        &format!("{filled:.2?}, {:.1} KiB of memory each, with the watch log", each / 1_024.0),
    );
    for (what, uri) in [
        ("list of all pods", "/api/v1/pods"),
        ("list of a page of 500", "/api/v1/pods?limit=500"),
        ("list by label, 100 of them", "/api/v1/pods?labelSelector=app%3Dapp-7"),
        ("list of a namespace, 1000 of them", "/api/v1/namespaces/ns-7/pods"),
        ("one pod", "/api/v1/namespaces/ns-7/pods/web-000007"),
    ] {
        let began = Instant::now();
        let bytes = get(&simulator, uri).await;
        say(what, &format!("{:.2?} for {bytes} bytes", began.elapsed()));
    }
}
