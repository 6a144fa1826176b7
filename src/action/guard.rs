//! Guards: what must hold of an object or a set while steps run (runbook-format §8).
//!
//! `check` reads them with holes; the engine fills them once, looks before the
//! first step and then watches. A guard that is broken for longer than its
//! grace, or that nobody can read any more, ends its watch; what follows from
//! that is the engine's affair.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::context::Context;
use super::follow::Follow;
use super::row::aimed;
use crate::document::{DurationText, Mode, Node, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};
use crate::expect::Expectation;
use crate::source::Diagnostic;
use crate::template::Scope;

const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "daemonset", "replicaset", "pod", "job", "cronjob", "node", "service"],
    sets: true,
    container: false,
    object: true,
    required: true,
};

/// How long it may be broken, where nothing is written.
const GRACE: Duration = Duration::from_secs(5);

/// How long it may be unreadable.
const BLIND: Duration = Duration::from_secs(30);

/// How often a set is looked at, and a guard that cannot be read.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// What must hold.
    #[expect(dead_code, reason = "read as expectations; here only the key is known")]
    expect: Value,
    /// How long it may be broken.
    #[serde(default, rename = "for")]
    grace: Option<DurationText>,
}

/// Complains about what is wrong with a guard.
pub fn check_guard(node: &Node, out: &mut Vec<Diagnostic>) {
    aimed::<Arguments>(&RULE, node, Mode::Holes, out);
    if let Some(expect) = node.get("expect") {
        Expectation::list(expect, Mode::Holes, out);
    }
}

/// What must hold of an object or a set.
#[derive(Debug)]
pub struct Guard {
    target: Target,
    expectations: Vec<Expectation>,
    grace: Duration,
}

impl Guard {
    /// Reads a guard without holes.
    pub fn read(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let (target, arguments): (_, Arguments) = aimed(&RULE, node, Mode::Whole, out)?;
        let expectations = Expectation::list(node.get("expect")?, Mode::Whole, out)?;
        let grace = arguments.grace.as_ref().map_or(GRACE, DurationText::duration);
        Some(Self { target: target?, expectations, grace })
    }

    /// What it guards, in words: `deployment shop/web`.
    pub fn name(&self) -> String {
        match &self.target {
            Target::One(reference) => match &reference.namespace {
                Some(namespace) => format!("{} {namespace}/{}", reference.kind.singular, reference.name),
                None => format!("{} {}", reference.kind.singular, reference.name),
            },
            Target::Object(object) => format!("{} {}", object.kind, object.name),
            Target::Set(set) => set.kind.plural.to_owned(),
            Target::Container(container) => format!("container {}", container.container),
        }
    }

