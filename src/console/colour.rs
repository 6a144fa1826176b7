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
        Choice::Auto => {
            wishes.is_terminal && wishes.clicolor != Some("0") && wishes.term != Some("dumb")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Wishes<'_> = Wishes {
        choice: Choice::Auto,
        no_color: None,
        clicolor_force: None,
        clicolor: None,
        term: Some("xterm-256color"),
        is_terminal: true,
    };
    const PIPE: Wishes<'_> = Wishes {
        is_terminal: false,
        ..TERMINAL
    };

    #[test]
    fn the_flag_beats_the_variables_and_these_beat_the_place() {
        let set = Some("1");
        let table = [
            (TERMINAL, true),
            (PIPE, false),
            (
                Wishes {
                    choice: Choice::Always,
                    no_color: set,
                    ..PIPE
                },
                true,
            ),
            (
                Wishes {
                    choice: Choice::Never,
                    clicolor_force: set,
                    ..TERMINAL
                },
                false,
            ),
            (
                Wishes {
                    no_color: set,
                    ..TERMINAL
                },
                false,
            ),
            (
                Wishes {
                    no_color: Some("0"),
                    ..TERMINAL
                },
                false,
            ),
            (
                Wishes {
                    no_color: Some(""),
                    ..TERMINAL
                },
                true,
            ),
            (
                Wishes {
                    no_color: set,
                    clicolor_force: set,
                    ..TERMINAL
                },
                false,
            ),
            (
                Wishes {
                    clicolor_force: set,
                    ..PIPE
                },
                true,
            ),
            (
                Wishes {
                    clicolor_force: Some("0"),
                    ..PIPE
                },
                false,
            ),
            (
                Wishes {
                    clicolor_force: Some(""),
                    ..PIPE
                },
                false,
            ),
            (
                Wishes {
                    clicolor: Some("0"),
                    ..TERMINAL
                },
                false,
            ),
            (
                Wishes {
                    clicolor: set,
                    ..TERMINAL
                },
                true,
            ),
            (
                Wishes {
                    clicolor: set,
                    ..PIPE
                },
                false,
            ),
            (
                Wishes {
                    term: Some("dumb"),
                    ..TERMINAL
                },
                false,
            ),
            (
                Wishes {
                    term: Some("dumb"),
                    clicolor_force: set,
                    ..TERMINAL
                },
                true,
            ),
            (
                Wishes {
                    term: None,
                    ..TERMINAL
                },
                true,
            ),
        ];
        for (wishes, expected) in table {
            assert_eq!(decide(&wishes), expected, "{wishes:?}");
        }
    }
}
