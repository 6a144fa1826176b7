//! `http`: one request, without the target's credentials and without following where it leads.
//!
//! `place.rs` says where a request may go. What may change something there is
//! journaled like any change ([`super::execute`]).

mod place;
mod status;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::execute::{Done, Execution};
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Blind, Changes, Context, Look, Observed, Outlook};
use crate::cluster::socket::{Server, Socket};
use crate::cluster::transport::{RawResponse, Wire};
use crate::cluster::{Transport, TransportError};
use crate::document::{DurationText, Node, OneOrMany, TargetRule};
use crate::event::{Class, Failure, ObjectId, Reversal};
use crate::source::Diagnostic;
use place::Place;
use status::StatusRange;

/// How long an answer may take, where the book says nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why none of it is taken back.
const NO_WAY_BACK: &str = "what another server did on request cannot be taken back";

/// What is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    fn only_reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    fn wire(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Head => http::Method::HEAD,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }
}

/// What a request does over there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    /// Nothing.
    None,
    /// Something that is the same done twice.
    Repeatable,
    /// Something that may be done once only.
    #[default]
    Once,
}

/// Sends one request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Where to: `https://shop.example/healthz`. Hosts beside the target's are named with `--allow`.
    url: String,
    /// GET where nothing is written.
    #[serde(default)]
    method: Method,
    /// Headers, by name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Text goes as it is; anything else as JSON.
    #[serde(default)]
    body: Option<Value>,
    /// How long the answer may take; 30s where nothing is written.
    #[serde(default)]
    timeout: Option<DurationText>,
    /// The statuses that are well; 200-299 where nothing is written.
    #[serde(default)]
    ok_status: Option<OneOrMany<StatusRange>>,
    /// What another method than GET and HEAD does over there: `none`, `repeatable`, or `once` where nothing is written.
    #[serde(default)]
    effect: Option<Effect>,
}

#[derive(Debug)]
struct Http {
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "http",
    help: "one request; no redirects followed, never the target's credentials",
    target: &TargetRule::NONE,
    changes: Changes::Says,
    consent: true,
    repeatable: false,
    supported: true,
    shown: &["url"],
    decode: |node, mode, out| {
        let (_, arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        wrong(node, &arguments, out);
        Some(Box::new(Http { arguments }))
    },
    schema: schema_of::<Arguments>,
};

fn wrong(node: &Node, arguments: &Arguments, out: &mut Vec<Diagnostic>) {
    let value = |key: &str| node.get(key).map_or(node.span, |value| value.span);
    if !node.get("url").is_some_and(Node::is_template)
        && let Err(reason) = Place::parse(&arguments.url)
    {
        out.push(Diagnostic::error(reason, value("url")));
    }
    if !node.get("method").is_some_and(Node::is_template) && arguments.method.only_reads() {
        if arguments.effect.is_some() {
            let message = "GET and HEAD only read: `effect` goes with other methods";
            out.push(Diagnostic::error(message, value("effect")));
        }
        if arguments.body.is_some() {
            out.push(Diagnostic::error("GET and HEAD have no `body`", value("body")).help("write `method: POST`"));
        }
    }
}

#[async_trait]
impl Action for Http {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let place = Place::parse(&self.arguments.url).map_err(|reason| Failure::new(Class::Invalid, reason))?;
        place::admit(context, &place)?;
        let server = Server { url: place.origin.clone(), ..Server::default() };
        let road = Socket::new(server).map_err(|error| Failure::new(Class::Invalid, error.to_string()))?;
        self.through(context, &road, &place).await
    }

    async fn look(&self, _: &Look) -> Result<Outlook, Blind> {
        Err(Blind::Opaque("a request to another host is only sent by a run".into()))
    }

    fn wants(&self) -> Vec<String> {
        let url: Option<http::Uri> = self.arguments.url.parse().ok();
        url.and_then(|url| Some(url.host()?.to_owned())).into_iter().collect()
    }

    fn effect(&self) -> super::Effect {
        match self.own_effect() {
            Effect::None => super::Effect::Nothing,
            Effect::Repeatable => super::Effect::Passing,
            Effect::Once => super::Effect::Final(NO_WAY_BACK.into()),
        }
    }
}

impl Http {
    fn own_effect(&self) -> Effect {
        if self.arguments.method.only_reads() { Effect::None } else { self.arguments.effect.unwrap_or_default() }
    }

