//! The controllers of the simulated cluster: what makes a Deployment's pods appear, run and end.
//!
//! Only `Simulator` starts them. Each controller is a function over one
//! object: it reads the `view::View`, and says what it wants written; it never writes by itself
//! and never waits. `machine::Machine` calls it when something that it minds has changed, or
//! when a moment has come that it asked for. There is no polling and no clock in here, so a
//! paused runtime drives the cluster through hours in a blink.
//!
//! To add a controller: one file, `mod x;`, and its row in `RECONCILERS`. If it minds objects
//! that do not name it as an owner, say so in `wake.rs`.

mod budget;
mod claim;
mod conditions;
mod cronjob;
mod daemonset;
mod deployment;
mod garbage;
mod job;
#[cfg(test)]
mod kit;
mod machine;
mod node;
mod ownership;
mod pod;
mod quota;
mod replicaset;
mod revisions;
mod statefulset;
mod template;
mod timers;
mod turn;
mod view;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::fate::PodFates;
use super::scenario::Timing;
use super::store::Store;
use crate::clock::{Clock, Timestamp};
use machine::Machine;
use turn::Turn;

/// How a controller brings one object nearer to its spec.
type Reconcile = fn(&mut Turn, &Arc<Value>);

/// Which controller looks after which kind.
static RECONCILERS: &[(&str, Reconcile)] = &[
    ("cronjobs", cronjob::reconcile),
    ("daemonsets", daemonset::reconcile),
    ("deployments", deployment::reconcile),
    ("jobs", job::reconcile),
    ("namespaces", garbage::terminate),
    ("nodes", node::reconcile),
    ("persistentvolumeclaims", claim::reconcile),
    ("persistentvolumes", claim::volume),
    ("poddisruptionbudgets", budget::reconcile),
    ("pods", pod::reconcile),
    ("replicasets", replicaset::reconcile),
    ("resourcequotas", quota::reconcile),
    ("statefulsets", statefulset::reconcile),
];

/// Objects looked at before other tasks of the runtime get their turn.
const STRIDE: usize = 64;

/// The running controllers of a cluster; they end when this is dropped.
#[derive(Debug)]
pub struct Controllers(JoinHandle<()>);

impl Controllers {
    /// Starts the controllers of a cluster on the present runtime.
    pub fn start(store: &Store, clock: Clock, timing: Timing, fates: PodFates) -> Self {
        Self::start_after(Duration::ZERO, store, clock, (timing, fates))
    }

    /// Starts the controllers when they have had `age` to act on what is there, which takes no time.
    pub fn start_after(age: Duration, store: &Store, clock: Clock, (timing, fates): (Timing, PodFates)) -> Self {
        let news = store.changes();
        let mut machine = Machine::new(store.clone(), timing, fates);
        play(&mut machine, store, clock, age);
        machine.settle(clock.now());
        Self(tokio::spawn(run(machine, news, clock)))
    }
}

impl Drop for Controllers {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Lets the controllers act from `age` ago until now.
fn play(machine: &mut Machine, store: &Store, clock: Clock, age: Duration) {
    let present = clock.now();
    let mut moment = present - age;
    while moment < present {
        store.set_clock(Clock::starting_at(moment));
        while machine.run(moment, STRIDE) {}
        moment = machine.next().map_or(present, |next| next.clamp(moment, present));
    }
    store.set_clock(clock);
}

async fn run(mut machine: Machine, mut news: watch::Receiver<u64>, clock: Clock) {
    loop {
        news.mark_unchanged();
        if machine.run(clock.now(), STRIDE) {
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            heard = news.changed() => if heard.is_err() { return },
            () = alarm(&clock, machine.next()) => {}
        }
    }
}

/// Waits for a moment, or for ever.
async fn alarm(clock: &Clock, moment: Option<Timestamp>) {
    match moment {
        Some(moment) => {
            tokio::time::sleep((moment - clock.now()).to_std().unwrap_or_default()).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
