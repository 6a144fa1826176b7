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
use super::super::pods::{self, Going, Sent, ask_again, send_away};
use super::super::reach::{is_active, running_pods};
use super::super::rollout::condition;
use super::super::wait::{FAIL_FAST, gone, pods_of};
use super::super::{Blind, Context, Look, Observed, Outlook, set};
use super::revision;
use crate::cluster::resource::Address;
use crate::document::{KindRow, Target};
use crate::event::{Class, EffectKind, Failure, ObjectId};

/// How long a pod that its disruption budget protects is left alone.
pub(super) const PROTECTED: Duration = Duration::from_secs(2);

/// How pods are sent away.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Only the pod of this UID.
    pub(super) only: Option<String>,
    /// How many may be away at once.
    pub(super) at_once: usize,
    /// Past the disruption budgets or not, and with how much grace.
    pub(super) going: Going,
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
            none => none.insert(Round::begin(context, &object, &pods, &pace)?),
        };
        round.same_workload(&object)?;
        round.fail_fast(context, &object, &pods).await?;
        round.send(context, &pods, &pace).await?;
        if round.is_over(&pods, pace.wait) {
            return Ok(round.observed(object, started.elapsed(), pace.wait));
        }
        context.waiting(&round.line(&pods), Vec::new());
    }
}

/// What replacing every pod of the target's workloads would do: one pod after another goes.
pub(super) async fn look(look: &Look, target: &Target, pace: &Pace) -> Result<Outlook, Blind> {
    let mut outlook = Outlook::default();
    for seen in look.objects(target, 1).await? {
        let pods = pods_of(look.context(), &seen.object).await?;
        for pod in Round::new(&seen.object, &pods, pace)?.old {
            let address = pods::address(&pod)?;
            let proposal = pods::proposal(look.context(), &pod, pace.going).await?;
            let gone = look.object(address).await?;
            outlook.effects.push(look.rehearse(&gone, proposal).await?);
        }
    }
    Ok(outlook.named(EffectKind::Restart))
}

/// One replacement of all pods.
#[derive(Debug)]
struct Round {
    uid: String,
    /// The pods to replace, broken ones first.
    old: Vec<Value>,
    /// How many pods were ready, those included that are not to be replaced.
    ready_before: usize,
    /// How many of them are sent away.
    sent: usize,
    /// The disruption budget that holds one back, and since when.
    protected: Option<(String, Instant)>,
    /// Why a replacement does not come up, and since when.
    hopeless: Option<(String, Instant)>,
}

impl Round {
    /// Where pods are wanted and there is none to replace, that is said: nothing would be restarted.
    fn new(object: &Value, pods: &[Value], pace: &Pace) -> Result<Self, Failure> {
        let mut old: Vec<Value> = pods.iter().filter(|pod| is_active(pod) && !is_leaving(pod)).cloned().collect();
        let ready_before = old.iter().filter(|pod| is_ready(pod)).count();
        old.retain(|pod| pace.only.as_ref().is_none_or(|uid| ObjectId::of(pod).uid == *uid));
        old.sort_by_key(is_ready);
        let (id, wanted) = (ObjectId::of(object), running_pods(object));
        if old.is_empty() && wanted > 0 {
            let line = format!("{id} wants {wanted} pods and has none that could be replaced");
            return Err(Failure::new(Class::Expectation, line));
        }
        Ok(Self { uid: id.uid, old, ready_before, sent: 0, protected: None, hopeless: None })
    }

    /// The round of this step; begun again after a crash, it is about the same pods as at first.
    fn begin(context: &Context, object: &Value, pods: &[Value], pace: &Pace) -> Result<Self, Failure> {
        let only = pace.only.as_deref().unwrap_or_default();
        let key = format!("pods of {} {only}", ObjectId::of(object));
        let key = key.trim_end();
        let fresh = if context.chosen(key).is_some() { None } else { Some(Self::new(object, pods, pace)?) };
        let counted = || Ok(fresh.as_ref().map_or(0, |round| round.ready_before));
        let ready_before = context.once(&format!("{key}, ready"), counted)?;
        let old = context.as_at_first(key, fresh.map_or_else(|| pods.to_vec(), |round| round.old))?;
        Ok(Self { uid: ObjectId::of(object).uid, old, ready_before, sent: 0, protected: None, hopeless: None })
    }

    fn same_workload(&self, object: &Value) -> Result<(), Failure> {
        let id = ObjectId::of(object);
        if id.uid == self.uid {
            return Ok(());
        }
        Err(Failure::new(Class::Conflict, format!("{id} was replaced by another of the same name")))
    }

    /// Sends away as many as the pace allows now.
    async fn send(&mut self, context: &Context, pods: &[Value], pace: &Pace) -> Result<(), Failure> {
        let held_back = self.protected.as_ref().is_some_and(|(_, since)| since.elapsed() < PROTECTED);
        let mut away = self.away(pods);
        while !held_back && away < pace.at_once {
            let Some(pod) = self.old.get(self.sent) else { break };
            let again = self.protected.is_some() && !pace.going.force;
            let sent = if again {
                ask_again(context, pod, pace.going).await?
            } else {
                send_away(context, pod, pace.going).await?
            };
            match sent {
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
        let mended = self.sent().filter(|pod| !is_ready(pod)).count();
        let ready_now = pods.iter().filter(|pod| is_active(pod) && !is_leaving(pod) && is_ready(pod)).count();
        (self.ready_before + mended).saturating_sub(ready_now)
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
