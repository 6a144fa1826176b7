//! Columns under headings, as kubectl draws them.

use std::borrow::Cow;

use super::style::{Style, Tone};
use super::text::width;

/// Columns between two cells.
const GAP: usize = 3;

/// Rows under headings.
#[derive(Debug, Default)]
pub(super) struct Table {
    headings: Vec<Cow<'static, str>>,
    rows: Vec<Vec<Cell>>,
}

/// A text in its place.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(Tone::Plain, text)
    }
}

impl Table {
    pub(super) fn new<I: IntoIterator<Item: Into<Cow<'static, str>>>>(headings: I) -> Self {
        Self { headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// The lines; nothing at all where there is no row.
    pub(super) fn draw(&self, style: &Style) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let heading = self.headings.iter().map(|heading| Cell::new(Tone::Dim, heading.clone())).collect();
        let clean = |cell: &Cell| Cell { text: style.clean(&cell.text).into_owned(), tone: cell.tone };
        let lines: Vec<Vec<Cell>> =
            std::iter::once(&heading).chain(&self.rows).map(|row| row.iter().map(clean).collect()).collect();
        let columns: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                lines.iter().filter_map(|row| row.get(column)).map(|cell| width(&cell.text)).max().unwrap_or(0)
            })
            .collect();
        lines.iter().map(|row| line(row, &columns, style)).collect()
    }
}

fn line(row: &[Cell], columns: &[usize], style: &Style) -> String {
    let mut text = String::new();
    let mut owed = 0;
    for (cell, column) in row.iter().zip(columns) {
        // Space is written only where something follows it.
        if !cell.text.is_empty() {
            text.push_str(&" ".repeat(owed));
            text.push_str(&style.paint(cell.tone, &cell.text));
            owed = 0;
        }
        owed += column + GAP - width(&cell.text);
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_no_line_ends_in_space() {
        let mut table = Table::new(["NAME", "READY", "NOTE"]);
        table.push(vec![Cell::plain("web"), Cell::plain("3/3"), Cell::plain("")]);
        table.push(vec![Cell::plain("重启"), Cell::new(Tone::Bad, "0/1"), Cell::plain("a\nb")]);
        assert_eq!(table.draw(&Style::default()), "NAME   READY   NOTE\nweb    3/3\n重启   0/1     a b\n");
        let colour = Style { colour: true, ..Style::default() };
        assert!(table.draw(&colour).contains("\u{1b}[1;31m0/1\u{1b}[0m     a b"));
    }

    #[test]
    fn without_a_row_there_is_no_heading() {
        assert_eq!(Table::new(["NAME"]).draw(&Style::default()), "");
    }
}
