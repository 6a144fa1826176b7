//! The tap on the road: every exchange is seen, the refresh of a login included.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use tokio::time::{Instant, timeout};

use super::transport::{RawResponse, RawStream, RawUpgrade, Transport, TransportError, Wire};
use crate::clock::{Clock, Timestamp};

/// Hears of every exchange with the server; must be quick and never fail.
///
/// Each [`Tap::sent`] is followed by exactly one of the others.
pub trait Tap: Send + Sync + std::fmt::Debug {
    /// A request goes out.
    fn sent(&self, sent: &Sent);

    /// An answer came, whole; of a stream, its beginning.
    fn answered(&self, answered: &Answered);

    /// No answer came, or nobody waits for it any more: the outcome is unknown.
    fn dropped(&self, dropped: &Dropped);
}

/// A request that went out.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The number of the exchange on this road, from 1.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// The method.
    pub method: Method,
    /// Another server than the target's, as for a login.
    pub origin: Option<String>,
    /// Path and query; values of parameters that sound secret are hidden.
    pub path: String,
    /// What it is for.
    pub label: String,
    /// The body; none if it is confidential. It may hold secrets that are not registered yet.
    pub body: Option<Bytes>,
}

/// An answer that came.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The number of the exchange.
    pub id: u64,
    /// The HTTP status.
    pub status: u16,
    /// The size of the body.
    pub bytes: usize,
    /// Since the request went out.
    pub elapsed: Duration,
    /// The body; none if it is confidential or a stream. It may hold secrets that are not registered yet.
    pub body: Option<Bytes>,
}

/// An exchange without an answer.
#[derive(Debug, Clone)]
pub struct Dropped {
    /// The number of the exchange.
    pub id: u64,
    /// Since the request went out.
    pub elapsed: Duration,
    /// What went wrong; none: the one who asked stopped waiting.
    pub cause: Option<TransportError>,
}

impl Dropped {
    /// Whether the server may have done what was asked.
    pub fn may_have_arrived(&self) -> bool {
        self.cause.as_ref().is_none_or(TransportError::may_have_arrived)
    }
}

/// A tap that nobody listens to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deaf;

impl Tap for Deaf {
    fn sent(&self, _: &Sent) {}
    fn answered(&self, _: &Answered) {}
    fn dropped(&self, _: &Dropped) {}
}

/// A transport with a tap on it, that keeps the deadlines.
#[derive(Debug)]
pub(super) struct Road {
    transport: Arc<dyn Transport>,
    tap: Arc<dyn Tap>,
    clock: Clock,
    count: AtomicU64,
}

impl Road {
    pub(super) fn new(transport: Arc<dyn Transport>, tap: Arc<dyn Tap>, clock: Clock) -> Self {
        Self { transport, tap, clock, count: AtomicU64::new(0) }
    }

    fn begin(&self, wire: &Wire) -> Exchange {
        let id = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        self.tap.sent(&Sent {
            id,
            at: self.clock.now(),
            method: wire.method.clone(),
            origin: wire.origin.clone(),
            path: shown(&wire.path),
            label: wire.label.clone(),
            body: wire.body.clone().filter(|_| !wire.confidential),
        });
        Exchange { id, tap: Arc::clone(&self.tap), began: Instant::now(), open: true }
    }
}

#[async_trait]
impl Transport for Road {
    async fn call(&self, wire: Wire) -> Result<RawResponse, TransportError> {
        let (confidential, patience) = (wire.confidential, wire.timeout);
        let exchange = self.begin(&wire);
        let outcome = timeout(patience, self.transport.call(wire)).await;
        match outcome.unwrap_or(Err(TransportError::TimedOut(patience))) {
            Ok(answer) => {
                let body = Some(answer.body.clone()).filter(|_| !confidential);
                exchange.answered(answer.status.as_u16(), answer.body.len(), body);
                Ok(answer)
            }
            Err(error) => Err(exchange.failed(error)),
        }
    }

    async fn stream(&self, wire: Wire) -> Result<RawStream, TransportError> {
        let patience = wire.timeout;
        let exchange = self.begin(&wire);
        let outcome = timeout(patience, self.transport.stream(wire)).await;
        match outcome.unwrap_or(Err(TransportError::TimedOut(patience))) {
            Ok(answer) => {
                exchange.answered(answer.status.as_u16(), 0, None);
                Ok(answer)
            }
            Err(error) => Err(exchange.failed(error)),
        }
    }

