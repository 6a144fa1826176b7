//! A reading action, carried out by itself: what `get`, `list`, `logs`, `events`, `status`, `whoami` and `observe` share.
//!
//! The command line becomes the arguments that a step would have, and the
//! action's own row reads and does them: what a quick look shows is what a
//! runbook sees. Nothing can be changed on this way: actions that change are
//! refused, and so is every change.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clap::Args;
use serde_json::Value;

use super::connect::{self, Target};
use super::environment::Environment;
use super::exit::{self, Stop};
use super::terminal::{error_style, fail, say_error};
use super::{Display, runtime};
use crate::action::{
    self, ACTIONS, ActionKind, Changes, Choices, Context, Ear, ExchangeTap, Gate, Made, Observed, RunFacts, Shared,
    Shelf, Unbroken, on_behalf_of,
};
use crate::clock::{Clock, Timestamp};
use crate::console::Aside;
use crate::document::{self, JsonPath, Mode};
use crate::event::{Change, Class, Failure, Fan, NoLedger, RunId, StepId};
use crate::secret::Redactor;
use crate::source::{Diagnostic, Source, nearest};
use crate::template::{Functions, Scope};

/// Where a look goes, and which namespace it means.
#[derive(Debug, Args)]
#[group(id = "look", multiple = true)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) target: connect::Options,
    /// The namespace of names without one.
    #[arg(long, short, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
}

/// A target, ready to be looked at.
pub(super) struct Look {
    target: Target,
    shared: Arc<Shared>,
}

/// The clock of an action that waits, where none is written: as in a run.
const WAIT: Duration = Duration::from_mins(10);

/// The end of a command that looks: its exit code, or why it stopped.
pub(super) type Ended = Result<u8, Stop>;

/// Opens the target, looks, and closes it, also when it is interrupted.
pub(super) fn at<W, F>(options: &Options, display: &Display, environment: &Environment, work: W) -> u8
where
    W: FnOnce(Arc<Look>) -> F,
    F: Future<Output = Ended>,
{
    let aside = Aside::new(error_style(display, environment), Box::new(std::io::stderr()));
    at_beside(options, environment, aside, work)
}

/// The same, with a say in what is told beside the answer.
pub(super) fn at_beside<W, F>(options: &Options, environment: &Environment, aside: Aside, work: W) -> u8
where
    W: FnOnce(Arc<Look>) -> F,
    F: Future<Output = Ended>,
{
    let ended = runtime::block_on(async {
        let look = Arc::new(Look::open(options, environment, aside).await?);
        let ended = tokio::select! {
            ended = work(Arc::clone(&look)) => ended,
            () = super::signal::interrupted() => Ok(exit::INTERRUPTED),
        };
        look.target.settle().await;
        ended
    });
    ended.unwrap_or_else(|stop| {
        fail(stop.message);
        stop.code
    })
}

impl Look {
    async fn open(options: &Options, environment: &Environment, aside: Aside) -> Result<Self, Stop> {
        let (clock, redactor) = (Clock::system(), Redactor::default());
        let target = connect::connect(&options.target, environment, clock, &redactor).await?;
        let fan =
            Arc::new(Fan::new(RunId("look".into()), target.head.name.clone(), clock, redactor, vec![Box::new(aside)]));
        let facts = RunFacts { namespace: options.namespace.clone(), ..RunFacts::default() };
        let shared = Shared {
            client: target.client(Arc::new(ExchangeTap::new(fan.clone())), clock),
            ledger: Arc::new(NoLedger::default()),
            fan,
            made: Made::default(),
            once: Choices::default(),
            unbroken: Unbroken::default(),
            gate: Arc::new(ClosedGate),
            shelf: Arc::new(NoShelf),
            facts,
        };
        Ok(Self { target, shared: Arc::new(shared) })
    }

