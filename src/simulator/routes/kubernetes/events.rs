//! `events.k8s.io/v1`: the events of the core group under their newer names; they can be read there.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::simulator::object::put;

/// The group.
pub(super) const GROUP: &str = "events.k8s.io";

/// Old names and new ones; fields that are not here have the same name in both.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// An event under its newer names.
pub(super) fn modern(event: &Value) -> Arc<Value> {
    let fields = event.as_object().into_iter().flatten();
    let renamed = fields.map(|(name, value)| {
        let newer = NAMES.iter().find(|(old, _)| old == name).map_or(name.as_str(), |(_, newer)| newer);
        (newer.to_owned(), value.clone())
    });
    let mut event: Value = renamed.collect::<Map<_, _>>().into();
    put(&mut event, &["apiVersion"], "events.k8s.io/v1");
    Arc::new(event)
}

/// The row of discovery.
pub(super) fn row() -> Value {
    json!({ "name": "events", "singularName": "event", "namespaced": true, "kind": "Event",
        "verbs": ["get", "list", "watch"], "shortNames": ["ev"] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_has_newer_names() {
        let event =
            modern(&json!({"apiVersion": "v1", "kind": "Event", "reason": "Pulled", "message": "done", "count": 2}));
        assert_eq!(
            *event,
            json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "reason": "Pulled", "note": "done", "deprecatedCount": 2})
        );
    }
}
