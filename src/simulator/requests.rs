//! The record of the requests that a simulated server has seen.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{SHA256, digest};

use super::ask::Ask;

/// Requests that are remembered; older ones are forgotten.
const KEPT: usize = 20_000;

/// A request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The HTTP method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent; empty when there was none.
    pub query: String,
    /// The content type of the body; empty when there was none.
    pub content_type: String,
    /// The status of the answer, also where the answer never arrived.
    pub status: u16,
    /// Whom the server recognised.
    pub user: Option<String>,
    /// The SHA-256 of the body in hexadecimal; empty when there was none.
    pub body_digest: String,
}

impl Seen {
    pub(super) fn of(ask: &Ask, status: u16, user: Option<&str>) -> Self {
        Self {
            method: ask.method.as_str().to_owned(),
            path: ask.uri.path().to_owned(),
            query: ask.uri.query().unwrap_or_default().to_owned(),
            content_type: ask.header("content-type").unwrap_or_default().to_owned(),
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

/// The record, newest last.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<VecDeque<Seen>>);

impl Requests {
    pub(super) fn push(&self, seen: Seen) {
        let mut all = self.lock();
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(seen);
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
