//! A server in memory and a tap that remembers, for the tests of this module.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};

use super::Client;
use super::identity::{Identity, LoginEnded};
use super::provider::{self, Provider};
use super::tap::{Answered, Deaf, Dropped, Sent, Tap};
use super::transport::{RawResponse, RawStream, Transport, TransportError, Wire};
use crate::clock::Clock;

/// What a scripted server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Turn {
    Answer(RawResponse),
    Fail(TransportError),
    Never,
    /// Pieces of a body, each after its delay; then the end, or silence.
    Stream(Vec<(Duration, Result<Bytes, TransportError>)>, bool),
}

/// An answer of JSON.
pub(crate) fn answer(status: u16, body: impl Into<String>) -> Turn {
    typed(status, "application/json", body)
}

/// An answer of any type.
pub(crate) fn typed(status: u16, kind: &str, body: impl Into<String>) -> Turn {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
    Turn::Answer(RawResponse { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body.into()) })
}

type Rule = Box<dyn Fn(&Wire) -> Option<Turn> + Send + Sync>;

/// A server that follows a script, or a rule.
pub(crate) struct Script {
    turns: Mutex<VecDeque<Turn>>,
    rule: Option<Rule>,
    seen: Mutex<Vec<Wire>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Script")
    }
}

impl Script {
    /// Answers in this order; anything beyond is a broken connection.
    pub(crate) fn new(turns: impl IntoIterator<Item = Turn>) -> Arc<Self> {
        let turns = Mutex::new(turns.into_iter().collect());
        Arc::new(Self { turns, rule: None, seen: Mutex::default() })
    }

    /// Answers by a rule.
    pub(crate) fn ruled(rule: impl Fn(&Wire) -> Option<Turn> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { turns: Mutex::default(), rule: Some(Box::new(rule)), seen: Mutex::default() })
    }

    pub(crate) fn never() -> Turn {
        Turn::Never
    }

    pub(crate) fn fail(error: TransportError) -> Turn {
        Turn::Fail(error)
    }

    /// Method and path of all requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|wire| format!("{} {}", wire.method, wire.path)).collect()
    }

    /// All requests so far.
    pub(crate) fn wires(&self) -> Vec<Wire> {
        self.seen.lock().unwrap().clone()
    }

    fn turn(&self, wire: &Wire) -> Turn {
        self.seen.lock().unwrap().push(wire.clone());
        let ruled = self.rule.as_ref().and_then(|rule| rule(wire));
        let turn = ruled.or_else(|| self.turns.lock().unwrap().pop_front());
        turn.unwrap_or_else(|| Turn::Fail(TransportError::Broken("the script is at its end".into())))
    }
}

#[async_trait]
impl Transport for Script {
    async fn call(&self, wire: Wire) -> Result<RawResponse, TransportError> {
        match self.turn(&wire) {
            Turn::Answer(answer) => Ok(answer),
            Turn::Fail(error) => Err(error),
            Turn::Never | Turn::Stream(..) => std::future::pending().await,
        }
    }

    async fn stream(&self, wire: Wire) -> Result<RawStream, TransportError> {
        match self.turn(&wire) {
            Turn::Answer(answer) => {
                let body = stream::iter([Ok(answer.body)]).boxed();
                Ok(RawStream { status: answer.status, headers: answer.headers, body })
            }
            Turn::Stream(pieces, ends) => {
                let timed = stream::iter(pieces).then(|(delay, piece)| async move {
                    tokio::time::sleep(delay).await;
                    piece
                });
                let rest = if ends { stream::empty().boxed() } else { stream::pending().boxed() };
                Ok(RawStream { status: StatusCode::OK, headers: HeaderMap::new(), body: timed.chain(rest).boxed() })
            }
            Turn::Fail(error) => Err(error),
            Turn::Never => std::future::pending().await,
        }
    }
}

/// A tap that remembers a line for each thing it hears.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Heard {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

fn text(body: Option<&Bytes>) -> String {
    body.map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default()
}

impl Tap for Heard {
    fn sent(&self, sent: &Sent) {
        self.note(format!("{} {} {} {}", sent.id, sent.method, sent.path, text(sent.body.as_ref())));
    }

    fn answered(&self, answered: &Answered) {
        let body = text(answered.body.as_ref());
        self.note(format!("{} {} {} bytes {body}", answered.id, answered.status, answered.bytes));
    }

    fn dropped(&self, dropped: &Dropped) {
        let cause = dropped.cause.as_ref().map_or_else(|| "nobody waits".to_owned(), ToString::to_string);
        let arrived = dropped.may_have_arrived();
        self.note(format!("{} dropped after {:?}: {cause}, may have arrived: {arrived}", dropped.id, dropped.elapsed));
    }
}

/// An identity that counts how often it is renewed.
#[derive(Debug, Default)]
pub(crate) struct Badge {
    renewals: Mutex<VecDeque<Result<bool, LoginEnded>>>,
    pub(crate) renewed: Mutex<u32>,
}

impl Badge {
    /// Renews with these results, in order; then never again.
    pub(crate) fn new(renewals: impl IntoIterator<Item = Result<bool, LoginEnded>>) -> Arc<Self> {
        Arc::new(Self { renewals: Mutex::new(renewals.into_iter().collect()), renewed: Mutex::default() })
    }

    pub(crate) fn renewals(&self) -> u32 {
        *self.renewed.lock().unwrap()
    }
}

#[async_trait]
impl Identity for Badge {
    async fn headers(&self) -> Result<HeaderMap, LoginEnded> {
        let mut headers = HeaderMap::new();
        headers.insert("x-authorization", format!("token-{}", self.renewals()).parse().unwrap());
        Ok(headers)
    }

    async fn renew(&self, _: &HeaderMap, _: Arc<dyn Transport>) -> Result<bool, LoginEnded> {
        *self.renewed.lock().unwrap() += 1;
        self.renewals.lock().unwrap().pop_front().unwrap_or(Ok(false))
    }

    fn name(&self) -> String {
        "mira@fig.example".to_owned()
    }
}

/// A client of a scripted Kubernetes API server, as someone whose login cannot be renewed.
pub(crate) fn client(script: &Arc<Script>) -> Client {
    client_of(script, provider::KUBERNETES)
}

/// A client of a scripted target.
pub(crate) fn client_of(script: &Arc<Script>, provider: &'static dyn Provider) -> Client {
    Client::new(Arc::clone(script) as _, Badge::new([]), provider, Arc::new(Deaf), clock())
}

/// A client of a scripted Kubernetes API server, as someone in particular.
pub(crate) fn client_as(script: &Arc<Script>, badge: &Arc<Badge>) -> Client {
    Client::new(Arc::clone(script) as _, Arc::clone(badge) as _, provider::KUBERNETES, Arc::new(Deaf), clock())
}

fn clock() -> Clock {
    Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap())
}
