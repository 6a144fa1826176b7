//! Filters between kinds of values: JSON, booleans, durations, quantities.

use minijinja::Value as Raw;
use serde::Serialize as _;
use serde_json::Value as Json;

use super::super::arguments::Arguments;
use super::super::error::Refusal;
use super::super::evaluate::Walk;
use super::super::measure::Measure;
use super::super::value::{Kind, Value, kind_of, measure_of, raw_to_json, text_of, weight};
use super::{SCALAR, TEXT, expect};

/// The value that a JSON text holds.
pub(super) fn json(_: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    arguments.finish()?;
    if kind_of(value) != Kind::Text {
        return Err(
            Refusal::mismatch(format!("`json` reads text, not {}", kind_of(value))).help("to write JSON, use `tojson`")
        );
    }
    let parsed = serde_json::from_str::<Json>(value.as_str().unwrap_or_default());
    parsed.map(|json| Value::from_json(json).0).map_err(|error| Refusal::failed("this is not JSON").detail(error))
}

/// The value as JSON text, on one line or with an indent.
pub(super) fn tojson(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let indent = arguments.integer("indent")?.unwrap_or(0);
    arguments.finish()?;
    let json = raw_to_json(value)?;
    let text = match usize::try_from(indent) {
        Ok(0) => json.to_string(),
        Ok(width @ 1..=8) => pretty(&json, width)?,
        _ => return Err(Refusal::failed("the indent must lie between 0 and 8")),
    };
    walk.budget.write(text.len())?;
    Ok(Raw::from(text))
}

fn pretty(json: &Json, width: usize) -> Result<String, Refusal> {
    let indent = " ".repeat(width);
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    json.serialize(&mut serializer).map_err(|error| Refusal::failed("this cannot be written").detail(error))?;
    String::from_utf8(bytes).map_err(|_| Refusal::failed("this cannot be written"))
}

/// What a `JSONPath` selects: the one value where the path can select no more than one, else a list.
pub(super) fn jsonpath(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let path = arguments.need_text("path")?;
    arguments.finish()?;
    let json = raw_to_json(value)?;
    walk.budget.spend(weight(&json))?;
    let select = walk.scope.functions().jsonpath;
    let nodes = select(&json, &path).map_err(|words| Refusal::failed("the JSONPath is wrong").detail(words))?;
    walk.budget.fill(nodes.len())?;
    let mut nodes = nodes.into_iter().map(|node| Value::from_json(node).0);
    if is_singular(&path) {
        return nodes.next().ok_or_else(|| {
            Refusal::undefined(format!("`{path}` selects nothing"))
                .help("give a value for that case: `|default(…)`")
                .quoting()
        });
    }
    Ok(Raw::from(nodes.collect::<Vec<_>>()))
}

/// Whether a path can select one node at most: no `..`, `*`, `?`, `,` or `:` outside of quotes.
fn is_singular(path: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    for character in path.chars() {
        match (quote, character) {
            (Some(_), _) if before == '\\' => {}
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '*' | '?' | ',' | ':') => return false,
            (None, '.') if before == '.' => return false,
            _ => {}
        }
        before = if before == '\\' && character == '\\' { ' ' } else { character };
    }
    true
}

/// The boolean that a boolean, `true` or `false` as text, 0 or 1 stand for.
pub(super) fn bool(_: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    arguments.finish()?;
    expect("bool", value, SCALAR)?;
    match text_of(value)?.as_str() {
        "true" | "1" => Ok(Raw::from(true)),
        "false" | "0" => Ok(Raw::from(false)),
        _ => Err(Refusal::failed("`bool` takes true, false, 0 or 1")),
    }
}

/// The seconds of a duration.
pub(super) fn duration(_: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    arguments.finish()?;
    match (kind_of(value), measure_of(value)) {
        (Kind::Number, _) => Ok(value.clone()),
        (Kind::Duration, Some(measure)) => Ok(measure.number()),
        (Kind::Text, _) => Measure::duration(value.as_str().unwrap_or_default())
            .map(|measure| measure.number())
            .ok_or_else(|| Refusal::failed("this is not a duration").help("write one such as `30s` or `1h30m`")),
        _ => expect("duration", value, TEXT).map(|()| value.clone()),
    }
}

/// An exact quantity, to be compared and summed up.
pub(super) fn quantity(_: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    arguments.finish()?;
    match kind_of(value) {
        Kind::Quantity => Ok(value.clone()),
        Kind::Number | Kind::Text => Measure::quantity(&text_of(value)?)
            .map(Raw::from_object)
            .ok_or_else(|| Refusal::failed("this is not a quantity").help("write one such as `500m` or `2Gi`")),
        _ => expect("quantity", value, TEXT).map(|()| value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_path_tells_how_many_nodes_it_may_select() {
        for path in ["$", "$.a.b", "$['a*,:b']", "$[0]", "$[\"x'..\"].y", r"$['a\'*']"] {
            assert!(is_singular(path), "{path}");
        }
        for path in ["$..a", "$.*", "$[0,1]", "$[1:2]", "$[?@.a]", "$['a'].*"] {
            assert!(!is_singular(path), "{path}");
        }
    }
}
