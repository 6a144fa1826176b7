//! The row of a pod, whose status is a story (kubernetes/pkg/printers/internalversion `printPod`).

use serde_json::{Value, json};

use super::{Column, Moment, age, ago};
use crate::simulator::object::{flag, is_deleting, list, name, number, text};

pub(super) fn columns(old: bool) -> Vec<Column> {
    vec![
        Column("Name", "string", 0),
        Column("Ready", "string", 0),
        Column("Status", "string", 0),
        Column("Restarts", if old { "integer" } else { "string" }, 0),
        Column("Age", "string", 0),
        Column("IP", "string", 1),
        Column("Node", "string", 1),
        Column("Nominated Node", "string", 1),
        Column("Readiness Gates", "string", 1),
    ]
}

pub(super) fn cells(pod: &Value, moment: Moment) -> Vec<Value> {
    let story = Story::of(pod);
    let total = list(pod, "/spec/containers").len();
    let or_none =
        |pointer: &str| Some(text(pod, pointer)).filter(|text| !text.is_empty()).unwrap_or("<none>").to_owned();
    vec![
        name(pod).into(),
        format!("{}/{total}", story.ready).into(),
        story.reason.into(),
        restarts(story.restarts, story.last_restart, moment),
        age(pod, moment),
        or_none("/status/podIP").into(),
        or_none("/spec/nodeName").into(),
        or_none("/status/nominatedNodeName").into(),
        "<none>".into(),
    ]
}

fn restarts(count: i64, last: Option<&str>, moment: Moment) -> Value {
    match last {
        _ if moment.old => count.into(),
        Some(last) if count > 0 => format!("{count} ({} ago)", ago(moment.now, last)).into(),
        _ => count.to_string().into(),
    }
}

/// The pods that have ended are marked in their rows.
pub(super) fn conditions(plural: &str, pod: &Value) -> Option<Value> {
    let (reason, message) = match text(pod, "/status/phase") {
        _ if plural != "pods" => return None,
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([{ "type": "Completed", "status": "True", "reason": reason, "message": message }]))
}

struct Story<'a> {
    reason: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<&'a str>,
}

impl<'a> Story<'a> {
    fn of(pod: &'a Value) -> Self {
        let first = [text(pod, "/status/reason"), text(pod, "/status/phase")];
        let reason = first.into_iter().find(|word| !word.is_empty()).unwrap_or_default();
        let mut story = Self { reason: reason.to_owned(), ready: 0, restarts: 0, last_restart: None };
        if !story.tell_init(pod) {
            story.tell_containers(pod);
        }
        if is_deleting(pod) {
            story.reason = if text(pod, "/status/reason") == "NodeLost" { "Unknown" } else { "Terminating" }.into();
        }
        story
    }

    /// Tells of the init containers; whether the pod is still with them.
    fn tell_init(&mut self, pod: &'a Value) -> bool {
        let total = list(pod, "/spec/initContainers").len();
        for (index, status) in list(pod, "/status/initContainerStatuses").iter().enumerate() {
            self.restarts += number(status, "/restartCount").unwrap_or_default();
            let ended = status.pointer("/state/terminated");
            if ended.is_some_and(|ended| number(ended, "/exitCode") == Some(0)) {
                continue;
            }
            let waiting = text(status, "/state/waiting/reason");
            self.reason = match ended {
                Some(ended) => format!("Init:{}", end_of(ended)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{total}"),
            };
            return true;
        }
        false
    }

    fn tell_containers(&mut self, pod: &'a Value) {
        self.restarts = 0;
        let mut running = false;
        for status in list(pod, "/status/containerStatuses").iter().rev() {
            self.restarts += number(status, "/restartCount").unwrap_or_default();
            let ended = text(status, "/lastState/terminated/finishedAt");
            if !ended.is_empty() {
                self.last_restart = self.last_restart.max(Some(ended));
            }
            let waiting = text(status, "/state/waiting/reason");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.reason);
            } else if let Some(ended) = status.pointer("/state/terminated") {
                self.reason = end_of(ended);
            } else if flag(status, "/ready") && status.pointer("/state/running").is_some() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            let ready = list(pod, "/status/conditions")
                .iter()
                .any(|said| text(said, "/type") == "Ready" && text(said, "/status") == "True");
            self.reason = if ready { "Running" } else { "NotReady" }.into();
        }
    }
}

fn end_of(ended: &Value) -> String {
    let (reason, signal, code) = (text(ended, "/reason"), number(ended, "/signal"), number(ended, "/exitCode"));
    match signal {
        _ if !reason.is_empty() => reason.to_owned(),
        Some(signal) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", code.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pod: &Value) -> Vec<Value> {
        let now = "2026-01-02T12:10:00Z".parse().expect("a stamp");
        cells(pod, Moment { now, old: false }).into_iter().take(5).collect()
    }

    #[test]
    fn a_row_tells_what_is_wrong() {
        let pod = |status: Value| {
            json!({"metadata": {"name": "p", "creationTimestamp": "2026-01-02T12:00:00Z"},
                "spec": {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}]}, "status": status})
        };
        let waiting = pod(
            json!({"phase": "Pending", "containerStatuses": [{"restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}),
        );
        assert_eq!(row(&waiting), ["p", "0/1", "ImagePullBackOff", "0", "10m"]);
        let crashed = pod(json!({"phase": "Running", "containerStatuses": [{"restartCount": 3, "ready": false,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"finishedAt": "2026-01-02T12:09:00Z"}}}]}));
        assert_eq!(row(&crashed), ["p", "0/1", "CrashLoopBackOff", "3 (60s ago)", "10m"]);
        let starting =
            pod(json!({"phase": "Pending", "initContainerStatuses": [{"restartCount": 0, "state": {"running": {}}}]}));
        assert_eq!(row(&starting), ["p", "0/1", "Init:0/1", "0", "10m"]);
    }
}
