//! From text to tokens: where a hole ends, what is too large, and words for what goes wrong.
//!
//! The tokens are minijinja's own, so that quotes and nested braces are never guessed at.

use std::ops::Range;

use minijinja::machinery::{Token, Tokenizer};

use super::error::Mistake;

/// The most characters that one expression may have.
pub const LONGEST_EXPRESSION: usize = 1_024;

/// The most bytes that one template may have.
pub const LARGEST_TEMPLATE: usize = 64 * 1_024;

/// The deepest nesting of brackets, and the longest row of `-` or `not`.
const DEEPEST: usize = 32;

/// The part that a token plays when brackets are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Open,
    Close,
    Prefix,
    Other,
}

/// A token: its part and its place.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) role: Role,
    pub(super) range: Range<usize>,
}

/// The tokens of one expression, and the `}}` that ended it.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) marks: Vec<Mark>,
    pub(super) end: Option<Range<usize>>,
}

/// Reads tokens from the beginning of `text` up to a closing `}}`, or to the end.
pub(super) fn scan(text: &str) -> Result<Scan, Mistake> {
    let mut tokenizer = Tokenizer::new(text, "", true, minijinja::syntax::SyntaxConfig::default());
    let mut scanner = Scanner::default();
    loop {
        let next = tokenizer.next_token().map_err(|error| syntax_mistake(&error, text))?;
        let Some((token, span)) = next else { break };
        let range = span.start_offset as usize..span.end_offset as usize;
        if matches!(token, Token::VariableEnd) {
            return Ok(Scan { marks: scanner.marks, end: Some(range) });
        }
        scanner.take(&token, range)?;
    }
    match scanner.open.pop() {
        Some((_, range)) => Err(Mistake::new("this bracket is never closed", range)),
        None => Ok(Scan { marks: scanner.marks, end: None }),
    }
}

/// Pairs brackets as tokens come.
#[derive(Default)]
struct Scanner {
    marks: Vec<Mark>,
    open: Vec<(Bracket, Range<usize>)>,
    prefixes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Round,
    Square,
    Curly,
}

impl Scanner {
    fn take(&mut self, token: &Token<'_>, range: Range<usize>) -> Result<(), Mistake> {
        let role = match token {
            Token::ParenOpen => self.opens(Bracket::Round, &range)?,
            Token::BracketOpen => self.opens(Bracket::Square, &range)?,
            Token::BraceOpen => self.opens(Bracket::Curly, &range)?,
            Token::ParenClose => self.closes(Bracket::Round, &range)?,
            Token::BracketClose => self.closes(Bracket::Square, &range)?,
            Token::BraceClose => self.closes(Bracket::Curly, &range)?,
            Token::Minus | Token::Ident("not") => Role::Prefix,
            _ => Role::Other,
        };
        self.prefixes = if role == Role::Prefix { self.prefixes + 1 } else { 0 };
        if self.prefixes > DEEPEST {
            return Err(too_deep(range));
        }
        self.marks.push(Mark { role, range });
        Ok(())
    }

    fn opens(&mut self, bracket: Bracket, range: &Range<usize>) -> Result<Role, Mistake> {
        if let Some((Bracket::Curly, before)) = self.open.last()
            && bracket == Bracket::Curly
            && before.end == range.start
        {
            return Err(Mistake::new("`{{` stands inside an expression", before.start..range.end).help(
                "an expression is written without braces: write `steps.a.changed`, not `{{ steps.a.changed }}`",
            ));
        }
        self.open.push((bracket, range.clone()));
        if self.open.len() > DEEPEST {
            return Err(too_deep(range.clone()));
        }
        Ok(Role::Open)
    }

    fn closes(&mut self, bracket: Bracket, range: &Range<usize>) -> Result<Role, Mistake> {
        match self.open.pop() {
            Some((open, _)) if open == bracket => Ok(Role::Close),
            Some((_, place)) => Err(Mistake::new("this bracket is never closed", place)),
            None => Err(Mistake::new("nothing was opened that this could close", range.clone())),
        }
    }
}

pub(super) fn too_deep(range: Range<usize>) -> Mistake {
    Mistake::new("the expression nests too deep", range).help("compute a part of it in `vars` first")
}

/// Refuses an expression that is empty or too long.
pub(super) fn check_length(expression: &str) -> Result<(), Mistake> {
    let whole = 0..expression.len();
    if expression.trim().is_empty() {
        return Err(Mistake::new("the expression is empty", whole));
    }
    let length = expression.chars().count();
    if length > LONGEST_EXPRESSION {
        let message = format!("the expression has {length} characters, {LONGEST_EXPRESSION} are allowed");
        return Err(Mistake::new(message, whole).help("compute a part of it in `vars` first"));
    }
    Ok(())
}

/// The parser's complaint in our words.
pub(super) fn syntax_mistake(error: &minijinja::Error, text: &str) -> Mistake {
    let range = error.range().unwrap_or(0..text.len());
    let start = floor(text, range.start);
    let end = ceil(text, range.end).max(start);
    let mistake = Mistake::new(error.detail().unwrap_or("this is not an expression"), start..end);
    match hint(text, start) {
        Some(help) => mistake.help(help),
        None => mistake,
    }
}

/// Spellings of other languages, and ours.
const FOREIGN: [(&str, &str); 9] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("===", "write `==`"),
    ("=~", "write `|regex_replace(…)`, or a `matches` expectation"),
    ("=", "to compare, write `==`"),
    ("!", "write `not`"),
    ("?", "write `a if condition else b`"),
    ("$", "write the name without `$`"),
    (".", "a name comes before the dot; for a literal `{{` write `{{ '{{' }}`"),
];

fn hint(text: &str, start: usize) -> Option<&'static str> {
    let near = [text.get(start.saturating_sub(1)..), text.get(start..), text.get(start + 1..)];
    near.into_iter().flatten().find_map(|rest| {
        let rest = rest.trim_start();
        FOREIGN.iter().find(|(sign, _)| rest.starts_with(sign) && !rest.starts_with("==")).map(|(_, help)| *help)
    })
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
