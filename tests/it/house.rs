//! The rules of the house: floors, sizes, tables without gaps, schemas that do not drift.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::bless;
use crate::kit::{Case, ROOT, below};

/// No file is longer.
const MOST_LINES: usize = 500;

/// Every Rust file of these folders, named from the root.
fn rust_files(folders: &[&str]) -> Vec<(String, String)> {
    let there = folders.iter().map(|folder| Path::new(ROOT).join(folder)).filter(|folder| folder.exists());
    let files: Vec<PathBuf> = there.flat_map(|folder| below(&folder)).collect();
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    rust.map(|path| (path.strip_prefix(ROOT).unwrap().display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect()
}

fn none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}\n{}", wrong.join("\n"));
}

/// The floor of every module, as the map in `src/lib.rs` says.
fn floors() -> BTreeMap<String, u32> {
    let map = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let row = Regex::new(r"(?m)^//! \| (\d+) \| \[`(\w+)`\]").unwrap();
    row.captures_iter(&map).map(|found| (found[2].to_owned(), found[1].parse().unwrap())).collect()
}

/// The top-level module of a file: `src/cluster/auth/jwt.rs` is of `cluster`.
fn module_of(file: &str) -> Option<&str> {
    let inside = file.strip_prefix("src/")?;
    inside.split('/').next().map(|part| part.trim_end_matches(".rs"))
}

/// Code without comments, and without the tests at its end: they may look anywhere.
fn product(text: &str) -> String {
    let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    code.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs")
        || file.contains("/tests/")
        || file.ends_with("/testkit.rs")
        || file.ends_with("/kit.rs")
}

/// The top-level modules that a text names as `crate::x`, or one by one in `crate::{x, y::z}`.
fn named(text: &str) -> BTreeSet<String> {
    let single = Regex::new(r"\bcrate::(\w+)").unwrap();
    let several = Regex::new(r"(?s)\bcrate::\{(.*?)\};").unwrap();
    let mut found: BTreeSet<String> = single.captures_iter(text).map(|path| path[1].to_owned()).collect();
    for group in several.captures_iter(text) {
        found.extend(heads(&group[1]));
    }
    found
}

/// The first names of a group's members: of `x, y::{a, b}` these are `x` and `y`.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut members, mut member) = (0, Vec::new(), String::new());
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => members.push(std::mem::take(&mut member)),
            _ if depth == 0 => member.push(letter),
            _ => {}
        }
    }
    members.push(member);
    members
        .iter()
        .filter_map(|path| path.trim().split("::").next())
        .filter(|head| !head.is_empty())
        .map(Into::into)
        .collect()
}

#[test]
fn the_map_names_every_module_and_no_other() {
    let text = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let declared: BTreeSet<String> =
        text.lines().filter_map(|line| Some(line.strip_prefix("pub mod ")?.trim_end_matches(';').to_owned())).collect();
    assert_eq!(declared, floors().into_keys().collect(), "the map in src/lib.rs and its `pub mod` lines");
}

#[test]
fn a_module_uses_only_lower_floors() {
    let floors = floors();
    let mut wrong = Vec::new();
    for (file, text) in rust_files(&["src"]) {
        let Some((own, floor)) = module_of(&file).and_then(|module| floors.get_key_value(module)) else { continue };
        if is_test(&file) {
            continue;
        }
        for other in named(&product(&text)) {
            let Some(its) = floors.get(&other).filter(|its| **its >= *floor && other != *own) else { continue };
            let way = if its == floor { "sideways" } else { "up" };
            wrong.push(format!("{file}: `{own}` (floor {floor}) uses `{other}` (floor {its}): {way}"));
        }
    }
    none(&wrong, "a module uses only modules of a lower floor (src/lib.rs)");
}

#[test]
fn no_path_climbs_out_of_its_module_by_super() {
    let climb = Regex::new(r"\b(?:super::)+").unwrap();
    let mut wrong = Vec::new();
    for (file, text) in rust_files(&["src"]) {
        let parts: Vec<&str> = file.trim_start_matches("src/").split('/').collect();
        let depth = if file.ends_with("/mod.rs") { parts.len() - 1 } else { parts.len() };
        let climbs = product(&text).lines().any(|line| climb.find_iter(line).any(|found| found.len() / 7 >= depth));
        if climbs && !["src/lib.rs", "src/main.rs"].contains(&file.as_str()) {
            wrong.push(file);
        }
    }
    none(&wrong, "write `crate::…` for what lies outside the module, so that its floor can be seen");
}

