//! The record of the requests that a simulated server has seen.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{SHA256, digest};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::ask::Ask;
use crate::clock::Timestamp;

/// Requests that are remembered; older ones are forgotten.
const KEPT: usize = 20_000;

/// A request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When it was answered.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent; empty when there was none.
    pub query: String,
    /// The content type of the body; empty when there was none.
    pub content_type: String,
    /// The content types that the client takes; empty when it did not say.
    pub accept: String,
    /// The status of the answer, also where the answer never arrived.
    pub status: u16,
    /// Whom the server recognised.
    pub user: Option<String>,
    /// The SHA-256 of the body in hexadecimal; empty when there was none.
    pub body_digest: String,
}

impl Seen {
    pub(super) fn of(ask: &Ask, status: u16, user: Option<&str>, at: Timestamp) -> Self {
        Self {
            at,
            method: ask.method.as_str().to_owned(),
            path: ask.uri.path().to_owned(),
            query: ask.uri.query().unwrap_or_default().to_owned(),
            content_type: ask.header("content-type").unwrap_or_default().to_owned(),
            accept: ask.header("accept").unwrap_or_default().to_owned(),
            status,
            user: user.map(str::to_owned),
            body_digest: if ask.body.is_empty() { String::new() } else { hex(digest(&SHA256, &ask.body).as_ref()) },
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The record, newest last, and who hears of each request.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    seen: VecDeque<Seen>,
    listener: Option<UnboundedSender<Seen>>,
}

impl Requests {
    pub(super) fn push(&self, seen: Seen) {
        let mut record = self.lock();
        if record.listener.as_ref().is_some_and(|listener| listener.send(seen.clone()).is_err()) {
            record.listener = None;
        }
        if record.seen.len() == KEPT {
            record.seen.pop_front();
        }
        record.seen.push_back(seen);
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.lock().seen.iter().cloned().collect()
    }

    /// Tells of each request from now on; whoever listened before hears no more.
    pub(super) fn listen(&self) -> UnboundedReceiver<Seen> {
        let (listener, news) = unbounded_channel();
        self.lock().listener = Some(listener);
        news
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
