//! `strategy: delete-pods`: send a few away, wait for their replacements, go on.
//!
//! Pods are known by UID, so that the pod of a stateful set that comes back
//! under its old name counts as new. What was broken before goes first: it
//! has nothing to lose, and a healthy pod is only sent away when those before
//! it are back.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::cause;
use super::super::follow::Follow;
use super::super::pods::{Sent, send_away};
use super::super::reach::{is_active, running_pods};
use super::super::rollout::condition;
use super::super::wait::{FAIL_FAST, gone, pods_of};
use super::super::{Context, Observed, set};
use super::revision;
use crate::cluster::resource::Address;
use crate::document::KindRow;
use crate::event::{Class, Failure, ObjectId};

/// How long a pod that its disruption budget protects is left alone.
const PROTECTED: Duration = Duration::from_secs(2);

/// How pods are sent away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How many may be away at once.
    pub(super) at_once: usize,
    /// Past the disruption budgets.
    pub(super) force: bool,
    /// Until the last replacement is ready.
    pub(super) wait: bool,
}

/// Replaces every pod that a workload owns.
pub(super) async fn replace(context: &Context, address: &Address, pace: Pace) -> Result<Observed, Failure> {
    let started = Instant::now();
    let mut follow = Follow::object(context, address);
    let mut round: Option<Round> = None;
    loop {
        let Some(object) = follow.next().await? else { return Err(gone(address)) };
        let pods = pods_of(context, &object).await?;
        let round = match &mut round {
            Some(round) => round,
            none => none.insert(Round::begin(context, &object, &pods)?),
        };
        round.same_workload(&object)?;
        round.fail_fast(context, &object, &pods).await?;
        round.send(context, &pods, pace).await?;
        if round.is_over(&pods, pace.wait) {
            return Ok(round.observed(object, started.elapsed(), pace.wait));
        }
        context.waiting(&round.line(&pods), Vec::new());
    }
}

/// One replacement of all pods.
#[derive(Debug)]
struct Round {
    uid: String,
    /// The pods to replace, broken ones first.
    old: Vec<Value>,
    /// How many of them are sent away.
    sent: usize,
    /// The disruption budget that holds one back, and since when.
    protected: Option<(String, Instant)>,
    /// Why a replacement does not come up, and since when.
    hopeless: Option<(String, Instant)>,
}

impl Round {
    /// Where pods are wanted and there is none to replace, that is said: nothing would be restarted.
    fn new(object: &Value, pods: &[Value]) -> Result<Self, Failure> {
        let mut old: Vec<Value> = pods.iter().filter(|pod| is_active(pod) && !is_leaving(pod)).cloned().collect();
        old.sort_by_key(is_ready);
        let (id, wanted) = (ObjectId::of(object), running_pods(object));
        if old.is_empty() && wanted > 0 {
            let line = format!("{id} wants {wanted} pods and has none that could be replaced");
            return Err(Failure::new(Class::Expectation, line));
        }
        Ok(Self { uid: id.uid, old, sent: 0, protected: None, hopeless: None })
    }

    /// The round of this step; begun again after a crash, it is about the same pods as at first.
    fn begin(context: &Context, object: &Value, pods: &[Value]) -> Result<Self, Failure> {
        let key = format!("pods of {}", ObjectId::of(object));
        let old = if context.chosen(&key).is_some() {
            context.as_at_first(&key, pods.to_vec())?
        } else {
            context.as_at_first(&key, Self::new(object, pods)?.old)?
        };
        Ok(Self { uid: ObjectId::of(object).uid, old, sent: 0, protected: None, hopeless: None })
    }

    fn same_workload(&self, object: &Value) -> Result<(), Failure> {
        let id = ObjectId::of(object);
        if id.uid == self.uid {
            return Ok(());
        }
        Err(Failure::new(Class::Conflict, format!("{id} was replaced by another of the same name")))
    }