    /// When the login in use ends, where it says so.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.target.expires()
    }

    /// The filter that everything shown passes.
    pub(super) fn redactor(&self) -> &Redactor {
        self.shared.fan.redactor()
    }

    /// The moment that ages are counted to.
    pub(super) fn clock(&self) -> Clock {
        self.shared.fan.clock()
    }

    /// Does a reading action with these arguments.
    pub(super) async fn observe(&self, name: &str, arguments: &Value) -> Result<Observed, Stop> {
        self.observe_with(name, arguments, None).await
    }

    /// The same, with one who hears the lines of a followed log.
    pub(super) async fn observe_with(
        &self,
        name: &str,
        arguments: &Value,
        ear: Option<Arc<dyn Ear>>,
    ) -> Result<Observed, Stop> {
        let action = ready(name, arguments)?;
        let step = StepId(name.to_owned());
        let functions = Functions { jsonpath: select, clock: self.clock() };
        let context = Context::new(Arc::clone(&self.shared), step.clone(), Arc::new(Scope::new(functions)));
        let follows = ear.is_some();
        let context = match ear {
            Some(ear) => context.heard_by(ear),
            None => context,
        };
        let limit = action.timeout().or_else(|| (action.waits() && !follows).then_some(WAIT));
        let work = on_behalf_of(&step, action.act(&context));
        let ended = match limit {
            Some(limit) => {
                tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(out_of_time(limit, &context)))
            }
            None => work.await,
        };
        let observed = ended.map_err(|failure| self.stop(&failure))?;
        if observed.secret {
            self.redactor().register_value(&observed.result);
        }
        Ok(observed)
    }

    /// A failure, in full and without secrets, with the exit code of a run that ends so.
    fn stop(&self, failure: &Failure) -> Stop {
        let causes = failure.cause.iter().map(|cause| format!("\n  {cause}"));
        let help = failure.help.iter().map(|help| format!("\nhelp: {help}"));
        let text: String = std::iter::once(failure.message.clone()).chain(causes).chain(help).collect();
        Stop::new(exit_code(failure.class), self.redactor().text(&text))
    }
}

fn out_of_time(limit: Duration, context: &Context) -> Failure {
    let (line, cause) = context.last_words();
    let waited = format!("not done within {} s", limit.as_secs());
    let message = if line.is_empty() { waited } else { format!("{waited}: {line}") };
    Failure::new(Class::Timeout, message).because(cause)
}

/// As runbook-format §10 has it, where nothing was changed.
fn exit_code(class: Class) -> u8 {
    match class {
        Class::Forbidden | Class::Budget | Class::Guard | Class::Consent => exit::REFUSED,
        Class::Transport | Class::Login | Class::Unrouted => exit::UNREACHABLE,
        _ => exit::FAILED,
    }
}

/// The action, if it only reads and its arguments are right.
fn ready(name: &str, arguments: &Value) -> Result<Box<dyn action::Action>, Stop> {
    let kind = reading(name)?;
    let source = Source::new("the command line", arguments.to_string());
    let (node, mut complaints) = document::read(&source);
    let action = node.and_then(|node| (kind.decode)(&node, Mode::Whole, &mut complaints));
    match (action, complaints.iter().find(|complaint| complaint.is_error())) {
        (Some(action), None) => Ok(action),
        (_, complaint) => Err(Stop::usage(complaint.map(in_words).unwrap_or_default())),
    }
}

fn reading(name: &str) -> Result<&'static ActionKind, Stop> {
    let Some(kind) = action::find(name) else {
        let near = nearest(name, ACTIONS.iter().map(|kind| kind.name)).map(|near| format!("; did you mean `{near}`?"));
        return Err(Stop::usage(format!("there is no action `{name}`{}", near.unwrap_or_default())));
    };
    if kind.changes == Changes::No {
        return Ok(kind);
    }
    Err(Stop::usage(format!("`{name}` may change things: that takes a runbook, with consent and a record")))
}

/// A complaint without its place: that is in a text that nobody wrote.
fn in_words(complaint: &Diagnostic) -> String {
    complaint.helps.iter().fold(complaint.message.clone(), |text, help| format!("{text}\nhelp: {help}"))
}

fn select(root: &Value, path: &str) -> Result<Vec<Value>, String> {
    Ok(JsonPath::parse(path)?.select(root).into_iter().cloned().collect())
}

/// Lets nothing pass.
#[derive(Debug)]
struct ClosedGate;

#[async_trait]
impl Gate for ClosedGate {
    async fn admit(&self, _: &Change, _: &Made) -> Result<(), Failure> {
        Err(Failure::new(Class::Unsupported, "a look changes nothing"))
    }
}

/// Keeps nothing.
#[derive(Debug)]
struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, _: &str, _: &[u8]) -> Result<String, String> {
        Err("a look keeps no files".into())
    }
}

/// Says something beside what was found: on the standard error, so that a pipe holds nothing else.
pub(super) fn remark(display: &Display, what: &str) {
    if !display.quiet {
        say_error(&format!("{what}\n"));
    }
}
