//! Waiting that explains itself (runbook-format §7).
//!
//! A wait follows its object, says in one line what it waits for, looks at
//! pods and events for the cause, fails fast on a cause that stays hopeless,
//! and leaves its last words in the context for the moment the clock runs out.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::cause;
use super::context::Context;
use super::follow::Follow;
use super::reach::is_active;
use super::rollout::{self, Baseline, Progress};
use super::target::is_owned;
use crate::cluster::resource::Address;
use crate::cluster::sieve::Sieve;
use crate::document::{self, DurationText, KindRow, Selector};
use crate::event::{Class, Failure, ObjectId};

/// How long a hopeless cause may stay before it is believed.
pub(crate) const FAIL_FAST: Duration = Duration::from_secs(30);

/// How often pods and events are asked for the cause.
const EXPLAIN: Duration = Duration::from_millis(500);

/// What a wait came to.
#[derive(Debug, Clone)]
pub(crate) struct Waited {
    /// The object as it then was.
    pub(crate) object: Value,
    /// How often it was looked at.
    pub(crate) observations: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl Waited {
    /// How long it took, in milliseconds, as `info.waited` says it.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Waits until a workload has arrived where its spec wants it.
///
/// `baseline` is what our own write returned; without one the first look counts.
///
/// # Errors
/// When it cannot arrive, when the object goes away, or when a hopeless cause stays.
pub(crate) async fn await_rollout(
    context: &Context,
    address: &Address,
    baseline: Option<Baseline>,
) -> Result<Waited, Failure> {
    await_rollout_for(context, address, baseline, FAIL_FAST).await
}

/// As [`await_rollout`], believing a hopeless cause after `fail_fast`.
pub(crate) async fn await_rollout_for(
    context: &Context,
    address: &Address,
    baseline: Option<Baseline>,
    fail_fast: Duration,
) -> Result<Waited, Failure> {
    let started = Instant::now();
    let mut follow = Follow::object(context, address);
    let mut explainer = Explainer::new(fail_fast);
    let mut baseline = baseline;
    let mut observations = 0;
    loop {
        let Some(object) = follow.next().await? else { return Err(gone(address)) };
        observations += 1;
        let held_against = baseline.get_or_insert_with(|| Baseline::first_look(&object));
        let (line, stuck) = match rollout::judge(&object, held_against) {
            Progress::Done => match pods_to_go(context, &object).await? {
                0 => return Ok(Waited { object, observations, elapsed: started.elapsed() }),
                1 => ("1 pod to go".to_owned(), false),
                pods => (format!("{pods} pods to go"), false),
            },
            Progress::Waiting(line) => (line, false),
            Progress::Stuck(line) => (line, true),
            Progress::Failed(failure) => {
                let chain = explain(context, &object, &failure.message).await.unwrap_or_default();
                return Err(if failure.cause.is_empty() { failure.because(chain) } else { failure });
            }
        };
        explainer.look(context, &object, line, stuck).await?;
    }
}

/// Scaled to nothing is over when the pods are gone, not when they are counted out.
async fn pods_to_go(context: &Context, object: &Value) -> Result<usize, Failure> {
    let scalable = matches!(ObjectId::of(object).kind.as_str(), "Deployment" | "StatefulSet" | "ReplicaSet");
    if !scalable || rollout::replicas(object) != 0 {
        return Ok(0);
    }
    // A pod that has ended keeps nobody waiting: evicted ones may lie about for days.
    Ok(pods_of(context, object).await?.iter().filter(|pod| is_active(pod)).count())
}

/// The pods that a workload owns, directly or through its ReplicaSets.
pub(crate) async fn pods_of(context: &Context, object: &Value) -> Result<Vec<Value>, Failure> {
    let id = ObjectId::of(object);
    let mut owners = vec![id.uid.clone()];
    let (Some(pod), Some(set)) = (KindRow::of_singular("pod"), KindRow::of_singular("replicaset")) else {
        return Ok(Vec::new());
    };
    let narrow = Narrow(Selector::of_object(object).ok());
    if id.kind == "Deployment" {
        let sets = context.list_narrowed(set, &id.namespace, &narrow).await?;
        let owned: Vec<String> =
            sets.iter().filter(|set| is_owned(set, &owners)).map(|set| ObjectId::of(set).uid).collect();
        owners.extend(owned);
    }
    let pods = context.list_narrowed(pod, &id.namespace, &narrow).await?;
    Ok(pods.into_iter().filter(|pod| is_owned(pod, &owners)).collect())
}

/// Tells the server the workload's own selector, so that it sends a workload's pods and not a namespace's.
///
/// What a controller owns meets its selector, or it lets go of it; whose an
/// object is still only its owner's UID says.
#[derive(Debug)]
struct Narrow(Option<Selector>);

impl Sieve for Narrow {
    fn labels(&self) -> Option<String> {
        self.0.as_ref().map(ToString::to_string)
    }

    fn admits(&self, _: &Value) -> bool {
        true
    }
}

/// The chain of causes of a workload as it is now.
pub(crate) async fn explain(context: &Context, object: &Value, line: &str) -> Result<Vec<String>, Failure> {
    let pods = pods_of(context, object).await?;
    let events = match KindRow::of_singular("event") {
        Some(event) => context.list_all(event, &ObjectId::of(object).namespace).await.unwrap_or_default(),
        None => Vec::new(),
    };
    Ok(cause::chain(object, line, &pods, &events))
}

/// The object that was waited for is no more.
pub(crate) fn gone(address: &Address) -> Failure {
    Failure::new(Class::NotFound, format!("{address} was deleted while it was waited for"))
}

/// Finds causes now and then, and believes a hopeless one after a while.
#[derive(Debug)]
pub(crate) struct Explainer {
    fail_fast: Duration,
    asked: Instant,
    cause: Vec<String>,
    words: String,
    hopeless_since: Option<(String, Instant)>,
}

impl Explainer {
    /// An explainer that believes a hopeless cause after `fail_fast`.
    pub(crate) fn new(fail_fast: Duration) -> Self {
        Self { fail_fast, asked: Instant::now(), cause: Vec::new(), words: String::new(), hopeless_since: None }
    }

    /// Says what is waited for, and why it takes so long.
    ///
    /// # Errors
    /// When a cause stays hopeless.
    pub(crate) async fn look(
        &mut self,
        context: &Context,
        object: &Value,
        line: String,
        stuck: bool,
    ) -> Result<(), Failure> {
        if self.asked.elapsed() >= EXPLAIN {
            self.asked = Instant::now();
            self.ask(context, object, &line, stuck).await;
        }
        let shown = if self.words.is_empty() { line } else { format!("{line}; {}", self.words) };
        context.waiting(&shown, self.cause.clone());
        match &self.hopeless_since {
            Some((why, since)) if since.elapsed() >= self.fail_fast => {
                let message = format!("{}: {shown}", ObjectId::of(object));
                let help = format!("it stayed so for {:?}: {why}", self.fail_fast);
                Err(Failure::new(Class::Hopeless, message).because(self.cause.clone()).help(help))
            }
            _ => Ok(()),
        }
    }

    /// A cause that cannot be read now is no reason to end a wait.
    async fn ask(&mut self, context: &Context, object: &Value, line: &str, stuck: bool) {
        let Ok(pods) = pods_of(context, object).await else { return };
        let found = cause::worst(&pods);
        self.words = found.as_ref().map(|(_, cause)| cause.line.clone()).unwrap_or_default();
        let hopeless = match &found {
            Some((_, cause)) if cause.hopeless => Some(cause.line.clone()),
            _ if stuck => Some(line.to_owned()),
            _ => None,
        };
        self.hopeless_since = match (hopeless, self.hopeless_since.take()) {
            (Some(why), Some((_, since))) => Some((why, since)),
            (Some(why), None) => Some((why, Instant::now())),
            (None, _) => None,
        };
        if let Ok(chain) = explain(context, object, line).await {
            self.cause = chain;
        }
    }
}

/// `wait: true`, `wait: false`, or `wait: 5m`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wait {
    /// Whether to wait.
    Flag(bool),
    /// For how long.
    Limit(DurationText),
}

impl Wait {
    /// Whether to wait.
    pub(crate) fn is_wanted(&self) -> bool {
        *self != Self::Flag(false)
    }

    /// For how long, where that is written.
    pub(crate) fn limit(&self) -> Option<Duration> {
        match self {
            Self::Limit(limit) => Some(limit.duration()),
            Self::Flag(_) => None,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" => Ok(Self::Flag(true)),
            "false" => Ok(Self::Flag(false)),
            other => DurationText::parse(other).map(Self::Limit),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Wait {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::leaf(deserializer, "true, false or a duration such as 5m", Self::parse, || Self::Flag(true))
    }
}

impl schemars::JsonSchema for Wait {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"anyOf": [{"type": "boolean"}, generator.subschema_for::<DurationText>()]})
    }
}
