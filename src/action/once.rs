//! Whether a step made its change already, in an earlier try.
//!
//! A change that reads as undone when it is looked at a second time (a note
//! that was taken away, a list that was added to) is not made again by the
//! next try of the same step.

use serde_json::Value;

use super::context::Context;
use crate::event::ObjectId;

impl Context {
    /// Whether an earlier try of this very step has changed this very object.
    pub(super) fn has_changed(&self, object: &Value) -> bool {
        let uid = ObjectId::of(object).uid;
        self.shared.made.all().iter().any(|made| {
            made.change.step == *self.step()
                && made.change.object.uid == uid
                && made.is_applied()
                && !made.taken_back
                && !made.unclaimed
        })
    }
}
