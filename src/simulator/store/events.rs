//! Events: what components say about objects.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};

use super::Store;
use crate::simulator::object;

impl Store {
    /// Records that `component` says something about an object.
    ///
    /// The same words about the same object raise the count of the first event,
    /// as the recorder of Kubernetes has it.
    #[expect(clippy::too_many_arguments, reason = "an event has five parts, and they are all texts")]
    pub fn record_event(&self, regarding: &Value, kind: &str, reason: &str, message: &str, component: &str) {
        let cause = fingerprint(&[object::uid(regarding), kind, reason, message, component]);
        let stamp = object::stamp(self.clock().now());
        if self.repeated(cause, &stamp) {
            return;
        }
        let ns = event_namespace(regarding).to_owned();
        let name = format!("{}.{:016x}", object::name(regarding), fastrand::u64(..));
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": { "name": name, "namespace": ns },
            "involvedObject": {
                "kind": object::text(regarding, "/kind"),
                "namespace": object::namespace(regarding),
                "name": object::name(regarding),
                "uid": object::uid(regarding),
                "apiVersion": object::text(regarding, "/apiVersion"),
                "resourceVersion": object::text(regarding, "/metadata/resourceVersion"),
            },
            "reason": reason, "message": message, "source": { "component": component },
            "firstTimestamp": stamp, "lastTimestamp": stamp, "count": 1, "type": kind,
            "eventTime": null, "reportingComponent": component, "reportingInstance": "",
        });
        if self.create("events", event).is_ok() {
            self.state().recorded.insert(cause, (ns, name));
        }
    }

    /// Counts one more of a cause; false when it is new or its event is gone.
    fn repeated(&self, cause: u64, stamp: &str) -> bool {
        let Some((ns, name)) = self.state().recorded.get(&cause).cloned() else {
            return false;
        };
        let counted = self.update("events", &ns, &name, None, |event| {
            let count = object::number(event, "/count").unwrap_or(1) + 1;
            object::put(event, &["count"], count);
            object::put(event, &["lastTimestamp"], stamp);
            Ok(())
        });
        counted.is_ok()
    }
}

/// Events about objects of the cluster live in `default`.
fn event_namespace(regarding: &Value) -> &str {
    let ns = object::namespace(regarding);
    if ns.is_empty() { "default" } else { ns }
}

fn fingerprint(words: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}
