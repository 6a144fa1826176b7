//! The client: two doors and a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use http::HeaderMap;
use serde_json::Value;

use super::discovery::Discovery;
use super::path::Path;
use super::provider::Provider;
use super::retry::{Effect, Next, RetryPolicy};
use super::tap::Road;
use super::transport::{Duplex, RawResponse, RawStream, RawUpgrade};
use super::verbs::Permission;
use super::{BodyError, Error, Identity, Read, Refusal, Request, Response, Tap, Transport, Write};
use crate::clock::Clock;

/// The longest refusal that is read from a stream.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// Speaks with one target, as one identity; clones share everything.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    prefix: Path,
    policy: RetryPolicy,
}

#[derive(Debug)]
struct Shared {
    road: Arc<Road>,
    identity: Arc<dyn Identity>,
    provider: &'static dyn Provider,
    clock: Clock,
    requests: AtomicU64,
    discovery: Discovery,
}

/// What a server says to "may I?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Yes or no.
    pub allowed: bool,
    /// Why, in the server's words; often empty.
    pub reason: String,
}

impl Client {
    /// Joins a road, an identity, the target's dialect and a tap.
    pub fn new(
        transport: Arc<dyn Transport>,
        identity: Arc<dyn Identity>,
        provider: &'static dyn Provider,
        tap: Arc<dyn Tap>,
        clock: Clock,
    ) -> Self {
        let road = Arc::new(Road::new(transport, tap, clock));
        let (requests, discovery) = (AtomicU64::new(0), Discovery::default());
        let shared = Shared { road, identity, provider, clock, requests, discovery };
        Self { shared: Arc::new(shared), prefix: Path::default(), policy: RetryPolicy::seeded(fastrand::u64(..)) }
    }

    /// The same client, retrying by another policy.
    #[must_use]
    pub fn with_retry(&self, policy: RetryPolicy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// The same client, below a prefix of the target's paths: a kcp workspace, a connected cluster.
    #[must_use]
    pub fn under(&self, prefix: Path) -> Self {
        Self { prefix, ..self.clone() }
    }

    /// What differs between targets.
    pub fn provider(&self) -> &'static dyn Provider {
        self.shared.provider
    }

    /// Who we are, for people.
    pub fn identity(&self) -> String {
        self.shared.identity.name()
    }

