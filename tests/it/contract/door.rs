//! Where requests go: to a simulator without a socket, or to a real control plane.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use futures_util::StreamExt as _;
use runhub::clock::Clock;
use runhub::simulator::Simulator;
use runhub::simulator::scenario::Scenario;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::sequence::Call;

/// Two nodes, an admin and one who may do nothing; a server of before batch/v1, as the recorded one is.
fn scenario() -> Value {
    let node = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {"capacity": {"cpu": "64", "memory": "256Gi", "pods": "2000"},
                "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "2000"},
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "nodeInfo": {"kubeletVersion": "v1.20.2"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok"}]}})
    };
    json!({
        "world": "empty", "objects": [node("node-a"), node("node-b")],
        "switches": {"batch": "v1beta1", "anonymous": "refused"},
        "timing": {"job": "300ms", "ready": "300ms"},
        "users": [{"name": "admin", "role": "platform-admin", "token": "admin"}, {"name": "nobody", "token": "nobody"}],
        "pods": [{"match": {"image": "broken"}, "becomes": "image-pull-error"}],
    })
}

/// A server that can be asked.
pub(super) enum Door {
    Simulated(Box<Simulator>),
    Real { url: String, token: String, client: reqwest::Client },
}

/// An answer as it came.
pub(super) struct Came {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) body: Vec<u8>,
}

impl Door {
    pub(super) fn simulated() -> Self {
        let scenario = Scenario::from_value(scenario()).expect("a legal scenario");
        Self::Simulated(Box::new(Simulator::new(scenario, Clock::system()).expect("a legal world")))
    }

    /// The control plane whose kubeconfig `RUNHUB_CONTRACT_KUBECONFIG` names.
    #[expect(clippy::disallowed_methods, reason = "the recorder is told by an environment variable")]
    pub(super) fn real() -> Self {
        let path = std::env::var("RUNHUB_CONTRACT_KUBECONFIG").expect("tests/contract/record sets it");
        let text = std::fs::read_to_string(path).expect("a kubeconfig");
        let word = |key: &str| {
            let rest = text.split(key).nth(1).expect(key);
            rest.trim_start().trim_start_matches('"').split(['"', '}', ',']).next().expect(key).to_owned()
        };
        // Another test of this process may have chosen the same provider already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().expect("a client");
        Self::Real { url: word("server:"), token: word("token:"), client }
    }

    /// Sends a request and reads the answer to its end; a watch ends by itself.
    pub(super) async fn send(&self, call: &Call) -> Came {
        match self {
            Self::Simulated(simulator) => simulated(simulator, call).await,
            Self::Real { url, token, client } => {
                let method = call.method.parse().expect("a method");
                let mut request = client.request(method, format!("{url}{}", call.path)).body(call.body.clone());
                for (name, value) in call.headers(token) {
                    request = request.header(name, value);
                }
                let response = request.send().await.expect("an answer");
                let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
                let (status, kind) = (response.status().as_u16(), kind.unwrap_or_default());
                Came { status, kind, body: response.bytes().await.expect("a whole body").to_vec() }
            }
        }
    }

    /// Waits a little for the controllers.
    pub(super) async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn simulated(simulator: &Simulator, call: &Call) -> Came {
    let mut request = Request::builder().method(call.method.as_str()).uri(&call.path);
    for (name, value) in call.headers("admin") {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(call.body.clone())).expect("a request");
    let response = simulator.service().oneshot(request).await.expect("infallible");
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let (status, kind) = (response.status().as_u16(), kind.unwrap_or_default());
    let mut stream = response.into_body().into_data_stream();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.expect("an unbroken body"));
    }
    Came { status, kind, body }
}
