//! How far a value that its writer forgot to quote was meant to reach.

use crate::source::Span;

/// The rules of the place where the value stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Inside `{ }` or `[ ]`, where commas and brackets end a value.
    pub(super) flow: bool,
}

impl Extent {
    /// The span of the value that starts at `start`, on its line.
    pub(super) fn of(self, text: &str, start: usize) -> Span {
        let rest = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let mut state = State::default();
        let mut end = rest.len();
        for (at, mark) in rest.char_indices() {
            if self.ends(&state, mark) {
                end = at;
                break;
            }
            state.take(mark);
        }
        let value = rest.get(..end).unwrap_or(rest).trim_end();
        Span::new(start, start + value.len())
    }

    fn ends(self, state: &State, mark: char) -> bool {
        if state.quote.is_some() {
            return false;
        }
        match mark {
            '#' => state.before == ' ',
            ',' | '}' | ']' => self.flow && state.depth == 0,
            _ => false,
        }
    }
}

struct State {
    quote: Option<char>,
    depth: usize,
    before: char,
}

impl Default for State {
    fn default() -> Self {
        Self { quote: None, depth: 0, before: ' ' }
    }
}

impl State {
    fn take(&mut self, mark: char) {
        match (self.quote, mark) {
            (Some(open), _) if open == mark && self.before != '\\' => self.quote = None,
            (None, '\'' | '"') if !self.before.is_alphanumeric() => self.quote = Some(mark),
            (None, '{' | '[' | '(') => self.depth += 1,
            (None, '}' | ']' | ')') => self.depth = self.depth.saturating_sub(1),
            (Some(_) | None, _) => {}
        }
        self.before = mark;
    }
}

/// The line, without its end, in which an offset lies.
pub(super) fn line_around(text: &str, offset: usize) -> Span {
    let offset = offset.min(text.len());
    let start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let end = text.get(offset..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| offset + length);
    Span::new(start, end)
}

/// A text in the quotes that need the fewest escapes.
pub(super) fn quote(text: &str) -> String {
    if !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else if !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(flow: bool, text: &str) -> &str {
        text.get(Extent { flow }.of(text, 0).range()).unwrap()
    }

    #[test]
    fn a_flow_value_reaches_to_the_comma_or_bracket_that_is_not_its_own() {
        assert_eq!(reach(true, "$.x[0].y, b: 1}"), "$.x[0].y");
        assert_eq!(reach(true, "$.x[?@.a=='b,]'].z}"), "$.x[?@.a=='b,]'].z");
        assert_eq!(reach(true, "{{ f(a, b) }}-x, c"), "{{ f(a, b) }}-x");
    }

    #[test]
    fn a_block_value_reaches_to_the_end_of_its_line_or_a_comment() {
        assert_eq!(reach(false, "a == 'b: c'   # why\nd: e"), "a == 'b: c'");
        assert_eq!(reach(false, "x == ' #1' and y"), "x == ' #1' and y");
        assert_eq!(reach(false, "it's, isn't it"), "it's, isn't it");
    }

    #[test]
    fn quotes_are_chosen_to_need_no_escape_where_possible() {
        assert_eq!(quote("a == 'b'"), "\"a == 'b'\"");
        assert_eq!(quote(r#"a == "b""#), r#"'a == "b"'"#);
        assert_eq!(quote(r#"'a' "b" \d"#), r#""'a' \"b\" \\d""#);
    }
}
