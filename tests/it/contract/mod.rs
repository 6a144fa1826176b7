//! The contract: sequences of requests, and what a real control plane answered to them.
//!
//! `tests/contract/sequences` says what is asked, `tests/contract/recorded` what Kubernetes 1.20.2
//! answered, `tests/contract/differences.yaml` where the simulator answers otherwise, and why. The
//! test asks the simulator and compares; `tests/contract/record` asks a real control plane anew.

mod answer;
mod compare;
mod door;
mod normal;
mod sequence;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use futures_util::StreamExt as _;

use crate::kit::ROOT;
use answer::Answer;
use compare::Differences;
use door::Door;
use sequence::{Sequence, families};

/// Sequences that are asked at the same time.
const ABREAST: usize = 8;

fn folder() -> PathBuf {
    PathBuf::from(ROOT).join("tests/contract")
}

/// The answers to all sequences of a family, by the name of the sequence.
type Answers = BTreeMap<String, Vec<Answer>>;

async fn asked(door: &Door, sequences: &[Sequence]) -> Answers {
    let each = sequences.iter().map(|sequence| async { (sequence.name.clone(), sequence.ask(door).await) });
    futures_util::stream::iter(each).buffer_unordered(ABREAST).collect().await
}

fn recorded(family: &str) -> Answers {
    let path = folder().join(format!("recorded/{family}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One line a sequence, so that a change can be read.
fn written(answers: &Answers) -> String {
    let line = |(name, answers): (&String, &Vec<Answer>)| {
        format!("{}: {}", serde_json::to_string(name).unwrap(), serde_json::to_string(answers).unwrap())
    };
    format!("{{\n{}\n}}\n", answers.iter().map(line).collect::<Vec<_>>().join(",\n"))
}

#[tokio::test(start_paused = true)]
async fn the_simulator_answers_as_the_real_control_plane_did() {
    let mut differences = Differences::read(&folder().join("differences.yaml"));
    let (mut told, mut compared, mut agreeing) = (String::new(), 0, 0);
    for (family, sequences) in families() {
        let (real, simulated) = (recorded(&family), asked(&Door::simulated(), &sequences).await);
        for sequence in &sequences {
            let name = &sequence.name;
            let Some(real) = real.get(name) else {
                let _ = writeln!(told, "{name}: not recorded; run tests/contract/record");
                continue;
            };
            compared += 1;
            let found = compare::all(real, &simulated[name]);
            agreeing += usize::from(found.is_empty());
            for difference in found.iter().filter(|difference| !differences.knows(name, difference)) {
                let _ = writeln!(told, "{name} {difference}");
            }
        }
    }
    for rule in differences.unused() {
        let _ = writeln!(told, "differences.yaml: nothing differs any more: {rule}");
    }
    println!(
        "{compared} sequences compared, {agreeing} agree, {} differ as differences.yaml says",
        compared - agreeing
    );
    let lines = told.lines().count();
    assert!(
        told.is_empty(),
        "{compared} compared, {agreeing} agree; {lines} differences that nobody explained:\n{told}"
    );
}

/// Writes `tests/contract/recorded` anew; `tests/contract/record` starts a control plane and calls it.
#[tokio::test]
#[ignore = "asks a real control plane, which tests/contract/record starts"]
async fn record() {
    let door = Door::real();
    for (family, sequences) in families() {
        let answers = asked(&door, &sequences).await;
        fs::write(folder().join(format!("recorded/{family}.json")), written(&answers)).unwrap();
        println!("{family}: {} sequences", answers.len());
    }
}
