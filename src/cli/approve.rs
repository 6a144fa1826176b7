//! `runhub approve` and `runhub reject`: a person's answer, and the run goes on.

use std::collections::BTreeMap;

use clap::Args;

use super::answers::Prepared;
use super::environment::Environment;
use super::resume::{Again, Earlier, Refused, go_on};
use super::{Display, exit};
use crate::event::Answer;

/// What is approved.
#[derive(Debug, Args)]
pub(super) struct Approve {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
    /// A field of the approval.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    again: Again,
}

/// What is rejected, and why.
#[derive(Debug, Args)]
pub(super) struct Reject {
    /// The run, as `runhub runs` names it.
    #[arg(value_name = "RUN")]
    run: String,
    /// Why; it stands in the report.
    #[arg(value_name = "REASON")]
    reason: String,
    #[command(flatten)]
    again: Again,
}

pub(super) fn approve(options: Approve, display: &Display, environment: &Environment) -> u8 {
    let mut fields = BTreeMap::new();
    for field in &options.set {
        let Some((name, value)) = field.split_once('=') else {
            super::terminal::fail(format!("`--set {field}`: a field is given as NAME=VALUE"));
            return exit::USAGE;
        };
        fields.insert(name.to_owned(), value.to_owned());
    }
    go_on(&options.run, options.again, (display, environment), |earlier| waits(earlier, Answer::Filled(fields)))
}

pub(super) fn reject(options: Reject, display: &Display, environment: &Environment) -> u8 {
    let reason = Answer::No(options.reason);
    go_on(&options.run, options.again, (display, environment), |earlier| waits(earlier, reason))
}

/// Gives an answer to a run that waits for one.
fn waits(earlier: &mut Earlier, answer: Answer) -> Result<Prepared, Refused> {
    if earlier.past.awaits_approval().is_none() {
        return Err(Refused(format!("run {} waits for no approval", earlier.run), exit::USAGE));
    }
    Ok(Prepared { approval: Some(answer), ..Prepared::default() })
}
