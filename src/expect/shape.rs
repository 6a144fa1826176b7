//! Matchers of form: `length type empty`.

use serde_json::Value;

use super::matcher::{Given, Matcher, Why, kind};

const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "list", "object"];

pub(super) const ROWS: &[Matcher] = &[
    Matcher {
        name: "length",
        help: "the list, object or text has this many items, keys or characters",
        schema: r#"{"type":"integer","minimum":0}"#,
        accepts: |argument| argument.as_u64().map(|_| ()).ok_or_else(|| "takes a whole number".into()),
        words: |argument| format!("has length {argument}"),
        check: length,
    },
    Matcher {
        name: "type",
        help: "the value is of this type",
        schema: r#"{"enum":["null","boolean","number","integer","string","list","object"]}"#,
        accepts: |argument| match argument.as_str() {
            Some(word) if TYPES.contains(&word) => Ok(()),
            _ => Err(format!("takes one of {}", TYPES.join(", "))),
        },
        words: |argument| format!("is of type {}", argument.as_str().unwrap_or_default()),
        check: is_type,
    },
    Matcher {
        name: "empty",
        help: "the list, object or text is empty (true) or not (false)",
        schema: r#"{"type":"boolean"}"#,
        accepts: |argument| argument.as_bool().map(|_| ()).ok_or_else(|| "takes true or false".into()),
        words: |argument| {
            if argument.as_bool() == Some(false) { "is not empty".into() } else { "is empty".into() }
        },
        check: empty,
    },
];

fn size(value: &Value) -> Result<usize, Why> {
    match value {
        Value::Array(items) => Ok(items.len()),
        Value::Object(fields) => Ok(fields.len()),
        Value::String(text) => Ok(text.chars().count()),
        other => Err(Why::because(format!("{} has no length", kind(other)))),
    }
}

fn length(given: Given<'_>) -> Result<(), Why> {
    let size = size(given.found)?;
    if given.argument.as_u64() == u64::try_from(size).ok() {
        return Ok(());
    }
    Err(Why::because(format!("its length is {size}")))
}

fn is_type(given: Given<'_>) -> Result<(), Why> {
    let holds = match given.argument.as_str().unwrap_or_default() {
        "null" => given.found.is_null(),
        "boolean" => given.found.is_boolean(),
        "number" => given.found.is_number(),
        "integer" => given.found.is_i64() || given.found.is_u64(),
        "string" => given.found.is_string(),
        "list" => given.found.is_array(),
        "object" => given.found.is_object(),
        _ => false,
    };
    if holds { Ok(()) } else { Err(Why::because(format!("it is {}", kind(given.found)))) }
}

fn empty(given: Given<'_>) -> Result<(), Why> {
    let is_empty = size(given.found)? == 0;
    if given.argument.as_bool() == Some(is_empty) { Ok(()) } else { Err(Why::plain()) }
}
