//! Two answers side by side, and the differences that are known.

use std::fmt;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use super::answer::Answer;
use super::sequence::yaml;

/// A place at which two answers differ.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    /// The number of the request, and where in its answer: `2/body/metadata/name`.
    pub(super) at: String,
    real: Option<Value>,
    simulated: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".into(), ToString::to_string);
        write!(formatter, "{} real {} simulated {}", self.at, shown(&self.real), shown(&self.simulated))
    }
}

/// Every place at which the answers to a sequence differ.
pub(super) fn all(real: &[Answer], simulated: &[Answer]) -> Vec<Difference> {
    let mut found = Vec::new();
    for index in 0..real.len().max(simulated.len()) {
        let value = |answers: &[Answer]| answers.get(index).map(|answer| serde_json::to_value(answer).unwrap());
        differing(&index.to_string(), value(real).as_ref(), value(simulated).as_ref(), &mut found);
    }
    found
}

fn differing(at: &str, real: Option<&Value>, simulated: Option<&Value>, found: &mut Vec<Difference>) {
    match (real, simulated) {
        (one, other) if one == other => {}
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for key in keys {
                differing(&format!("{at}/{key}"), one.get(key), other.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differing(&format!("{at}/{index}"), Some(one), Some(other), found);
            }
        }
        (one, other) => {
            found.push(Difference { at: at.to_owned(), real: one.cloned(), simulated: other.cloned() });
        }
    }
}

/// The differences that are known, each with its reason.
pub(super) struct Differences(Vec<Rule>);

struct Rule {
    sequences: Regex,
    at: Regex,
    text: String,
    used: bool,
}

impl Differences {
    pub(super) fn read(path: &Path) -> Self {
        let rules = yaml(path);
        let rule = |rule: &Value| {
            let word = |key: &str| rule[key].as_str().unwrap_or_else(|| panic!("{rule} has no `{key}`")).to_owned();
            assert!(word("why").len() > 10, "{rule} gives no reason");
            let regex = |key: &str| Regex::new(&format!("^(?:{})$", word(key))).unwrap();
            Rule { sequences: regex("in"), at: regex("at"), text: rule.to_string(), used: false }
        };
        Self(rules.as_array().expect("a list").iter().map(rule).collect())
    }

    pub(super) fn knows(&mut self, sequence: &str, difference: &Difference) -> bool {
        let mut known = false;
        for rule in &mut self.0 {
            if rule.sequences.is_match(sequence) && rule.at.is_match(&difference.at) {
                rule.used = true;
                known = true;
            }
        }
        known
    }

    /// Rules that explained nothing.
    pub(super) fn unused(&self) -> Vec<&str> {
        self.0.iter().filter(|rule| !rule.used).map(|rule| rule.text.as_str()).collect()
    }
}
