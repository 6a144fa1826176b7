//! A client for unit tests: calls the service without a socket.

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::response::Response;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::Simulator;
use super::scenario::Scenario;
use crate::clock::Clock;

/// A simulator and whoever talks to it.
pub(super) struct Kit {
    pub(super) simulator: Simulator,
    headers: Vec<(&'static str, String)>,
    refresh: String,
}

/// The hash by which a password travels.
pub(super) fn hash(password: &str) -> String {
    let digest = Md5::digest(format!("{password}@Olares2025"));
    let digits: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

impl Kit {
    pub(super) fn new(scenario: Value) -> Self {
        let scenario = Scenario::from_value(scenario).expect("a legal scenario");
        let simulator = Simulator::new(scenario, Clock::system()).expect("a legal world");
        let headers = vec![("x-unauth-error", "Non-Redirect".to_owned())];
        Self { simulator, headers, refresh: String::new() }
    }

    /// An empty world with an admin `mira`, who is logged in, and more of a scenario.
    pub(super) fn admin(mut scenario: Value) -> Self {
        let fields = scenario.as_object_mut().expect("a mapping");
        fields.insert("world".into(), "empty".into());
        fields.insert(
            "users".into(),
            json!([{"name": "mira", "role": "platform-admin"}, {"name": "tomo", "password": "pw"}]),
        );
        let kit = Self::new(scenario);
        let token = kit.simulator.token("mira").expect("a user");
        kit.with_token(&token)
    }

    /// The same server, seen by another user.
    pub(super) fn become_user(self, name: &str) -> Self {
        let token = self.simulator.token(name).expect("a user");
        self.with_token(&token)
    }

    pub(super) fn with_token(mut self, token: &str) -> Self {
        self.headers.retain(|(name, _)| *name != "x-authorization");
        self.with_header("x-authorization", token)
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn without_headers(mut self) -> Self {
        self.headers.clear();
        self
    }

    pub(super) fn refresh_token(&self) -> &str {
        &self.refresh
    }

    pub(super) async fn login(self, name: &str, password: &str) -> Self {
        let body = json!({"username": name, "password": hash(password)});
        let (status, answer) = self.send("POST", "/api/firstfactor", Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        self.granted(&answer)
    }

    pub(super) async fn refresh(self) -> Self {
        let body = json!({"refreshToken": self.refresh});
        let (status, answer) = self.send("POST", "/api/refresh", Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        self.granted(&answer)
    }

    fn granted(mut self, answer: &Value) -> Self {
        answer["data"]["refresh_token"].as_str().expect("a token").clone_into(&mut self.refresh);
        self.with_token(answer["data"]["access_token"].as_str().expect("a token"))
    }

    pub(super) fn service(&self) -> Router {
        self.simulator.service()
    }

    pub(super) async fn call(&self, method: &str, uri: &str, kind: &str, body: String) -> Response {
        let mut request = Request::builder().method(method).uri(uri).header("content-type", kind);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body)).expect("a request");
        self.service().oneshot(request).await.expect("infallible")
    }

    /// Status and body; a body that is not JSON is a text.
    pub(super) async fn send(&self, method: &str, uri: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        read(self.call(method, uri, "application/json", body).await).await
    }

    pub(super) async fn get(&self, uri: &str) -> (u16, Value) {
        self.send("GET", uri, None).await
    }

    pub(super) async fn patch(&self, uri: &str, dialect: &str, body: Value) -> (u16, Value) {
        let kind = format!("application/{dialect}");
        read(self.call("PATCH", uri, &kind, body.to_string()).await).await
    }

    /// The events of a watch, as they come.
    pub(super) async fn watch(&self, uri: &str) -> Events {
        let response = self.call("GET", uri, "", String::new()).await;
        assert_eq!(response.status(), 200);
        Events(response.into_body().into_data_stream())
    }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
    let text = || Value::from(String::from_utf8_lossy(&bytes));
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
}

/// The events of a watch.
pub(super) struct Events(BodyDataStream);

impl Events {
    /// The next event: its type and its object; nothing when the watch has ended.
    pub(super) async fn next(&mut self) -> Option<(String, Value)> {
        let line = self.0.next().await?.expect("an unbroken stream");
        let mut event: Value = serde_json::from_slice(&line).expect("an event a chunk");
        let kind = event["type"].as_str().expect("a type").to_owned();
        Some((kind, event["object"].take()))
    }
}
