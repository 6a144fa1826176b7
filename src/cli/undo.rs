//! `runhub undo`: takes back what a run has changed.

use std::sync::Arc;

use clap::Args;

use super::answers::Prepared;
use super::carry::{Reports, to_the_end};
use super::connect;
use super::environment::Environment;
use super::resume::{Earlier, open_again, say_refused};
use super::terminal::{fail, say};
use super::{Display, exit};
use crate::action::Shelf;
use crate::clock::Clock;
use crate::cluster::tap::Deaf;
use crate::engine::{self, Doors, Order, Past, UndoLine, Way};
use crate::event::{Fan, NoLedger, Nobody};
use crate::runbook::UndoWhich;
use crate::secret::Redactor;
use crate::source::Span;

/// What is taken back.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
    /// Only what this step changed; can be given again.
    #[arg(long = "step", value_name = "ID")]
    steps: Vec<String>,
    /// Say what would be taken back, and send nothing.
    #[arg(long)]
    plan: bool,
    /// Write reports of the whole run: json=FILE, html=FILE; as `run` does.
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<String>,
    #[command(flatten)]
    target: connect::Options,
}

pub(super) fn command(options: Options, display: &Display, environment: &Environment) -> u8 {
    let (clock, redactor) = (Clock::system(), Redactor::default());
    let earlier = match open_again(&options.run, None, (display, environment), (clock, &redactor)) {
        Ok(earlier) => earlier,
        Err(refused) => return say_refused(&refused),
    };
    let which = match which(&options.steps, &earlier) {
        Ok(which) => which,
        Err(message) => {
            fail(message);
            return exit::USAGE;
        }
    };
    let reports = match Reports::open(&options.reports, environment) {
        Ok(reports) => reports,
        Err(code) => return code,
    };
    let (target, plan) = (options.target, options.plan);
    to_the_end(async move {
        let made_ready = earlier.errand(target, Prepared::default(), reports, (clock, redactor, environment)).await;
        let (errand, past) = match made_ready {
            Ok(ready) => ready,
            Err(refused) => return say_refused(&refused),
        };
        if plan {
            let client = errand.target.client(Arc::new(Deaf), clock);
            let run = errand.run.clone();
            let order = Order {
                book: errand.book.clone(),
                inputs: errand.inputs.clone(),
                target: errand.target.head.clone(),
                actor: environment.actor(),
                options: errand.options.clone(),
            };
            let fan = Fan::new(run, errand.target.head.name.clone(), clock, errand.redactor.clone(), Vec::new());
            return show(order, (client, fan), past, &which).await;
        }
        let work = async move |order, doors, cancel| Box::pin(engine::undo(order, doors, cancel, (past, which))).await;
        Box::pin(errand.carry_out((display, environment), work)).await
    })
}

/// The steps that are meant; one that the book does not have is said so.
fn which(steps: &[String], earlier: &Earlier) -> Result<UndoWhich, String> {
    if steps.is_empty() {
        return Ok(UndoWhich::All);
    }
    let known: Vec<&str> = earlier.book.walk().filter(|step| step.named).map(|step| step.id.as_str()).collect();
    match steps.iter().find(|step| !known.contains(&step.as_str())) {
        Some(unknown) => Err(format!("the book has no step `{unknown}`; it has: {}", known.join(", "))),
        None => Ok(UndoWhich::Ids(steps.iter().map(|step| (step.clone(), Span::default())).collect())),
    }
}

/// No artifact is written where nothing is done.
#[derive(Debug)]
struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, _: &str, _: &[u8]) -> Result<String, String> {
        Err("nothing is kept while an undo is planned".into())
    }
}

/// What would be taken back, newest first.
async fn show(order: Order, (client, fan): (crate::cluster::Client, Fan), past: Past, which: &UndoWhich) -> u8 {
    let redactor = fan.redactor().clone();
    let doors = Doors {
        client,
        scout: None,
        ledger: Arc::new(NoLedger::default()),
        fan: Arc::new(fan),
        asker: Arc::new(Nobody),
        shelf: Arc::new(NoShelf),
    };
    match engine::plan_undo(order, doors, past, which).await {
        Ok(lines) if lines.is_empty() => {
            say("nothing is left to take back\n");
            exit::PASSED
        }
        Ok(lines) => {
            let text: String = lines.iter().map(told).collect();
            say(&redactor.text(&text));
            let blocked = lines.iter().any(|line| matches!(line.way, Way::Conflict(_) | Way::Unread(_)));
            if blocked { exit::UNDO_FAILED } else { exit::PASSED }
        }
        Err(failure) => {
            fail(failure);
            exit::FAILED
        }
    }
}

fn told(line: &UndoLine) -> String {
    let (mark, words) = match &line.way {
        Way::Back => ("~", "back, from before it".to_owned()),
        Way::Steps(step) => ("~", format!("by the undo steps of `{step}`")),
        Way::Already => ("–", "nothing of it is left".to_owned()),
        Way::Conflict(reason) => ("x", format!("conflict: {reason}")),
        Way::Cannot(reason) => ("x", format!("cannot be taken back: {reason}")),
        Way::Unread(failure) => ("x", format!("cannot be looked at: {failure}")),
    };
    format!("{mark} {} {}  (step {})\n    {words}\n", line.object, line.change, line.step)
}
