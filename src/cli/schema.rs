//! `runhub schema`: the JSON Schemas, for editors and for those who read reports.

use clap::{Args, ValueEnum};

use super::exit;
use super::terminal::say;

/// Which schema.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Of which document.
    #[arg(value_enum, default_value_t = Document::Runbook)]
    document: Document,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Document {
    Runbook,
    Report,
    Event,
    Plan,
}

pub(super) fn command(options: &Options) -> u8 {
    let schema = match options.document {
        Document::Runbook => crate::runbook::schema(),
        Document::Report => crate::report::schema(),
        Document::Event => crate::report::event_schema(),
        Document::Plan => crate::report::plan_schema(),
    };
    say(&format!("{}\n", serde_json::to_string_pretty(&schema).unwrap_or_default()));
    exit::PASSED
}
