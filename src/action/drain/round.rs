//! Sending the pods of a node away, until none of them is left.
//!
//! Pods are known by UID: another of the same name is another pod. One that
//! its disruption budget protects is asked again after a while; all others go
//! on meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::time::Instant;

use super::stay::{Bound, Losses, OnNode, is_leaving, name};
use crate::action::context::Context;
use crate::action::failure;
use crate::action::pods::{Going, Sent, ask_again, send_away};
use crate::cluster::resource::POD;
use crate::cluster::watch::{Seen, Watcher};
use crate::event::{Failure, ObjectId};

/// Pods that are sent away at once.
const AT_ONCE: usize = 8;

/// How long a pod that its disruption budget protects is left alone.
const PROTECTED: Duration = Duration::from_secs(2);

/// Pods that are named while they are waited for.
const NAMED: usize = 3;

/// The emptying of one node.
#[derive(Debug)]
pub(super) struct Round {
    node: String,
    losses: Losses,
    going: Going,
    wait: bool,
    /// The pods that were sent away, by UID.
    sent: BTreeSet<String>,
    /// Those that their budget protects: the server's words, and when it said them.
    protected: BTreeMap<String, (String, Instant)>,
}

/// How it ended.
#[derive(Debug, Default)]
pub(super) struct End {
    /// How many pods were sent away.
    pub(super) evicted: usize,
    /// The pods that stay.
    pub(super) left: Vec<String>,
    /// Whether all others were seen to be gone.
    pub(super) gone: bool,
}

impl Round {
    pub(super) fn new(node: &str, losses: Losses, going: Going, wait: bool) -> Self {
        let (sent, protected) = (BTreeSet::new(), BTreeMap::new());
        Self { node: node.to_owned(), losses, going, wait, sent, protected }
    }

    /// Sends away and looks again, until there is nothing more to do.
    pub(super) async fn run(mut self, context: &Context) -> Result<End, Failure> {
        let mut watch = Pods::watch(context, &self.node)?;
        let mut pods = OnNode::read(context, &self.node).await?;
        loop {
            pods.refuse(self.losses, &self.node)?;
            self.send(context, &pods.going).await?;
            let unsent = pods.going.iter().filter(|pod| !self.sent.contains(&uid(pod))).count();
            if pods.going.is_empty() || (unsent == 0 && !self.wait) {
                let left = pods.staying.iter().map(name).collect();
                return Ok(End { evicted: self.sent.len(), left, gone: pods.going.is_empty() });
            }
            let (line, causes) = self.line(&pods.going);
            context.waiting(&line, causes);
            pods = watch.next(pods).await?;
        }
    }

    /// Sends away every pod that was not sent yet and may be asked now.
    async fn send(&mut self, context: &Context, pods: &[Value]) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        for pod in pods {
            let id = uid(pod);
            let held = self.protected.get(&id).is_some_and(|(_, since)| since.elapsed() < PROTECTED);
            if is_leaving(pod) || held || self.sent.contains(&id) {
                continue;
            }
            waiting.push((pod.clone(), self.protected.contains_key(&id)));
        }
        let going = self.going;
        let mut ends = stream::iter(waiting)
            .map(|(pod, again)| async move {
                let sent =
                    if again { ask_again(context, &pod, going).await } else { send_away(context, &pod, going).await };
                (uid(&pod), sent)
            })
            .buffer_unordered(AT_ONCE);
        let mut failed = None;
        while let Some((id, end)) = ends.next().await {
            match end {
                Ok(Sent::Away) => {
                    self.protected.remove(&id);
                    self.sent.insert(id);
                }
                Ok(Sent::Protected(words)) => drop(self.protected.insert(id, (words, Instant::now()))),
                // What is under way is brought to its end before the first failure is told.
                Err(failure) => drop(failed.get_or_insert(failure)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// What is waited for, in one line, and why.
    fn line(&self, pods: &[Value]) -> (String, Vec<String>) {
        let mut names: Vec<String> = pods.iter().map(name).collect();
        names.sort();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let line = format!("{} to go: {}{more}", counted(pods.len()), names.join(", "));
        let held: Vec<String> = pods.iter().filter_map(|pod| Some(self.protected.get(&uid(pod))?.0.clone())).collect();
        let line = held.first().map_or(line.clone(), |first| format!("{line}; {first}"));
        (line, held)
    }
}

fn counted(pods: usize) -> String {
    if pods == 1 { "1 pod".to_owned() } else { format!("{pods} pods") }
}

fn uid(pod: &Value) -> String {
    ObjectId::of(pod).uid
}

/// The pods of a node, as they are next seen.
struct Pods<'a> {
    context: &'a Context,
    watcher: Watcher,
    node: String,
}

impl<'a> Pods<'a> {
    fn watch(context: &'a Context, node: &str) -> Result<Self, Failure> {
        let everywhere = POD.within(None).map_err(|error| failure::of_error(&error.into(), node))?;
        let watcher = Watcher::set(context.client(), &everywhere, Arc::new(Bound(node.to_owned())));
        Ok(Self { context, watcher, node: node.to_owned() })
    }

    /// What is next seen; after a while what was last seen, because a protected pod must be asked again.
    async fn next(&mut self, last: OnNode) -> Result<OnNode, Failure> {
        loop {
            let Ok(seen) = tokio::time::timeout(PROTECTED, self.watcher.next()).await else { return Ok(last) };
            let what = || format!("watch the pods of node {}", self.node);
            match seen.map_err(|error| failure::of_error(&error, &what()))? {
                Seen::Snapshot(pods) => return Ok(OnNode::of(pods.iter().map(|pod| pod.as_ref().clone()).collect())),
                Seen::Note(note) => self.context.warn(note),
                Seen::Object(_) | Seen::Gone => {}
            }
        }
    }
}
