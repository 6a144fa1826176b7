//! `http`: a request to another host, without cluster credentials.
//!
//! No redirect is followed. A host beside the target is refused unless
//! `--allow` names it: a runbook from elsewhere should not be able to send
//! what it reads here to wherever it likes.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::row::{aimed, schema_of};
use super::says::Says;
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Observed, Outlook};
use crate::cluster::socket::{Server, Socket};
use crate::cluster::transport::{Transport as _, Wire};
use crate::document::{self, OneOrMany, TargetRule};
use crate::event::{Class, Failure};
use crate::source::Diagnostic;

const RULE: TargetRule = TargetRule::NONE;

/// How long an answer may take, where the step says nothing.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Where to: `https://shop.example/healthz`.
    url: String,
    /// GET if not given.
    #[serde(default)]
    method: Option<String>,
    /// Headers, by name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body: text as it is, anything else as JSON.
    #[serde(default)]
    body: Option<Value>,
    /// The statuses that are well: 200-299 if not given.
    #[serde(default)]
    ok_status: Option<OneOrMany<StatusRange>>,
    /// What a method other than GET and HEAD does to the world: none, repeatable, or once.
    #[serde(default)]
    effect: Option<Says>,
}

/// `200`, or `200-299`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct StatusRange {
    first: u16,
    last: u16,
}

impl StatusRange {
    fn parse(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if (100..=599).contains(&first) && first <= last && last <= 599 => {
                Ok(Self { first, last })
            }
            _ => Err("write it like 204 or 200-299".into()),
        }
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::leaf(deserializer, "an HTTP status or a range such as 200-299", Self::parse, Self::default)
    }
}

impl JsonSchema for StatusRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StatusRange".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["integer", "string"], "description": "200, or 200-299"})
    }
}

#[derive(Debug)]
struct Http(Arguments);

