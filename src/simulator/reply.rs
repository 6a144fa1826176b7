//! Answers, in the shapes of the layers that give them.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::Value;

use super::status::StatusError;

/// Marks an answer that stands for a broken connection: on a socket none of
/// its bytes is sent; whoever calls the service without one finds this mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped;

/// The page of the web application, which nginx gives for any path it does not know.
pub(super) const PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"/>\
    <title>Control Hub</title></head><body><div id=\"app\"></div></body></html>\n";

pub(super) fn bytes(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(super) fn json(status: u16, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => bytes(status, "application/json", body),
        Err(error) => refusal(&StatusError::internal(error)),
    }
}

/// Plain text, as handlers of `KubeSphere` and of the middleware service answer.
pub(super) fn text(status: u16, body: impl Into<String>) -> Response {
    bytes(status, "text/plain; charset=utf-8", body.into())
}

pub(super) fn html(status: u16, body: impl Into<String>) -> Response {
    bytes(status, "text/html", body.into())
}

/// What nginx gives for a path that nobody serves.
pub(super) fn page() -> Response {
    html(200, PAGE)
}

pub(super) fn refusal(error: &StatusError) -> Response {
    let mut response = json(error.code, &error.body());
    if let Some(seconds) = error.details.get("retryAfterSeconds").and_then(Value::as_u64) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// An answer that never arrives: its body breaks before the first byte.
pub(super) fn dropped() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let mut response = Response::new(Body::from_stream(broken));
    response.extensions_mut().insert(Dropped);
    response
}

/// Escapes what `KubeSphere` escapes in the texts of its errors.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An object as one version of its API shows it.
pub(super) struct Versioned<'a> {
    pub(super) object: &'a Value,
    pub(super) api_version: &'a str,
}

impl Serialize for Versioned<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = self.object.as_object() else {
            return self.object.serialize(serializer);
        };
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (key, value) in fields {
            if key == "apiVersion" {
                map.serialize_entry(key, self.api_version)?;
            } else {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

/// An object without `kind` and `apiVersion`, as items of lists are.
pub(super) struct Bare<'a>(pub(super) &'a Value);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = self.0.as_object() else {
            return self.0.serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in fields.iter().filter(|(key, _)| *key != "kind" && *key != "apiVersion") {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_shows_the_version_it_is_asked_in() {
        let object = json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {}});
        let shown = Versioned { object: &object, api_version: "batch/v1beta1" };
        let expected = r#"{"apiVersion":"batch/v1beta1","kind":"CronJob","spec":{}}"#;
        assert_eq!(serde_json::to_string(&shown).expect("json"), expected);
        assert_eq!(serde_json::to_string(&Bare(&object)).expect("json"), r#"{"spec":{}}"#);
    }
}
