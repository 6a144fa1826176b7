//! `runhub resume`: goes on with a run that broke off or waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::answers::Prepared;
use super::carry::{Errand, Reports, to_the_end};
use super::connect;
use super::environment::Environment;
use super::exit::Stop;
use super::started::Started;
use super::terminal::{complain, error_style, fail, say_error};
use super::{Display, accept, exit, open};
use crate::clock::Clock;
use crate::console::Style;
use crate::engine::{self, Past};
use crate::event::{Choice, Event, Ledger as _, Outcome, Phase, Record, RunId, TargetHead};
use crate::journal::{Error, Journal, Places, Vault};
use crate::runbook::{Inputs, Runbook};
use crate::secret::Redactor;
use crate::source::{Diagnostic, Source};

/// Which run, and how it goes on.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
    /// How a run that waits after a failure goes on.
    #[arg(long, value_name = "CHOICE", value_parser = ["retry", "skip", "on-failure", "undo", "abort"])]
    choose: Option<String>,
    /// The change with this number was made; only a person can tell.
    #[arg(long, value_name = "NUMBER")]
    made: Vec<u64>,
    /// The change with this number was not made.
    #[arg(long, value_name = "NUMBER", conflicts_with = "made")]
    not_made: Vec<u64>,
    /// Wait once more for what had been waited for before.
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    again: Again,
}

/// What every way of going on with a run takes.
#[derive(Debug, Args)]
pub(super) struct Again {
    /// Go on although this step of the book has changed since; `rest` is all but the steps, `all` is everything.
    #[arg(long = "accept-changes", value_name = "STEP")]
    accept: Vec<String>,
    /// Agree to every `confirm` beforehand.
    #[arg(long, short)]
    yes: bool,
    /// Write reports of the whole run: json=FILE, html=FILE; as `run` does.
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<String>,
    #[command(flatten)]
    target: connect::Options,
}

pub(super) fn command(options: Options, display: &Display, environment: &Environment) -> u8 {
    let settled = options.made.iter().map(|number| (*number, true));
    let settled = settled.chain(options.not_made.iter().map(|number| (*number, false))).collect();
    let choice = options.choose.as_deref().and_then(|word| Choice::ALL.into_iter().find(|known| known.word() == word));
    let prepared = Prepared { choice, settled, ..Prepared::default() };
    let verify = options.verify;
    go_on(&options.run, options.again, (display, environment), |earlier| {
        resumable(&earlier.past)?;
        earlier.options.verify = verify;
        Ok(prepared)
    })
}

/// A run of the past, opened again.
#[derive(Debug)]
pub(super) struct Earlier {
    pub(super) run: RunId,
    pub(super) journal: Journal,
    pub(super) past: Past,
    pub(super) told: Vec<Event>,
    pub(super) book: Arc<Runbook>,
    pub(super) inputs: Inputs,
    pub(super) options: engine::Options,
    pub(super) started: Started,
}

/// Why a run cannot be gone on with, and the exit code that goes with it.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String, pub(super) u8);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error.to_string(), exit::FAILED)
    }
}

impl From<Stop> for Refused {
    fn from(refusal: Stop) -> Self {
        Self(refusal.message, refusal.code)
    }
}

/// Opens a run, lets `judge` say whether and with which answers, and goes on with it.
pub(super) fn go_on(
    run: &str,
    again: Again,
    place: (&Display, &Environment),
    judge: impl FnOnce(&mut Earlier) -> Result<Prepared, Refused>,
) -> u8 {
    let (clock, redactor) = (Clock::system(), Redactor::default());
    let opened = open_again(run, Some(&again), place, (clock, &redactor)).and_then(|mut earlier| {
        let prepared = judge(&mut earlier)?;
        Ok((earlier, prepared))
    });
    let ((earlier, prepared), reports) = match (opened, Reports::open(&again.reports, place.1)) {
        (Ok(opened), Ok(reports)) => (opened, reports),
        (Err(refused), _) => return say_refused(&refused),
        (Ok(_), Err(code)) => return code,
    };
    to_the_end(async move {
        match earlier.errand(again.target, prepared, reports, (clock, redactor, place.1)).await {
            Ok((errand, past)) => {
                let work = async move |order, doors, cancel| Box::pin(engine::resume(order, doors, cancel, past)).await;
                Box::pin(errand.carry_out(place, work)).await
            }
            Err(refused) => say_refused(&refused),
        }
    })
}

