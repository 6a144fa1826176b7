//! The objects of a simulated cluster, their versions, and what happened to them.
//!
//! The store is what etcd and the generic part of the API server are to a real
//! cluster: it numbers every write, keeps the recent ones for watches, checks
//! preconditions, and knows how objects are deleted. Routes and controllers
//! both write through it. Objects are shared (`Arc<Value>`) and replaced whole,
//! so that a reader holds the lock only to clone a pointer.
//!
//! A write's closure runs under the lock: it must not call the store.

mod delete;
mod events;
mod history;
mod logs;
mod state;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::resource::by_plural;
use super::status::StatusError;
use crate::clock::Clock;
pub use delete::{DeleteOptions, Deleted, Propagation};
pub use history::{Change, ChangeKind};
pub use logs::{LogLine, PodLog};
use state::State;
pub(super) use write::fresh_uid;

/// The objects of one simulated cluster; clones share them.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    dry: bool,
}

struct Shared {
    state: Mutex<State>,
    written: watch::Sender<u64>,
    logged: watch::Sender<u64>,
    clock: Mutex<Clock>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("version", &self.version()).finish_non_exhaustive()
    }
}

impl Store {
    /// An empty cluster whose stamps come from `clock`.
    pub fn new(clock: Clock) -> Self {
        let state = State::default();
        let (written, _) = watch::channel(state.version());
        let (logged, _) = watch::channel(0);
        Self {
            shared: Arc::new(Shared { state: Mutex::new(state), written, logged, clock: Mutex::new(clock) }),
            dry: false,
        }
    }

    /// The same cluster, seen through a door whose writes are checked and answered but not kept.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), dry: true }
    }

    /// The clock that stamps the objects.
    pub fn clock(&self) -> Clock {
        *self.shared.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the clock that stamps the objects from now on, for a past that is played.
    pub(super) fn set_clock(&self, clock: Clock) {
        *self.shared.clock.lock().unwrap_or_else(PoisonError::into_inner) = clock;
    }

    /// The number of the latest write.
    pub fn version(&self) -> u64 {
        self.state().version()
    }

    /// One object; `ns` is empty for kinds of the cluster.
    pub fn get(&self, resource: &str, ns: &str, name: &str) -> Option<Arc<Value>> {
        self.state().get(resource, ns, name)
    }

    /// The objects of a kind, in one namespace or in all, by namespace and name, and the version of the list.
    pub fn list(&self, resource: &str, ns: Option<&str>) -> (Vec<Arc<Value>>, u64) {
        let state = self.state();
        (state.list(resource, ns), state.version())
    }

    /// The objects of a kind as they were at a version.
    ///
    /// # Errors
    /// When the writes since then are forgotten: 410.
    pub fn list_at(&self, resource: &str, ns: Option<&str>, version: u64) -> Result<Vec<Arc<Value>>, StatusError> {
        self.state().list_at(resource, ns, version)
    }

    /// The objects that name `uid` among their owners, with the plural of their kind.
    pub fn owned_by(&self, uid: &str) -> Vec<(&'static str, Arc<Value>)> {
        self.state().owned_by(uid)
    }

    /// Tells of each write by its number: controllers and watches wake by it.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.written.subscribe()
    }

    /// The writes after version `since`, oldest first.
    ///
    /// # Errors
    /// When some of them are forgotten: 410, and the caller lists again.
    pub fn log(&self, since: u64) -> Result<Vec<Change>, StatusError> {
        self.state().since(since)
    }

    /// Forgets all past writes, as a compaction does: watches from before get a 410.
    pub fn forget_log(&self) {
        self.state().forget();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for writes, after the lock is gone.
    fn announce(&self, version: u64) {
        self.shared.written.send_if_modified(|seen| {
            let news = version > *seen;
            *seen = (*seen).max(version);
            news
        });
    }
}

fn known(plural: &str) -> Result<&'static super::resource::Resource, StatusError> {
    by_plural(plural).ok_or_else(StatusError::no_such_path)
}

#[cfg(test)]
mod tests;
