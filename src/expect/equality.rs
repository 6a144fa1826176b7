//! Matchers of sameness: `equals not-equals one-of subset`.

use serde_json::Value;

use super::FieldDiff;
use super::matcher::{Given, Matcher, Reading, Why, anything, kind};
use super::order::compare;

pub(super) const ROWS: &[Matcher] = &[
    Matcher {
        name: "equals",
        help: "the value is this one; no conversion",
        schema: "true",
        accepts: anything,
        words: |argument| format!("equals {argument}"),
        check: equals,
    },
    Matcher {
        name: "not-equals",
        help: "the value is another one",
        schema: "true",
        accepts: anything,
        words: |argument| format!("does not equal {argument}"),
        check: |given| {
            if same(given) { Err(Why::plain()) } else { Ok(()) }
        },
    },
    Matcher {
        name: "one-of",
        help: "the value is in this list",
        schema: r#"{"type":"array"}"#,
        accepts: |argument| argument.as_array().map(|_| ()).ok_or_else(|| "takes a list".into()),
        words: |argument| format!("one of {argument}"),
        check: one_of,
    },
    Matcher {
        name: "subset",
        help: "the object has at least these fields with these values; lists compare whole",
        schema: r#"{"type":"object"}"#,
        accepts: |argument| argument.as_object().map(|_| ()).ok_or_else(|| "takes an object".into()),
        words: |argument| format!("has {argument}"),
        check: subset,
    },
];

/// Whether two JSON values are the same; numbers by value, so that 3 is 3.0.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if one.total_cmp(&other).is_eq())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, field)| other.get(key).is_some_and(|other| equal(field, other)))
        }
        _ => one == other,
    }
}

fn same(given: Given<'_>) -> bool {
    match given.reading {
        Reading::Plain => equal(given.argument, given.found),
        Reading::Quantity | Reading::Time => compare(given).is_ok_and(std::cmp::Ordering::is_eq),
    }
}

fn equals(given: Given<'_>) -> Result<(), Why> {
    if same(given) {
        return Ok(());
    }
    let (argument, found) = (given.argument, given.found);
    let mut diff = Vec::new();
    if argument.is_object() && found.is_object() {
        differences(argument, found, "", true, &mut diff);
    }
    Err(Why { reason: different_kinds(argument, found), diff })
}

fn one_of(given: Given<'_>) -> Result<(), Why> {
    let choices = given.argument.as_array().map(Vec::as_slice).unwrap_or_default();
    if choices.iter().any(|choice| same(Given { argument: choice, ..given })) {
        return Ok(());
    }
    let first = choices.first().unwrap_or(&Value::Null);
    Err(Why::because(different_kinds(first, given.found)))
}

fn subset(given: Given<'_>) -> Result<(), Why> {
    let mut diff = Vec::new();
    differences(given.argument, given.found, "", false, &mut diff);
    if diff.is_empty() { Ok(()) } else { Err(Why { reason: different_kinds(given.argument, given.found), diff }) }
}

/// `text "3" is not the number 3`: said only where a reader could overlook it.
fn different_kinds(argument: &Value, found: &Value) -> String {
    if kind(argument) == kind(found) || found.is_null() || argument.is_null() {
        return String::new();
    }
    format!(
        "{} {found} is not {} {argument}",
        kind(found).trim_start_matches("a "),
        kind(argument).replacen("a ", "the ", 1)
    )
}

/// The fields in which `found` differs; `whole`: extra fields count too.
fn differences(expected: &Value, found: &Value, pointer: &str, whole: bool, out: &mut Vec<FieldDiff>) {
    let (Value::Object(wanted), Value::Object(there)) = (expected, found) else {
        if !equal(expected, found) {
            out.push(FieldDiff { field: pointer.into(), expected: Some(expected.clone()), found: Some(found.clone()) });
        }
        return;
    };
    for (key, field) in wanted {
        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        match there.get(key) {
            Some(found) => differences(field, found, &pointer, whole, out),
            None => out.push(FieldDiff { field: pointer, expected: Some(field.clone()), found: None }),
        }
    }
    if whole {
        for (key, field) in there.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
            let field_pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            out.push(FieldDiff { field: field_pointer, expected: None, found: Some(field.clone()) });
        }
    }
}