pub(super) fn say_refused(refused: &Refused) -> u8 {
    if !refused.0.is_empty() {
        fail(&refused.0);
    }
    refused.1
}

/// Opens the record of a run for going on with it.
///
/// The book must be what it was, or be accepted; to take back, it is the book as it was.
pub(super) fn open_again(
    run: &str,
    again: Option<&Again>,
    (display, environment): (&Display, &Environment),
    (clock, redactor): (Clock, &Redactor),
) -> Result<Earlier, Refused> {
    let (places, run) = (Places::new(environment.state()), RunId(run.to_owned()));
    let (journal, journaled) = Journal::reopen(&places, &run, redactor, clock)?;
    let past = Past::of(&journaled, &Vault::open(&places, &run)?)?;
    let mut started = begun(&past)?;
    let book = match again {
        Some(again) => the_book(&mut started, &past, again, (display, environment))?,
        None => the_book_as_it_was(&started, (display, environment))?,
    };
    if let Ok(kept) = serde_json::to_value(&started)
        && past.started() != Some(&kept)
    {
        journal.ledger.remember(&Record::Started(kept)).map_err(|error| Refused(error.to_string(), exit::FAILED))?;
    }
    let values = past.inputs().cloned().and_then(|inputs| serde_json::from_value(inputs).ok()).unwrap_or_default();
    let inputs = Inputs { values, secret: started.secret_inputs.clone() };
    let mut options = started.options();
    options.yes |= again.is_some_and(|again| again.yes);
    options.environment = environment.of_programs();
    options.folder = started.file.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(Earlier { run, journal, past, told: journaled.events, book, inputs, options, started })
}

/// How the run was begun; of a journal of format 1 as far as its first event tells.
fn begun(past: &Past) -> Result<Started, Refused> {
    if let Some(started) = past.started().and_then(|kept| serde_json::from_value(kept.clone()).ok()) {
        return Ok(started);
    }
    let Some(head) = past.head() else {
        return Err(Refused(
            "the run broke off before its first event: begin it anew with `runhub run`".into(),
            exit::USAGE,
        ));
    };
    let secret = head.inputs.iter().filter(|(_, value)| *value == crate::secret::MASK);
    Ok(Started {
        file: PathBuf::from(&head.file),
        secret_inputs: secret.map(|(name, _)| name.clone()).collect(),
        embedded: head.target.name == "simulator",
        ..Started::default()
    })
}

/// The book as it is now; what has changed since the run began must be accepted by name.
fn the_book(
    started: &mut Started,
    past: &Past,
    again: &Again,
    (display, environment): (&Display, &Environment),
) -> Result<Arc<Runbook>, Refused> {
    let style = error_style(display, environment);
    let now = if started.file.as_os_str().is_empty() {
        Source::new("<stdin>", started.text.clone())
    } else {
        open::source(&started.file).map_err(|message| Refused(message, exit::INVALID))?
    };
    let book = whole(&now, &style)?;
    let hash = past.head().map(|head| head.book_hash.clone());
    if hash.as_deref() == Some(&engine::book_hash(&book)) {
        return Ok(Arc::new(book));
    }
    let was = open::checked(&Source::new(now.name(), started.text.clone())).0;
    let changed = was.as_ref().map_or_else(|| vec!["all".to_owned()], |was| accept::changed(was, &book));
    let left = accept::unaccepted(&changed, &again.accept);
    if !left.is_empty() {
        say_error(&accept::difference(&started.text, now.text()));
        let flags: Vec<String> = left.iter().map(|name| format!("--accept-changes {name}")).collect();
        let message = format!(
            "{} has changed since the run began ({}): put it back, or accept that with {}",
            now.name(),
            changed.join(", "),
            flags.join(" ")
        );
        return Err(Refused(message, exit::REFUSED));
    }
    now.text().clone_into(&mut started.text);
    past.run_anew(&changed);
    Ok(Arc::new(book))
}

