//! `wait`: until expectations hold on an object, on every one of a set, or on the answer of a reading action.
//!
//! `look.rs` looks, `hold.rs` judges whether it holds long enough, `gone.rs`
//! waits for what should be no more. (`wait.rs` beside this folder is the
//! waiting that all actions share.)

mod gone;
mod hold;
mod look;

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::row::{aimed, schema_of};
use super::wait::FAIL_FAST;
use super::{Action, ActionKind, Changes, Context, Observed, set};
use crate::document::{DurationText, Entry, Key, Kind, Mode, Node, ObjectSet, Target, TargetRule};
use crate::event::{Class, Failure};
use crate::expect::Expectation;
use crate::source::Diagnostic;
use crate::template::Expression;
use hold::{Hold, Next, Patience};
use look::{Eyes, Sight};

const RULE: TargetRule = TargetRule { required: true, ..OPTIONAL };

/// Where an action is looked at, no object is named.
const OPTIONAL: TargetRule = TargetRule {
    kinds: &[
        "deployment",
        "statefulset",
        "daemonset",
        "replicaset",
        "pod",
        "job",
        "cronjob",
        "node",
        "namespace",
        "service",
        "configmap",
        "secret",
    ],
    sets: true,
    container: false,
    object: true,
    required: false,
};

/// The actions whose answer can be waited for.
const READING: [&str; 5] = ["http", "exec", "logs", "events", "middleware"];

/// The pause between two looks, where the book names none.
const EVERY: Duration = Duration::from_secs(1);

/// Waits for an object, a set or an answer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// What must hold: a list of expectations.
    #[serde(default)]
    #[expect(dead_code, reason = "read as expectations, with their places; here only the key is known")]
    until: Option<Value>,
    /// It must be gone.
    #[serde(default)]
    deleted: bool,
    /// It must hold for so long without a break.
    #[serde(default)]
    stays: Option<DurationText>,
    /// So many bad looks are no break.
    #[serde(default)]
    tolerate: Option<u32>,
    /// A break fails the step at once, and is not waited out.
    #[serde(default)]
    fail_on_break: bool,
    /// How often to look; without it an object is followed, and anything else looked at once a second.
    #[serde(default)]
    every: Option<DurationText>,
    /// How long a cause that waiting does not mend (image pull, crash loop, no node) may stay; 30s where none is written.
    #[serde(default)]
    fail_fast: Option<DurationText>,
    /// How long it may take; 10m where none is written.
    #[serde(default)]
    timeout: Option<DurationText>,
    /// Look at the answer of a request; any status is an answer, unless `ok-status` is written.
    #[serde(default)]
    #[expect(dead_code, reason = "read as an action of its own")]
    http: Option<Value>,
    /// Look at what a command says; it must have `effect: none`.
    #[serde(default)]
    #[expect(dead_code, reason = "read as an action of its own")]
    exec: Option<Value>,
    /// Look at logs.
    #[serde(default)]
    #[expect(dead_code, reason = "read as an action of its own")]
    logs: Option<Value>,
    /// Look at events.
    #[serde(default)]
    #[expect(dead_code, reason = "read as an action of its own")]
    events: Option<Value>,
    /// Look at the middleware.
    #[serde(default)]
    #[expect(dead_code, reason = "read as an action of its own")]
    middleware: Option<Value>,
}

/// What is waited for.
#[derive(Debug)]
enum Subject {
    /// One object.
    One(Target),
    /// Every one of a set.
    Set(Box<ObjectSet>),
    /// The answer of an action that only reads.
    Answer(Box<dyn Action>),
}

