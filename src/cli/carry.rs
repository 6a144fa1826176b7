//! Carrying a run out in this process, begun here or gone on with.

use std::sync::Arc;

use super::answers::{Answers, Prepared};
use super::connect::Target;
use super::environment::Environment;
use super::terminal::{error_style, fail, say_error, style};
use super::{Display, exit, signal};
use crate::action::{ExchangeTap, Shelf};
use crate::clock::Clock;
use crate::console::{Console, Pointers, asker};
use crate::engine::{self, Cancel, Doors, Order, Scout, Witness};
use crate::event::{Event, Fan, RunEnd, RunId, Sink, Told};
use crate::journal::{Artifacts, Error, Journal, ObjectLocks, Places};
use crate::report::{Collector, OpenTargets, Report, Targets};
use crate::runbook::{Inputs, Runbook};
use crate::secret::Redactor;

/// Runs `work` to its end on a runtime of one thread.
///
/// A run does one thing at a time, and to hand each answer over to another thread costs more than the answer.
pub(super) fn to_the_end(work: impl Future<Output = u8>) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            fail(format!("the runtime cannot start: {error}"));
            return exit::FAILED;
        }
    };
    let code = runtime.block_on(work);
    // Whoever still waits for a line on the terminal is not waited for.
    runtime.shutdown_background();
    code
}

/// Where reports go: tried before anything is sent.
#[derive(Debug)]
pub(super) struct Reports {
    opened: OpenTargets,
    files: Vec<String>,
    to_stdout: bool,
}

impl Reports {
    /// Reads and tries the values of `--report`; what is wrong is said, and the exit code comes back.
    pub(super) fn open(values: &[String], environment: &Environment) -> Result<Self, u8> {
        let wrong = |error| {
            fail(error);
            exit::USAGE
        };
        let summary = environment.get("GITHUB_STEP_SUMMARY");
        let targets = Targets::parse(values).map_err(wrong)?.summarised_in(summary);
        let (to_stdout, files) = (targets.use_stdout(), targets.files());
        Ok(Self { opened: targets.open().map_err(wrong)?, files, to_stdout })
    }

    /// Writes them all, and says what could not be written.
    pub(super) fn write(&self, report: &Report) -> u8 {
        let trouble = self.opened.write(report, &mut std::io::stdout());
        trouble.iter().for_each(fail);
        if trouble.is_empty() { exit::PASSED } else { exit::FAILED }
    }
}

/// What is carried out.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) run: RunId,
    pub(super) book: Arc<Runbook>,
    pub(super) inputs: Inputs,
    pub(super) options: engine::Options,
    pub(super) target: Target,
    pub(super) journal: Journal,
    pub(super) reports: Reports,
    pub(super) prepared: Prepared,
    /// What earlier processes told.
    pub(super) told: Vec<Event>,
    pub(super) clock: Clock,
    pub(super) redactor: Redactor,
}

/// Keeps artifacts in the run's folder.
#[derive(Debug)]
struct RunShelf(Artifacts);

impl Shelf for RunShelf {
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<String, String> {
        self.0.write(name, bytes).map(|path| path.display().to_string()).map_err(|error| error.to_string())
    }
}

impl Errand {
    /// Carries it out by `work`, writes the reports, and comes back with the exit code.
    pub(super) async fn carry_out(
        self,
        (display, environment): (&Display, &Environment),
        work: impl AsyncFnOnce(Order, Doors, Cancel) -> RunEnd,
    ) -> u8 {
        let Self { run, book, inputs, options, target, journal, reports, prepared, told, clock, redactor } = self;
        let places = Places::new(environment.state());
        let artifacts = match locked(&journal, &places, &run, (&target, clock), &redactor) {
            Ok(artifacts) => artifacts,
            Err(error) => {
                fail(error);
                return exit::FAILED;
            }
        };
        let folder = places.run(&run).map(|folder| folder.display().to_string()).ok();
        let pointers = Pointers { journal: folder, reports: reports.files.clone() };
        let console = console(reports.to_stdout, display, environment).pointing_to(pointers);
        let asks = environment.stdin_is_terminal && environment.stderr_is_terminal;
        let person = asker(asks, error_style(display, environment), console.screen());
        let collector = remembering(&told);
        let sinks: Vec<Box<dyn Sink>> = vec![Box::new(journal.sink), Box::new(collector.clone()), Box::new(console)];
        let seq = told.last().map_or(0, |event| event.seq);
        let fan = Arc::new(Fan::new(run, target.head.name.clone(), clock, redactor, sinks).after(seq));
        let client = target.client(Arc::new(ExchangeTap::new(fan.clone())), clock);
        let witness = Witness::default();
        let scout = Scout { client: target.client(Arc::new(witness.clone()), clock), witness };
        let order = Order { book, inputs, target: target.head.clone(), actor: environment.actor(), options };
        let doors = Doors {
            client,
            scout: Some(scout),
            ledger: journal.ledger.clone(),
            fan: fan.clone(),
            asker: Arc::new(Answers::new(prepared, person)),
            shelf: Arc::new(RunShelf(artifacts)),
        };
        let cancel = Cancel::default();
        let end = tokio::select! {
            end = work(order, doors, cancel.clone()) => end,
            () = signal::listen(cancel) => return exit::FAILED,
        };
        target.close().await;
        finish(&reports.opened, &collector, &fan, (&journal.ledger.root(), end.exit_code))
    }
}

/// Every object that is changed is held from now on; and a place for artifacts.
fn locked(
    journal: &Journal,
    places: &Places,
    run: &RunId,
    (target, clock): (&Target, Clock),
    redactor: &Redactor,
) -> Result<Artifacts, Error> {
    journal.ledger.hold_objects_of(target.head.url.clone(), ObjectLocks::new(places, run, clock)?);
    Artifacts::new(places, run, redactor)
}

/// A collector that knows what earlier processes told.
fn remembering(told: &[Event]) -> Collector {
    let mut collector = Collector::default();
    for event in told {
        // A collector takes everything.
        let _ = collector.take(&Told { event, line: "" });
    }
    collector
}

/// The console; it leaves the standard output to a report that wants it.
fn console(to_stdout: bool, display: &Display, environment: &Environment) -> Console {
    if to_stdout {
        return Console::new(error_style(display, environment), Box::new(std::io::stderr()));
    }
    Console::new(style(display, environment), Box::new(std::io::stdout()))
}

/// Writes the reports and says what could not be written.
fn finish(opened: &OpenTargets, collector: &Collector, fan: &Fan, (root, code): (&str, u8)) -> u8 {
    let mut trouble: Vec<String> = fan.errors().iter().map(ToString::to_string).collect();
    let mut report = collector.report();
    report.run.journal_root = Some(root.to_owned());
    trouble.extend(opened.write(&report, &mut std::io::stdout()).iter().map(ToString::to_string));
    for line in &trouble {
        say_error(&format!("error: {line}\n"));
    }
    if trouble.is_empty() || code != exit::PASSED { code } else { exit::FAILED }
}