/// The book as it was when the run was last gone on with; of a journal of format 1 the file.
fn the_book_as_it_was(
    started: &Started,
    (display, environment): (&Display, &Environment),
) -> Result<Arc<Runbook>, Refused> {
    let was = if started.text.is_empty() {
        open::source(&started.file).map_err(|message| Refused(message, exit::INVALID))?
    } else {
        Source::new(started.file.display().to_string(), started.text.clone())
    };
    whole(&was, &error_style(display, environment)).map(Arc::new)
}

/// A book without mistakes; those of another are drawn.
fn whole(source: &Source, style: &Style) -> Result<Runbook, Refused> {
    let (book, complaints) = open::checked(source);
    let wrong = complaints.iter().any(Diagnostic::is_error);
    if wrong {
        complain(source, &complaints, style);
    }
    book.filter(|_| !wrong).ok_or(Refused(String::new(), exit::INVALID))
}

/// Whether a run goes on, or why it does not.
fn resumable(past: &Past) -> Result<(), Refused> {
    let refuse = |why: String| Err(Refused(why, exit::USAGE));
    if past.has_phase(Phase::Undo) {
        return refuse("an undo of this run has begun: `runhub undo` goes on with that".into());
    }
    let Some(end) = past.end() else { return Ok(()) };
    let last = past.has_phase(Phase::Always) || past.has_phase(Phase::OnFailure);
    match end.outcome {
        Outcome::Paused => Ok(()),
        Outcome::Cancelled if past.was_stopped_twice() || !last => Ok(()),
        outcome if !past.has_begun() => {
            refuse(format!("the run ended before its first step ({}): begin it anew with `runhub run`", outcome.word()))
        }
        outcome => refuse(format!("the run has ended ({}): there is nothing to go on with", outcome.word())),
    }
}

impl Earlier {
    /// Finds the target of the run again, and makes everything ready.
    pub(super) async fn errand(
        self,
        target: connect::Options,
        prepared: Prepared,
        reports: Reports,
        (clock, redactor, environment): (Clock, Redactor, &Environment),
    ) -> Result<(Errand, Past), Refused> {
        let Self { run, journal, past, told, book, inputs, options, started } = self;
        if started.embedded || target.is_embedded() {
            let message = "the embedded server of this run ended with its process, and what it changed with it: \
                           serve a world of its own for runs that are to be gone on with";
            return Err(Refused(message.into(), exit::USAGE));
        }
        let target = target.or(started.kubeconfig.as_deref().map(Path::new), started.context.as_deref());
        let target = connect::connect(&target, environment, clock, &redactor).await?;
        same_target(past.head().map(|head| &head.target), &target.head)?;
        let errand = Errand { run, book, inputs, options, target, journal, reports, prepared, told, clock, redactor };
        Ok((errand, past))
    }
}

/// A run goes on only where it began.
fn same_target(was: Option<&TargetHead>, now: &TargetHead) -> Result<(), Refused> {
    let Some(was) = was else { return Ok(()) };
    if (&was.name, &was.provider, &was.url) == (&now.name, &now.provider, &now.url) {
        return Ok(());
    }
    let told = |head: &TargetHead| format!("{} ({}, {})", head.name, head.provider, head.url);
    let message = format!("the run began on {}, and this is {}: name its target", told(was), told(now));
    Err(Refused(message, exit::USAGE))
}
