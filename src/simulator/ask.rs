//! A request, read: what the routes look at.

use std::sync::{Mutex, PoisonError};

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::schema::protobuf;
use super::status::StatusError;
use crate::document;
use crate::source::Diagnostic;

/// A request whose body has arrived.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The path's segments, decoded.
    pub(super) path: Vec<String>,
    /// How many writes the caches behind the answer are late.
    pub(super) lag: u64,
    query: Vec<(String, String)>,
    /// The way to a WebSocket, where the client wants one; it can be gone once.
    upgrade: Mutex<Option<WebSocketUpgrade>>,
}

impl Ask {
    /// Reads a request to its end; nothing when its body breaks.
    pub(super) async fn read(request: Request) -> Option<Self> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        enter_by_path(&mut parts);
        let upgrade = Mutex::new(WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok());
        let path = parts.uri.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let query = pairs(parts.uri.query().unwrap_or_default());
        Some(Self { method: parts.method, uri: parts.uri, headers: parts.headers, body, path, lag: 0, query, upgrade })
    }

    /// The way to a WebSocket; nothing when the client did not ask for one, or it was taken already.
    pub(super) fn upgrade(&self) -> Option<WebSocketUpgrade> {
        self.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The segments, for matching.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// A query parameter; its first value where it is repeated.
    pub(super) fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    /// All query parameters, in order.
    pub(super) fn queries(&self) -> &[(String, String)] {
        &self.query
    }

    /// Whether a query parameter says yes.
    pub(super) fn flag(&self, key: &str) -> bool {
        matches!(self.query(key), Some("true" | "1"))
    }

    /// A query parameter that is a whole number.
    pub(super) fn number(&self, key: &str) -> Result<Option<i64>, StatusError> {
        let Some(text) = self.query(key).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let complaint = || StatusError::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"));
        text.parse().map(Some).map_err(|_| complaint())
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; `kind` is what it should hold.
    pub(super) fn json(&self, kind: &str) -> Result<Value, StatusError> {
        let sent = self.header("content-type").unwrap_or_default();
        if sent.starts_with(protobuf::MEDIA) {
            return protobuf::read(&self.body).ok_or_else(|| {
                StatusError::bad_request(format!("the object provided is unrecognized (must be of type {kind})"))
            });
        }
        if !sent.is_empty() && !["json", "yaml", "*/*"].iter().any(|taken| sent.contains(taken)) {
            return Err(StatusError::unsupported_media(
                "the body of the request was in an unknown format - accepted media types include: application/json",
            ));
        }
        structured(&self.body, sent).map_err(|error| {
            StatusError::bad_request(format!(
                "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse \
                 error: {error}"
            ))
        })
    }
}

/// A body as JSON, or as YAML where its type says so.
pub(super) fn structured(body: &[u8], content_type: &str) -> Result<Value, String> {
    let plain = serde_json::from_slice(body).map_err(|error| error.to_string());
    if plain.is_ok() || !content_type.contains("yaml") {
        return plain;
    }
    let source = document::from_bytes("the body", body).map_err(|complaint| complaint.message)?;
    let (tree, complaints) = document::read(&source);
    match (tree, complaints.into_iter().find(Diagnostic::is_error)) {
        (Some(tree), None) => Ok(tree.to_json()),
        (_, complaint) => Err(complaint.map_or_else(|| "empty".to_owned(), |complaint| complaint.message)),
    }
}

/// Takes `/as/<token>` off the path and puts the token where it belongs.
///
/// kubectl sends no token over plain HTTP, but it keeps the path of its server's address: so a
/// kubeconfig can say who asks without TLS (client-go `clientcmd`: identity only if the transport is TLS).
fn enter_by_path(parts: &mut Parts) {
    let Some((token, rest)) =
        parts.uri.path().strip_prefix("/as/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return;
    };
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if let (Ok(uri), Ok(bearer)) = (format!("/{rest}{query}").parse(), format!("Bearer {token}").parse()) {
        parts.headers.insert(AUTHORIZATION, bearer);
        parts.uri = uri;
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[tokio::test]
    async fn a_path_may_say_who_asks() {
        let request = Request::get("/as/secret/api/v1/pods?limit=5").body(Body::empty()).expect("a request");
        let ask = Ask::read(request).await.expect("whole");
        assert_eq!(
            (ask.uri.to_string().as_str(), ask.header("authorization")),
            ("/api/v1/pods?limit=5", Some("Bearer secret"))
        );
    }

    #[tokio::test]
    async fn path_and_query_are_decoded() {
        let request = Request::get("/api/v1/namespaces/a%2Fb?labelSelector=app%3Dx+y&limit=5")
            .body(Body::empty())
            .expect("a request");
        let ask = Ask::read(request).await.expect("whole");
        assert_eq!(ask.segments(), ["api", "v1", "namespaces", "a/b"]);
        assert_eq!(ask.query("labelSelector"), Some("app=x y"));
        assert_eq!(ask.number("limit"), Ok(Some(5)));
    }
}
