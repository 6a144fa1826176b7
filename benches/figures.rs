//! The figures that runhub answers for, measured with its release binary.
//!
//! `cargo bench --bench figures` prints a table: what was measured, the aim,
//! the median (or percentile) of several rounds, and whether the aim is met.
//! Both sides of a ratio run in turn, round by round, so that a busy machine
//! slows both. With words after `--` only figures whose group holds one of
//! them are taken: `-- check start`.
//!
//! | variable | does |
//! |---|---|
//! | `RUNHUB_REAL_KUBECONFIG` | measures against this API server too |
//! | `RUNHUB_BENCH_ROUNDS` | rounds a figure, 5 if unset |
//!
//! To add a figure: a function in a file of `figures/`, and its row in [`GROUPS`].
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that measures real time, prints a table, and ends when anything is not as it should be"
)]

#[path = "figures/book.rs"]
mod book;
#[path = "figures/child.rs"]
mod child;
#[path = "figures/client.rs"]
mod client;
#[path = "figures/curl.rs"]
mod curl;
#[path = "figures/detection.rs"]
mod detection;
#[path = "figures/journal.rs"]
mod journal;
#[path = "figures/run.rs"]
mod run;
#[path = "figures/server.rs"]
mod server;
#[path = "figures/steps.rs"]
mod steps;
#[path = "figures/table.rs"]
mod table;
#[path = "figures/target.rs"]
mod target;

use table::Table;

/// Takes the figures of one group.
type Measure = fn(&mut Table);

/// The groups of figures, in the order of the table.
const GROUPS: &[(&str, Measure)] = &[
    ("check", run::check),
    ("start", run::start),
    ("memory", run::memory),
    ("overhead", steps::overhead),
    ("simulator", steps::simulator),
    ("real", steps::real),
    ("detection", detection::detection),
    ("journal", journal::journal),
];

fn main() {
    // cargo adds `--bench` itself.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let mut table = Table::new();
    for (name, measure) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            measure(&mut table);
        }
    }
    table.close();
}
