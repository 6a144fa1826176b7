//! Matchers of size: `at-least at-most greater-than less-than between`.

use std::cmp::Ordering;

use chrono::DateTime;
use serde_json::Value;

use super::matcher::{Given, Matcher, Reading, Why, kind};
use crate::document::Quantity;

pub(super) const ROWS: &[Matcher] = &[
    Matcher {
        name: "at-least",
        help: "the value is this or more",
        schema: r#"{"type":["number","string"]}"#,
        accepts: sizeable,
        words: |argument| format!("at least {argument}"),
        check: |given| ordered(given, Ordering::is_ge),
    },
    Matcher {
        name: "at-most",
        help: "the value is this or less",
        schema: r#"{"type":["number","string"]}"#,
        accepts: sizeable,
        words: |argument| format!("at most {argument}"),
        check: |given| ordered(given, Ordering::is_le),
    },
    Matcher {
        name: "greater-than",
        help: "the value is more than this",
        schema: r#"{"type":["number","string"]}"#,
        accepts: sizeable,
        words: |argument| format!("greater than {argument}"),
        check: |given| ordered(given, Ordering::is_gt),
    },
    Matcher {
        name: "less-than",
        help: "the value is less than this",
        schema: r#"{"type":["number","string"]}"#,
        accepts: sizeable,
        words: |argument| format!("less than {argument}"),
        check: |given| ordered(given, Ordering::is_lt),
    },
    Matcher {
        name: "between",
        help: "the value lies between these two, both included",
        schema: r#"{"type":"array","minItems":2,"maxItems":2}"#,
        accepts: two,
        words: |argument| match argument.as_array().map(Vec::as_slice) {
            Some([low, high]) => format!("between {low} and {high}"),
            _ => format!("between {argument}"),
        },
        check: between,
    },
];

fn sizeable(argument: &Value) -> Result<(), String> {
    if argument.is_number() || argument.is_string() {
        return Ok(());
    }
    Err(format!("takes a number or text, not {}", kind(argument)))
}

fn two(argument: &Value) -> Result<(), String> {
    match argument.as_array().map(Vec::as_slice) {
        Some([low, high]) => sizeable(low).and_then(|()| sizeable(high)),
        _ => Err("takes a list of two, the lowest and the highest".into()),
    }
}

fn between(given: Given<'_>) -> Result<(), Why> {
    let Some([low, high]) = given.argument.as_array().map(Vec::as_slice) else {
        return Err(Why::because("`between` takes a list of two"));
    };
    ordered(Given { argument: low, ..given }, Ordering::is_ge)?;
    ordered(Given { argument: high, ..given }, Ordering::is_le)
}

fn ordered(given: Given<'_>, holds: fn(Ordering) -> bool) -> Result<(), Why> {
    match compare(given) {
        Ok(ordering) if holds(ordering) => Ok(()),
        Ok(_) => Err(Why::plain()),
        Err(reason) => Err(Why::because(reason)),
    }
}

/// How `found` stands to `argument`, both read as asked.
pub(super) fn compare(given: Given<'_>) -> Result<Ordering, String> {
    let (found, argument) = (given.found, given.argument);
    match given.reading {
        Reading::Quantity => Ok(quantity(found)?.cmp(&quantity(argument)?)),
        Reading::Time => Ok(moment(found)?.cmp(&moment(argument)?)),
        Reading::Plain => plain(found, argument),
    }
}

fn plain(found: &Value, argument: &Value) -> Result<Ordering, String> {
    match (found, argument) {
        (Value::Number(found), Value::Number(argument)) => match (found.as_i64(), argument.as_i64()) {
            (Some(found), Some(argument)) => Ok(found.cmp(&argument)),
            _ => found
                .as_f64()
                .zip(argument.as_f64())
                .and_then(|(found, argument)| found.partial_cmp(&argument))
                .ok_or_else(|| "the numbers cannot be compared".into()),
        },
        (Value::String(found), Value::String(argument)) => Ok(found.cmp(argument)),
        _ => Err(format!(
            "{} cannot be compared with {}; there is no conversion (`quantity: true` or `time: true` read texts)",
            kind(found),
            kind(argument)
        )),
    }
}

fn quantity(value: &Value) -> Result<Quantity, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => return Err(format!("{} is not a quantity", kind(other))),
    };
    Quantity::parse(&text).map_err(|reason| format!("`{text}` is not a quantity: {reason}"))
}

fn moment(value: &Value) -> Result<DateTime<chrono::FixedOffset>, String> {
    let text = value.as_str().ok_or_else(|| format!("{} is not a moment", kind(value)))?;
    DateTime::parse_from_rfc3339(text).map_err(|_| format!("`{text}` is not an RFC 3339 moment (2026-01-31T12:00:00Z)"))
}
