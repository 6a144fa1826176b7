//! What a run leaves to read: events, folded into one [`Report`], and that into bytes.
//!
//! `cli` opens the [`Targets`] before the run, hands a [`Collector`] to the
//! fan, and writes every target at the end, whatever the end was. A report
//! made from a journal (`runhub report`) equals the one made live, because
//! both are the same fold. To add a format: one file with a function
//! `write(&Report) -> Result<Vec<u8>, Error>`, and in here two adjacent
//! lines, `mod x;` and its row in [`FORMATS`].
//!
//! A format gets the report and nothing else. Handing it the book's text
//! beside was considered and rejected: the events passed the redactor, the
//! text did not.

#![warn(clippy::wildcard_enum_match_arm)]

mod collector;
mod fold;
mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod run;
mod step;
mod tap;
mod targets;
mod wire;
mod words;

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use schemars::Schema;

pub use collector::Collector;
pub use fold::Fold;
pub use run::{Asked, Counts, Exit, Interruption, Report, Run};
pub use step::{
    ArtifactReport, AttemptReport, ChangeReport, Exchanges, RequestReport, StepReport, WaitLine, WaitReport,
};
pub use targets::{OpenTargets, Targets};

/// The version of the report's shape; it rises when a field changes its meaning or goes.
pub const FORMAT_VERSION: u32 = 1;

/// One way to write a report down.
#[derive(Debug)]
pub struct Format {
    /// The name in `--report NAME=PATH`.
    pub name: &'static str,
    /// One line for the help.
    pub about: &'static str,
    /// Turns the report into the bytes of the file.
    pub write: fn(&Report) -> Result<Vec<u8>, Error>,
}

/// Every format, in the order in which the help lists them.
pub static FORMATS: &[Format] = &[
    Format { name: "json", about: "the whole report, for programs", write: json::write },
    Format { name: "junit", about: "JUnit XML, for the test view of a CI", write: junit::write },
    Format { name: "html", about: "one page for people: timeline, requests, changes, causes", write: html::write },
    Format { name: "md", about: "Markdown, for a ticket or a pull request", write: markdown::write },
    Format { name: "tap", about: "TAP 14, for harnesses that read it", write: tap::write },
    Format { name: "github", about: "annotations of a GitHub Actions job", write: github::write },
];

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `--report` names a format that is not in [`FORMATS`].
    #[error("there is no report format `{name}`; {help}")]
    UnknownFormat {
        /// The name given.
        name: String,
        /// What could have been meant.
        help: String,
    },
    /// `--report` has no path.
    #[error("`--report {0}` names no file: write `FORMAT=PATH`, for instance `json=report.json`")]
    NoPath(String),
    /// Two reports would overwrite each other.
    #[error("two reports go to `{0}`: give each a file of its own")]
    SamePath(String),
    /// The file cannot be written.
    #[error("the report `{path}` cannot be written: {cause}")]
    Unwritable {
        /// The file as the user named it.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The report is no JSON.
    #[error("the report cannot be put into JSON")]
    Json(#[from] serde_json::Error),
    /// The report is no `JUnit` XML.
    #[error("the report cannot be put into JUnit XML")]
    Junit(#[from] quick_junit::SerializeError),
}

/// The JSON Schema of the report that the format `json` writes.
pub fn schema() -> Schema {
    schemars::schema_for!(Report)
}

/// The JSON Schema of a plan.
pub fn plan_schema() -> Schema {
    schemars::schema_for!(crate::event::Plan)
}

/// The JSON Schema of one event, a line of the journal.
pub fn event_schema() -> Schema {
    schemars::schema_for!(crate::event::Event)
}
