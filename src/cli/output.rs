//! `-o`: how what was found is written.

use std::str::FromStr;

use clap::Args;
use serde_json::Value;

use super::exit::Stop;
use crate::document::JsonPath;

/// The format of what was found.
#[derive(Debug, Args)]
#[group(id = "format", multiple = true)]
pub(super) struct Options {
    /// The format: table, wide, json, yaml, name, or jsonpath=PATH (RFC 9535, as in runbooks).
    #[arg(long, short, default_value = "table", value_name = "FORMAT")]
    pub(super) output: Output,
}

/// A format.
#[derive(Debug, Clone)]
pub(super) enum Output {
    /// Columns.
    Table,
    /// More columns.
    Wide,
    /// JSON, indented.
    Json,
    /// YAML.
    Yaml,
    /// `kind/name`, a line each.
    Name,
    /// What a path selects, a line each: texts as they are, all else as JSON.
    Path(JsonPath),
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "table" => Ok(Self::Table),
            "wide" => Ok(Self::Wide),
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            "name" => Ok(Self::Name),
            _ => match text.strip_prefix("jsonpath=") {
                Some(path) => JsonPath::parse(path).map(Self::Path),
                None => Err("known are table, wide, json, yaml, name, jsonpath=PATH".to_owned()),
            },
        }
    }
}

/// Writes a value for programs; a table is none of its formats.
///
/// # Errors
/// When a path selects nothing, or the format does not fit.
pub(super) fn written(output: &Output, value: &Value) -> Result<String, Stop> {
    match output {
        Output::Json => Ok(format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default())),
        Output::Yaml => serde_saphyr::to_string(value).map_err(|error| Stop::new(super::exit::FAILED, error)),
        Output::Path(path) => selected(path, value),
        Output::Name | Output::Table | Output::Wide => Err(Stop::usage("this has no names: give -o json or -o yaml")),
    }
}

fn selected(path: &JsonPath, value: &Value) -> Result<String, Stop> {
    let found = path.select(value);
    if found.is_empty() {
        return Err(Stop::new(super::exit::FAILED, format!("`{path}` selects nothing")));
    }
    let line = |value: &&Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned) + "\n";
    Ok(found.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> Result<String, String> {
        let output: Output = format!("jsonpath={text}").parse()?;
        let value = json!({"items": [{"name": "a", "n": 1}, {"name": "b", "n": [true]}]});
        written(&output, &value).map_err(|stop| stop.message)
    }

    #[test]
    fn a_path_writes_each_thing_on_a_line_of_its_own() {
        assert_eq!(path("$.items[*].name").unwrap(), "a\nb\n");
        assert_eq!(path("$.items[*].n").unwrap(), "1\n[true]\n");
        assert_eq!(path("$.gone").unwrap_err(), "`$.gone` selects nothing");
        assert!(path("{.items[*].name}").unwrap_err().contains("$.items"), "kubectl's own form is explained");
    }

    #[test]
    fn an_unknown_format_names_the_known_ones() {
        assert!("xml".parse::<Output>().unwrap_err().contains("jsonpath=PATH"));
    }

    #[test]
    fn yaml_reads_back_as_what_it_was() {
        let value = json!({"a": "no", "b": [1, null], "c": "2026-01-01"});
        let text = written(&Output::Yaml, &value).unwrap();
        let (node, _) = crate::document::read(&crate::source::Source::new("x", text));
        assert_eq!(node.unwrap().to_json(), value);
    }
}