    /// What is broken now, in one line; nothing while it holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn look(&self, context: &Context) -> Result<Option<String>, Failure> {
        match &self.target {
            Target::Set(set) => match context.select(set, 1).await {
                Ok(selection) => self.broken_among(context, &selection.items),
                Err(failure) if failure.class == Class::Expectation => Ok(Some(failure.message)),
                Err(failure) => Err(failure),
            },
            target => match context.find(&context.one(target).await?).await? {
                Some(object) => self.broken_among(context, &[object]),
                None => Ok(Some("it is gone".into())),
            },
        }
    }

    /// Watches it; comes back only when it is broken for longer than it may be, or unreadable.
    pub async fn watch(&self, context: &Context) -> Failure {
        let mut broken: Option<(Instant, String)> = None;
        let mut blind: Option<Instant> = None;
        let mut eyes: Option<Follow<'_>> = None;
        loop {
            match self.next(context, &mut eyes).await {
                Ok(line) => {
                    blind = None;
                    broken = line.map(|line| (broken.take().map_or_else(Instant::now, |(since, _)| since), line));
                }
                Err((failure, patient)) => {
                    eyes = None;
                    let since = *blind.get_or_insert_with(Instant::now);
                    if patient || since.elapsed() >= BLIND {
                        return self.failure(&format!("unreadable for {BLIND:?}: {failure}"));
                    }
                    tokio::time::sleep(EVERY).await;
                }
            }
            if let Some((_, line)) = broken.as_ref().filter(|(since, _)| since.elapsed() >= self.grace) {
                return self.failure(&format!("{line}, for {:?}", self.grace));
            }
        }
    }

    /// The next look; an error comes with whether it was waited out already.
    async fn next<'a>(
        &self,
        context: &'a Context,
        eyes: &mut Option<Follow<'a>>,
    ) -> Result<Option<String>, (Failure, bool)> {
        if matches!(self.target, Target::Set(_)) {
            tokio::time::sleep(EVERY).await;
            return self.look(context).await.map_err(|failure| (failure, false));
        }
        let follow = match eyes {
            Some(follow) => follow,
            none => {
                let address = context.one(&self.target).await.map_err(|failure| (failure, false))?;
                let mut follow = Follow::object(context, &address);
                // The first look of a follow is a plain read, whose trouble nobody has waited out.
                let first = follow.next().await.map_err(|failure| (failure, false))?;
                *none = Some(follow);
                return self.broken(context, first.as_ref()).map_err(|failure| (failure, false));
            }
        };
        let lasting = |failure: &Failure| matches!(failure.class, Class::Transport | Class::Server);
        let seen = follow.next().await.map_err(|failure| {
            let patient = lasting(&failure);
            (failure, patient)
        })?;
        if seen.is_none() {
            tokio::time::sleep(EVERY).await;
            *eyes = None;
        }
        self.broken(context, seen.as_ref()).map_err(|failure| (failure, false))
    }

    fn broken(&self, context: &Context, seen: Option<&Value>) -> Result<Option<String>, Failure> {
        match seen {
            Some(object) => self.broken_among(context, std::slice::from_ref(object)),
            None => Ok(Some("it is gone".into())),
        }
    }

    fn broken_among(&self, context: &Context, objects: &[Value]) -> Result<Option<String>, Failure> {
        for object in objects {
            let mut scope: Scope = context.scope().as_ref().clone();
            scope.bind("result", object.clone().into());
            for expectation in &self.expectations {
                let missed = expectation.check(object, &scope);
                if let Some(missed) = missed.map_err(|message| Failure::new(Class::Evaluation, message))? {
                    let of = if objects.len() > 1 { format!("{}: ", ObjectId::of(object)) } else { String::new() };
                    return Ok(Some(format!("{of}{missed}")));
                }
            }
        }
        Ok(None)
    }

    fn failure(&self, line: &str) -> Failure {
        Failure::new(Class::Guard, format!("the guard {} broke: {line}", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{Stage, deployment, refusal};
    use super::*;
    use crate::document::read;
    use crate::source::Source;

    fn guard(text: &str) -> Guard {
        let (node, _) = read(&Source::new("guard.yaml", text));
        let mut out = Vec::new();
        let guard = Guard::read(&node.unwrap(), &mut out);
        assert!(out.is_empty(), "{out:?}");
        guard.unwrap()
    }

    const WEB: &str = "{deployment: shop/web, expect: [{path: $.spec.replicas, at-least: 2}], for: 3s}";

    #[tokio::test(start_paused = true)]
    async fn a_look_tells_what_is_broken() {
        let holds = Stage::new([deployment("shop", "web", 3)]);
        assert_eq!(guard(WEB).look(&holds.context()).await, Ok(None));
        let broken = Stage::new([deployment("shop", "web", 1)]);
        let line = guard(WEB).look(&broken.context()).await.unwrap().unwrap();
        assert!(line.contains("$.spec.replicas") && line.contains("found 1"), "{line}");
        let gone = guard(WEB).look(&Stage::new([]).context()).await;
        assert_eq!(gone, Ok(Some("it is gone".into())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_break_that_stays_ends_the_watch_and_a_short_one_does_not() {
        let looks = std::sync::atomic::AtomicUsize::new(0);
        let stage = Stage::new([deployment("shop", "web", 3)]).on(move |objects, method, _| {
            if method == "GET" {
                let look = looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                // Broken for one look, then well, then broken for good.
                let replicas = if look == 1 || look > 6 { 1 } else { 3 };
                for web in objects.values_mut() {
                    web["spec"]["replicas"] = json!(replicas);
                }
            }
        });
        let started = Instant::now();
        let failure = guard(WEB).watch(&stage.context()).await;
        assert_eq!(failure.class, Class::Guard);
        assert!(failure.message.starts_with("the guard deployment shop/web broke: $.spec.replicas"), "{failure}");
        assert!(started.elapsed() >= Duration::from_secs(3), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_may_read_any_more_is_broken_after_half_a_minute() {
        let stage = Stage::new([deployment("shop", "web", 3)]).refusing(|method, _, count| {
            (method == "GET" && count > 1).then(|| refusal(403, "Forbidden", "you may not"))
        });
        let started = Instant::now();
        let failure = guard(WEB).watch(&stage.context()).await;
        assert!(failure.message.contains("unreadable for 30s") && failure.message.contains("you may not"), "{failure}");
        assert!(started.elapsed() >= BLIND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_set_is_guarded_as_a_whole() {
        let text = "{deployments: {in: shop}, expect: [{that: result.spec.replicas >= 2}], for: 0s}";
        let stage = Stage::new([deployment("shop", "web", 3), deployment("shop", "db", 1)]);
        let line = guard(text).look(&stage.context()).await.unwrap().unwrap();
        assert!(line.starts_with("Deployment shop/db: "), "{line}");
        let empty = guard(text).look(&Stage::new([]).context()).await.unwrap().unwrap();
        assert!(empty.contains("0 deployments selected"), "{empty}");
        assert_eq!(guard(text).watch(&stage.context()).await.class, Class::Guard);
    }
}
