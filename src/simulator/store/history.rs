//! The recent writes, for watches.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use crate::simulator::resource::Resource;
use crate::simulator::status::StatusError;

/// Writes that are kept; a watch from before gets a 410.
const KEPT: usize = 20_000;

/// What a write did to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It was there before.
    Modified,
    /// It is gone; the change holds its last state.
    Deleted,
}

/// One write.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number, which is the object's `resourceVersion`.
    pub version: u64,
    /// What it did.
    pub kind: ChangeKind,
    /// To which kind of object.
    pub resource: &'static Resource,
    /// The object after it.
    pub object: Arc<Value>,
    /// The object before it, if it existed.
    pub before: Option<Arc<Value>>,
}

/// The recent writes, numbered without gaps.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Change>);

impl History {
    pub(super) fn push(&mut self, change: Change) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(change);
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// The writes after `since`, when none of them is forgotten.
    pub(super) fn since(&self, since: u64, version: u64) -> Result<Vec<Change>, StatusError> {
        let oldest = self.0.front().map_or(version + 1, |change| change.version);
        if since + 1 < oldest {
            let message = format!("too old resource version: {since} ({})", oldest.saturating_sub(1));
            return Err(StatusError::expired(message));
        }
        let skipped = usize::try_from(since + 1 - oldest).unwrap_or(usize::MAX);
        Ok(self.0.iter().skip(skipped).cloned().collect())
    }
}
