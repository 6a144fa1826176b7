//! `runhub check`: everything that is wrong with runbooks, and nothing sent.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::environment::Environment;
use super::terminal::{complain, error_style, fail, say};
use super::{Display, exit, open};
use crate::console::diagnostics;
use crate::source::Diagnostic;

/// What to check.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Runbooks; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How complaints are written.
    #[arg(long, short, value_enum, default_value_t = Output::Human, value_name = "FORMAT")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let style = error_style(display, environment);
    let mut code = exit::PASSED;
    for file in &options.files {
        let source = match open::source(file) {
            Ok(source) => source,
            Err(message) => {
                fail(message);
                code = exit::INVALID;
                continue;
            }
        };
        let (book, complaints) = open::checked(&source);
        match options.output {
            Output::Json => say(&format!("{}\n", diagnostics::json(&source, &complaints).unwrap_or_default())),
            Output::Human => complain(&source, &complaints, &style),
        }
        if complaints.iter().any(Diagnostic::is_error) {
            code = exit::INVALID;
        } else if let Some(book) = book
            && options.output == Output::Human
            && !display.quiet
        {
            let steps = book.walk().count();
            say(&format!("{}: ok, {steps} {}\n", source.name(), if steps == 1 { "step" } else { "steps" }));
        }
    }
    code
}
