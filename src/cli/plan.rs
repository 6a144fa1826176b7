//! `runhub plan`: what a run would do, and nothing changed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::environment::Environment;
use super::terminal::{error_style, fail, say, style};
use super::{Display, connect, exit, given, open};
use crate::clock::Clock;
use crate::console;
use crate::engine::{self, Order, Scout, Witness};
use crate::event::{Class, Fan, Plan, RunId};
use crate::runbook::{BudgetWidening, Inputs, Runbook};
use crate::secret::Redactor;

/// What to plan, against what.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The runbook; `-` is the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How the plan is written.
    #[arg(long, short, value_enum, default_value_t = Output::Human, value_name = "FORMAT")]
    output: Output,
    /// Keep the plan in a file, for `run --plan`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only steps with this tag.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// No step with this tag.
    #[arg(long = "skip-tag", value_name = "TAG")]
    skip_tags: Vec<String>,
    /// A host or a program beside the target that the run may use.
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// More than the book's budget: pods=50; several.
    #[arg(long = "budget", value_name = "WHAT=MUCH")]
    budget: Vec<String>,
    #[command(flatten)]
    target: connect::Options,
    #[command(flatten)]
    given: given::Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let errors = error_style(display, environment);
    let Some(book) = open::runnable(&options.file, &errors) else { return exit::INVALID };
    let Some(inputs) = options.given.inputs(&book, environment, &errors) else { return exit::INVALID };
    let widened = match BudgetWidening::parse(&options.budget) {
        Ok(widened) => widened,
        Err(wrong) => {
            fail(format!("--budget {wrong}"));
            return exit::USAGE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            fail(format!("the runtime cannot start: {error}"));
            return exit::FAILED;
        }
    };
    match runtime.block_on(planned(options, (book, inputs, widened), environment)) {
        Ok(plan) => told(&plan, options, display, environment),
        Err(code) => code,
    }
}

/// Makes the plan; what stands in the way is said.
async fn planned(
    options: &Options,
    (book, inputs, widened): (Runbook, Inputs, BudgetWidening),
    environment: &Environment,
) -> Result<Plan, u8> {
    let (clock, redactor, witness) = (Clock::system(), Redactor::default(), Witness::default());
    let target = connect::connect(&options.target, environment, clock, &redactor).await.map_err(|refusal| {
        fail(&refusal.message);
        refusal.code
    })?;
    let client = target.client(Arc::new(witness.clone()), clock);
    let order = Order {
        book: Arc::new(book),
        inputs,
        target: target.head.clone(),
        actor: environment.actor(),
        options: engine::Options {
            tags: options.tags.clone(),
            skip_tags: options.skip_tags.clone(),
            allowed: options.allow.clone(),
            widened,
            ..engine::Options::default()
        },
    };
    let fan = Fan::new(RunId(String::new()), target.head.name.clone(), clock, redactor, Vec::new());
    let plan = engine::plan(&order, &Scout { client, witness }, &fan).await;
    target.close().await;
    plan.map_err(|failure| {
        fail(failure);
        exit::FAILED
    })
}

/// Writes the plan where it is wanted; the exit code says whether a run would begin.
fn told(plan: &Plan, options: &Options, display: &Display, environment: &Environment) -> u8 {
    let json = format!("{}\n", serde_json::to_string_pretty(plan).unwrap_or_default());
    if let Some(path) = &options.out
        && let Err(error) = keep(path, &json)
    {
        fail(format!("{} cannot be written: {error}", path.display()));
        return exit::FAILED;
    }
    match options.output {
        Output::Json => say(&json),
        Output::Human => say(&console::plan(plan, &style(display, environment))),
    }
    code(plan)
}

/// Reads a plan that was kept.
pub(super) fn read(path: &Path) -> Result<Plan, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| format!("{name} is no plan: {error}"))?;
    if plan.hash == engine::plan_hash(&plan) {
        return Ok(plan);
    }
    Err(format!("{name} was altered: its hash is not that of its content"))
}

fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// What a run would end with before its first step; a step that would fail as the target is now counts as failed.
fn code(plan: &Plan) -> u8 {
    let is_out_of_reach = |class: Class| matches!(class, Class::Transport | Class::Login);
    if plan.problems.iter().any(|problem| is_out_of_reach(problem.class)) {
        exit::UNREACHABLE
    } else if !plan.problems.is_empty() {
        exit::REFUSED
    } else if plan.steps.iter().any(|step| step.fails.is_some() && step.phase != crate::event::Phase::OnFailure) {
        exit::FAILED
    } else {
        exit::PASSED
    }
}
