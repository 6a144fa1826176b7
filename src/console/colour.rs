//! Whether to use colour: a decision on values that `cli` reads.

/// What the user said with `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// Colour where the place can show it.
    #[default]
    Auto,
    /// Colour in any place.
    Always,
    /// No colour.
    Never,
}

/// All that bears on the decision; environment variables as they are, absent where unset.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes<'a> {
    /// The flag; it beats every variable.
    pub choice: Choice,
    /// `NO_COLOR`: no colour, whatever its value, unless it is empty.
    pub no_color: Option<&'a str>,
    /// `CLICOLOR_FORCE`: colour even in a pipe, unless it is `0` or empty.
    pub clicolor_force: Option<&'a str>,
    /// `CLICOLOR`: `0` means no colour.
    pub clicolor: Option<&'a str>,
    /// `TERM`: `dumb` can show none.
    pub term: Option<&'a str>,
    /// Whether the place is a terminal.
    pub is_terminal: bool,
}

/// Whether to use colour.
pub fn decide(wishes: &Wishes<'_>) -> bool {
    let is_set = |value: Option<&str>| value.is_some_and(|value| !value.is_empty());
    match wishes.choice {
        Choice::Always => true,
        Choice::Never => false,
        Choice::Auto if is_set(wishes.no_color) => false,
        Choice::Auto if is_set(wishes.clicolor_force) && wishes.clicolor_force != Some("0") => true,
        Choice::Auto => wishes.is_terminal && wishes.clicolor != Some("0") && wishes.term != Some("dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flag, `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`; unset is written as `-`.
    const TERMINAL: &str = "
        auto   - - - xterm yes
        never  - 1 - xterm no
        auto   1 - - xterm no
        auto   0 - - xterm no
        auto   1 1 - xterm no
        auto   - - 0 xterm no
        auto   - - 1 xterm yes
        auto   - - - -     yes
        auto   - - - dumb  no
        auto   - 1 - dumb  yes
    ";
    const PIPE: &str = "
        auto   - - - xterm no
        always 1 - - xterm yes
        auto   - 1 - xterm yes
        auto   - 0 - xterm no
        auto   - - 1 xterm no
    ";

    fn decided(line: &str, is_terminal: bool) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        let value = |index: usize| Some(words[index]).filter(|word| *word != "-");
        decide(&Wishes {
            choice: match words[0] {
                "always" => Choice::Always,
                "never" => Choice::Never,
                _ => Choice::Auto,
            },
            no_color: value(1),
            clicolor_force: value(2),
            clicolor: value(3),
            term: value(4),
            is_terminal,
        })
    }

    #[test]
    fn the_flag_beats_the_variables_and_these_beat_the_place() {
        for (table, is_terminal) in [(TERMINAL, true), (PIPE, false)] {
            for line in table.trim().lines() {
                let expected = line.ends_with("yes");
                assert_eq!(decided(line, is_terminal), expected, "{line}");
            }
        }
    }

    #[test]
    fn an_empty_variable_is_no_wish() {
        let wishes = Wishes { no_color: Some(""), clicolor_force: Some(""), ..Wishes::default() };
        assert!(!decide(&wishes));
        assert!(decide(&Wishes { is_terminal: true, ..wishes }));
    }
}
