//! The process is killed at every boundary, and its run goes on.
//!
//! `server.rs` is the simulated cluster with a gate in front: it counts
//! requests and kills the client by SIGKILL before or after one of them.
//! `child.rs` is a process that carries the book out through the library, with
//! a ledger and a sink that end the process at the n-th write: there is no
//! such door in the product. Bytes are cut off by the system itself
//! (`RLIMIT_FSIZE`, by `prlimit`), in the middle of a line too.
//!
//! Each run is then resumed by the real binary, and measured against a run
//! that nobody disturbed: every change once by the server's own log, the same
//! world in the end, a whole report. `RUNHUB_CRASH=all` visits every point
//! instead of a few.

mod child;
mod faults;
mod proof;
mod server;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kit::{Case, Ended};
use proof::{Proof, Trouble, Undisturbed};
use server::{Gate, Moment, World};

/// The book, and the folder in which it lies.
fn folder() -> PathBuf {
    PathBuf::from(crate::kit::ROOT).join("tests/it/crash")
}

/// A run of the book from a home of its own.
fn case() -> Case {
    Case::new(["run".into(), folder().join("book.yaml").into_os_string(), "--yes".into()])
}

/// Goes on with the only run of a home.
fn resumed(world: &World, left: Ended) -> Ended {
    let run = proof::run_of(&left);
    world.take(Case::new(["resume", &run]).reporting().at_home_of(left)).run()
}

/// Takes back what the only run of a home did.
fn undone(world: &World, left: Ended) -> Ended {
    let run = proof::run_of(&left);
    world.take(Case::new(["undo", &run]).at_home_of(left)).run()
}

/// Every point, or each so-manieth.
#[expect(clippy::disallowed_methods, reason = "a person asks for every point")]
fn points(all: usize, each: usize) -> Vec<usize> {
    let step = if std::env::var("RUNHUB_CRASH").is_ok_and(|wish| wish == "all") { 1 } else { each };
    (1..=all).step_by(step).collect()
}

/// Visits points two at a time, and tells what became of them.
#[expect(clippy::print_stdout, reason = "the figures of the proof")]
fn visit(what: &str, points: &[usize], visit: impl Fn(usize) -> Result<Proof, Trouble> + Sync) {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = visit(*point);
                    results.lock().unwrap().push((*point, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(point, _)| *point);
    let killed = results.iter().filter(|(_, result)| result.as_ref().is_ok_and(|proof| proof.killed)).count();
    let troubles: Vec<&Trouble> = results.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    let sum = |count: fn(&Trouble) -> usize| troubles.iter().copied().map(count).sum::<usize>();
    let (doubled, lost) = (sum(|trouble| trouble.doubled), sum(|trouble| trouble.lost));
    println!("{what}: {} points, {killed} killed and resumed well, {doubled} doubled, {lost} lost", results.len());
    let line = |(point, result): &(usize, Result<Proof, Trouble>)| {
        Some(format!("{what} {point}: {}", result.as_ref().err()?.words))
    };
    let wrong: Vec<String> = results.iter().filter_map(line).collect();
    assert!(wrong.is_empty(), "{} of {} went wrong\n{}", wrong.len(), results.len(), wrong.join("\n"));
    assert!(killed > 0, "{what}: no process was killed");
}

fn at_requests(what: &str, moment: Moment, each: usize) {
    let undisturbed = Undisturbed::run();
    visit(what, &points(undisturbed.requests, each), |point| {
        let world = World::new(Gate::at(point, moment));
        let left = world.until_killed(world.take(case()));
        undisturbed.compare(&world, left)
    });
}

#[test]
fn killed_before_a_request_arrives() {
    at_requests("before request", Moment::Before, 19);
}

#[test]
fn killed_after_a_request_was_carried_out() {
    at_requests("after request", Moment::After, 19);
}

#[test]
fn killed_at_a_write_of_the_journal() {
    let undisturbed = Undisturbed::run();
    visit("journal write", &points(undisturbed.writes * 2, 97), |point| {
        let world = World::new(Gate::open());
        let left = child::carried_out(&world, point);
        undisturbed.compare(&world, left)
    });
}

#[test]
fn killed_in_the_middle_of_a_line() {
    let undisturbed = Undisturbed::run();
    let points: Vec<usize> = points(undisturbed.bytes / 211, 151).iter().map(|point| point * 211).collect();
    visit("byte", &points, |point| {
        let world = World::new(Gate::open());
        let left = world.until_killed(world.take(case()).under(&["prlimit", &format!("--fsize={point}")]));
        undisturbed.compare(&world, left)
    });
}

#[test]
fn a_full_disk_stops_the_run_before_a_change_and_it_goes_on_when_there_is_room() {
    let undisturbed = Undisturbed::run();
    for share in [1, 2, 3] {
        let world = World::new(Gate::open());
        let limit = format!("--fsize={}", undisturbed.bytes * share / 4);
        // Without the signal the write itself fails, as on a full disk.
        let words = ["env", "--ignore-signal=XFSZ", "prlimit", &limit];
        let ended = world.take(case()).under(&words).run().exits(7);
        assert!(ended.said().contains("the journal cannot be written"), "{}", ended.said());
        assert!(ended.said().contains("free some space"), "{}", ended.said());
        undisturbed.compare(&world, ended).unwrap_or_else(|trouble| panic!("{}", trouble.words));
    }
}
