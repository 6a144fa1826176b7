//! `wait`: until something holds, stays so, or is gone (runbook-format §6, §7).
//!
//! On an object, on every one of a set, or on the result of one reading
//! action. It says in one line what does not hold yet.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::follow::Follow;
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{DurationText, Entry, Kind, Mode, Node, ObjectSet, Target, TargetRule};
use crate::event::{Class, Failure};
use crate::expect::Expectation;
use crate::source::Diagnostic;
use crate::template::Expression;

const RULE: TargetRule =
    TargetRule { kinds: super::ALL_KINDS, sets: true, container: false, object: true, required: false };

/// Reading actions whose result can be waited for.
const READERS: [&str; 5] = ["http", "logs", "events", "exec", "middleware"];

/// How often a set or a reading action is looked at, where nothing is said.
const EVERY: Duration = Duration::from_secs(1);

/// For what to wait.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// It is gone.
    #[serde(default)]
    deleted: bool,
    /// It holds so long without a break.
    #[serde(default)]
    stays: Option<DurationText>,
    /// So many bad looks do not break it.
    #[serde(default)]
    tolerate: u32,
    /// A break fails at once, instead of beginning anew.
    #[serde(default)]
    fail_on_break: bool,
    /// How often to look, where nothing can be watched.
    #[serde(default)]
    every: Option<DurationText>,
    /// The step's clock; 10m if not given.
    #[serde(default)]
    timeout: Option<DurationText>,
}

/// What is looked at.
#[derive(Debug)]
enum Subject {
    One(Target),
    Set(ObjectSet),
    Reader(Arc<dyn Action>),
}

#[derive(Debug)]
struct WaitUntil {
    subject: Subject,
    until: Vec<Expectation>,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "wait",
    help: "until expectations hold on an object, a set or the result of a reading action, or it is gone",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode,
    schema: schema_of::<Arguments>,
};

