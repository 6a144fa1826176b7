//! What the YAML library stumbled over, in words that say what to do.

use granit_parser::{ErrorKind, ScanError};

use crate::source::{Diagnostic, Span};

use super::extent::{Extent, line_around, quote};
use super::halt::{Context, MAX_DEPTH, Open};
use super::node::shorten;
use super::slips::{self, slice};

/// A mend: what to replace, and by what, so that the reading can go on.
type Mend = (Span, String);

/// The complaint about a mistake in the syntax, and its mend where there is only one.
pub(super) fn explain(text: &str, error: &ScanError, context: &Context) -> (Diagnostic, Option<Mend>) {
    let offset = error.marker().byte_offset().unwrap_or_default().min(text.len());
    if let Some(tab) = tab_near(text, offset, error.kind()) {
        return (tab, None);
    }
    if let Some(slip) = slips::find(text, offset, context) {
        return (slip.complaint, Some((slip.span, slip.replacement)));
    }
    match error.kind() {
        ErrorKind::UnexpectedCharacter { character } => reserved(text, offset, *character, context),
        ErrorKind::MissingAnchorOrAliasName => {
            reserved(text, offset, text.get(offset..).and_then(|rest| rest.chars().next()).unwrap_or('*'), context)
        }
        ErrorKind::UnknownQuotedScalarEscape => escape(text, offset),
        kind => (plain_words(text, offset, kind, context), None),
    }
}

