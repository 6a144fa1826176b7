//! Lines in the making: indented, wrapped, coloured.

use super::style::{Mark, Style, Tone};
use super::text::{cut, width, wrap};

/// How many columns one level of depth takes.
const STEP: usize = 2;

/// Columns between the parts of a step's line.
const GAP: usize = 2;

/// A name is not cut shorter than this.
const SHORTEST_NAME: usize = 12;

/// Some lines that are written together.
#[derive(Debug)]
pub(super) struct Page<'a> {
    style: &'a Style,
    text: String,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub(super) fn new(style: &'a Style) -> Self {
        Self { style, text: String::new() }
    }

    /// The style it is written in.
    pub(super) fn style(&self) -> &'a Style {
        self.style
    }

    /// The lines, each with its newline.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A line of nothing.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A line of one tone.
    pub(super) fn line(&mut self, level: usize, tone: Tone, text: &str) {
        let indent = " ".repeat(level * STEP);
        let text = self.style.clean(text);
        let pieces = match self.style.width {
            Some(columns) => wrap(&text, columns.saturating_sub(indent.len())),
            None => vec![text.into_owned()],
        };
        for piece in pieces {
            self.push(&indent, &self.style.paint(tone, &piece));
        }
    }

    /// A line that is to be copied: never wrapped.
    pub(super) fn verbatim(&mut self, level: usize, tone: Tone, text: &str) {
        self.push(&" ".repeat(level * STEP), &self.style.paint(tone, &self.style.clean(text)));
    }

    /// A line whose beginning has a tone of its own; what does not fit hangs below the text.
    pub(super) fn labelled(&mut self, level: usize, (tone, label): (Tone, &str), text: &str) {
        let label = self.style.clean(label);
        let text = self.style.clean(text);
        let indent = " ".repeat(level * STEP);
        let hang = indent.len() + width(&label) + 1;
        let pieces = match self.style.width {
            Some(columns) => wrap(&text, columns.saturating_sub(hang)),
            None => vec![text.into_owned()],
        };
        for (index, piece) in pieces.iter().enumerate() {
            if index == 0 {
                let label = self.style.paint(tone, &label);
                self.push(&indent, &format!("{label} {piece}"));
            } else {
                self.push(&" ".repeat(hang), piece);
            }
        }
    }

    /// A step's own line: mark, id, name and tail.
    ///
    /// Where the columns do not suffice, the name is cut; where that does not
    /// help, the tail goes below.
    pub(super) fn headline(&mut self, level: usize, mark: Mark, [id, name, tail]: [&str; 3]) {
        let (id, name, tail) = (&self.style.clean(id), &self.style.clean(name), &self.style.clean(tail));
        let indent = " ".repeat(level * STEP);
        let start = indent.len() + 2 + width(id);
        let columns = self.style.width.unwrap_or(usize::MAX);
        let is_tail_below = start + taken(name).min(SHORTEST_NAME) + taken(tail) > columns;
        let beside = if is_tail_below { "" } else { tail };
        let room = columns.saturating_sub(start + GAP + taken(beside));
        let name = cut(name, room.max(SHORTEST_NAME), self.style.ellipsis());
        let mut line = self.style.paint(mark.tone(), self.style.symbol(mark));
        line.push(' ');
        line.push_str(&self.style.paint(Tone::Strong, id));
        for (tone, part) in [(Tone::Plain, name.as_str()), (Tone::Dim, beside)] {
            if !part.is_empty() {
                line.push_str("  ");
                line.push_str(&self.style.paint(tone, part));
            }
        }
        self.push(&indent, &line);
        if is_tail_below {
            self.line(level + 2, Tone::Dim, tail);
        }
    }

    fn push(&mut self, indent: &str, painted: &str) {
        self.text.push_str(indent);
        self.text.push_str(painted);
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
    }
}

/// The columns of a part with the gap before it.
fn taken(part: &str) -> usize {
    match width(part) {
        0 => 0,
        columns => GAP + columns,
    }
}
