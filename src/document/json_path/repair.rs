//! The common mistakes in a path, and the path that was meant.

use std::fmt::Display;

use regex::{Captures, Regex};

use super::super::mistake::Mistake;
use super::super::node::shorten;
use super::is_valid;

/// Why a text is no path. Each rule mends one kind of mistake; the first that
/// finds its kind gives the reason, and what all of them make of the text is
/// offered where it is a path.
pub(super) fn explain(text: &str, error: &impl Display) -> Mistake {
    let mut reason = None;
    let mut meant = text.trim().to_owned();
    for rule in RULES {
        let next = (rule.mend)(&meant);
        if next != meant {
            reason.get_or_insert(rule.reason);
            meant = next;
        }
    }
    let mistake = |reason: &str| Mistake::new(format!("`{}` is no JSONPath: {reason}", shorten(text)));
    match (reason, is_valid(&meant)) {
        (Some(reason), true) => mistake(reason).write(meant),
        (None, true) => mistake("there are spaces around it").write(meant),
        (Some(reason), false) => mistake(reason),
        (None, false) => broken(text, mistake, &error.to_string()),
    }
}

struct Rule {
    reason: &'static str,
    mend: fn(&str) -> String,
}

const RULES: [Rule; 7] = [
    Rule { reason: "braces are kubectl's way; a path starts with `$`", mend: without_braces },
    Rule { reason: "a path starts with `$`", mend: with_root },
    Rule { reason: "keys with `-`, `/` or dots in them go into `['…']`", mend: with_quoted_keys },
    Rule { reason: "there is no `=~`; `search` and `match` compare with a regular expression", mend: with_search },
    Rule { reason: "`=` compares nothing; write `==`", mend: with_double_equals },
    Rule { reason: "`and`, `or` and `not` are `&&`, `||` and `!`", mend: with_signs },
    Rule { reason: "a filter starts with `?`", mend: with_question_mark },
];

/// `{.status.phase}`
fn without_braces(text: &str) -> String {
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text).trim().to_owned()
}

/// `.status`, `status`, `[0]`, `@.status`
fn with_root(text: &str) -> String {
    match text.chars().next() {
        Some('.' | '[') => format!("${text}"),
        Some('@') => text.replacen('@', "$", 1),
        Some(first) if first.is_alphabetic() || first == '_' => format!("$.{text}"),
        _ => text.to_owned(),
    }
}

/// `$.metadata.labels.app-name`, `$.metadata.annotations.example.com/x`, `app\.kubernetes\.io/name`
fn with_quoted_keys(text: &str) -> String {
    const MAPS: &str = r"\.(labels|annotations|matchLabels|nodeSelector|data|stringData|limits|requests)\.([\w./\\-]*[-/\\][\w./\\-]*)";
    const ESCAPED: &str = r"\.([\w-]+(?:\\\.[\w/-]+)+)";
    const DASHED: &str = r"\.([A-Za-z_]\w*(?:-\w+)+)";
    let key = |text: &str| format!("['{}']", text.replace('\\', ""));
    map_outside_strings(text, |part| {
        let part = replace(MAPS, part, |found| format!(".{}{}", group(found, 1), key(group(found, 2))));
        let part = replace(ESCAPED, &part, |found| key(group(found, 1)));
        replace(DASHED, &part, |found| key(group(found, 1)))
    })
}

/// `[?@.name =~ 'a.*']`, `[?@.name =~ /a.*/]`
fn with_search(text: &str) -> String {
    const COMPARISON: &str = r#"(@[^\s=!<>&|()]*)\s*=~\s*(?:'([^']*)'|"([^"]*)"|/([^/]*)/)"#;
    replace(COMPARISON, text, |found| {
        let pattern: String = (2..=4).map(|index| group(found, index)).collect();
        format!("search({}, '{}')", group(found, 1), pattern.replace('\\', "\\\\"))
    })
}

/// `[?@.a = 1]`
fn with_double_equals(text: &str) -> String {
    map_outside_strings(text, |part| {
        let mut out = String::new();
        let mut before = ' ';
        let mut marks = part.chars().peekable();
        while let Some(mark) = marks.next() {
            out.push(mark);
            let alone =
                mark == '=' && !matches!(before, '=' | '!' | '<' | '>') && !matches!(marks.peek(), Some('=' | '~'));
            if alone {
                out.push('=');
            }
            before = mark;
        }
        out
    })
}

/// `[?@.a and not @.b]`
fn with_signs(text: &str) -> String {
    map_outside_strings(text, |part| {
        part.replace(" and ", " && ").replace(" or ", " || ").replace("[?not ", "[?!").replace(" not ", " !")
    })
}

/// `[(@.a)]`, `[@.a == 1]`
fn with_question_mark(text: &str) -> String {
    map_outside_strings(text, |part| part.replace("[(@", "[?(@").replace("[@", "[?@"))
}

/// Changes what stands outside of the strings of a path.
fn map_outside_strings(text: &str, change: impl Fn(&str) -> String) -> String {
    replace(r#"'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^'"]+"#, text, |found| {
        let part = group(found, 0);
        if part.starts_with(['\'', '"']) { part.to_owned() } else { change(part) }
    })
}

fn replace(pattern: &str, text: &str, with: impl Fn(&Captures<'_>) -> String) -> String {
    Regex::new(pattern).map_or_else(|_| text.to_owned(), |pattern| pattern.replace_all(text, with).into_owned())
}

fn group<'t>(found: &Captures<'t>, index: usize) -> &'t str {
    found.get(index).map_or("", |group| group.as_str())
}

/// A path that nothing mends: where it breaks is all that is known. The
/// library draws its errors for a terminal; the place stands behind `-->`.
fn broken(text: &str, mistake: impl Fn(&str) -> Mistake, drawn: &str) -> Mistake {
    let column = drawn.split_once("--> 1:").and_then(|(_, rest)| rest.lines().next()?.trim().parse::<usize>().ok());
    let offset = column.and_then(|column| text.char_indices().nth(column.checked_sub(1)?)).map(|(offset, _)| offset);
    if text.trim().is_empty() {
        return Mistake::new("the path is empty").write("$");
    }
    match offset {
        Some(offset) => mistake(&format!("it breaks at `{}`", shorten(text.get(offset..).unwrap_or_default())))
            .at(offset..text.len()),
        None if column.is_some() => mistake("it ends too early"),
        None => mistake(drawn.lines().last().unwrap_or_default().trim_start_matches("Invalid json path: ")),
    }
}
