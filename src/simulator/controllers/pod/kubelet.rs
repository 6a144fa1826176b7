//! The node's agent: starts containers, restarts those that end, ends those that must go.
//!
//! Where a pod stands is read from its status alone; what the agent remembers is only when the
//! present stage is over.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::turn::Turn;
use super::containers::{self, restarts, struck, waiting};
use super::{status, words};
use crate::simulator::fate::{Becomes, PodRule};
use crate::simulator::object::{flag, is_deleting, list, number, put, text};

/// What the agent knows of a pod in this turn.
struct Life<'a> {
    pod: &'a Arc<Value>,
    fate: Option<PodRule>,
    /// The statuses of its containers, as they are to be.
    containers: Vec<Value>,
    /// The place of the container that decides where the pod stands.
    leader: usize,
}

impl<'a> Life<'a> {
    fn of(turn: &Turn, pod: &'a Arc<Value>) -> Self {
        let fate = turn.fate(pod);
        let image = fate.as_ref().and_then(|fate| fate.matching.image.as_deref());
        let leader = struck(pod, image);
        Self { pod, leader, containers: list(pod, "/status/containerStatuses").to_vec(), fate }
    }

    fn leader(&self) -> &Value {
        self.containers.get(self.leader).unwrap_or(&Value::Null)
    }

    fn becomes(&self, what: Becomes) -> bool {
        self.fate.as_ref().is_some_and(|fate| fate.becomes == what)
    }

    /// Whether its containers end with an error.
    fn is_doomed(&self) -> bool {
        self.becomes(Becomes::Fail) || self.becomes(Becomes::CrashLoop)
    }

    fn restart_policy(&self) -> &str {
        text(self.pod, "/spec/restartPolicy")
    }

    /// Whether its containers end by themselves.
    fn is_mortal(&self) -> bool {
        matches!(self.restart_policy(), "Never" | "OnFailure")
    }

    fn exit_code(&self) -> i64 {
        let code = self.fate.as_ref().and_then(|fate| fate.exit_code).unwrap_or(1);
        if self.is_doomed() { i64::from(code) } else { 0 }
    }

    fn write(self, turn: &mut Turn, phase: &str) {
        let present = self.pod.get("status").cloned().unwrap_or_default();
        let whole = status::with_containers(turn, self.pod, present, (phase, self.containers));
        turn.status(whole);
    }
}

/// Brings a pod on its node one stage on.
pub(super) fn sync(turn: &mut Turn, pod: &Arc<Value>) {
    turn.speak_as("kubelet");
    let life = Life::of(turn, pod);
    if life.containers.is_empty() {
        let status = status::admitted(turn, pod);
        turn.status(status);
        return;
    }
    let state = life.leader().get("state").unwrap_or(&Value::Null);
    match text(state, "/waiting/reason") {
        "ContainerCreating" | "PodInitializing" => pull(turn, life),
        "ErrImagePull" => pause_pulling(turn, life),
        "ImagePullBackOff" => pull_again(turn, life),
        "CrashLoopBackOff" => restart(turn, life),
        _ if state.get("running").is_some() => run(turn, life),
        _ => {}
    }
}

fn pull(turn: &mut Turn, life: Life) {
    if !turn.elapsed("pulled", turn.timing.pulled) {
        return;
    }
    if life.becomes(Becomes::ImagePullError) {
        fail_pull(turn, life);
    } else {
        start(turn, life);
    }
}

fn fail_pull(turn: &mut Turn, mut life: Life) {
    let image = text(life.leader(), "/image").to_owned();
    turn.tally("pull");
    turn.normal(life.pod, "Pulling", format!("Pulling image \"{image}\""));
    turn.warn(life.pod, "Failed", words::pull_failed(&image));
    turn.warn(life.pod, "Failed", "Error: ErrImagePull");
    let state = waiting("ErrImagePull", &words::pull_error(&image));
    if let Some(leader) = life.containers.get_mut(life.leader) {
        put(leader, &["state"], state);
    }
    life.write(turn, "Pending");
}

