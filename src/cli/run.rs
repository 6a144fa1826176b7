//! `runhub run`: from a file and a target to a report and an exit code.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::answers::Prepared;
use super::carry::{Errand, Reports, to_the_end};
use super::connect;
use super::environment::Environment;
use super::started::Started;
use super::terminal::{error_style, fail};
use super::{Display, exit, given, open, plan};
use crate::clock::Clock;
use crate::engine;
use crate::event::{Ledger as _, Record, RunId};
use crate::journal::{Journal, Places, new_run_id};
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
    /// After a failure, stop and wait for a decision instead of running `on-failure`.
    #[arg(long = "on-failure", value_name = "pause", value_parser = ["pause"])]
    on_failure: Option<String>,
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
    /// Write reports: FORMAT=FILE with json, junit, html, md or tap; github alone for annotations; several with commas, `-` is the standard output.
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
    let how = match engine_options(&options, environment) {
        Ok(how) => how,
        Err(wrong) => {
            fail(wrong);
            return exit::USAGE;
        }
    };
    if let Some(code) = left_out(&book, &how) {
        return code;
    }
    match Reports::open(&options.reports, environment) {
        Ok(reports) => to_the_end(begin((options, how), Arc::new(book), inputs, reports, (display, environment))),
        Err(code) => code,
    }
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
fn engine_options(options: &Options, environment: &Environment) -> Result<engine::Options, String> {
    let widened = BudgetWidening::parse(&options.budget).map_err(|wrong| format!("--budget {wrong}"))?;
    let plan = options.plan.as_deref().map(plan::read).transpose()?;
    Ok(engine::Options {
        yes: options.yes,
        ask: options.ask,
        pause: options.on_failure.is_some(),
        strict: options.strict,
        tags: options.tags.clone(),
        skip_tags: options.skip_tags.clone(),
        allowed: options.allow.clone(),
        environment: environment.of_programs(),
        folder: options.file.parent().map(Path::to_path_buf).unwrap_or_default(),
        verify: false,
        plan: plan.map(Arc::new),
        widened,
    })
}

async fn begin(
    (options, how): (Options, engine::Options),
    book: Arc<Runbook>,
    inputs: Inputs,
    reports: Reports,
    place: (&Display, &Environment),
) -> u8 {
    let (clock, redactor) = (Clock::system(), Redactor::default());
    let target = match connect::connect(&options.target, place.1, clock, &redactor).await {
        Ok(target) => target,
        Err(refusal) => {
            fail(&refusal.message);
            return refusal.code;
        }
    };
    let started = Started::of(&book, &inputs.secret, &how, &options.target);
    let (run, journal) = match record(place.1, &redactor, clock, &started) {
        Ok(opened) => opened,
        Err(error) => {
            fail(error);
            return exit::FAILED;
        }
    };
    let errand = Errand {
        run,
        book,
        inputs,
        options: how,
        target,
        journal,
        reports,
        prepared: Prepared::default(),
        told: Vec::new(),
        clock,
        redactor,
    };
    Box::pin(errand.carry_out(place, engine::run)).await
}

/// Opens the record of a new run.
fn record(
    environment: &Environment,
    redactor: &Redactor,
    clock: Clock,
    started: &Started,
) -> Result<(RunId, Journal), String> {
    let (places, run) = (Places::new(environment.state()), new_run_id(clock));
    let journal = Journal::create(&places, &run, redactor, clock).map_err(|error| error.to_string())?;
    let kept = serde_json::to_value(started).map_err(|error| error.to_string())?;
    journal.ledger.remember(&Record::Started(kept)).map_err(|error| error.to_string())?;
    Ok((run, journal))
}
