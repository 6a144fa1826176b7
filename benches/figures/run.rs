//! Figures of whole processes: how fast they begin, how large they grow.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::book::Desk;
use crate::child::{self, BINARY};
use crate::server::Server;
use crate::table::{Table, median, ms, several, spread};

const GET: &str = "get: {deployment: shop/web}";

/// `check` of a book of 10,000 steps, plain and with names that are looked up.
pub(crate) fn check(table: &mut Table) {
    let desk = Desk::new();
    let plain = desk.book(10_000, |_| GET.to_owned());
    let linked = desk.book(10_000, |number| match number {
        0 => format!("{GET}\n    outputs: {{name: $.metadata.name}}"),
        _ => format!(
            "get: {{deployment: 'shop/{{{{ steps.s{}.outputs.name }}}}'}}\n    outputs: {{name: $.metadata.name}}",
            number - 1
        ),
    });
    let took = checked(&plain);
    table.aimed("check, 10,000 steps", ms(median(&took)), (150.0, "ms"), &spread(&took));
    let took = checked(&linked);
    let note = "a template, a look-up and a JSONPath more in each step";
    table.plain("check, 10,000 steps, each reads the one before", &format!("{:.2} ms", ms(median(&took))), note);
}

fn checked(book: &Path) -> Vec<Duration> {
    several(|| {
        let mut command = Command::new(BINARY);
        command.arg("check").arg(book).stdin(Stdio::null());
        child::timed(command)
    })
}

/// From the start of `run` to the first byte at the server; what any process costs is told beside it.
pub(crate) fn start(table: &mut Table) {
    let desk = Desk::new();
    let server = Server::of_deployment();
    let book = desk.book(1, |_| GET.to_owned());
    let bare = several(|| {
        let mut command = Command::new(BINARY);
        command.arg("--version").stdin(Stdio::null());
        child::timed(command)
    });
    let took = several(|| {
        server.first_byte();
        let began = Instant::now();
        child::timed(child::run(&book, &server.target(), desk.path()));
        server.first_byte().map_or(Duration::MAX, |first| first - began)
    });
    let spawn = median(&bare);
    let note = format!("{}; of it {:.1} ms are the process itself (--version)", spread(&took), ms(spawn));
    table.aimed("start of run to first request", ms(median(&took).saturating_sub(spawn)), (15.0, "ms"), &note);
}

/// The most memory that a run of 1,000 steps takes.
pub(crate) fn memory(table: &mut Table) {
    let desk = Desk::new();
    let server = Server::of_deployment();
    let book = desk.book(1_000, |_| GET.to_owned());
    let peak = child::peak_memory(child::run(&book, &server.target(), desk.path()));
    #[expect(clippy::cast_precision_loss, reason = "a few million bytes")]
    let mebibytes = peak as f64 / 1024.0 / 1024.0;
    table.aimed("peak memory of a run of 1,000 steps", mebibytes, (30.0, "MiB"), "");
}