#[derive(Debug)]
struct WaitUntil {
    subject: Subject,
    until: Vec<Expectation>,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "wait",
    help: "until expectations hold on an object, every one of a set, or an answer; or until it is gone",
    target: &OPTIONAL,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let nested: Vec<&Entry> =
            node.entries().iter().filter(|entry| READING.contains(&entry.key.text.as_str())).collect();
        let rule = if nested.is_empty() { &RULE } else { &OPTIONAL };
        let (target, arguments) = aimed(rule, node, mode, out)?;
        contradictions(node, &arguments, out);
        let until = until(node, &arguments, mode, out);
        let subject = subject(node, target, &nested, mode, out);
        Some(Box::new(WaitUntil { subject: subject?, until: until?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

fn subject(
    node: &Node,
    target: Option<Target>,
    nested: &[&Entry],
    mode: Mode,
    out: &mut Vec<Diagnostic>,
) -> Option<Subject> {
    match (target, nested) {
        (Some(Target::Set(set)), []) => Some(Subject::Set(set)),
        (Some(target), []) => Some(Subject::One(target)),
        (None, [entry]) => answer(entry, mode, out).map(Subject::Answer),
        (None, []) => None,
        (_, several) => {
            let names: Vec<String> = several.iter().map(|entry| format!("`{}`", entry.key.text)).collect();
            let message = format!("a wait looks at one thing, this one has more: {}", names.join(" and "));
            out.push(Diagnostic::error(message, node.span).help("make a step of each"));
            None
        }
    }
}

/// The action whose answer is waited for; it may only read.
fn answer(entry: &Entry, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Box<dyn Action>> {
    let word = entry.key.text.as_str();
    let Some(kind) = super::find(word) else {
        out.push(Diagnostic::error(format!("this version of runhub cannot wait for `{word}`"), entry.key.span));
        return None;
    };
    let action = (kind.decode)(&any_status(entry), mode, out)?;
    if action.effect().changes() {
        let complaint =
            Diagnostic::error(format!("a wait only reads, and this `{word}` may change something"), entry.key.span);
        out.push(complaint.help("say `effect: none`, if that is so"));
    }
    Some(action)
}

/// Of a request any status is an answer, and the expectations judge it.
fn any_status(entry: &Entry) -> Node {
    let value = &entry.value;
    let Kind::Mapping(entries) = &value.kind else { return value.clone() };
    if entry.key.text != "http" || value.get("ok-status").is_some() {
        return value.clone();
    }
    let key = Key { text: "ok-status".into(), span: entry.key.span };
    let any = Entry { key, value: Node::from_json(&json!("100-599"), entry.key.span) };
    Node::new(value.span, Kind::Mapping(entries.iter().cloned().chain([any]).collect()))
}

fn until(node: &Node, arguments: &Arguments, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Vec<Expectation>> {
    match (node.entry("until"), arguments.deleted) {
        (None, true) => Some(Vec::new()),
        (Some(entry), true) => {
            let message = "what is gone meets no expectations: `until` or `deleted`, not both";
            out.push(Diagnostic::error(message, entry.key.span));
            None
        }
        (None, false) => {
            let complaint = Diagnostic::error("this waits for nothing: `until` is missing", node.span);
            out.push(complaint.help("write `until: [{path: $.status.phase, equals: Running}]`, or `deleted: true`"));
            None
        }
        (Some(entry), false) => {
            let list = Expectation::list(&entry.value, mode, out)?;
            if entry.value.items().is_empty() {
                out.push(Diagnostic::error("`until` is empty: everything would hold", entry.value.span));
                return None;
            }
            Some(list)
        }
    }
}

fn contradictions(node: &Node, arguments: &Arguments, out: &mut Vec<Diagnostic>) {
    let mut complain = |key: &str, message: &str| {
        if let Some(entry) = node.entry(key) {
            out.push(Diagnostic::error(message, entry.key.span));
        }
    };
    if arguments.stays.is_none() {
        complain("tolerate", "there is no break to tolerate: `tolerate` goes with `stays`");
        complain("fail-on-break", "there is nothing to break: `fail-on-break` goes with `stays`");
    }
    if arguments.deleted {
        complain("stays", "what is gone stays so: `stays` goes with `until`");
        for word in READING {
            complain(word, "only objects can be gone: `deleted` goes with an object or a set");
        }
    }
}

#[async_trait]
impl Action for WaitUntil {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        if self.arguments.deleted {
            return gone::wait(context, &self.subject, self.every(context)).await;
        }
        let started = Instant::now();
        let mut eyes = Eyes::new(context, self).await?;
        let mut hold = Hold::new(self.patience());
        let mut observations: u64 = 0;
        loop {
            let sight = eyes.look().await?;
            observations += 1;
            match hold.take(sight.amiss.as_deref(), Instant::now()) {
                Next::Done => return Ok(observed(sight, started, observations)),
                Next::Broke(line) => return Err(Failure::new(Class::Expectation, line)),
                Next::Wait(line) => eyes.explain(&sight, line).await?,
            }
            if !eyes.are_paced() {
                tokio::time::sleep(look::pause(self.every(context), hold.rest(Instant::now()))).await;
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
        let mut conditions: Vec<&Expression> = self.until.iter().filter_map(Expectation::condition).collect();
        if let Subject::Answer(action) = &self.subject {
            conditions.extend(action.conditions());
        }
        conditions
    }
}

impl WaitUntil {
    fn every(&self, context: &Context) -> Duration {
        self.arguments.every.as_ref().map(DurationText::duration).or(context.facts().every).unwrap_or(EVERY)
    }

    fn fail_fast(&self) -> Duration {
        self.arguments.fail_fast.as_ref().map_or(FAIL_FAST, DurationText::duration)
    }

    fn patience(&self) -> Patience {
        Patience {
            stays: self.arguments.stays.as_ref().map(DurationText::duration),
            tolerate: self.arguments.tolerate.unwrap_or(0),
            fail_on_break: self.arguments.fail_on_break,
        }
    }
}

fn observed(sight: Sight, started: Instant, observations: u64) -> Observed {
    let mut info = sight.info;
    set(&mut info, "waited", u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    set(&mut info, "observations", observations);
    Observed { result: sight.result, info, changed: false, secret: sight.secret }
}
