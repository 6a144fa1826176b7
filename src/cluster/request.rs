//! Requests: built and validated without I/O, and typed by the door they go through.
//!
//! A `Request<Write>` cannot be given to [`super::Client::read`], so a door
//! that can only look cannot change anything, and the compiler says so. A
//! change that the server only rehearses ([`Request::dry_run`]) is a read.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};

use super::path::{Path, Query};
use super::refusal::Layer;
use super::transport::Wire;

/// The name under which the server records our fields, where the caller gives none.
pub const FIELD_MANAGER: &str = "runhub";

/// The door for looking.
#[derive(Debug, Clone, Copy)]
pub enum Read {}

/// The door for changing.
#[derive(Debug, Clone, Copy)]
pub enum Write {}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Plain JSON.
    Json,
    /// RFC 7396: members replace, `null` removes.
    MergePatch,
    /// RFC 6902: a list of operations.
    JsonPatch,
    /// Kubernetes' own: lists merge by key.
    StrategicPatch,
    /// Server-side apply.
    ApplyPatch,
}

impl Media {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::MergePatch => "application/merge-patch+json",
            Self::JsonPatch => "application/json-patch+json",
            Self::StrategicPatch => "application/strategic-merge-patch+json",
            // JSON is YAML; this is the only name of the type that every server knows.
            Self::ApplyPatch => "application/apply-patch+yaml",
        })
    }
}

/// What we ask of a server, through a door.
#[derive(Debug, Clone)]
pub struct Request<Door> {
    method: Method,
    path: Path,
    query: Query,
    body: Option<(Media, Value)>,
    timeout: Duration,
    label: String,
    confidential: bool,
    door: PhantomData<Door>,
}

impl Request<Read> {
    /// Reads a path.
    pub fn get(path: Path) -> Self {
        Self::new(Method::GET, path)
    }

    /// Asks a question that needs a body, such as an access review; the server keeps nothing.
    pub fn ask(path: Path, question: Value) -> Self {
        Self::new(Method::POST, path).with_body(Media::Json, question)
    }
}

impl Request<Write> {
    /// Changes something by any method.
    pub fn change(method: Method, path: Path) -> Self {
        Self::new(method, path)
    }

    /// The same change, rehearsed: the server checks it and keeps nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Request<Read> {
        // The server ignores the query of a DELETE that has a body; a proxy may drop the body of a DELETE.
        if let (&Method::DELETE, Some((_, Value::Object(options)))) = (&self.method, &mut self.body) {
            options.insert("dryRun".into(), json!(["All"]));
        }
        self.query.set("dryRun", "All");
        let Self { method, path, query, body, timeout, label, confidential, door: _ } = self;
        let label = format!("rehearse: {label}");
        Request { method, path, query, body, timeout, label, confidential, door: PhantomData }
    }

    /// Names who is recorded as the owner of the fields.
    #[must_use]
    pub fn manager(self, name: &str) -> Self {
        self.with("fieldManager", name)
    }
}

impl<Door> Request<Door> {
    fn new(method: Method, path: Path) -> Self {
        let label = format!("{method} {path}");
        Self {
            method,
            path,
            query: Query::default(),
            body: None,
            timeout: Duration::from_secs(30),
            label,
            confidential: false,
            door: PhantomData,
        }
    }

    /// Sets a parameter of the query.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.set(name, value);
        self
    }

    /// Sets a parameter of the query where there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a parameter that comes several times.
    #[must_use]
    pub fn with_each(mut self, name: &'static str, values: &[String]) -> Self {
        for value in values {
            self.query.add(name, value);
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, media: Media, body: Value) -> Self {
        self.body = Some((media, body));
        self
    }

    /// Sets how long to wait for the answer; 30 s if never called.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Says for people what this is for: `scale deployment shop/web`.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Keeps both bodies from being shown to anyone.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, without the target's prefix.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The query.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The body, if there is one.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref().map(|(_, body)| body)
    }

    /// What it is for.
    pub fn what(&self) -> &str {
        &self.label
    }

    /// Which part of the target answers.
    pub(super) fn layer(&self) -> Layer {
        Layer::of_path(self.path.as_str())
    }

    /// The request as it goes out, below a prefix and with the headers of an identity.
    pub(super) fn wire(&self, prefix: &str, mut headers: HeaderMap) -> Wire {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some((media, _)) = &self.body {
            headers.insert(header::CONTENT_TYPE, media.header());
        }
        Wire {
            headers,
            body: self.body.as_ref().map(|(_, body)| Bytes::from(body.to_string())),
            timeout: self.timeout,
            label: self.label.clone(),
            confidential: self.confidential,
            ..Wire::new(self.method.clone(), format!("{prefix}{}{}", self.path, self.query.text()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_out_with_prefix_query_body_and_type() {
        let request = Request::change(Method::PATCH, Path::of("/api/v1/namespaces/shop"))
            .with("fieldManager", "runhub")
            .with("dryRun", "All")
            .with_body(Media::MergePatch, json!({"a": null}))
            .label("patch namespace shop");
        let wire = request.wire("/clusters/root:a", HeaderMap::new());
        assert_eq!(wire.path, "/clusters/root:a/api/v1/namespaces/shop?dryRun=All&fieldManager=runhub");
        assert_eq!(wire.body.unwrap(), r#"{"a":null}"#);
        assert_eq!(wire.headers[header::CONTENT_TYPE], "application/merge-patch+json");
        assert_eq!(wire.headers[header::ACCEPT], "application/json");
        assert_eq!(wire.label, "patch namespace shop");
    }

    #[test]
    fn a_rehearsed_delete_says_so_in_body_and_query_and_a_patch_in_its_query() {
        let delete = Request::change(Method::DELETE, Path::of("/api/v1/x"))
            .with_body(Media::Json, json!({"kind": "DeleteOptions"}));
        let rehearsed = delete.dry_run();
        assert_eq!(rehearsed.body().unwrap()["dryRun"], json!(["All"]));
        assert_eq!(rehearsed.query().text(), "?dryRun=All");
        let patch = Request::change(Method::PATCH, Path::of("/api/v1/x")).with_body(Media::MergePatch, json!({}));
        assert_eq!(patch.dry_run().query().text(), "?dryRun=All");
    }
}
