//! The volume binder: every claim gets its volume at once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::turn::Turn;
use crate::simulator::object::{is_deleting, text, uid};

/// Binds a claim that is not bound.
pub(super) fn reconcile(turn: &mut Turn, claim: &Arc<Value>) {
    if is_deleting(claim) || text(claim, "/status/phase") == "Bound" {
        return;
    }
    let volume = format!("pvc-{}", uid(claim));
    turn.patch("persistentvolumeclaims", claim, json!({"spec": {"volumeName": volume}}));
    let capacity = claim.pointer("/spec/resources/requests").cloned().unwrap_or_default();
    let modes = claim.pointer("/spec/accessModes").cloned().unwrap_or_else(|| json!(["ReadWriteOnce"]));
    turn.status(json!({"phase": "Bound", "accessModes": modes, "capacity": capacity}));
}