fn plain_words(text: &str, offset: usize, kind: &ErrorKind, context: &Context) -> Diagnostic {
    use ErrorKind as K;
    match kind {
        K::UnclosedQuotedScalar
        | K::InvalidQuotedScalarIndent
        | K::DocumentIndicatorInQuotedScalar
        | K::TabInIndentation => unclosed_quote(text, offset, context),
        K::MismatchedFlowCollectionEnd { open, close } => mismatched(text, offset, *open, *close),
        K::UnclosedFlowCollection { open } => {
            Diagnostic::error(format!("this `{open}` is not closed"), char_at(text, offset))
        }
        K::MisplacedFlowCollectionEnd => Diagnostic::error("this bracket closes nothing", char_at(text, offset))
            .help("put the value in quotes, if the bracket is text"),
        K::RecursionLimitExceeded => {
            Diagnostic::error(format!("lists and mappings nest deeper than {MAX_DEPTH} levels"), char_at(text, offset))
        }
        K::BlockSequenceEntryNotAllowed => {
            Diagnostic::error("a list cannot start behind its key", char_at(text, offset))
                .help("start it on the next line, or write `[a, b]`")
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => trailing(text, offset),
        K::DirectiveDisallowed => {
            Diagnostic::error("directives are not used here", line_around(text, offset)).help("take the line out")
        }
        _ => structural(text, offset, kind, context),
    }
}

/// Mistakes of indentation, colons and brackets.
fn structural(text: &str, offset: usize, kind: &ErrorKind, context: &Context) -> Diagnostic {
    if let Some(open) = unclosed_flow(text, offset, context) {
        let bracket = if open.list { '[' } else { '{' };
        return Diagnostic::error(format!("this `{bracket}` is not closed"), char_at(text, open.start))
            .also(char_at(text, offset), "it is still open here");
    }
    match kind {
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => no_colon(text, offset),
        ErrorKind::MappingValueNotAllowed if let Some(complaint) = missing_colon(text, offset, context) => complaint,
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::MappingValueNotAllowed => indentation(text, offset, context),
        _ => Diagnostic::error(format!("this is not YAML: {kind}"), char_at(text, offset)),
    }
}

fn char_at(text: &str, offset: usize) -> Span {
    let length =
        text.get(offset..).and_then(|rest| rest.chars().next()).filter(|mark| *mark != '\n').map_or(0, char::len_utf8);
    Span::new(offset, offset + length)
}

fn tab_near(text: &str, offset: usize, kind: &ErrorKind) -> Option<Diagnostic> {
    use ErrorKind as K;
    let about_tabs = matches!(
        kind,
        K::TabNotAllowed
            | K::TabInBlockIndentation
            | K::TabInPlainScalar
            | K::TabAtBlockScalarStart
            | K::TabInIndentation
    );
    let line = line_around(text, offset);
    let in_indent = |line: Span| indent_of(slice(text, line)).find('\t').map(|at| line.start + at);
    let next = line_around(text, (line.end + 1).min(text.len()));
    let anywhere = || text.get(line.start..).and_then(|rest| rest.find('\t')).map(|at| line.start + at);
    let at = in_indent(line).or_else(|| about_tabs.then(|| in_indent(next).or_else(anywhere)).flatten())?;
    let tabs = text.get(at..).map_or(1, |rest| rest.len() - rest.trim_start_matches('\t').len());
    let span = Span::new(at, at + tabs);
    Some(
        Diagnostic::error("a tab cannot indent in YAML", span)
            .label("a tab")
            .help("indent with spaces, two a level")
            .patch(span, "  ".repeat(tabs)),
    )
}

fn indent_of(line: &str) -> &str {
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

fn reserved(text: &str, offset: usize, character: char, context: &Context) -> (Diagnostic, Option<Mend>) {
    let flow = context.open.last().is_some_and(|open| open.flow);
    let span = Extent { flow }.of(text, offset);
    let quoted = quote(slice(text, span));
    let name = if character == '`' { "a backtick".to_owned() } else { format!("`{character}`") };
    let complaint = Diagnostic::error(format!("plain text cannot start with {name}"), char_at(text, offset))
        .help(format!("put it in quotes: `{}`", shorten(&quoted)))
        .patch(span, quoted.clone());
    (complaint, Some((span, quoted)))
}

/// `"^\d+$"`: a backslash in double quotes that starts no escape.
fn escape(text: &str, offset: usize) -> (Diagnostic, Option<Mend>) {
    const KNOWN: &str = "0abt\tnvfre \"/\\N_LPxuU\n";
    let rest = text.get(offset..).unwrap_or_default();
    let mut marks = rest.char_indices();
    while let Some((at, mark)) = marks.next() {
        let Some((_, next)) = (mark == '\\').then(|| marks.next()).flatten() else {
            continue;
        };
        if !KNOWN.contains(next) {
            let span = Span::new(offset + at, offset + at + 1 + next.len_utf8());
            let doubled = format!("\\\\{next}");
            let complaint = Diagnostic::error(format!("`\\{next}` is no escape in double quotes"), span)
                .help(format!("write `{doubled}`, or use single quotes, where a backslash is just that"))
                .patch(span, doubled.clone());
            return (complaint, Some((span, doubled)));
        }
    }
    (Diagnostic::error("an escape in this text is not valid", char_at(text, offset)), None)
}

fn unclosed_quote(text: &str, offset: usize, context: &Context) -> Diagnostic {
    let from = context.last.map_or(0, |last| last.span.end).min(offset);
    let opening = text.get(from..).and_then(|rest| rest.find(['"', '\''])).map_or(offset, |at| from + at);
    let line = line_around(text, opening);
    let mark = text.get(opening..).and_then(|rest| rest.chars().next()).unwrap_or('"');
    let end = line.start + slice(text, line).trim_end().len();
    let span = Span::new(opening, end.max(opening));
    let complaint = Diagnostic::error(format!("the quote `{mark}` is not closed"), span)
        .help("close it; text that goes on over several lines is indented deeper than its key");
    let complaint =
        if offset > end { complaint.also(char_at(text, offset), "the text is still open here") } else { complaint };
    complaint.patch(Span::new(span.end, span.end), mark.to_string())
}

fn trailing(text: &str, offset: usize) -> Diagnostic {
    Diagnostic::error("something follows the closing quote", char_at(text, offset))
        .help("one pair of quotes goes around the whole value; inside of single quotes a single quote is written twice")
}

fn mismatched(text: &str, offset: usize, open: char, close: char) -> Diagnostic {
    Diagnostic::error(format!("`{open}` is closed by `{close}`"), char_at(text, offset))
        .help("put a value that holds brackets in quotes")
}

/// A bracket that was opened on an earlier line, or that the end of the text left open.
fn unclosed_flow(text: &str, offset: usize, context: &Context) -> Option<Open> {
    let open = context.open.iter().rev().find(|open| open.flow)?;
    (line_around(text, open.start) != line_around(text, offset) || offset == text.len()).then_some(*open)
}

/// `key:value`, or a line without a colon before one that has it.
fn missing_colon(text: &str, offset: usize, context: &Context) -> Option<Diagnostic> {
    let last = context.last.filter(|last| last.plain && last.span.end <= offset)?;
    let line = line_around(text, last.span.start);
    let starts_line = text.get(line.start..last.span.start)?.trim_start_matches([' ', '-']).is_empty();
    if !starts_line || line_around(text, offset) == line {
        return None;
    }
    Some(no_colon(text, last.span.start))
}

/// The line from `start` on is no `key: value`.
fn no_colon(text: &str, start: usize) -> Diagnostic {
    let line = Span::new(start, line_around(text, start).end);
    let words = slice(text, line).trim_end();
    let span = Span::new(start, start + words.len());
    match words.find(':') {
        Some(colon) => {
            let behind = start + colon + 1;
            Diagnostic::error("a space is missing behind the colon", Span::new(behind - 1, behind))
                .patch(Span::new(behind, behind), " ")
        }
        None => Diagnostic::error(format!("`{}` has no colon", shorten(words)), span)
            .help(format!("write `{}: …`", shorten(words)))
            .patch(Span::new(span.end, span.end), ":"),
    }
}

fn indentation(text: &str, offset: usize, context: &Context) -> Diagnostic {
    let line = line_around(text, offset);
    let start = line.start + indent_of(slice(text, line)).len();
    let span = Span::new(start, line.end.max(start));
    let complaint = Diagnostic::error("this line is indented like nothing above it", span);
    match context.open.iter().rev().find(|open| !open.flow) {
        Some(open) => {
            let column = open.start - line_around(text, open.start).start;
            let what = if open.list { "the entries of this list" } else { "the keys of this mapping" };
            complaint.also(char_at(text, open.start), format!("{what} are indented by {column} spaces"))
        }
        None => complaint,
    }
}
