//! The history: listed, told again, compared, checked.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::kit::{Case, Ended, ROOT, WORLD, below};

const BOOK: &str = "\
runbook: v1
name: history
inputs: {replicas: {type: integer, default: 4}}
steps:
  - id: grow
    scale: {deployment: shop/web, replicas: '{{ inputs.replicas }}', wait: true}
";

/// Two runs in one home: one that passed, and one that failed.
fn two_runs() -> Ended {
    let first = Case::book(BOOK).run().exits(0);
    let failing = format!("{BOOK}  - id: bad\n    fail: enough\n").replace("name: history", "name: other");
    let second = Case::new(["run", "runbook.yaml", "--yes", "--set", "replicas=5"]).at_home_of(first);
    second.file("runbook.yaml", failing).sim(WORLD).reporting().run().exits(1)
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.said()))
}

fn ids(ended: &Ended) -> Vec<String> {
    json(ended)["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn runs_are_filtered_by_book_target_outcome_and_time() {
    let listed = |ended: Ended, words: &[&str]| {
        let words = ["runs", "-o", "json"].iter().chain(words);
        Case::new(words.copied()).at_home_of(ended).run().exits(0)
    };
    let mut ended = two_runs();
    for (words, count) in [
        (&[] as &[&str], 2),
        (&["--book", "history"], 1),
        (&["--outcome", "failed"], 1),
        (&["--outcome", "failed,passed"], 2),
        (&["--target", "simulator", "--since", "1h"], 2),
        (&["--target", "elsewhere"], 0),
        (&["--since", "2099-01-01T00:00:00Z"], 0),
        (&["-n", "1"], 1),
    ] {
        ended = listed(ended, words);
        assert_eq!(ids(&ended).len(), count, "{words:?}: {}", ended.said());
    }
}

#[test]
fn two_runs_are_compared() {
    let listed = Case::new(["runs", "-o", "json"]).at_home_of(two_runs()).run().exits(0);
    let [newer, older] = ids(&listed).try_into().expect("two runs");
    let diff = Case::new(["diff", &older, &newer]).at_home_of(listed).run().exits(0);
    for line in ["outcome\n  - passed\n  + failed\n", "input replicas\n  - 4\n  + 5\n", "bad status\n  + failed\n"] {
        assert!(diff.stdout.contains(line), "{line:?}: {}", diff.said());
    }
    let same = Case::new(["diff", &older, &older]).at_home_of(diff).run().exits(0);
    assert_eq!(same.stdout, "the runs did the same\n");
}

#[test]
fn a_record_is_checked_against_the_root_of_its_report() {
    let ended = Case::book(BOOK).run().exits(0);
    let root = ended.report()["run"]["journal-root"].as_str().expect("a root").to_owned();
    let journal = ended.files().into_iter().find(|path| path.ends_with("journal.jsonl")).unwrap();
    let run = journal.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let good = Case::new(["verify", &run, "--root", &root]).at_home_of(ended).run().exits(0);
    assert!(good.stdout.contains("as it was written") && good.stdout.contains(&root), "{}", good.said());
    assert!(good.stdout.contains("not seen by this"), "{}", good.said());
    let shown = Case::new(["report", &run, "json=-"]).at_home_of(good).run().exits(0);
    assert_eq!(json(&shown)["run"]["journal-root"], root.as_str());
    let text = fs::read_to_string(&journal).unwrap();
    let without_end = text.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    fs::write(&journal, without_end).unwrap();
    let cut = Case::new(["verify", &run, "--root", &root]).at_home_of(shown).run().exits(1);
    assert!(cut.stdout.contains("lines are missing at its end"), "{}", cut.said());
    fs::write(&journal, text.replace("history", "mystery")).unwrap();
    let altered = Case::new(["verify", &run, "-o", "json"]).at_home_of(cut).run().exits(1);
    assert!(json(&altered)["journals"][0]["wrong"].as_str().unwrap().contains("does not match its hash"));
    let forgotten = Case::new(["forget", &run]).at_home_of(altered).run().exits(0);
    assert!(forgotten.stdout.contains("is deleted"), "{}", forgotten.said());
}

/// A journal that the first version of the format left.
fn old_state(case: &Case) -> String {
    let (from, to) = (PathBuf::from(ROOT).join("tests/cases/journal-v1"), case.state().join("runhub"));
    for path in below(&from) {
        let copy = to.join(path.strip_prefix(&from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(&path, &copy).unwrap();
    }
    let runs = fs::read_dir(to.join("runs")).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    runs.map(|entry| name(entry.unwrap())).next().unwrap()
}

#[test]
fn a_journal_of_the_first_format_is_listed_shown_and_checked() {
    let case = Case::new(["runs", "-o", "json"]);
    let run = old_state(&case);
    let listed = case.run().exits(0);
    assert_eq!(json(&listed)["runs"][0]["outcome"], "undone");
    let shown = Case::new(["report", &run, "json=-"]).at_home_of(listed).run().exits(0);
    assert_eq!(json(&shown)["counts"]["changes"], 2);
    let checked = Case::new(["verify", &run]).at_home_of(shown).run().exits(0);
    assert!(checked.stdout.contains("as it was written"), "{}", checked.said());
}
