//! `logs`: of a pod, a container, or all pods of a job or workload.
//!
//! `source.rs` says whose logs are meant, `follow.rs` reads on until a line
//! comes. Lines of several containers are told apart by a prefix.

mod follow;
mod source;

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed, set};
use crate::cluster::verbs::LogPart;
use crate::document::{DurationText, Node, Pattern, Target, TargetRule};
use crate::event::{Class, Failure};
use crate::source::Diagnostic;
use source::Source;

const RULE: TargetRule = TargetRule {
    kinds: &["pod", "job", "deployment", "statefulset", "daemonset", "replicaset"],
    sets: false,
    container: true,
    object: false,
    required: true,
};

/// Logs that are read at once.
const AT_ONCE: usize = 8;

/// Reads logs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The last lines of each container only; all where nothing is written.
    #[serde(default)]
    tail: Option<u32>,
    /// Only what is younger than this.
    #[serde(default)]
    since: Option<DurationText>,
    /// The log of the instance before the present one.
    #[serde(default)]
    previous: bool,
    /// Each line begins with its moment, by the node's clock.
    #[serde(default)]
    timestamps: bool,
    /// Init and ephemeral containers too, and all where the pod names a default.
    #[serde(default)]
    all_containers: bool,
    /// Keep the text as a file of this name beside the report.
    #[serde(default)]
    artifact: Option<String>,
    /// Read on until a line comes, or without one until the log ends: `follow: {}`.
    #[serde(default)]
    follow: Option<Until>,
    /// How long to follow; 10m where none is written.
    #[serde(default)]
    timeout: Option<DurationText>,
}

/// When following ends.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Until {
    /// A regular expression that must match somewhere in a line.
    #[serde(default)]
    until_line: Option<Pattern>,
}

#[derive(Debug)]
struct Logs {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "logs",
    help: "of a pod, a container, or the pods of a job or workload",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &["artifact"],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        contradictions(node, target.as_ref(), &arguments, out);
        Some(Box::new(Logs { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

fn contradictions(node: &Node, target: Option<&Target>, arguments: &Arguments, out: &mut Vec<Diagnostic>) {
    let mut complain = |key: &str, message: &str| {
        let span = node.entry(key).map_or(node.span, |entry| entry.key.span);
        out.push(Diagnostic::error(message, span));
    };
    if arguments.follow.is_some() && arguments.previous {
        complain("previous", "an instance that has ended writes no more lines: `previous` or `follow`, not both");
    }
    if arguments.follow.is_none() && arguments.timeout.is_some() {
        complain("timeout", "only following takes time: `timeout` goes with `follow`");
    }
    if arguments.all_containers && matches!(target, Some(Target::Container(_))) {
        complain("all-containers", "one container is named: `all-containers` goes with a pod, a job or a workload");
    }
}

#[async_trait]
impl Action for Logs {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let sources = source::of(context, &self.target, self.arguments.all_containers).await?;
        let (lines, mut info) = match &self.arguments.follow {
            Some(until) => follow::until(context, &sources, &self.part(), until.until_line.as_ref()).await?,
            None => self.read(context, &sources).await?,
        };
        let text = text(&lines);
        if let Some(name) = &self.arguments.artifact {
            set(&mut info, "artifact", context.artifact(name, &text)?);
        }
        Ok(Observed { result: json!({"lines": lines, "text": text}), info, ..Observed::default() })
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.timeout.as_ref().map(DurationText::duration)
    }

    fn waits(&self) -> bool {
        self.arguments.follow.is_some()
    }
}

impl Logs {
    /// What is asked of each container.
    fn part(&self) -> LogPart {
        LogPart {
            previous: self.arguments.previous,
            tail: self.arguments.tail,
            // The server counts whole seconds; none at all would mean everything.
            since_seconds: self
                .arguments
                .since
                .as_ref()
                .map(|since| since.duration().as_millis().div_ceil(1000).max(1))
                .map(seconds),
            timestamps: self.arguments.timestamps,
            ..LogPart::default()
        }
    }

    async fn read(&self, context: &Context, sources: &[Source]) -> Result<(Vec<String>, Value), Failure> {
        let part = self.part();
        // A loop and no closure: the compiler cannot see through a closure that borrows from both.
        let mut reads = Vec::new();
        for source in sources {
            reads.push(source.read(context, part.clone()));
        }
        let ends: Vec<Result<String, Failure>> = stream::iter(reads).buffered(AT_ONCE).collect().await;
        gathered(context, sources, ends)
    }
}

fn seconds(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The lines of all; a container without a log is told of, and fails the step where no other has one.
fn gathered(
    context: &Context,
    sources: &[Source],
    ends: Vec<Result<String, Failure>>,
) -> Result<(Vec<String>, Value), Failure> {
    let (mut lines, mut missing, mut first) = (Vec::new(), Vec::new(), None);
    let read = ends.iter().filter(|end| end.is_ok()).count();
    for (source, end) in sources.iter().zip(ends) {
        match end {
            Ok(text) => lines.extend(text.lines().map(|line| source.prefixed(line))),
            Err(failure) => {
                missing.push(json!({"container": source.to_string(), "reason": failure.message}));
                first.get_or_insert(failure);
            }
        }
    }
    match first {
        Some(failure) if read == 0 => Err(failure),
        Some(failure) if !matches!(failure.class, Class::Invalid | Class::NotFound) => Err(failure),
        Some(failure) => {
            context.warn(format!("{} of {} logs are missing: {failure}", missing.len(), sources.len()));
            Ok((lines, json!({"containers": read, "missing": missing})))
        }
        None => Ok((lines, json!({"containers": read, "missing": missing}))),
    }
}

fn text(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}
