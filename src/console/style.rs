//! How the terminal is to be written to.

use std::borrow::Cow;

use super::text;
use crate::event::StepStatus;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Loudness {
    /// Steps that went badly, and the end unless it is good.
    Quiet,
    /// Every step and the end.
    #[default]
    Normal,
    /// Also every request, and what each step hands on.
    Verbose,
}

/// How the terminal is to be written to; `cli` finds it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether the writer takes colour ([`colour::decide`](super::colour::decide)).
    pub colour: bool,
    /// Whether it takes more than ASCII; else symbols have stand-ins.
    pub unicode: bool,
    /// Its columns; absent where it is no terminal: nothing is cut or wrapped.
    pub width: Option<usize>,
    /// Whether steps in progress are shown, moving, on the standard error.
    pub interactive: bool,
    /// How much is told.
    pub loudness: Loudness,
}

/// What a piece of text feels like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Bad,
    Odd,
    Dim,
    Strong,
}

/// What a line begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Passed,
    Bad,
    Odd,
    Skipped,
    Heading,
    Waiting,
    Again,
}

impl Style {
    /// The text in its colour.
    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Odd => "33",
            Tone::Dim => "2",
            Tone::Strong => "1",
        };
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// The symbol of a mark, one column wide.
    pub(super) fn symbol(&self, mark: Mark) -> &'static str {
        let (nice, plain) = match mark {
            Mark::Passed => ("✓", "+"),
            Mark::Bad => ("✗", "x"),
            Mark::Odd => ("!", "!"),
            Mark::Skipped => ("–", "-"),
            Mark::Heading => ("▸", ">"),
            Mark::Waiting => ("…", "."),
            Mark::Again => ("↻", "*"),
        };
        if self.unicode { nice } else { plain }
    }

    /// The text as one harmless line, in the characters that the writer takes where we know a stand-in.
    pub(super) fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = text::clean(text);
        if self.unicode || text.is_ascii() {
            return text;
        }
        let stand_ins = [('→', "->"), ('…', "..."), ('–', "-")];
        let replace = |text: String, (nice, plain): (char, &str)| text.replace(nice, plain);
        Cow::Owned(stand_ins.into_iter().fold(text.into_owned(), replace))
    }

    /// What stands where a text was cut.
    pub(super) fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// What leads from before to after.
    pub(super) fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.loudness == Loudness::Quiet
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.loudness == Loudness::Verbose
    }
}

impl Mark {
    /// The mark of a step that ended.
    pub(super) fn of(status: StepStatus, tolerated: bool) -> Self {
        match status {
            StepStatus::Passed => Self::Passed,
            StepStatus::Skipped => Self::Skipped,
            StepStatus::Failed | StepStatus::Errored if tolerated => Self::Odd,
            StepStatus::Failed | StepStatus::Errored => Self::Bad,
            StepStatus::Cancelled | StepStatus::Pending => Self::Odd,
        }
    }

    /// The colour that goes with it.
    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Passed => Tone::Good,
            Self::Bad => Tone::Bad,
            Self::Odd | Self::Again => Tone::Odd,
            Self::Skipped | Self::Waiting => Tone::Dim,
            Self::Heading => Tone::Strong,
        }
    }
}
