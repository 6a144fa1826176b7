//! Following an object or a list: whatever is seen first, by watch or by poll.

use std::time::Duration;

use serde_json::Value;

use super::context::Context;
use crate::cluster::resource::Address;
use crate::event::Failure;

/// Follows one object.
#[derive(Debug)]
pub(crate) struct Follow<'a> {
    context: &'a Context,
    address: Address,
    pause: Duration,
    first: bool,
}

impl<'a> Follow<'a> {
    /// Begins to follow an object.
    pub(crate) async fn object(context: &'a Context, address: &Address) -> Result<Self, Failure> {
        Ok(Self { context, address: address.clone(), pause: Duration::from_millis(100), first: true })
    }

    /// The object as it is next seen; nothing when it is gone.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, Failure> {
        if !self.first {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(Duration::from_secs(2));
        }
        self.first = false;
        self.context.find(&self.address).await
    }
}
