//! Files of expectations: compared, or with `RUNHUB_BLESS=1` accepted as they are.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Whether what is found should become what is expected.
#[expect(clippy::disallowed_methods, reason = "the switch of the tests is an environment variable")]
pub(crate) fn blessing() -> bool {
    std::env::var_os("RUNHUB_BLESS").is_some_and(|value| value == "1")
}

/// Compares a file with what was found; the complaint names the first line that differs.
pub(crate) fn same(expected: &Path, found: &str) -> Result<(), String> {
    let written = fs::read_to_string(expected).unwrap_or_default();
    if written == found {
        return Ok(());
    }
    if blessing() {
        return fs::write(expected, found).map_err(|error| format!("{}: {error}", expected.display()));
    }
    Err(format!(
        "{} differs (RUNHUB_BLESS=1 accepts what was found)\n{}",
        expected.display(),
        difference(&written, found)
    ))
}

/// The lines around the first difference, `-` expected and `+` found.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let same = expected.iter().zip(&found).take_while(|(one, other)| one == other).count();
    let tail = expected[same..].iter().rev().zip(found[same..].iter().rev());
    let same_tail = tail.take_while(|(one, other)| one == other).count();
    let mut text = format!("  line {}\n", same + 1);
    for line in &expected[same..expected.len() - same_tail] {
        let _ = writeln!(text, "  - {line}");
    }
    for line in &found[same..found.len() - same_tail] {
        let _ = writeln!(text, "  + {line}");
    }
    text
}
