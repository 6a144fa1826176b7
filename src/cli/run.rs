//! `runhub run`: from a file and a target to a report and an exit code.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::connect;
use super::environment::Environment;
use super::terminal::{error_style, fail, say_error, style};
use super::{Display, exit, given, open, plan, signal};
use crate::action::{ExchangeTap, Shelf};
use crate::clock::Clock;
use crate::console::{Console, Pointers, asker};
use crate::engine::{self, Cancel, Doors, Order, Scout, Witness};
use crate::event::{Fan, RunId, Sink};
use crate::journal::{Artifacts, Error, Journal, Places, new_run_id};
use crate::report::{Collector, OpenTargets, Targets};
use crate::runbook::{BudgetWidening, Inputs, Runbook};
use crate::secret::Redactor;

/// What to run, against what, and how.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The runbook; `-` is the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Agree to the changes and to every `confirm` beforehand.
    #[arg(long, short)]
    yes: bool,
    /// Ask before each change.
    #[arg(long, conflicts_with = "yes")]
    ask: bool,
    /// A tolerated failure makes the exit code 1.
    #[arg(long)]
    strict: bool,
    /// Only steps with this tag.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// No step with this tag.
    #[arg(long = "skip-tag", value_name = "TAG")]
    skip_tags: Vec<String>,
    /// A host or program that `http` and `command` may use beside the target.
    #[arg(long = "allow", value_name = "NAME")]
    allow: Vec<String>,
    /// Go by this plan (`runhub plan --out`), and refuse where anything has drifted from it.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// More than the book's budget: pods=50; the record tells of it.
    #[arg(long = "budget", value_name = "WHAT=MUCH")]
    budget: Vec<String>,
    /// Write reports: json=FILE, junit=FILE; several with commas, `-` is the standard output.
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<String>,
    #[command(flatten)]
    target: connect::Options,
    #[command(flatten)]
    given: given::Options,
}

pub(super) fn command(options: Options, display: &Display, environment: &Environment) -> u8 {
    let errors = error_style(display, environment);
    let Some(book) = open::runnable(&options.file, &errors) else { return exit::INVALID };
    let Some(inputs) = options.given.inputs(&book, environment, &errors) else { return exit::INVALID };
    let how = match engine_options(&options) {
        Ok(how) => how,
        Err(wrong) => {
            fail(wrong);
            return exit::USAGE;
        }
    };
    if let Some(code) = left_out(&book, &how) {
        return code;
    }
    let targets = match Targets::parse(&options.reports) {
        Ok(targets) => targets,
        Err(error) => {
            fail(error);
            return exit::USAGE;
        }
    };
    // One thread: a run does one thing at a time, and to hand each answer over to another costs more than the answer.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            fail(format!("the runtime cannot start: {error}"));
            return exit::FAILED;
        }
    };
    let code = runtime.block_on(carry_out((options, how), book, inputs, targets, (display, environment)));
    // Whoever still waits for a line on the terminal is not waited for.
    runtime.shutdown_background();
    code
}

/// A step that was not picked but is needed is refused with the list.
fn left_out(book: &Runbook, how: &engine::Options) -> Option<u8> {
    let needed = engine::unpicked(book, how);
    if needed.is_empty() {
        return None;
    }
    let lines: Vec<String> = needed.iter().map(|(left, by)| format!("`{left}` is needed by `{by}`")).collect();
    fail(format!("the tags leave out steps that are needed: {}", lines.join(", ")));
    Some(exit::USAGE)
}

/// How the run is run, as the command line says it.
fn engine_options(options: &Options) -> Result<engine::Options, String> {
    let widened = BudgetWidening::parse(&options.budget).map_err(|wrong| format!("--budget {wrong}"))?;
    let plan = options.plan.as_deref().map(plan::read).transpose()?;
    Ok(engine::Options {
        yes: options.yes,
        ask: options.ask,
        strict: options.strict,
        tags: options.tags.clone(),
        skip_tags: options.skip_tags.clone(),
        allowed: options.allow.clone(),
        plan: plan.map(Arc::new),
        widened,
    })
}

