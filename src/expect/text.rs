//! Matchers of content: `contains not-contains matches not-matches`.

use regex::Regex;
use serde_json::Value;

use super::equality::equal;
use super::matcher::{Given, Matcher, Why, anything, kind};

pub(super) const ROWS: &[Matcher] = &[
    Matcher {
        name: "contains",
        help: "the text has this text, the list this item, or the object this key",
        schema: "true",
        accepts: anything,
        words: |argument| format!("contains {argument}"),
        check: |given| {
            if contains(given)? { Ok(()) } else { Err(Why::plain()) }
        },
    },
    Matcher {
        name: "not-contains",
        help: "the text lacks this text, the list this item, or the object this key",
        schema: "true",
        accepts: anything,
        words: |argument| format!("does not contain {argument}"),
        check: |given| {
            if contains(given)? { Err(Why::plain()) } else { Ok(()) }
        },
    },
    Matcher {
        name: "matches",
        help: "the text matches this regular expression somewhere (anchor it with ^ and $)",
        schema: r#"{"type":"string","format":"regex"}"#,
        accepts: pattern,
        words: |argument| format!("matches {argument}"),
        check: |given| {
            if is_match(given)? { Ok(()) } else { Err(Why::plain()) }
        },
    },
    Matcher {
        name: "not-matches",
        help: "the text matches this regular expression nowhere",
        schema: r#"{"type":"string","format":"regex"}"#,
        accepts: pattern,
        words: |argument| format!("does not match {argument}"),
        check: |given| {
            if is_match(given)? { Err(Why::plain()) } else { Ok(()) }
        },
    },
];

fn contains(given: Given<'_>) -> Result<bool, Why> {
    match (given.found, given.argument) {
        (Value::String(found), Value::String(part)) => Ok(found.contains(part.as_str())),
        (Value::Array(found), item) => Ok(found.iter().any(|found| equal(found, item))),
        (Value::Object(found), Value::String(key)) => Ok(found.contains_key(key)),
        (found, argument) => Err(Why::because(format!("{} cannot contain {}", kind(found), kind(argument)))),
    }
}

fn pattern(argument: &Value) -> Result<(), String> {
    let text = argument.as_str().ok_or_else(|| format!("takes a regular expression, not {}", kind(argument)))?;
    Regex::new(text).map(|_| ()).map_err(|error| format!("is not a regular expression: {}", last_line(&error)))
}

fn is_match(given: Given<'_>) -> Result<bool, Why> {
    let text = given
        .found
        .as_str()
        .ok_or_else(|| Why::because(format!("only text can match a pattern, this is {}", kind(given.found))))?;
    let pattern =
        Regex::new(given.argument.as_str().unwrap_or_default()).map_err(|error| Why::because(last_line(&error)))?;
    Ok(pattern.is_match(text))
}

/// The sentence of a regex error, without its drawing.
fn last_line(error: &regex::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
