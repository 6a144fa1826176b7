//! Following one object: looked at once, then by watch and poll side by side.
//!
//! The first look is a plain read, so that a wait that is over already costs
//! one request. A follow also comes back with the last state now and then,
//! because its waiter must look for causes while nothing changes.

use std::time::Duration;

use serde_json::Value;

use super::context::Context;
use super::failure;
use crate::cluster::resource::Address;
use crate::cluster::watch::{Seen, Watcher};
use crate::event::Failure;

/// How long nothing may happen before the last state is given again.
const TICK: Duration = Duration::from_millis(250);

/// Follows one object.
#[derive(Debug)]
pub(crate) struct Follow<'a> {
    context: &'a Context,
    address: Address,
    watcher: Option<Watcher>,
    last: Option<Value>,
}

impl<'a> Follow<'a> {
    /// Begins to follow an object.
    pub(crate) fn object(context: &'a Context, address: &Address) -> Self {
        Self { context, address: address.clone(), watcher: None, last: None }
    }

    /// The object as it is next seen, or as it was last seen a while ago; nothing when it is gone.
    ///
    /// # Errors
    /// A refusal that time does not heal, or a server out of reach for too long.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, Failure> {
        if self.last.is_none() && self.watcher.is_none() {
            self.last = self.context.find(&self.address).await?;
            return Ok(self.last.clone());
        }
        let watcher = self.watcher.get_or_insert_with(|| Watcher::one(self.context.client(), &self.address));
        loop {
            let Ok(seen) = tokio::time::timeout(TICK, watcher.next()).await else { return Ok(self.last.clone()) };
            match seen.map_err(|error| failure::of_error(&error, &format!("watch {}", self.address)))? {
                Seen::Object(object) => {
                    self.last = Some(object.as_ref().clone());
                    return Ok(self.last.clone());
                }
                Seen::Gone => return Ok(None),
                Seen::Note(note) => self.context.warn(note),
                Seen::Snapshot(_) => {}
            }
        }
    }
}
