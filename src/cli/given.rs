//! What a run is given on the command line: inputs.

use std::path::PathBuf;

use clap::Args;

use super::environment::Environment;
use super::open;
use super::terminal::{fail, say_error};
use crate::console::{Style, diagnostics};
use crate::runbook::{self, Given, Inputs, Runbook};
use crate::source::{Diagnostic, Source};

/// The inputs of a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs")]
#[group(id = "given", multiple = true)]
pub(super) struct Options {
    /// An input, read by its declared type; lists and mappings as YAML.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A YAML file of inputs; `--set` wins over it.
    #[arg(long, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// An environment variable that the book may read beside those that begin with `RUNHUB_`.
    #[arg(long = "env", value_name = "NAME")]
    env: Vec<String>,
}

impl Options {
    /// The inputs, whole and right; complaints are drawn, and then there are none.
    pub(super) fn inputs(&self, book: &Runbook, environment: &Environment, style: &Style) -> Option<Inputs> {
        let mut files = Vec::new();
        for path in &self.inputs {
            files.push(open::source(path).map_err(fail).ok()?);
        }
        let given = Given { set: self.set.clone(), files, environment: environment.readable(&self.env) };
        match runbook::resolve(&book.source, &book.inputs, &given) {
            Ok(inputs) => Some(inputs),
            Err(wrong) => {
                draw(wrong, &book.source, style);
                None
            }
        }
    }
}

/// Complaints, gathered by the text they stand in; what is missing is told last.
fn draw(wrong: Vec<(Source, Diagnostic)>, book: &Source, style: &Style) {
    let mut texts: Vec<(Source, Vec<Diagnostic>)> = Vec::new();
    for (source, complaint) in wrong {
        match texts.iter_mut().find(|(known, _)| *known == source) {
            Some((_, complaints)) => complaints.push(complaint),
            None => texts.push((source, vec![complaint])),
        }
    }
    texts.sort_by_key(|(source, _)| source == book);
    say_error(&diagnostics::draw_all(&texts, "the inputs", style));
}
