//! What goes wrong on the wire at any request, and the way back after a failure at any step.

use super::proof::{Trouble, Undisturbed};
use super::server::{Fault, Gate, World};
use super::{case, points, resumed, visit};
use crate::kit::{Case, Ended};

/// One fault at a request: whatever comes of the run, no change is made twice; one that passes did it all, but for
/// what stood in a step whose failure the book tolerates.
fn with_fault(undisturbed: &Undisturbed, world: &World) -> Result<super::Proof, Trouble> {
    let left = world.until_killed(world.take(case().reporting()));
    match left.code {
        Some(0) if left.report()["counts"]["errored"] == 0 => {
            undisturbed.same(world).map(|()| super::Proof { killed: true })
        }
        // It waits: for a login, or a word of a person. The fault is over.
        Some(7) => undisturbed.compare(world, left).map(|_| super::Proof { killed: true }),
        Some(code) => undisturbed.at_most_once(world, code).map(|()| super::Proof { killed: true }),
        None => Err(left.said().into()),
    }
}

fn at_each_request(what: &str, fault: Fault) {
    let undisturbed = Undisturbed::run();
    visit(what, &points(undisturbed.requests, 23), |point| {
        with_fault(&undisturbed, &World::new(Gate::faulty(point, fault)))
    });
}

#[test]
fn an_answer_that_is_lost() {
    at_each_request("dropped after the write", Fault::DropAfter);
}

#[test]
fn a_server_that_fails() {
    at_each_request("500", Fault::Status(500));
}

#[test]
fn a_server_that_is_busy() {
    at_each_request("429", Fault::Status(429));
}

#[test]
fn a_conflict() {
    at_each_request("409", Fault::Status(409));
}

#[test]
fn a_token_that_expired() {
    at_each_request("401", Fault::Status(401));
}

/// The book up to one of its steps, which then fails.
fn failing_after(steps: usize) -> String {
    let book = std::fs::read_to_string(super::folder().join("book.yaml")).unwrap();
    let (head, list) = book.split_once("steps:\n").unwrap();
    let list = list.split_once("\nalways:").unwrap().0;
    let mut parts: Vec<&str> = list.split("\n  - ").collect();
    parts.truncate(steps);
    format!("{head}steps:\n{}\n  - fail: enough\n", parts.join("\n  - "))
}

/// The steps of the book of which everything can be taken back.
const UNDOABLE: usize = 16;

#[test]
fn an_undo_after_a_failure_at_any_step_brings_the_first_state_back() {
    visit("undo after step", &points(UNDOABLE, 5), |steps| {
        let world = World::new(Gate::open());
        let first = world.state_of_shop();
        let book = failing_after(steps);
        let case = world.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", book));
        let failed: Ended = case.run();
        if failed.code != Some(1) {
            return Err(failed.said().into());
        }
        let undone = super::undone(&world, failed);
        if undone.code != Some(0) {
            return Err(undone.said().into());
        }
        let last = world.state_of_shop();
        if first == last {
            Ok(super::Proof { killed: true })
        } else {
            Err(super::proof::differing(&last, &first).into())
        }
    });
}

#[test]
fn an_undo_that_is_killed_goes_on_where_it_was() {
    for point in points(24, 6) {
        let world = World::new(Gate::open());
        let first = world.state_of_shop();
        let case =
            world.take(Case::new(["run", "runbook.yaml", "--yes"]).file("runbook.yaml", failing_after(UNDOABLE)));
        let failed = case.run().exits(1);
        world.kill_at(point);
        let run = super::proof::run_of(&failed);
        let killed = world.until_killed(world.take(Case::new(["undo", &run]).at_home_of(failed)));
        let refused = resumed(&world, killed);
        assert!(refused.code == Some(2), "an undo is gone on with by undo: {}", refused.said());
        let undone = super::undone(&world, refused).exits(0);
        assert_eq!(world.state_of_shop(), first, "{point}: {}", undone.said());
    }
}