    /// The clock that all stamps come from.
    pub fn clock(&self) -> Clock {
        self.shared.clock
    }

    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }

    pub(super) fn discovery(&self) -> &Discovery {
        &self.shared.discovery
    }

    /// Looks; repeated where time may heal a failure.
    pub async fn read(&self, request: &Request<Read>) -> Result<Response, Error> {
        self.send(request, Effect::Reads).await
    }

    /// Changes; repeated only with proof that it did not apply.
    pub async fn write(&self, request: &Request<Write>) -> Result<Response, Error> {
        self.send(request, Effect::Changes).await
    }

    /// Looks, and reads the answer as JSON.
    pub async fn read_json(&self, request: &Request<Read>) -> Result<Value, Error> {
        self.read(request).await?.json()
    }

    /// Begins to follow an answer that has no end; one try, a login renewed if need be.
    pub async fn stream(&self, request: &Request<Read>) -> Result<RawStream, Error> {
        let headers = self.shared.identity.headers().await?;
        let error = match self.open(request, headers.clone()).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        if self.renewed(&error, &headers).await? {
            return self.open(request, self.shared.identity.headers().await?).await;
        }
        Err(error)
    }

    /// Asks for another protocol by these headers, and gives the server's headers with the connection.
    ///
    /// Nothing is done before the server agrees, so what it refuses may be asked again as a change may.
    pub(super) async fn upgrade(
        &self,
        request: &Request<Write>,
        asked: &HeaderMap,
    ) -> Result<(HeaderMap, Box<dyn Duplex>), Error> {
        let (mut attempt, mut may_renew) = (1, true);
        loop {
            let headers = self.shared.identity.headers().await?;
            let error = match self.switch(request, headers.clone(), asked).await {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            if may_renew && self.renewed(&error, &headers).await? {
                may_renew = false;
                continue;
            }
            match self.policy.next(attempt, Effect::Changes, &error) {
                Next::After(delay) => tokio::time::sleep(delay).await,
                Next::Stop => return Err(error),
            }
            attempt += 1;
        }
    }

    async fn switch(
        &self,
        request: &Request<Write>,
        headers: HeaderMap,
        asked: &HeaderMap,
    ) -> Result<(HeaderMap, Box<dyn Duplex>), Error> {
        let mut wire = request.wire(self.prefix.as_str(), headers);
        wire.headers.extend(asked.clone());
        match self.shared.road.upgrade(wire).await? {
            RawUpgrade::Open(headers, connection) => Ok((headers, connection)),
            RawUpgrade::Answered(raw) => {
                let refusal = Refusal::of(request.layer(), &raw, self.shared.clock.now());
                Err(refusal.map_or_else(|| not_upgraded(raw.status.as_u16()), Error::from))
            }
        }
    }

    /// Asks the server whether we may; none where its answer would not be about us.
    pub async fn may(&self, permission: &Permission) -> Result<Option<Allowance>, Error> {
        if !self.provider().reviews_access() {
            return Ok(None);
        }
        let review = self.read_json(&permission.review()).await?;
        let allowed = review.pointer("/status/allowed").and_then(Value::as_bool).unwrap_or(false);
        let reason = review.pointer("/status/reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Some(Allowance { allowed, reason }))
    }

    async fn send<Door>(&self, request: &Request<Door>, effect: Effect) -> Result<Response, Error>
    where
        Request<Door>: Sync,
    {
        let count = self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let policy = RetryPolicy { seed: self.policy.seed.wrapping_add(count), ..self.policy };
        let (mut attempt, mut may_renew) = (1, true);
        loop {
            let headers = self.shared.identity.headers().await?;
            let error = match self.exchange(request, headers.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if may_renew && self.renewed(&error, &headers).await? {
                may_renew = false;
                continue;
            }
            match policy.next(attempt, effect, &error) {
                Next::After(delay) => tokio::time::sleep(delay).await,
                Next::Stop => return Err(error),
            }
            attempt += 1;
        }
    }

    async fn exchange<Door>(&self, request: &Request<Door>, headers: HeaderMap) -> Result<Response, Error>
    where
        Request<Door>: Sync,
    {
        let wire = request.wire(self.prefix.as_str(), headers);
        let raw = self.shared.road.call(wire).await?;
        match Refusal::of(request.layer(), &raw, self.shared.clock.now()) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(raw.into()),
        }
    }

    async fn open(&self, request: &Request<Read>, headers: HeaderMap) -> Result<RawStream, Error> {
        let wire = request.wire(self.prefix.as_str(), headers);
        let stream = self.shared.road.stream(wire).await?;
        let begun = RawResponse { status: stream.status, headers: stream.headers.clone(), body: bytes::Bytes::new() };
        let now = self.shared.clock.now();
        if Refusal::of(request.layer(), &begun, now).is_none() {
            return Ok(stream);
        }
        let raw = RawResponse { body: collected(stream).await.into(), ..begun };
        let refusal = Refusal::of(request.layer(), &raw, now);
        Err(refusal.map_or_else(|| not_a_stream(raw.status.as_u16()), Error::from))
    }

    /// Whether the login was renewed because the server did not know us.
    async fn renewed(&self, error: &Error, refused: &HeaderMap) -> Result<bool, Error> {
        match error.refusal() {
            Some(refusal) if refusal.is_unauthenticated() => {
                Ok(self.shared.identity.renew(refused, self.shared.road.clone()).await?)
            }
            _ => Ok(false),
        }
    }
}

fn not_a_stream(status: u16) -> Error {
    Error::Body(BodyError::NotJson { status, cause: "a stream was expected".to_owned() })
}

fn not_upgraded(status: u16) -> Error {
    let cause = "the server was asked to speak another protocol, and did not".to_owned();
    Error::Body(BodyError::NotJson { status, cause })
}

/// The beginning of a stream that turned out to be a refusal.
async fn collected(mut stream: RawStream) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(Ok(piece)) = stream.body.next().await {
        body.extend_from_slice(&piece);
        if body.len() >= LONGEST_REFUSAL {
            break;
        }
    }
    body
}

#[cfg(test)]
mod tests;
