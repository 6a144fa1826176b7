//! Watching: what an object or a set is now, as soon as it can be known.
//!
//! Two lanes run side by side. One lists and then follows the changes from the
//! list's version on; one looks again and again, with growing pauses, because
//! a proxy may hold the stream back. Whichever sees a newer state first wins,
//! and an older one is never shown after it. A lane that is not allowed to
//! follow leaves the work to the other. While the stream is held back (it has
//! not begun, or a look told news before it) looks follow each other quickly.
//!
//! Trouble that time may heal is borne for a while, and said in a note. A
//! refusal that time does not heal ends the watch at once.

mod follow;
mod lines;
mod look;
mod memory;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde_json::Value;
use tokio::time::Instant;

use self::memory::Memory;
use super::list::Listed;
use super::resource::{Address, Collection};
use super::retry::RetryPolicy;
use super::sieve::{Named, Sieve};
use super::{Client, Error};

/// How long the server may be out of reach.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a watch tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// The object, in a state newer than any before.
    Object(Arc<Value>),
    /// The object is not there, or not any more.
    Gone,
    /// The whole set, as it is now, by namespace and name.
    Snapshot(Vec<Arc<Value>>),
    /// A trouble that is borne, for people.
    Note(String),
}

/// What a lane sees.
#[derive(Debug)]
enum Sight {
    /// The whole list.
    List(Listed),
    /// The whole list, looked at again.
    Look(Listed),
    /// An object was added or changed.
    Put(Value),
    /// An object was deleted.
    Delete(Value),
    /// Nothing changed up to this version.
    Bookmark(String),
    /// The object, looked at by itself.
    Found(Value),
    /// The object was not there, when asked at this moment.
    Missing(Instant),
    /// Something failed; the lane goes on.
    Trouble(Error),
    /// The lane cannot follow; the other one goes on.
    Unable(Error),
    /// Nothing can go on.
    Over(Error),
}

impl Sight {
    /// Whether the stream is held back, if this is news and says so.
    fn shows_held_back(&self) -> Option<bool> {
        match self {
            Self::Look(_) | Self::Found(_) => Some(true),
            Self::Put(_) | Self::Delete(_) => Some(false),
            _ => None,
        }
    }
}

/// What is watched.
#[derive(Debug, Clone)]
struct Subject {
    client: Client,
    collection: Collection,
    sieve: Arc<dyn Sieve>,
    /// The one object, if it is one.
    one: Option<Address>,
    /// Somebody on the way keeps the stream from us.
    held_back: Arc<AtomicBool>,
}

impl Subject {
    fn is_held_back(&self) -> bool {
        self.held_back.load(Ordering::Relaxed)
    }

    fn hold_back(&self, held: bool) {
        self.held_back.store(held, Ordering::Relaxed);
    }
}

/// Watches an object or a set; letting go of it ends both lanes.
pub struct Watcher {
    subject: Subject,
    lanes: BoxStream<'static, Sight>,
    memory: Memory,
    /// The last time that the server answered.
    well: Instant,
    said: Option<String>,
    patience: Duration,
    /// Why nothing can go on.
    over: Option<Error>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watcher").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Watcher {
    /// Watches one object, which need not be there.
    pub fn one(client: &Client, address: &Address) -> Self {
        let sieve = Arc::new(Named(address.name().to_owned()));
        Self::new(client, address.collection(), sieve, Some(address.clone()))
    }

    /// Watches those objects of a collection that pass a sieve.
    pub fn set(client: &Client, collection: &Collection, sieve: Arc<dyn Sieve>) -> Self {
        Self::new(client, collection, sieve, None)
    }

    fn new(client: &Client, collection: &Collection, sieve: Arc<dyn Sieve>, one: Option<Address>) -> Self {
        // The lanes have their own pauses; retries inside would only hide troubles.
        let client = client.with_retry(RetryPolicy::never());
        let subject = Subject { client, collection: collection.clone(), sieve, one, held_back: Arc::default() };
        let lanes = stream::select(follow::lane(subject.clone()), look::lane(subject.clone())).boxed();
        Self {
            subject,
            lanes,
            memory: Memory::default(),
            well: Instant::now(),
            said: None,
            patience: PATIENCE,
            over: None,
        }
    }

    /// Bears troubles for so long; 30 s if never called.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The next news. Letting go of the future loses nothing.
    pub async fn next(&mut self) -> Result<Seen, Error> {
        loop {
            if let Some(error) = &self.over {
                return Err(error.clone());
            }
            // The lanes end only after an error that is kept above.
            let Some(sight) = self.lanes.next().await else { std::future::pending().await };
            match self.judge(sight) {
                Ok(Some(seen)) => return Ok(seen),
                Ok(None) => {}
                Err(error) => self.over = Some(error),
            }
        }
    }

    fn judge(&mut self, sight: Sight) -> Result<Option<Seen>, Error> {
        let held_back = sight.shows_held_back();
        let news = match sight {
            Sight::Trouble(error) if self.well.elapsed() >= self.patience => return Err(error),
            Sight::Trouble(error) => return Ok(self.note(error.to_string())),
            Sight::Unable(error) => {
                return Ok(self.note(format!("changes cannot be followed: {error}")));
            }
            Sight::Over(error) => return Err(error),
            Sight::List(listed) | Sight::Look(listed) => self.memory.list(listed),
            Sight::Put(object) if self.subject.sieve.admits(&object) => self.memory.put(object),
            Sight::Put(object) | Sight::Delete(object) => self.memory.delete(&object),
            Sight::Bookmark(version) => self.memory.bookmark(&version),
            Sight::Found(object) => self.memory.put(object),
            Sight::Missing(asked) => self.memory.missing(asked),
        };
        self.well = Instant::now();
        if let Some(held_back) = held_back.filter(|_| news) {
            self.subject.hold_back(held_back);
        }
        Ok(news.then(|| self.shown()))
    }

    fn shown(&self) -> Seen {
        match &self.subject.one {
            Some(_) => self.memory.objects().next().map_or(Seen::Gone, |object| Seen::Object(Arc::clone(object))),
            None => Seen::Snapshot(self.memory.objects().cloned().collect()),
        }
    }

    /// A note, unless it was the last one already.
    fn note(&mut self, words: String) -> Option<Seen> {
        let news = self.said.as_ref() != Some(&words);
        self.said = Some(words.clone());
        news.then_some(Seen::Note(words))
    }
}

#[cfg(test)]
mod tests;