    async fn upgrade(&self, wire: Wire) -> Result<RawUpgrade, TransportError> {
        let (confidential, patience) = (wire.confidential, wire.timeout);
        let exchange = self.begin(&wire);
        let outcome = timeout(patience, self.transport.upgrade(wire)).await;
        match outcome.unwrap_or(Err(TransportError::TimedOut(patience))) {
            Ok(opened @ RawUpgrade::Open(..)) => {
                exchange.answered(101, 0, None);
                Ok(opened)
            }
            Ok(RawUpgrade::Answered(answer)) => {
                let body = Some(answer.body.clone()).filter(|_| !confidential);
                exchange.answered(answer.status.as_u16(), answer.body.len(), body);
                Ok(RawUpgrade::Answered(answer))
            }
            Err(error) => Err(exchange.failed(error)),
        }
    }
}

/// An exchange under way; one that is let go of without an answer says so.
struct Exchange {
    id: u64,
    tap: Arc<dyn Tap>,
    began: Instant,
    open: bool,
}

impl Exchange {
    fn answered(mut self, status: u16, bytes: usize, body: Option<Bytes>) {
        self.open = false;
        self.tap.answered(&Answered { id: self.id, status, bytes, elapsed: self.began.elapsed(), body });
    }

    fn failed(mut self, error: TransportError) -> TransportError {
        self.open = false;
        self.lost(Some(error.clone()));
        error
    }

    fn lost(&self, cause: Option<TransportError>) {
        self.tap.dropped(&Dropped { id: self.id, elapsed: self.began.elapsed(), cause });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.open {
            self.lost(None);
        }
    }
}

/// A path as it may be shown.
fn shown(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let pairs: Vec<String> = query.split('&').map(shown_pair).collect();
    format!("{path}?{}", pairs.join("&"))
}

fn shown_pair(pair: &str) -> String {
    const SECRET: [&str; 7] = ["token", "password", "secret", "code", "key", "auth", "session"];
    match pair.split_once('=') {
        Some((name, _)) if SECRET.iter().any(|word| name.to_ascii_lowercase().contains(word)) => {
            format!("{name}={}", crate::secret::MASK)
        }
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{Heard, Script, answer};

    fn road(script: &Arc<Script>, heard: &Arc<Heard>) -> Road {
        let (transport, tap) = (Arc::clone(script), Arc::clone(heard));
        Road::new(transport, tap, Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn an_exchange_is_heard_from_both_ends() {
        let (script, heard) = (Script::new([answer(200, "{\"a\":1}")]), Heard::new());
        let wire = Wire { body: Some("ask".into()), ..Wire::new(Method::PUT, "/x?token=abc&limit=5") };
        road(&script, &heard).call(wire).await.unwrap();
        assert_eq!(heard.lines(), ["1 PUT /x?token=***&limit=5 ask", "1 200 7 bytes {\"a\":1}"]);
    }

    #[tokio::test(start_paused = true)]
    async fn confidential_bodies_are_not_heard() {
        let (script, heard) = (Script::new([answer(200, "secret")]), Heard::new());
        let wire = Wire { body: Some("password".into()), confidential: true, ..Wire::new(Method::POST, "/login") };
        road(&script, &heard).call(wire).await.unwrap();
        assert_eq!(heard.lines(), ["1 POST /login ", "1 200 6 bytes "]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_let_go_of_is_heard_as_unknown() {
        let (script, heard) = (Script::new([Script::never()]), Heard::new());
        let road = road(&script, &heard);
        let call = road.call(Wire::new(Method::DELETE, "/pod"));
        assert!(timeout(Duration::from_secs(1), call).await.is_err());
        assert_eq!(heard.lines(), ["1 DELETE /pod ", "1 dropped after 1s: nobody waits, may have arrived: true"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_passes_is_an_error_with_its_length() {
        let (script, heard) = (Script::new([Script::never()]), Heard::new());
        let wire = Wire { timeout: Duration::from_secs(2), ..Wire::new(Method::GET, "/slow") };
        let error = road(&script, &heard).call(wire).await.unwrap_err();
        assert_eq!(error, TransportError::TimedOut(Duration::from_secs(2)));
        assert_eq!(heard.lines()[1], "1 dropped after 2s: no answer within 2s, may have arrived: true");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_was_cannot_have_arrived() {
        let (script, heard) = (Script::new([Script::fail(TransportError::NotSent("refused".into()))]), Heard::new());
        road(&script, &heard).call(Wire::new(Method::GET, "/x")).await.unwrap_err();
        assert_eq!(heard.lines()[1], "1 dropped after 0ns: could not connect: refused, may have arrived: false");
    }
}
