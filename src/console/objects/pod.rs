//! Pods, with the status words that kubectl finds in their containers.

use serde_json::Value;

use super::Columns;
use super::object::{NONE, Object, ratio, status_word};
use crate::clock::Timestamp;
use crate::console::age::age;
use crate::console::table::Cell;

pub(super) static COLUMNS: Columns = Columns {
    headings: &["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
    cells: |pod| {
        let sum = Sum::of(pod);
        vec![pod.name(), ratio(sum.ready, sum.total), status_word(sum.word.clone()), sum.restarts(pod.now()), pod.age()]
    },
    more: &["IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
    more_cells: |pod| {
        vec![
            Cell::plain(pod.text_or_none("/status/podIP")),
            Cell::plain(pod.text_or_none("/spec/nodeName")),
            Cell::plain(pod.text_or_none("/status/nominatedNodeName")),
            Cell::plain(gates(pod)),
        ]
    },
};

/// What all containers of a pod come to.
#[derive(Debug, Default)]
struct Sum {
    word: String,
    ready: i64,
    total: i64,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

impl Sum {
    fn of(pod: &Object<'_>) -> Self {
        let mut sum = Self {
            word: first_of([pod.text("/status/reason"), pod.text("/status/phase")]).to_owned(),
            total: i64::try_from(pod.list("/spec/containers").len()).unwrap_or(i64::MAX),
            ..Self::default()
        };
        if is_gated(pod) {
            "SchedulingGated".clone_into(&mut sum.word);
        }
        let is_initializing = sum.init_containers(pod);
        if !is_initializing || pod.condition("Initialized") == "True" {
            sum.main_containers(pod);
        }
        if pod.is_going() {
            let is_lost = pod.text("/status/reason") == "NodeLost";
            let has_ended = matches!(pod.text("/status/phase"), "Succeeded" | "Failed");
            if is_lost {
                "Unknown".clone_into(&mut sum.word);
            } else if !has_ended {
                "Terminating".clone_into(&mut sum.word);
            }
        }
        sum
    }

    /// Counts the init containers; whether one of them still keeps the pod from starting.
    fn init_containers(&mut self, pod: &Object<'_>) -> bool {
        let wanted = pod.list("/spec/initContainers");
        let is_sidecar = |status: &Value| {
            let same = |container: &&Value| container.get("name") == status.get("name");
            wanted.iter().find(same).is_some_and(|container| text(container, "/restartPolicy") == "Always")
        };
        let statuses = pod.list("/status/initContainerStatuses");
        self.total += i64::try_from(statuses.iter().filter(|status| is_sidecar(status)).count()).unwrap_or(0);
        for (index, status) in statuses.iter().enumerate() {
            self.count_restarts(status);
            if status.pointer("/state/terminated").is_some() && exit_code(status) == 0 {
                continue;
            }
            if is_sidecar(status) && status.get("started") == Some(&Value::Bool(true)) {
                self.ready += i64::from(is_ready(status));
                continue;
            }
            let reason = match waiting(status) {
                "" | "PodInitializing" => ended(status),
                reason => Some(reason.to_owned()),
            };
            self.word = format!("Init:{}", reason.unwrap_or_else(|| format!("{index}/{}", wanted.len())));
            return true;
        }
        false
    }

    /// Counts the containers; the first with something to say has the word.
    fn main_containers(&mut self, pod: &Object<'_>) {
        let mut one_runs = false;
        for status in pod.list("/status/containerStatuses").iter().rev() {
            self.count_restarts(status);
            let is_running = status.pointer("/state/running").is_some();
            if !waiting(status).is_empty() {
                waiting(status).clone_into(&mut self.word);
            } else if let Some(word) = ended(status) {
                self.word = word;
            } else if is_ready(status) && is_running {
                one_runs = true;
                self.ready += 1;
            }
        }
        if self.word == "Completed" && one_runs {
            let word = if pod.condition("Ready") == "True" { "Running" } else { "NotReady" };
            word.clone_into(&mut self.word);
        }
    }

    fn count_restarts(&mut self, status: &Value) {
        self.restarts += status.get("restartCount").and_then(Value::as_i64).unwrap_or(0);
        let at = text(status, "/lastState/terminated/finishedAt").parse().ok();
        self.last_restart = self.last_restart.max(at);
    }

    fn restarts(&self, now: Timestamp) -> Cell {
        match self.last_restart.filter(|_| self.restarts > 0) {
            Some(at) => Cell::plain(format!("{} ({} ago)", self.restarts, age(at, now))),
            None => Cell::plain(self.restarts.to_string()),
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn first_of<const N: usize>(texts: [&str; N]) -> &str {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

fn is_ready(status: &Value) -> bool {
    status.get("ready") == Some(&Value::Bool(true))
}

fn waiting(status: &Value) -> &str {
    text(status, "/state/waiting/reason")
}

fn exit_code(status: &Value) -> i64 {
    status.pointer("/state/terminated/exitCode").and_then(Value::as_i64).unwrap_or(0)
}

/// Why a container ended: its reason, its signal or its exit code.
fn ended(status: &Value) -> Option<String> {
    let terminated = status.pointer("/state/terminated")?;
    let signal = terminated.get("signal").and_then(Value::as_i64).unwrap_or(0);
    match (text(terminated, "/reason"), signal) {
        ("", 0) => Some(format!("ExitCode:{}", exit_code(status))),
        ("", signal) => Some(format!("Signal:{signal}")),
        (reason, _) => Some(reason.to_owned()),
    }
}

fn is_gated(pod: &Object<'_>) -> bool {
    let gated = |condition: &Value| {
        text(condition, "/type") == "PodScheduled" && text(condition, "/reason") == "SchedulingGated"
    };
    pod.list("/status/conditions").iter().any(gated)
}

fn gates(pod: &Object<'_>) -> String {
    let gates = pod.list("/spec/readinessGates");
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let is_met = |gate: &&Value| pod.condition(text(gate, "/conditionType")) == "True";
    format!("{}/{}", gates.iter().filter(is_met).count(), gates.len())
}
