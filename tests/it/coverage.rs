//! `docs/coverage.md`: every test that the table names is there, and every action stands in it.

use std::fs;
use std::path::Path;

use crate::kit::{Case, ROOT, below};

/// The table's rows, each as its cells.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/coverage.md")).expect("the table");
    let lines = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    lines.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in backticks.
fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_test_that_the_table_names_is_there() {
    let sources: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| below(&Path::new(ROOT).join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).expect("a source"))
        .collect();
    let mut missing = Vec::new();
    let (mut rows_with_tests, all) = (0, rows());
    for row in &all {
        let tests = named(row.last().expect("cells"));
        rows_with_tests += usize::from(!tests.is_empty());
        for test in tests {
            let is_there = match test.strip_prefix("cases/") {
                Some(folder) => Path::new(ROOT).join("tests/cases").join(folder).is_dir(),
                None => sources.contains(&format!("fn {test}(")),
            };
            if !is_there {
                missing.push(format!("{}: {test}", row[0]));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    // The two headings alone name no test.
    assert_eq!(rows_with_tests + 2, all.len());
}

#[test]
fn every_action_of_the_platform_stands_in_the_table() {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/coverage.md")).expect("the table");
    let listing = Case::new(["actions"]).run().exits(0).stdout;
    let actions =
        listing.lines().filter(|line| !line.contains(" control  ")).filter_map(|line| line.split_whitespace().next());
    let missing: Vec<&str> =
        actions.filter(|action| *action != "http" && !text.contains(&format!("`{action}"))).collect();
    assert!(missing.is_empty(), "not in docs/coverage.md: {missing:?}");
}
