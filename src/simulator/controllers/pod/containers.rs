//! The statuses of a pod's containers.

use serde_json::{Value, json};

use crate::simulator::object::{flag, list, name, number, put, text, uid};

/// A container that is about to start.
pub(super) fn waiting(reason: &str, message: &str) -> Value {
    let mut state = json!({"waiting": {"reason": reason}});
    if !message.is_empty() {
        put(&mut state, &["waiting", "message"], message);
    }
    state
}

/// A container that runs.
pub(super) fn running(at: &str) -> Value {
    json!({"running": {"startedAt": at}})
}

/// A container that has ended.
pub(super) fn terminated(status: &Value, code: i64, at: &str) -> Value {
    let started = text(status, "/state/running/startedAt");
    let reason = if code == 0 { "Completed" } else { "Error" };
    json!({"terminated": {
        "exitCode": code, "reason": reason,
        "startedAt": if started.is_empty() { at } else { started }, "finishedAt": at,
        "containerID": text(status, "/containerID"),
    }})
}

/// The statuses of containers that have just come to a node.
pub(super) fn fresh(pod: &Value, field: &str, reason: &str) -> Vec<Value> {
    let containers = list(pod, &format!("/spec/{field}")).iter();
    containers
        .map(|container| {
            json!({
                "name": text(container, "/name"), "state": waiting(reason, ""), "lastState": {},
                "ready": false, "restartCount": 0, "image": text(container, "/image"),
                "imageID": "", "started": false,
            })
        })
        .collect()
}

/// Makes a container run; after a first life, in a new one.
pub(super) fn start(pod: &Value, status: &mut Value, at: &str, ready: bool) {
    let container = text(status, "/name").to_owned();
    let id = format!("{}{}", uid(pod), container)
        .bytes()
        .fold(String::new(), |hex, byte| if hex.len() < 64 { format!("{hex}{byte:02x}") } else { hex });
    let image = text(status, "/image").to_owned();
    put(status, &["state"], running(at));
    put(status, &["ready"], ready);
    put(status, &["started"], true);
    put(status, &["containerID"], format!("containerd://{id:0<64.64}"));
    put(status, &["imageID"], format!("{}@sha256:{:0<64.64}", repository(&image), hex(&image)));
}

/// Ends a container.
pub(super) fn end(status: &mut Value, code: i64, at: &str) {
    if status.pointer("/state/terminated").is_none() {
        let state = terminated(status, code, at);
        put(status, &["state"], state);
    }
    put(status, &["ready"], false);
    put(status, &["started"], false);
}

/// How often a container has been started again.
pub(super) fn restarts(status: &Value) -> i64 {
    number(status, "/restartCount").unwrap_or_default()
}

/// The names of the containers that are not ready.
pub(super) fn unready(statuses: &[Value]) -> String {
    let unready = statuses.iter().filter(|status| !flag(status, "/ready"));
    unready.map(|status| text(status, "/name")).collect::<Vec<_>>().join(" ")
}

/// The place of the container that a pod's fate strikes: the one with the fateful image.
pub(super) fn struck(pod: &Value, image: Option<&str>) -> usize {
    let containers = list(pod, "/spec/containers");
    let fits = |part| containers.iter().position(|one| text(one, "/image").contains(part));
    image.and_then(fits).unwrap_or_default()
}

/// The address of a pod; the same for the same pod.
pub(super) fn address(pod: &Value) -> String {
    let sum = uid(pod)
        .bytes()
        .chain(name(pod).bytes())
        .fold(17_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("10.233.{}.{}", 64 + (sum >> 8) % 64, 2 + sum % 250)
}

/// The image without its tag.
fn repository(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

fn hex(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_id_names_the_repository_without_the_tag() {
        let pod = json!({"metadata": {"uid": "u"}});
        let mut status = json!({"name": "web", "image": "r.example:5000/web:1"});
        start(&pod, &mut status, "t", true);
        assert!(text(&status, "/imageID").starts_with("r.example:5000/web@sha256:"));
        assert_eq!(text(&status, "/containerID").len(), "containerd://".len() + 64);
        end(&mut status, 1, "t2");
        assert_eq!(text(&status, "/state/terminated/startedAt"), "t");
        assert_eq!(text(&status, "/state/terminated/reason"), "Error");
    }
}
