//! What the containers of simulated pods have said.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::Store;
use crate::clock::Timestamp;

/// One line of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// The line, without its end.
    pub text: String,
}

/// The output of one container: of this life, and of the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodLog {
    /// Lines since the container started.
    pub current: Vec<LogLine>,
    /// Lines of the life before, if there was one.
    pub previous: Option<Vec<LogLine>>,
}

/// Output by namespace and pod, then by container.
#[derive(Debug, Default)]
pub(super) struct PodLogs(BTreeMap<(String, String), BTreeMap<String, PodLog>>);

impl PodLogs {
    fn entry(&mut self, ns: &str, pod: &str, container: &str) -> &mut PodLog {
        let containers = self.0.entry((ns.to_owned(), pod.to_owned())).or_default();
        containers.entry(container.to_owned()).or_default()
    }

    pub(super) fn forget(&mut self, ns: &str, pod: &str) {
        self.0.remove(&(ns.to_owned(), pod.to_owned()));
    }
}

impl Store {
    /// Adds a line to a container's output, stamped now.
    pub fn append_log(&self, ns: &str, pod: &str, container: &str, line: &str) {
        self.append_log_at(ns, pod, container, LogLine { at: self.clock().now(), text: line.to_owned() });
    }

    /// Adds a line with a stamp of its own, for worlds that have a past.
    pub fn append_log_at(&self, ns: &str, pod: &str, container: &str, line: LogLine) {
        self.state().logs.entry(ns, pod, container).current.push(line);
        self.shared.logged.send_modify(|count| *count += 1);
    }

    /// The container starts anew: its output so far becomes `previous`.
    pub fn restart_log(&self, ns: &str, pod: &str, container: &str) {
        let mut state = self.state();
        let log = state.logs.entry(ns, pod, container);
        log.previous = Some(std::mem::take(&mut log.current));
    }

    /// The output of a container; empty when it never said anything.
    pub fn pod_log(&self, ns: &str, pod: &str, container: &str) -> PodLog {
        let state = self.state();
        let containers = state.logs.0.get(&(ns.to_owned(), pod.to_owned()));
        containers.and_then(|all| all.get(container)).cloned().unwrap_or_default()
    }

    /// Tells whenever some container wrote a line.
    pub fn log_lines(&self) -> watch::Receiver<u64> {
        self.shared.logged.subscribe()
    }
}