fn pause_pulling(turn: &mut Turn, mut life: Life) {
    let pulls = turn.count("pull");
    if !turn.elapsed(&format!("pull {pulls} failed"), turn.timing.back_off / 2) {
        return;
    }
    let message = words::pull_back_off(text(life.leader(), "/image"));
    turn.normal(life.pod, "BackOff", message.as_str());
    turn.warn(life.pod, "Failed", "Error: ImagePullBackOff");
    if let Some(leader) = life.containers.get_mut(life.leader) {
        put(leader, &["state"], waiting("ImagePullBackOff", &message));
    }
    life.write(turn, "Pending");
}

fn pull_again(turn: &mut Turn, life: Life) {
    let pulls = turn.count("pull");
    let pause = turn.pause(pulls);
    if !turn.elapsed(&format!("pull {pulls} paused"), pause) {
        return;
    }
    if life.becomes(Becomes::ImagePullError) {
        fail_pull(turn, life);
    } else {
        start(turn, life);
    }
}

/// All containers that wait begin to run.
fn start(turn: &mut Turn, mut life: Life) {
    let at = turn.stamp();
    let ready = life.is_mortal();
    for index in 0..life.containers.len() {
        let Some(status) = life.containers.get_mut(index) else {
            continue;
        };
        if status.pointer("/state/waiting").is_none() {
            continue;
        }
        containers::start(life.pod, status, &at, ready);
        announce(turn, &life, index);
    }
    finish_init(turn, life, &at);
}

/// Init containers have run by the time that the others start.
fn finish_init(turn: &mut Turn, life: Life, at: &str) {
    let mut init = list(life.pod, "/status/initContainerStatuses").to_vec();
    for status in &mut init {
        containers::start(life.pod, status, at, true);
        containers::end(status, 0, at);
        put(status, &["ready"], true);
    }
    let mut present = life.pod.get("status").cloned().unwrap_or_default();
    if !init.is_empty() {
        put(&mut present, &["initContainerStatuses"], init);
    }
    let whole = status::with_containers(turn, life.pod, present, ("Running", life.containers));
    turn.status(whole);
}

/// The events and first lines of a container that starts.
fn announce(turn: &mut Turn, life: &Life, index: usize) {
    let Some(container) = list(life.pod, "/spec/containers").get(index) else {
        return;
    };
    let (name, image) = (text(container, "/name"), text(container, "/image"));
    if text(container, "/imagePullPolicy") == "Always" {
        turn.normal(life.pod, "Pulling", format!("Pulling image \"{image}\""));
        let span = format!("{}ms", turn.timing.pulled.as_millis());
        let message = format!("Successfully pulled image \"{image}\" in {span} ({span} including waiting)");
        turn.normal(life.pod, "Pulled", message);
    } else {
        let message = format!("Container image \"{image}\" already present on machine");
        turn.normal(life.pod, "Pulled", message);
    }
    turn.normal(life.pod, "Created", format!("Created container: {name}"));
    turn.normal(life.pod, "Started", format!("Started container {name}"));
    turn.log(name, format!("starting {name} from {image}"));
    let says = life.fate.as_ref().filter(|_| index == life.leader).map(|fate| fate.says.as_slice());
    for line in says.unwrap_or_default() {
        turn.log(name, line.as_str());
    }
}

/// A pod that runs becomes ready, ends, or crashes, each in its time.
fn run(turn: &mut Turn, life: Life) {
    let lives = restarts(life.leader());
    if life.is_mortal() || life.is_doomed() {
        if turn.elapsed(&format!("life {lives}"), turn.timing.job) {
            end(turn, life);
        }
        return;
    }
    let unready = life.containers.iter().any(|status| !flag(status, "/ready"));
    if unready && turn.elapsed(&format!("ready {lives}"), turn.timing.ready) {
        become_ready(turn, life);
    }
}

