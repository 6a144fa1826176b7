//! What the node's agent says, word for word.

use serde_json::Value;

use crate::simulator::object::{name, namespace, uid};

/// An image that the registry does not have.
pub(super) fn pull_failed(image: &str) -> String {
    format!(
        "Failed to pull image \"{image}\": rpc error: code = NotFound desc = failed to pull and \
         unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
    )
}

/// The same, as the container's status says it.
pub(super) fn pull_error(image: &str) -> String {
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to \
         resolve reference \"{image}\": {image}: not found"
    )
}

/// A pause before the next pull.
pub(super) fn pull_back_off(image: &str) -> String {
    format!("Back-off pulling image \"{image}\"")
}

/// A pause before the next start, as the container's status says it; the span is the one that
/// an agent would choose, whatever the pace of this cluster.
pub(super) fn crash_back_off(pod: &Value, container: &str, restarts: i64) -> String {
    let spans = ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"];
    let index = usize::try_from(restarts).unwrap_or_default().min(spans.len() - 1);
    let span = spans.get(index).copied().unwrap_or("5m0s");
    format!("back-off {span} restarting failed container={container} pod={}", whole(pod))
}

/// A pause before the next start, as the event says it.
pub(super) fn restart_back_off(pod: &Value, container: &str) -> String {
    format!("Back-off restarting failed container {container} in pod {}", whole(pod))
}

fn whole(pod: &Value) -> String {
    format!("{}_{}({})", name(pod), namespace(pod), uid(pod))
}