pub(super) static ROW: ActionKind = ActionKind {
    name: "http",
    help: "a request to another host; a status outside ok-status fails",
    target: &RULE,
    changes: Changes::Says,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &["url", "method", "ok-status"],
    decode: |node, mode, out| {
        let (_, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        let url = node.get("url").filter(|url| !url.is_template());
        if let Some(url) =
            url.filter(|_| !arguments.url.starts_with("http://") && !arguments.url.starts_with("https://"))
        {
            out.push(Diagnostic::error("a url begins with http:// or https://", url.span));
        }
        Some(Box::new(Http(arguments)))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Http {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let url: http::Uri =
            self.0.url.parse().map_err(|_| Failure::new(Class::Invalid, format!("`{}` is no url", self.0.url)))?;
        let host = url.authority().map(ToString::to_string).unwrap_or_default();
        allowed(context, &host, url.host().unwrap_or_default())?;
        let server = Server { url: format!("{}://{host}", url.scheme_str().unwrap_or("https")), ..Server::default() };
        let what = format!("{} {}", self.method(), self.0.url);
        let broken = |reason: &dyn std::fmt::Display| Failure::new(Class::Transport, format!("{what}: {reason}"));
        let socket = Socket::new(server).map_err(|error| broken(&error))?;
        let wire = self.wire(&url)?;
        let send = async {
            match tokio::time::timeout(TIMEOUT, socket.call(wire)).await {
                Ok(answer) => answer.map_err(|error| (broken(&error), error.may_have_arrived())),
                Err(_) => Err((broken(&"no answer within 30 s"), true)),
            }
        };
        let answer = match self.effect() {
            Effect::Nothing => send.await.map_err(|(failure, _)| failure)?,
            effect => context.outside(&what, &effect, send).await?,
        };
        self.observed(&what, &answer)
    }

    async fn look(&self, _: &Look) -> Result<Outlook, Blind> {
        Err(Blind::Opaque("a request to another host is only sent by a run".into()))
    }

    fn wants(&self) -> Vec<String> {
        let url: Option<http::Uri> = self.0.url.parse().ok();
        url.and_then(|url| Some(url.host()?.to_owned())).into_iter().collect()
    }

    fn effect(&self) -> Effect {
        let unsaid = if self.is_read() { Says::None } else { Says::Once };
        self.0.effect.unwrap_or(unsaid).effect("the request")
    }
}

/// Whether a host may be spoken to.
fn allowed(context: &Context, authority: &str, host: &str) -> Result<(), Failure> {
    if context.facts().allowed.iter().any(|name| name == host || name == authority) {
        return Ok(());
    }
    let failure = Failure::new(Class::Forbidden, format!("`http` to {host} is not allowed"));
    Err(failure.help(format!("allow it on the command line: --allow {host}")))
}

impl Http {
    fn method(&self) -> &str {
        self.0.method.as_deref().unwrap_or("GET")
    }

    fn is_read(&self) -> bool {
        matches!(self.method(), "GET" | "HEAD")
    }

    fn wire(&self, url: &http::Uri) -> Result<Wire, Failure> {
        let invalid = |what: &str| Failure::new(Class::Invalid, format!("`{what}` cannot be sent"));
        let mut headers = http::HeaderMap::new();
        for (name, value) in &self.0.headers {
            let name: http::HeaderName = name.parse().map_err(|_| invalid(name))?;
            let mut value: http::HeaderValue = value.parse().map_err(|_| invalid(name.as_str()))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let body = match &self.0.body {
            None => None,
            Some(Value::String(text)) => Some(text.clone().into()),
            Some(other) => {
                headers.entry(http::header::CONTENT_TYPE).or_insert(http::HeaderValue::from_static("application/json"));
                Some(other.to_string().into())
            }
        };
        let method = self.method().parse().map_err(|_| invalid(self.method()))?;
        let path = url.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Ok(Wire { headers, body, timeout: TIMEOUT, confidential: true, ..Wire::new(method, path) })
    }

    fn observed(&self, what: &str, answer: &crate::cluster::transport::RawResponse) -> Result<Observed, Failure> {
        let status = answer.status.as_u16();
        let text = String::from_utf8_lossy(&answer.body);
        let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone().into_owned()));
        let headers: Map<String, Value> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()))
            .collect();
        if !self.is_ok(status) {
            let mut failure = Failure::new(Class::Command, format!("{what}: HTTP {status}"));
            failure.http_status = Some(status);
            failure.cause = text.lines().take(5).map(ToOwned::to_owned).collect();
            return Err(failure);
        }
        let changed = self.effect().changes();
        Ok(Observed {
            result: json!({"status": status, "headers": headers, "body": body}),
            changed,
            ..Observed::default()
        })
    }

    fn is_ok(&self, status: u16) -> bool {
        match &self.0.ok_status {
            Some(ranges) => ranges.0.iter().any(|range| (range.first..=range.last).contains(&status)),
            None => (200..300).contains(&status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, ready};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_host_that_nobody_allowed_is_refused_before_anything_is_sent() {
        let stage = Stage::new([]);
        let refused = ready(&ROW, "url: 'http://elsewhere.example/x'").act(&stage.context()).await.unwrap_err();
        assert_eq!(refused.class, Class::Forbidden);
        assert_eq!(refused.help.as_deref(), Some("allow it on the command line: --allow elsewhere.example"));
    }

    #[test]
    fn methods_say_what_they_do() {
        let effect = |text: &str| ready(&ROW, text).effect();
        assert_eq!(effect("url: 'http://a/'"), Effect::Nothing);
        assert!(matches!(effect("{url: 'http://a/', method: POST}"), Effect::Final(_)));
        assert_eq!(effect("{url: 'http://a/', method: PUT, effect: repeatable}"), Effect::Passing);
    }

    #[test]
    fn statuses_are_ranges() {
        assert_eq!(StatusRange::parse("200-299"), Ok(StatusRange { first: 200, last: 299 }));
        assert_eq!(StatusRange::parse("204"), Ok(StatusRange { first: 204, last: 204 }));
        assert!(StatusRange::parse("299-200").is_err() && StatusRange::parse("9").is_err());
        assert!(complaints(&ROW, "{url: 'http://a/', ok-status: [200-299, 404]}").is_empty());
        assert_eq!(complaints(&ROW, "url: shop.example").len(), 1);
    }
}