#[test]
fn no_file_is_too_long() {
    let long = |(file, text): (String, String)| {
        let lines = text.lines().count();
        (lines > MOST_LINES).then(|| format!("{file}: {lines} lines"))
    };
    let wrong: Vec<String> = rust_files(&["src", "tests", "benches"]).into_iter().filter_map(long).collect();
    none(&wrong, "no file is longer than 500 lines");
}

#[test]
fn no_word_stands_for_work_undone() {
    // In two parts, so that this file does not find itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
    ];
    let mut wrong = Vec::new();
    for (file, text) in rust_files(&["src", "tests", "benches"]) {
        let lines = text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        wrong.extend(lines.map(|(index, line)| format!("{file}:{}: {}", index + 1, line.trim())));
    }
    none(&wrong, "what is left to do is an issue, not a comment");
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    let words = [concat!("#[al", "low("), concat!("#![al", "low(")];
    let mut wrong = Vec::new();
    for (file, text) in rust_files(&["src", "tests", "benches"]) {
        let lines = text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        wrong.extend(lines.map(|(index, line)| format!("{file}:{}: {}", index + 1, line.trim())));
    }
    none(&wrong, "write #[expect(lint, reason = \"…\")]: it complains when it is no longer needed");
}

/// The text of every runbook that is shipped or run by a test.
fn books() -> String {
    let folders = ["runbooks", "tests/cases/ok", "tests/books", "tests/it"];
    let there = folders.iter().map(|folder| Path::new(ROOT).join(folder)).filter(|folder| folder.exists());
    there.flat_map(|folder| below(&folder)).filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// The keys that the binary itself says a step may have: rows of the tables of actions and controls.
fn actions() -> Vec<String> {
    let listing = Case::new(["actions"]).run().exits(0).stdout;
    let (rows, controls): (Vec<&str>, Vec<&str>) =
        listing.lines().filter(|line| !line.contains("(checked only)")).partition(|line| !line.starts_with(' '));
    let names = rows.iter().filter_map(|row| row.split_whitespace().next()).map(str::to_owned);
    let control = controls.iter().filter_map(|row| row.trim().strip_prefix("control"));
    names.chain(control.flat_map(|row| row.trim().split(", ").map(str::to_owned).collect::<Vec<_>>())).collect()
}

#[test]
fn every_action_and_control_is_used_by_a_runbook() {
    let (books, actions) = (books(), actions());
    assert!(actions.len() > 8, "{actions:?}");
    let is_used =
        |name: &String| Regex::new(&format!(r"(?m)(^|[\s{{-]){}:", regex::escape(name))).unwrap().is_match(&books);
    let wrong: Vec<String> = actions.into_iter().filter(|name| !is_used(name)).collect();
    none(&wrong, "every row of ACTIONS and CONTROLS is used by a runbook that is run");
}

#[test]
fn every_report_format_is_used_by_a_case() {
    let help = Case::new(["run", "x.yaml", "--report", "no-such=x"])
        .file("x.yaml", "runbook: v1\nname: x\nsteps: [{note: x}]\n");
    let said = help.run().exits(2).stderr;
    let names = Regex::new(r"`?(\w+)`?=").unwrap();
    let formats: BTreeSet<String> = runhub::report::FORMATS.iter().map(|format| format.name.to_owned()).collect();
    assert!(formats.iter().all(|format| said.contains(format)), "{said}");
    let tests: String = rust_files(&["tests"]).into_iter().map(|(_, text)| text).collect();
    let used: BTreeSet<String> = names.captures_iter(&tests).map(|found| found[1].to_owned()).collect();
    let wrong: Vec<String> = formats.difference(&used).cloned().collect();
    none(&wrong, "every row of FORMATS is asked for by a case");
}

#[test]
fn schemas_say_what_the_types_say() {
    let folder = Path::new(ROOT).join("schemas");
    fs::create_dir_all(&folder).unwrap();
    let drift = |name: &str| {
        let schema = Case::new(["schema", name]).run().exits(0).stdout;
        bless::same(&folder.join(format!("{name}.schema.json")), &schema).err()
    };
    let wrong: Vec<String> = ["runbook", "report", "event", "plan"].into_iter().filter_map(drift).collect();
    none(&wrong, "schemas are generated");
}