    /// Sends away as many as the pace allows now.
    async fn send(&mut self, context: &Context, pods: &[Value], pace: Pace) -> Result<(), Failure> {
        let held_back = self.protected.as_ref().is_some_and(|(_, since)| since.elapsed() < PROTECTED);
        let mut away = self.away(pods);
        while !held_back && away < pace.at_once {
            let Some(pod) = self.old.get(self.sent) else { break };
            match send_away(context, pod, pace.force).await? {
                Sent::Away => {
                    self.sent += 1;
                    self.protected = None;
                    away += 1;
                }
                Sent::Protected(words) => {
                    self.protected = Some((words, Instant::now()));
                    break;
                }
            }
        }
        Ok(())
    }

    /// How many pods are away: sent and still going, or not yet replaced by a ready one.
    fn away(&self, pods: &[Value]) -> usize {
        let still_going = self.sent().filter(|pod| is_among(pod, pods)).count();
        still_going.max(self.missing(pods))
    }

    /// How many ready pods there should be by now and are not.
    fn missing(&self, pods: &[Value]) -> usize {
        let ready_before = self.old.iter().filter(|pod| is_ready(pod)).count();
        let mended = self.sent().filter(|pod| !is_ready(pod)).count();
        let ready_now = pods.iter().filter(|pod| is_active(pod) && !is_leaving(pod) && is_ready(pod)).count();
        (ready_before + mended).saturating_sub(ready_now)
    }

    fn sent(&self) -> impl Iterator<Item = &Value> {
        self.old.iter().take(self.sent)
    }

    fn is_over(&self, pods: &[Value], wait: bool) -> bool {
        self.sent == self.old.len() && (!wait || self.old.is_empty() || self.is_replaced(pods))
    }

    /// The look that sent the last pod away was taken before it went: what it shows proves nothing.
    fn is_replaced(&self, pods: &[Value]) -> bool {
        self.old.iter().all(|pod| !is_among(pod, pods)) && self.missing(pods) == 0
    }

    /// A replacement whose cause waiting does not mend ends the round, before the next pod is sent away.
    async fn fail_fast(&mut self, context: &Context, object: &Value, pods: &[Value]) -> Result<(), Failure> {
        let new: Vec<Value> = pods.iter().filter(|pod| !is_among(pod, &self.old)).cloned().collect();
        let found = cause::worst(&new).filter(|(_, cause)| cause.hopeless).map(|(_, cause)| cause.line);
        self.hopeless = found.map(|line| {
            let since = self.hopeless.as_ref().map_or_else(Instant::now, |(_, since)| *since);
            (line, since)
        });
        let Some((line, since)) = &self.hopeless else { return Ok(()) };
        if since.elapsed() < FAIL_FAST {
            return Ok(());
        }
        let id = ObjectId::of(object);
        let events = match KindRow::of_singular("event") {
            Some(event) => context.list_all(event, &id.namespace).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let message = format!("{id}: {} of {} pods sent away; {line}", self.sent, self.old.len());
        let chain = cause::chain(object, "a new pod does not come up", &new, &events);
        let help = format!("it stayed so for {FAIL_FAST:?}; no further pod was sent away");
        Err(Failure::new(Class::Hopeless, message).because(chain).help(help))
    }

    fn line(&self, pods: &[Value]) -> String {
        let (sent, all, missing) = (self.sent, self.old.len(), self.missing(pods));
        let line = format!("{sent} of {all} pods sent away, {missing} not ready again");
        let words = self.protected.as_ref().or(self.hopeless.as_ref()).map(|(words, _)| words);
        words.map_or(line.clone(), |words| format!("{line}; {words}"))
    }

    fn observed(&self, object: Value, elapsed: Duration, waited: bool) -> Observed {
        let mut info = json!({"pods": self.sent, "revision": revision(&object)});
        if waited {
            set(&mut info, "waited", u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        }
        Observed { result: object, info, changed: self.sent > 0, secret: false }
    }
}

fn is_among(pod: &Value, pods: &[Value]) -> bool {
    let uid = pod.pointer("/metadata/uid");
    pods.iter().any(|other| other.pointer("/metadata/uid") == uid)
}

fn is_leaving(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_some()
}

fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|found| found.get("status").is_some_and(|status| status == "True"))
}
