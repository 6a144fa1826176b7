//! The shapes in which the layers say no, one function a shape.

use std::time::Duration;

use chrono::DateTime;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::super::transport::RawResponse;
use super::{LOGIN_NEEDED, Layer, Refusal};
use crate::clock::Timestamp;

/// The reason that stands for "this path leads nowhere"; a word of ours.
pub(super) const NOT_ROUTED: &str = "NotRouted";

/// Longer words are cut.
const LONGEST: usize = 500;

impl Refusal {
    /// The refusal in an answer for `layer`, if it is one.
    pub fn of(layer: Layer, answer: &RawResponse, now: Timestamp) -> Option<Self> {
        let mut refusal =
            if answer.status.is_success() { inside_success(layer, answer)? } else { said_no(layer, answer) };
        refusal.retry_after = retry_after(&answer.headers, refusal.details.as_ref(), now);
        Some(refusal)
    }

    /// The refusal in a Kubernetes `Status`, as a watch sends it.
    pub fn of_status(status: &Value) -> Self {
        let code = status.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        kubernetes(code.unwrap_or(500), status)
    }

    fn plain(status: u16, layer: Layer, message: impl Into<String>) -> Self {
        let (reason, code, details, retry_after) = (None, None, None, None);
        Self { status, reason, message: cut(&message.into()), code, details, retry_after, layer }
    }

    fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }
}

/// A "no" behind an HTTP 200.
fn inside_success(layer: Layer, answer: &RawResponse) -> Option<Refusal> {
    if is_html(&answer.headers) {
        let message = "this path leads to no service here: the server answered with a web page";
        return Some(Refusal::plain(answer.status.as_u16(), Layer::Router, message).because(NOT_ROUTED));
    }
    if layer != Layer::Middleware {
        return None;
    }
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let code = body.get("code").and_then(Value::as_i64).filter(|code| !matches!(code, 0 | 200))?;
    let status = u16::try_from(code).ok().filter(|status| (400..600).contains(status)).unwrap_or(500);
    Some(Refusal { code: Some(code), ..Refusal::plain(status, layer, words(&body).unwrap_or("no reason was given")) })
}

fn said_no(layer: Layer, answer: &RawResponse) -> Refusal {
    let status = answer.status.as_u16();
    if status == LOGIN_NEEDED {
        return Refusal::plain(status, Layer::Edge, "a login is needed");
    }
    if answer.status.is_redirection() {
        return redirect(status, &answer.headers);
    }
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(body) if body.get("kind").and_then(Value::as_str) == Some("Status") => kubernetes(status, &body),
        Ok(body @ Value::Object(_)) => json(status, layer, &body),
        _ if is_html(&answer.headers) => page(status, &answer.body),
        _ => text(status, layer, &String::from_utf8_lossy(&answer.body)),
    }
}

fn kubernetes(status: u16, body: &Value) -> Refusal {
    let message = words(body).unwrap_or_default();
    Refusal {
        reason: body.get("reason").and_then(Value::as_str).filter(|reason| !reason.is_empty()).map(str::to_owned),
        code: body.get("code").and_then(Value::as_i64),
        details: body.get("details").filter(|details| details.is_object()).cloned(),
        ..Refusal::plain(status, Layer::Kubernetes, unescape(message))
    }
}

/// `{"message"}` or `{"error"}`. A challenge to log in has neither, and is not repeated.
fn json(status: u16, layer: Layer, body: &Value) -> Refusal {
    let layer = if body.get("target_url").is_some() { Layer::Edge } else { layer };
    let message = words(body).map_or_else(|| canonical(status), str::to_owned);
    let mut refusal = Refusal::plain(status, layer, message);
    refusal.code = body.get("code").and_then(Value::as_i64);
    refusal.reason = body.get("reason").and_then(Value::as_str).map(str::to_owned);
    if status == 404 && refusal.reason.is_none() {
        refusal.reason = Some("NotFound".to_owned());
    }
    refusal
}

fn text(status: u16, layer: Layer, body: &str) -> Refusal {
    let words = unescape(body.trim());
    let message = if words.is_empty() { canonical(status) } else { words };
    let missing = message.ends_with("not found") && message.contains('"');
    match (status, layer) {
        // A BFF that got no token fails as a whole; it means the same as a 401.
        (500, Layer::Capi) if message == "Not Login" => Refusal::plain(401, layer, message),
        // KubeSphere's getters answer 500 for an absent object; its words tell which.
        (404 | 500, Layer::Kapis) if missing => Refusal::plain(status, layer, message).because("NotFound"),
        (404, Layer::Middleware) => Refusal::plain(status, layer, message).because("NotFound"),
        // An API server answers for objects with a Status; a bare 404 is about the path.
        (404, _) => Refusal::plain(status, layer, message).because(NOT_ROUTED),
        _ => Refusal::plain(status, layer, message),
    }
}

/// A web server's own page: its title says it all.
fn page(status: u16, body: &[u8]) -> Refusal {
    let html = String::from_utf8_lossy(body);
    let title = html
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| unescape(title.trim()))
        .filter(|title| !title.is_empty());
    let refusal = Refusal::plain(status, Layer::Router, title.unwrap_or_else(|| canonical(status)));
    if status == 404 { refusal.because(NOT_ROUTED) } else { refusal }
}

/// A redirect is not followed: a token must not go elsewhere. The query of its goal may hold one.
fn redirect(status: u16, headers: &HeaderMap) -> Refusal {
    let goal = headers.get(header::LOCATION).and_then(|goal| goal.to_str().ok()).unwrap_or("nowhere");
    let goal = goal.split(['?', '#']).next().unwrap_or(goal);
    Refusal::plain(status, Layer::Edge, format!("the server redirects to {goal}"))
}

fn words(body: &Value) -> Option<&str> {
    let candidates = [body.get("message"), body.pointer("/error/message"), body.get("error"), body.get("msg")];
    candidates.into_iter().flatten().filter_map(Value::as_str).find(|words| !words.trim().is_empty())
}

fn canonical(status: u16) -> String {
    let known = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    known.unwrap_or("no reason was given").to_lowercase()
}

fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// `KubeSphere` escapes its words for a page.
fn unescape(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.into_iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `Retry-After` in seconds or as a date, or what a `Status` says.
fn retry_after(headers: &HeaderMap, details: Option<&Value>, now: Timestamp) -> Option<Duration> {
    let header = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = header.and_then(|value| match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            DateTime::parse_from_rfc2822(value).ok().map(|until| (until.to_utc() - now).to_std().unwrap_or_default())
        }
    });
    let detail = || details?.get("retryAfterSeconds")?.as_u64().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    asked.or_else(detail)
}