    /// Sends it by a road, journaled where it may change something.
    async fn through(&self, context: &Context, road: &dyn Transport, place: &Place) -> Result<Observed, Failure> {
        let wire = self.wire(place)?;
        let started = Instant::now();
        let exchange = async {
            match self.exchange(road, wire).await {
                Done::Answered(answer) => Done::Answered(result(&answer)),
                Done::Not(failure) => Done::Not(failure),
                Done::Unknown(failure) => Done::Unknown(failure),
            }
        };
        let changes = self.own_effect() != Effect::None;
        let answer = if changes {
            context.execute(self.execution(), exchange).await?
        } else {
            match exchange.await {
                Done::Answered(answer) => answer,
                Done::Not(failure) | Done::Unknown(failure) => return Err(failure),
            }
        };
        let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Observed { result: answer, info: json!({"elapsed": elapsed}), changed: changes, secret: false })
    }

    fn execution(&self) -> Execution {
        Execution {
            on: ObjectId { kind: "Request".into(), name: self.arguments.url.clone(), ..ObjectId::default() },
            summary: self.arguments.method.wire().to_string(),
            body: self.arguments.body.clone(),
            reversal: Reversal::Cannot(NO_WAY_BACK.into()),
        }
    }

    fn wire(&self, place: &Place) -> Result<Wire, Failure> {
        let (body, json) = match &self.arguments.body {
            None | Some(Value::Null) => (None, false),
            Some(Value::String(text)) => (Some(text.clone()), false),
            Some(other) => (Some(other.to_string()), true),
        };
        let mut headers = self.headers()?;
        if json && !headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let timeout = self.arguments.timeout.as_ref().map_or(PATIENCE, DurationText::duration);
        let plain = Wire::new(self.arguments.method.wire(), place.path.clone());
        Ok(Wire { headers, body: body.map(Into::into), timeout, label: self.title(), ..plain })
    }

    fn headers(&self) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.arguments.headers {
            let wrong = |what: &str| Failure::new(Class::Invalid, format!("the header `{name}` {what}"));
            let key: HeaderName = name.parse().map_err(|_| wrong("has a name that is none"))?;
            let mut value: HeaderValue = value.parse().map_err(|_| wrong("holds what a header cannot hold"))?;
            value.set_sensitive(matches!(key, header::AUTHORIZATION | header::COOKIE));
            headers.insert(key, value);
        }
        Ok(headers)
    }

    /// `GET https://shop.example/healthz`.
    fn title(&self) -> String {
        format!("{} {}", self.arguments.method.wire(), self.arguments.url)
    }

    async fn exchange(&self, road: &dyn Transport, wire: Wire) -> Done<RawResponse> {
        let patience = wire.timeout;
        let answered = tokio::time::timeout(patience, road.call(wire)).await;
        match answered.unwrap_or(Err(TransportError::TimedOut(patience))) {
            Ok(answer) => self.judged(answer),
            Err(error) => {
                let failure = Failure::new(Class::Transport, format!("{}: {error}", self.title()));
                if error.may_have_arrived() { Done::Unknown(failure) } else { Done::Not(failure) }
            }
        }
    }

    /// A server that failed may have done it all the same; one that says no has not.
    fn judged(&self, answer: RawResponse) -> Done<RawResponse> {
        let well = match &self.arguments.ok_status {
            Some(OneOrMany(ranges)) => ranges.clone(),
            None => vec![StatusRange::WELL],
        };
        let status = answer.status.as_u16();
        if well.iter().any(|range| range.holds(status)) {
            return Done::Answered(answer);
        }
        let words: Vec<String> = well.iter().map(ToString::to_string).collect();
        let mut message =
            format!("{}: answered {}, which is not among {}", self.title(), answer.status, words.join(", "));
        if let Some(line) = first_line(&answer) {
            message = format!("{message}: {line}");
        }
        let mut failure = Failure::new(Class::Command, message);
        failure.http_status = Some(status);
        if answer.status.is_redirection() {
            let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            failure = failure.help(format!("redirects are not followed; it points to {to}"));
        }
        if answer.status.is_server_error() { Done::Unknown(failure) } else { Done::Not(failure) }
    }
}

fn first_line(answer: &RawResponse) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}

/// The answer as data; a body that is JSON becomes what it says.
fn result(answer: &RawResponse) -> Value {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let held = headers.entry(name.as_str().to_owned()).or_default();
        if !held.is_empty() {
            held.push_str(", ");
        }
        held.push_str(&value);
    }
    let kind = headers.get("content-type").map_or("application/json", String::as_str);
    let body = kind.contains("json").then(|| serde_json::from_slice(&answer.body).ok()).flatten();
    let body = body.unwrap_or_else(|| Value::from(String::from_utf8_lossy(&answer.body)));
    json!({"status": answer.status.as_u16(), "headers": headers, "body": body})
}