/// Keeps artifacts in the run's folder.
#[derive(Debug)]
struct RunShelf(Artifacts);

impl Shelf for RunShelf {
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<String, String> {
        self.0.write(name, bytes).map(|path| path.display().to_string()).map_err(|error| error.to_string())
    }
}

async fn carry_out(
    (options, how): (Options, engine::Options),
    book: Runbook,
    inputs: Inputs,
    targets: Targets,
    place: (&Display, &Environment),
) -> u8 {
    let (display, environment) = place;
    let (clock, redactor) = (Clock::system(), Redactor::default());
    let to_stdout = targets.use_stdout();
    let files = targets.files();
    let opened = match targets.open() {
        Ok(opened) => opened,
        Err(error) => {
            fail(error);
            return exit::USAGE;
        }
    };
    let target = match connect::connect(&options.target, environment, clock, &redactor).await {
        Ok(target) => target,
        Err(refusal) => {
            fail(&refusal.message);
            return refusal.code;
        }
    };
    let (run, journal, artifacts) = match record(environment, &redactor, clock) {
        Ok(opened) => opened,
        Err(error) => {
            fail(error);
            return exit::FAILED;
        }
    };
    let folder = Places::new(environment.state()).run(&run).map(|folder| folder.display().to_string()).ok();
    let pointers = Pointers { journal: folder, reports: files };
    let console = console(to_stdout, display, environment).pointing_to(pointers);
    let asks = environment.stdin_is_terminal && environment.stderr_is_terminal;
    let asker = asker(asks, error_style(display, environment), console.screen());
    let collector = Collector::default();
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(journal.sink), Box::new(collector.clone()), Box::new(console)];
    let fan = Arc::new(Fan::new(run, target.head.name.clone(), clock, redactor, sinks));
    let client = target.client(Arc::new(ExchangeTap::new(fan.clone())), clock);
    let order =
        Order { book: Arc::new(book), inputs, target: target.head.clone(), actor: environment.actor(), options: how };
    let witness = Witness::default();
    let scout = Scout { client: target.client(Arc::new(witness.clone()), clock), witness };
    let doors = Doors {
        client,
        scout: Some(scout),
        ledger: journal.ledger,
        fan: fan.clone(),
        asker: Arc::from(asker),
        shelf: Arc::new(RunShelf(artifacts)),
    };
    let cancel = Cancel::default();
    let end = tokio::select! {
        end = engine::run(order, doors, cancel.clone()) => end,
        () = signal::listen(cancel) => return exit::FAILED,
    };
    target.close();
    finish(&opened, &collector, &fan, end.exit_code)
}

/// The console; it leaves the standard output to a report that wants it.
fn console(to_stdout: bool, display: &Display, environment: &Environment) -> Console {
    if to_stdout {
        return Console::new(error_style(display, environment), Box::new(std::io::stderr()));
    }
    Console::new(style(display, environment), Box::new(std::io::stdout()))
}

/// Opens the record of a new run.
fn record(environment: &Environment, redactor: &Redactor, clock: Clock) -> Result<(RunId, Journal, Artifacts), Error> {
    let (places, run) = (Places::new(environment.state()), new_run_id(clock));
    let journal = Journal::create(&places, &run, redactor, clock)?;
    let artifacts = Artifacts::new(&places, &run, redactor)?;
    Ok((run, journal, artifacts))
}

/// Writes the reports and says what could not be written.
fn finish(opened: &OpenTargets, collector: &Collector, fan: &Fan, code: u8) -> u8 {
    let mut trouble: Vec<String> = fan.errors().iter().map(ToString::to_string).collect();
    trouble.extend(opened.write(&collector.report(), &mut std::io::stdout()).iter().map(ToString::to_string));
    for line in &trouble {
        say_error(&format!("error: {line}\n"));
    }
    if trouble.is_empty() || code != exit::PASSED { code } else { exit::FAILED }
}