fn become_ready(turn: &mut Turn, mut life: Life) {
    if life.becomes(Becomes::NeverReady) {
        let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
        if turn.first("unhealthy") {
            turn.warn(life.pod, "Unhealthy", message);
        }
        return;
    }
    for status in &mut life.containers {
        put(status, &["ready"], true);
    }
    let first = text(life.leader(), "/name").to_owned();
    turn.log(&first, "ready");
    life.write(turn, "Running");
}

/// The containers of a pod end by themselves.
fn end(turn: &mut Turn, mut life: Life) {
    let (at, code) = (turn.stamp(), life.exit_code());
    let leader = text(life.leader(), "/name").to_owned();
    let last = if code == 0 { "done".to_owned() } else { format!("failed with exit code {code}") };
    turn.log(&leader, last);
    if code != 0 && life.restart_policy() != "Never" {
        return crash(turn, life, code);
    }
    for (index, status) in life.containers.iter_mut().enumerate() {
        containers::end(status, if index == life.leader { code } else { 0 }, &at);
    }
    life.write(turn, if code == 0 { "Succeeded" } else { "Failed" });
}

/// The leading container ends and is to start again after a pause.
fn crash(turn: &mut Turn, mut life: Life, code: i64) {
    let at = turn.stamp();
    let name = text(life.leader(), "/name").to_owned();
    let message = words::crash_back_off(life.pod, &name, restarts(life.leader()));
    turn.warn(life.pod, "BackOff", words::restart_back_off(life.pod, &name));
    if let Some(leader) = life.containers.get_mut(life.leader) {
        let past = containers::terminated(leader, code, &at);
        put(leader, &["lastState"], past);
        put(leader, &["state"], waiting("CrashLoopBackOff", &message));
        put(leader, &["ready"], false);
        put(leader, &["started"], false);
    }
    life.write(turn, "Running");
}

fn restart(turn: &mut Turn, mut life: Life) {
    let lives = restarts(life.leader());
    let pause = turn.pause(lives + 1);
    if !turn.elapsed(&format!("pause {lives}"), pause) {
        return;
    }
    let name = text(life.leader(), "/name").to_owned();
    if let Some(leader) = life.containers.get_mut(life.leader) {
        put(leader, &["restartCount"], lives + 1);
    }
    turn.new_life(&name);
    start(turn, life);
}

/// Ends the containers of a pod that is deleted, then lets it go.
pub(super) fn stop(turn: &mut Turn, pod: &Arc<Value>) {
    turn.speak_as("kubelet");
    if turn.first("killing") {
        for status in list(pod, "/status/containerStatuses") {
            if status.pointer("/state/running").is_some() {
                let message = format!("Stopping container {}", text(status, "/name"));
                turn.normal(pod, "Killing", message);
            }
        }
    }
    let grace = number(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or_default();
    let grace = Duration::from_secs(u64::try_from(grace).unwrap_or_default());
    if !turn.elapsed("stopped", turn.timing.ended.min(grace)) {
        return;
    }
    let mut life = Life::of(turn, pod);
    let (at, code) = (turn.stamp(), if life.is_mortal() { 143 } else { 0 });
    for status in &mut life.containers {
        containers::end(status, code, &at);
    }
    life.write(turn, if code == 0 { "Succeeded" } else { "Failed" });
    turn.delete_now();
}

/// Lets a deleted pod go whose containers have ended.
pub(super) fn bury(turn: &mut Turn, pod: &Value) {
    let graceful = number(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or_default() > 0;
    if is_deleting(pod) && graceful {
        turn.delete_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_container_with_the_fateful_image_leads() {
        let pod = json!({"spec": {"containers": [{"image": "proxy:1"}, {"image": "web:bad"}]}});
        assert_eq!((struck(&pod, Some(":bad")), struck(&pod, None)), (1, 0));
    }
}
