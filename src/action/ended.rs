//! What came of a command, in a container or here: one judgement, one document.

use serde_json::json;

use super::Observed;
use crate::event::{Class, Failure};

/// Bytes that are kept of each stream of a command's output.
pub(super) const KEPT: usize = 1024 * 1024;

/// Lines of stderr that stand beside a failure.
const TOLD: usize = 5;

/// A command that has ended.
#[derive(Debug)]
pub(super) struct Ended<'a> {
    /// The command for people: `psql in shop/db-0/postgres`.
    pub(super) what: &'a str,
    /// Its exit code.
    pub(super) exit_code: i64,
    /// What it wrote to stdout.
    pub(super) stdout: String,
    /// What it wrote to stderr.
    pub(super) stderr: String,
    /// Whether one of them was longer than what is kept.
    pub(super) cut: bool,
    /// How long it took, in milliseconds.
    pub(super) took: u64,
}

impl Ended<'_> {
    /// The result of a command whose exit code is well.
    ///
    /// # Errors
    /// An exit code that is not among `well`, with the last lines of stderr.
    pub(super) fn judged(self, well: &[u8], changed: bool) -> Result<Observed, Failure> {
        if !well.iter().any(|code| i64::from(*code) == self.exit_code) {
            let message = format!("{} ended with exit code {}", self.what, self.exit_code);
            return Err(Failure::new(Class::Command, message).because(self.last_words()));
        }
        let result = json!({"exit_code": self.exit_code, "stdout": self.stdout, "stderr": self.stderr});
        let info = json!({"truncated": self.cut, "took": self.took});
        Ok(Observed { result, info, changed, secret: false })
    }

    /// The last lines of stderr; of stdout where that is empty.
    fn last_words(&self) -> Vec<String> {
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        lines.iter().skip(lines.len().saturating_sub(TOLD)).map(|line| (*line).to_owned()).collect()
    }
}

/// A command as people read it: whole where it is short, else its program.
pub(super) fn spoken(argv: &[String]) -> String {
    const LONGEST: usize = 60;
    let whole = argv.join(" ");
    let is_short = whole.chars().count() <= LONGEST && !whole.contains('\n');
    if is_short { whole } else { argv.first().cloned().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i64) -> Ended<'static> {
        let stderr = "1\n2\n3\n\n4\n5\n6\n".to_owned();
        Ended { what: "psql", exit_code, stdout: "out".into(), stderr, cut: false, took: 7 }
    }

    #[test]
    fn a_code_that_is_not_well_fails_with_the_last_lines() {
        let failure = ended(2).judged(&[0], false).unwrap_err();
        assert_eq!((failure.class, failure.message.as_str()), (Class::Command, "psql ended with exit code 2"));
        assert_eq!(failure.cause, ["2", "3", "4", "5", "6"]);
        let quiet = Ended { stderr: " \n".into(), ..ended(256) };
        assert_eq!(quiet.judged(&[0], false).unwrap_err().cause, ["out"]);
    }

    #[test]
    fn a_code_that_is_well_gives_the_document() {
        let seen = ended(2).judged(&[0, 2], true).unwrap();
        assert_eq!((seen.result["exit_code"].clone(), seen.info), (json!(2), json!({"truncated": false, "took": 7})));
        assert_eq!(seen.result["stdout"], "out");
    }

    #[test]
    fn a_long_command_is_told_by_its_program() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(spoken(&words(&["ls", "-l"])), "ls -l");
        assert_eq!(spoken(&words(&["sh", "-c", "a\nb"])), "sh");
        assert_eq!(spoken(&[]), "");
    }
}