fn decode(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Box<dyn Action>> {
    let (special, rest): (Vec<Entry>, Vec<Entry>) = node
        .entries()
        .iter()
        .cloned()
        .partition(|entry| entry.key.text == "until" || READERS.contains(&entry.key.text.as_str()));
    let rest = Node::new(node.span, if node.entries().is_empty() { node.kind.clone() } else { Kind::Mapping(rest) });
    let read: Option<(Option<Target>, Arguments)> = aimed(&RULE, &rest, mode, out);
    let until = match special.iter().find(|entry| entry.key.text == "until") {
        Some(entry) => Expectation::list(&entry.value, mode, out)?,
        None => Vec::new(),
    };
    let reader = special.iter().find(|entry| entry.key.text != "until").map(|entry| reader(entry, mode, out));
    let (target, arguments) = read?;
    let subject = match (target, reader) {
        (Some(Target::Set(set)), None) => Subject::Set(*set),
        (Some(target), None) => Subject::One(target),
        (None, Some(reader)) => Subject::Reader(reader?),
        (Some(_), Some(_)) => {
            out.push(Diagnostic::error("`wait` looks at one thing: an object, a set, or a reading action", node.span));
            return None;
        }
        (None, None) => {
            let complaint = Diagnostic::error("`wait` needs something to look at", node.span);
            out.push(
                complaint
                    .help(format!("an object (pod: shop/web-1), a set (pods: …), or one of {}", READERS.join(", "))),
            );
            return None;
        }
    };
    if until.is_empty() != arguments.deleted {
        let complaint = Diagnostic::error("`wait` takes `until` with expectations, or `deleted: true`", node.span);
        out.push(complaint.help("write until: [{path: $.status.phase, equals: Running}]"));
    }
    Some(Box::new(WaitUntil { subject, until, arguments }))
}

fn reader(entry: &Entry, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Arc<dyn Action>> {
    let Some(kind) = super::find(&entry.key.text) else {
        out.push(Diagnostic::error(format!("this version cannot wait for `{}`", entry.key.text), entry.key.span));
        return None;
    };
    let action = (kind.decode)(&entry.value, mode, out)?;
    if action.effect().changes() {
        let complaint = Diagnostic::error(
            format!("`wait` repeats what it looks at, and this `{}` changes something", kind.name),
            entry.key.span,
        );
        out.push(complaint.help("say `effect: none` where it only reads"));
        return None;
    }
    Some(Arc::from(action))
}

#[async_trait]
impl Action for WaitUntil {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let started = Instant::now();
        let mut calm = Calm::new(&self.arguments);
        let mut looks = 0_u64;
        let mut eyes = Eyes::of(self, context).await?;
        loop {
            let seen = eyes.look().await?;
            looks += 1;
            let missing = self.missing(context, seen.as_ref())?;
            match calm.judge(missing.as_deref())? {
                Pace::Over => {
                    let waited = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                    let info = json!({"waited": waited, "observations": looks});
                    return Ok(Observed { result: seen.unwrap_or(Value::Null), info, ..Observed::default() });
                }
                Pace::Waiting(line) => context.waiting(&line, missing.into_iter().collect()),
            }
        }
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.timeout.as_ref().map(DurationText::duration)
    }

    fn waits(&self) -> bool {
        true
    }

    fn conditions(&self) -> Vec<&Expression> {
        self.until.iter().filter_map(Expectation::condition).collect()
    }
}

impl WaitUntil {
    /// What does not hold yet, in one line.
    fn missing(&self, context: &Context, seen: Option<&Value>) -> Result<Option<String>, Failure> {
        if self.arguments.deleted {
            let left = match seen {
                None => 0,
                Some(list) => list.get("items").and_then(Value::as_array).map_or(1, Vec::len),
            };
            return Ok((left > 0).then(|| format!("{left} still there")));
        }
        let Some(seen) = seen else {
            return match &self.subject {
                Subject::One(target) => Err(gone_target(target)),
                Subject::Set(_) | Subject::Reader(_) => Ok(Some("nothing there".into())),
            };
        };
        match &self.subject {
            Subject::Set(_) => {
                let items = seen.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                for item in items {
                    if let Some(line) = self.first_miss(context, item)? {
                        let name = item.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                        return Ok(Some(format!("{name}: {line}")));
                    }
                }
                Ok(None)
            }
            Subject::One(_) | Subject::Reader(_) => self.first_miss(context, seen),
        }
    }

    fn first_miss(&self, context: &Context, value: &Value) -> Result<Option<String>, Failure> {
        for expectation in &self.until {
            let mismatch = expectation.check(value, context.scope());
            let mismatch =
                mismatch.map_err(|message| Failure::new(Class::Evaluation, format!("`until`: {message}")))?;
            if let Some(mismatch) = mismatch {
                return Ok(Some(mismatch.to_string()));
            }
        }
        Ok(None)
    }
}

fn gone_target(target: &Target) -> Failure {
    let name = match target {
        Target::One(reference) => format!("{} {}", reference.kind.singular, reference.name),
        Target::Object(object) => format!("{} {}", object.kind, object.name),
        Target::Container(_) | Target::Set(_) => "the object".to_owned(),
    };
    Failure::new(Class::NotFound, format!("{name} is not there, or was deleted while it was waited for"))
}

/// Who looks, again and again.
enum Eyes<'a> {
    Follow(Box<Follow<'a>>),
    Set { context: &'a Context, set: &'a ObjectSet, least: u64, every: Duration, began: bool },
    Reader { context: &'a Context, action: &'a Arc<dyn Action>, every: Duration, began: bool },
}

impl<'a> Eyes<'a> {
    async fn of(wait: &'a WaitUntil, context: &'a Context) -> Result<Self, Failure> {
        let every =
            wait.arguments.every.as_ref().map(DurationText::duration).or(context.facts().every).unwrap_or(EVERY);
        Ok(match &wait.subject {
            Subject::One(target) => Self::Follow(Box::new(Follow::object(context, &context.one(target).await?))),
            Subject::Set(set) => {
                Self::Set { context, set, least: u64::from(!wait.arguments.deleted), every, began: false }
            }
            Subject::Reader(action) => Self::Reader { context, action, every, began: false },
        })
    }

    async fn look(&mut self) -> Result<Option<Value>, Failure> {
        match self {
            Self::Follow(follow) => follow.next().await,
            Self::Set { context, set, least, every, began } => {
                pause(began, *every).await;
                let selection = context.select(set, *least).await?;
                if !selection.complete {
                    return Err(Failure::new(
                        Class::Forbidden,
                        "the list may be incomplete, and a wait may not depend on it",
                    ));
                }
                let total = selection.items.len();
                Ok(Some(json!({"items": selection.items, "total": total})))
            }
            Self::Reader { context, action, every, began } => {
                pause(began, *every).await;
                // A look that fails is a bad look, not the end of the wait.
                match action.act(context).await {
                    Ok(observed) => Ok(Some(observed.result)),
                    Err(failure) if is_passing(failure.class) => {
                        context.waiting(&failure.message, failure.cause);
                        Ok(None)
                    }
                    Err(failure) => Err(failure),
                }
            }
        }
    }
}

fn is_passing(class: Class) -> bool {
    matches!(class, Class::Transport | Class::Server | Class::Throttle | Class::Command | Class::NotFound)
}

async fn pause(began: &mut bool, every: Duration) {
    if *began {
        tokio::time::sleep(every).await;
    }
    *began = true;
}

/// How a wait stands after a look.
enum Pace {
    Over,
    Waiting(String),
}

/// Whether it stayed well long enough.
struct Calm {
    stays: Duration,
    tolerate: u32,
    fail_on_break: bool,
    since: Option<Instant>,
    bad: u32,
}

impl Calm {
    fn new(arguments: &Arguments) -> Self {
        Self {
            stays: arguments.stays.as_ref().map(DurationText::duration).unwrap_or_default(),
            tolerate: arguments.tolerate,
            fail_on_break: arguments.fail_on_break,
            since: None,
            bad: 0,
        }
    }

    fn judge(&mut self, missing: Option<&str>) -> Result<Pace, Failure> {
        let Some(line) = missing else {
            self.bad = 0;
            let since = *self.since.get_or_insert_with(Instant::now);
            if since.elapsed() >= self.stays {
                return Ok(Pace::Over);
            }
            return Ok(Pace::Waiting(format!("holds, should stay so for {:?}", self.stays)));
        };
        if self.since.is_some() {
            self.bad += 1;
            if self.bad <= self.tolerate {
                return Ok(Pace::Waiting(format!("{line} (tolerated, {} of {})", self.bad, self.tolerate)));
            }
            if self.fail_on_break {
                return Err(Failure::new(Class::Expectation, format!("it held and then broke: {line}")));
            }
            self.since = None;
        }
        Ok(Pace::Waiting(line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, pod, ready};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_holds_already_costs_one_look() {
        let stage = Stage::new([pod("shop", "web-1", "u1")]);
        let wait = ready(&ROW, "{pod: shop/web-1, until: [{path: $.metadata.name, equals: web-1}]}");
        assert_eq!(wait.act(&stage.context()).await.unwrap().info["observations"], 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_set_is_waited_for_as_a_whole_and_an_empty_one_is_an_error() {
        let stage = Stage::new([pod("shop", "web-1", "u1")]);
        let wait = ready(&ROW, "{pods: {in: shop}, until: [{path: $.kind, equals: Pod}]}");
        assert_eq!(wait.act(&stage.context()).await.unwrap().result["total"], 1);
        let empty = ready(&ROW, "{pods: {in: other}, until: [{path: $.kind, equals: Pod}]}");
        assert_eq!(empty.act(&stage.context()).await.unwrap_err().class, Class::Expectation);
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_not_there_fails_unless_that_is_waited_for() {
        let stage = Stage::new([]);
        let wait = ready(&ROW, "{pod: shop/nope, until: [{path: $.kind, equals: Pod}]}");
        assert_eq!(wait.act(&stage.context()).await.unwrap_err().class, Class::NotFound);
        assert!(ready(&ROW, "{pod: shop/nope, deleted: true}").act(&stage.context()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn staying_is_counted_from_the_first_good_look_and_a_break_begins_anew() {
        let arguments = |tolerate, fail_on_break| Arguments {
            stays: DurationText::parse("5s").ok(),
            tolerate,
            fail_on_break,
            ..Arguments::default()
        };
        let mut calm = Calm::new(&arguments(1, false));
        assert!(matches!(calm.judge(None), Ok(Pace::Waiting(_))));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert!(matches!(calm.judge(Some("bad")), Ok(Pace::Waiting(_))), "one bad look is tolerated");
        assert!(matches!(calm.judge(None), Ok(Pace::Waiting(_))));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(matches!(calm.judge(None), Ok(Pace::Over)));
        let mut strict = Calm::new(&arguments(0, true));
        assert!(strict.judge(None).is_ok());
        assert!(strict.judge(Some("bad")).is_err());
    }

    #[test]
    fn a_wait_says_what_for() {
        assert!(!complaints(&ROW, "{pod: shop/web-1}").is_empty());
        assert!(!complaints(&ROW, "{until: [{path: $.x, equals: 1}]}").is_empty());
        assert!(
            complaints(
                &ROW,
                "{http: {url: 'http://a/'}, until: [{path: $.status, equals: 200}], stays: 5m, every: 5s}"
            )
            .is_empty()
        );
        assert!(
            !complaints(&ROW, "{http: {url: 'http://a/', method: POST}, until: [{path: $.status, equals: 200}]}")
                .is_empty()
        );
    }
}
