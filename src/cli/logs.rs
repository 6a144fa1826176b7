//! `runhub logs`: what containers wrote.

use std::io::Write as _;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::Display;
use super::environment::Environment;
use super::exit::{self, Stop};
use super::look::{self, Ended, Look};
use super::output::{self, Output};
use super::subject::{self, Subject};
use super::terminal::say;
use crate::action::Ear;
use crate::console;

/// Whose log, and which part.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// A pod, `shop/web-1`, or the pods of a workload or job: `deployment shop/web`, `job/shop/x`.
    #[arg(required = true, num_args = 1..=2, value_name = "[KIND] NAME")]
    words: Vec<String>,
    /// One container of the pod.
    #[arg(long, short, value_name = "NAME", conflicts_with = "all_containers")]
    container: Option<String>,
    /// Init and ephemeral containers too.
    #[arg(long)]
    all_containers: bool,
    /// The last lines of each container only.
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
    /// Only what is younger: `10m`, `2h`.
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// The log of the instance before the present one.
    #[arg(long, short)]
    previous: bool,
    /// Read on, each line once, until every pod has ended.
    #[arg(long, short, conflicts_with = "previous")]
    follow: bool,
    #[command(flatten)]
    output: output::Options,
    #[command(flatten)]
    look: look::Options,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let is_terminal = environment.stdout_is_terminal;
    look::at(&options.look, display, environment, |look| async move {
        let arguments = arguments(options)?;
        if options.follow {
            return follow(&look, &arguments, options, is_terminal).await;
        }
        let mut observed = look.observe("logs", &arguments).await?;
        look.redactor().value(&mut observed.result);
        if !matches!(options.output.output, Output::Table | Output::Wide) {
            say(&output::written(&options.output.output, &observed.result)?);
            return Ok(exit::PASSED);
        }
        for line in observed.result.get("lines").and_then(Value::as_array).into_iter().flatten() {
            say(&in_line(line.as_str().unwrap_or_default(), is_terminal));
        }
        Ok(exit::PASSED)
    })
}

/// The arguments of the step.
fn arguments(options: &Options) -> Result<Value, Stop> {
    let subject = subject::one(&options.words, "pod")?;
    let target = match (&subject, &options.container) {
        (Subject::One(kind, pod), Some(container)) if kind.singular == "pod" => {
            subject.target(options.look.namespace.as_deref())?;
            json!({"container": {"pod": pod, "container": container}})
        }
        (_, Some(_)) => return Err(Stop::usage("--container goes with a pod")),
        (_, None) => subject.target(options.look.namespace.as_deref())?.unwrap_or_default(),
    };
    let mut arguments = target.as_object().cloned().unwrap_or_else(Map::new);
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            arguments.insert(key.to_owned(), value);
        }
    };
    put("tail", options.tail.map(Value::from));
    put("since", options.since.clone().map(Value::from));
    put("previous", options.previous.then_some(Value::Bool(true)));
    put("all-containers", options.all_containers.then_some(Value::Bool(true)));
    put("follow", options.follow.then(|| json!({})));
    Ok(Value::Object(arguments))
}

async fn follow(look: &Look, arguments: &Value, options: &Options, is_terminal: bool) -> Ended {
    if !matches!(options.output.output, Output::Table) {
        return Err(Stop::usage("a log that is followed is written line by line: leave -o out"));
    }
    let printer = Arc::new(Printer { is_terminal, gone: CancellationToken::new() });
    tokio::select! {
        observed = look.observe_with("logs", arguments, Some(printer.clone())) => observed.map(|_| exit::PASSED),
        () = printer.gone.cancelled() => Ok(exit::PASSED),
    }
}

/// Writes each line as it comes, until nobody reads them any more.
#[derive(Debug)]
struct Printer {
    is_terminal: bool,
    gone: CancellationToken,
}

impl Ear for Printer {
    fn line(&self, line: &str) {
        let mut output = std::io::stdout().lock();
        let written = output.write_all(in_line(line, self.is_terminal).as_bytes()).and_then(|()| output.flush());
        if written.is_err() {
            self.gone.cancel();
        }
    }
}

/// A line of a log; on a terminal nothing in it moves the cursor, in a pipe it is as it was.
fn in_line(line: &str, is_terminal: bool) -> String {
    if is_terminal { format!("{}\n", console::harmless(line)) } else { format!("{line}\n") }
}
