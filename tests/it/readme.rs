//! The README cannot rot: its commands are run and what they print is
//! compared, its lists are held against the binary and the tree.
//!
//! `RUNHUB_BLESS=1` writes what the commands really print into the README.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use assert_cmd::Command;
use regex::Regex;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const BINARY: &str = env!("CARGO_BIN_EXE_runhub");

/// Where the journals of the tour seem to lie.
const HOME: &str = "/home/alice";

fn readme() -> String {
    fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

/// A block of the README: the command after `$`, and what is said to come of it.
struct Block {
    command: String,
    printed: String,
}

/// The blocks fenced as `console`, in order.
fn blocks(text: &str) -> Vec<Block> {
    let fenced = Regex::new(r"(?ms)^```console\n\$ ([^\n]+)\n(.*?)^```$").unwrap();
    let block = |found: regex::Captures<'_>| Block { command: found[1].into(), printed: found[2].into() };
    fenced.captures_iter(text).map(block).collect()
}

/// A home in which `runhub` is on the path.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    symlink(BINARY, home.path().join("runhub")).unwrap();
    home
}

/// What a command prints on both streams; it runs at the root of the tree.
fn printed(command: &str, home: &Path) -> String {
    let command = command.replace("cargo run --release --", "runhub");
    let path = format!("{}:/usr/bin:/bin", home.display());
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(ROOT)
        .env_clear()
        .env("HOME", home)
        .env("PATH", path)
        .timeout(std::time::Duration::from_mins(2))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().replace(&home.display().to_string(), HOME)
}

/// Without what differs from run to run: names of runs, times, counts of requests, waits in between.
fn steady(text: &str) -> String {
    let patterns = [
        (r"\d{8}-\d{6}-[0-9a-f]{4}", "<run>"),
        (r"\b\d+(\.\d+)?m?s\b", "<time>"),
        (r"\b\d+ requests?\b", "<requests>"),
        (r"(?m)^ *… .*\n", ""),
    ];
    let steady = patterns.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    });
    crate::normal::in_one_order(&steady)
}

#[test]
fn the_commands_print_what_the_readme_shows() {
    let (text, home) = (readme(), home());
    let mut blessed = text.clone();
    let shown = blocks(&text);
    assert!(shown.len() >= 5, "the tour has its blocks");
    for block in shown {
        let real = printed(&block.command, home.path());
        if crate::bless::blessing() {
            let old = format!("$ {}\n{}```", block.command, block.printed);
            blessed = blessed.replace(&old, &format!("$ {}\n{real}```", block.command));
        } else {
            assert_eq!(steady(&real), steady(&block.printed), "$ {}\n{real}", block.command);
        }
    }
    if crate::bless::blessing() {
        fs::write(Path::new(ROOT).join("README.md"), blessed).unwrap();
    }
}

#[test]
fn the_first_runbook_stands_in_the_readme_as_it_is() {
    let book = fs::read_to_string(Path::new(ROOT).join("runbooks/first-steps.yaml")).unwrap();
    let (_, after_schema) = book.split_once('\n').unwrap();
    assert!(readme().contains(after_schema));
}

#[test]
fn the_format_on_one_screen_is_a_runbook_without_a_mistake() {
    let text = readme();
    let screen = Regex::new(r"(?s)## The format on one screen\n\n```yaml\n(.*?)```").unwrap();
    let book = screen.captures(&text).expect("the format's screen")[1].to_owned();
    let output = Command::new(BINARY).args(["check", "-"]).env_clear().write_stdin(book).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_shipped_runbook_and_module_is_named() {
    let text = readme();
    for entry in fs::read_dir(Path::new(ROOT).join("runbooks")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(text.contains(&format!("| `{name}` |")), "the runbook {name} is missing");
    }
    let map = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    for module in map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        assert!(text.contains(&format!("`{module}`")), "the module {module} is missing");
    }
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = printed("runhub --help", home().path());
    let (_, table) = help.split_once("Exit codes:\n").expect("the help has the table");
    let text = readme();
    for code in table.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(text.contains(&format!("\n| {code} | ")), "exit code {code} is missing");
    }
}

#[test]
fn the_actions_that_are_only_checked_are_named() {
    let listing = printed("runhub actions", home().path());
    let later = listing.lines().filter(|line| line.contains("(checked only)"));
    let text = readme();
    let (_, section) = text.split_once("## What this version only checks").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("a section after it");
    for name in later.filter_map(|line| line.split_whitespace().next()) {
        assert!(section.contains(&format!("`{name}`")), "{name} is missing");
    }
}
