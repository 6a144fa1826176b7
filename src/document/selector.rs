//! Kubernetes selectors, understood before they are sent.
//!
//! Some servers answer an unreadable selector with everything (wire §12.3), so
//! a selector is parsed here and every item is matched again on our side.

use std::fmt;

use serde_json::Value;

use super::leaf::leaf_type;
use super::node::{Kind, Node};

/// A label selector: all its terms must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Is(String, String),
    IsNot(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Selector {
    /// Reads Kubernetes' own text: `app=web,tier in (a, b),!legacy`.
    ///
    /// # Errors
    /// What is wrong with it; an empty one is refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for part in split_terms(text) {
            terms.push(term(part.trim())?);
        }
        if terms.is_empty() {
            return Err("an empty selector would select everything: leave it out, or say `all`".into());
        }
        Ok(Self { terms })
    }

    /// Reads a mapping of labels to values, or text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_node(node: &Node) -> Result<Self, String> {
        match &node.kind {
            Kind::Scalar(scalar) => Self::parse(&scalar.text),
            Kind::Mapping(entries) => {
                let mut terms = Vec::new();
                for entry in entries {
                    let value =
                        entry.value.as_text().ok_or_else(|| format!("the label `{}` takes text", entry.key.text))?;
                    terms.push(Term::Is(label(&entry.key.text)?, label_value(value)?));
                }
                if terms.is_empty() {
                    Err("an empty selector would select everything: leave it out".into())
                } else {
                    Ok(Self { terms })
                }
            }
            Kind::Null | Kind::Sequence(_) => {
                Err(format!("a selector is a mapping of labels or text, not {}", node.describe()))
            }
        }
    }

    /// Whether an object's labels meet it.
    pub fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        let of = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.terms.iter().all(|term| match term {
            Term::Is(key, value) => of(key) == Some(value),
            Term::IsNot(key, value) => of(key) != Some(value),
            Term::In(key, values) => of(key).is_some_and(|found| values.iter().any(|value| value == found)),
            Term::NotIn(key, values) => of(key).is_none_or(|found| values.iter().all(|value| value != found)),
            Term::Exists(key) => of(key).is_some(),
            Term::Missing(key) => of(key).is_none(),
        })
    }

    /// The selector in an object's `spec.selector`, as Kubernetes writes it.
    ///
    /// # Errors
    /// Where there is none, or an operator is unknown.
    pub fn of_object(object: &Value) -> Result<Self, String> {
        let selector = object.pointer("/spec/selector").ok_or("the object has no selector")?;
        let mut terms = Vec::new();
        for (key, value) in selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
            terms.push(Term::Is(key.clone(), value.as_str().unwrap_or_default().to_owned()));
        }
        for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            terms.push(expression_term(expression)?);
        }
        if terms.is_empty() { Err("the object's selector is empty".into()) } else { Ok(Self { terms }) }
    }
}

fn expression_term(expression: &Value) -> Result<Term, String> {
    let key = expression.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
    let values: Vec<String> = values.filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect();
    match expression.get("operator").and_then(Value::as_str) {
        Some("In") => Ok(Term::In(key, values)),
        Some("NotIn") => Ok(Term::NotIn(key, values)),
        Some("Exists") => Ok(Term::Exists(key)),
        Some("DoesNotExist") => Ok(Term::Missing(key)),
        other => Err(format!("unknown operator {other:?} in the object's selector")),
    }
}

/// Splits at commas outside parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text.get(start..).unwrap_or_default();
    if !(parts.is_empty() && last.trim().is_empty()) {
        parts.push(last);
    }
    parts
}

fn term(text: &str) -> Result<Term, String> {
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Term::Missing(label(key.trim())?));
    }
    for (operator, make) in [("!=", Term::IsNot as fn(String, String) -> Term), ("==", Term::Is), ("=", Term::Is)] {
        if let Some((key, value)) = text.split_once(operator) {
            return Ok(make(label(key.trim())?, label_value(value.trim())?));
        }
    }
    let mut words = text.splitn(2, char::is_whitespace);
    let key = words.next().unwrap_or_default();
    let Some(rest) = words.next().map(str::trim) else {
        return Ok(Term::Exists(label(key)?));
    };
    if let Some(list) = rest.strip_prefix("notin") {
        return Ok(Term::NotIn(label(key)?, values(list)?));
    }
    if let Some(list) = rest.strip_prefix("in") {
        return Ok(Term::In(label(key)?, values(list)?));
    }
    Err(format!("`{text}` is no term of a selector: write app=web, app!=web, app in (a, b), app or !app"))
}

fn values(list: &str) -> Result<Vec<String>, String> {
    let inner = list
        .trim()
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .ok_or("values stand in parentheses: in (a, b)")?;
    inner.split(',').map(|value| label_value(value.trim())).collect()
}

fn label(key: &str) -> Result<String, String> {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let fits = is_label_part(name)
        && !name.is_empty()
        && prefix.is_none_or(|prefix| !prefix.is_empty() && is_label_part(prefix));
    if fits { Ok(key.to_owned()) } else { Err(format!("`{key}` is no label key")) }
}

fn label_value(value: &str) -> Result<String, String> {
    if is_label_part(value) && value.len() <= 63 {
        Ok(value.to_owned())
    } else {
        Err(format!("`{value}` is no label value"))
    }
}

fn is_label_part(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let edge = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.bytes().all(inner) && edge(text.bytes().next()) && edge(text.bytes().next_back())
}

impl fmt::Display for Selector {
    /// The text that servers read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            match term {
                Term::Is(key, value) => write!(formatter, "{key}={value}")?,
                Term::IsNot(key, value) => write!(formatter, "{key}!={value}")?,
                Term::In(key, values) => write!(formatter, "{key} in ({})", values.join(","))?,
                Term::NotIn(key, values) => write!(formatter, "{key} notin ({})", values.join(","))?,
                Term::Exists(key) => write!(formatter, "{key}")?,
                Term::Missing(key) => write!(formatter, "!{key}")?,
            }
        }
        Ok(())
    }
}

leaf_type!(Selector, "Selector", "a label selector such as app=web", None);

/// A field selector: `spec.nodeName=a,status.phase!=Running`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector {
    terms: Vec<(String, bool, String)>,
}

impl FieldSelector {
    /// Reads a field selector.
    ///
    /// # Errors
    /// What is wrong with it; an empty one is refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (field, equal, value) = part
                .split_once("!=")
                .map(|(field, value)| (field, false, value))
                .or_else(|| {
                    part.split_once("==").or_else(|| part.split_once('=')).map(|(field, value)| (field, true, value))
                })
                .ok_or_else(|| format!("`{part}` is no term: write spec.nodeName=a or status.phase!=Running"))?;
            terms.push((field.trim().to_owned(), equal, value.trim().to_owned()));
        }
        if terms.is_empty() {
            Err("an empty field selector would select everything: leave it out".into())
        } else {
            Ok(Self { terms })
        }
    }

    /// Whether an object's fields meet it; an absent field is empty text, as servers have it.
    pub fn matches(&self, object: &Value) -> bool {
        self.terms.iter().all(|(field, equal, value)| {
            let pointer = format!("/{}", field.replace('.', "/"));
            let text = match object.pointer(&pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            (text == *value) == *equal
        })
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<String> = self
            .terms
            .iter()
            .map(|(field, equal, value)| format!("{field}{}{value}", if *equal { "=" } else { "!=" }))
            .collect();
        formatter.write_str(&terms.join(","))
    }
}

leaf_type!(FieldSelector, "FieldSelector", "a field selector such as spec.nodeName=a", None);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_selector_reads_prints_and_matches() {
        let selector = Selector::parse("app=web, tier in (a,b),!legacy,env!=prod,owner").unwrap();
        assert_eq!(selector.to_string(), "app=web,tier in (a,b),!legacy,env!=prod,owner");
        let labels = |labels: Value| json!({"metadata": {"labels": labels}});
        assert!(selector.matches(&labels(json!({"app": "web", "tier": "b", "owner": "x"}))));
        assert!(!selector.matches(&labels(json!({"app": "web", "tier": "c", "owner": "x"}))));
        assert!(!selector.matches(&labels(json!({"app": "web", "tier": "a", "owner": "x", "legacy": ""}))));
    }

    #[test]
    fn what_a_server_might_take_for_everything_is_refused() {
        for text in ["", " ", "app=web,,", "app in web", "-x=1", "app=we b", "a/b/c=d"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_selector_takes_an_absent_field_for_empty() {
        let selector = FieldSelector::parse("spec.nodeName=,status.phase!=Running").unwrap();
        assert!(selector.matches(&json!({"status": {"phase": "Pending"}})));
        assert!(!selector.matches(&json!({"spec": {"nodeName": "a"}, "status": {"phase": "Pending"}})));
    }

    proptest::proptest! {
        #[test]
        fn what_prints_reads_back(key in "[a-z]{1,5}", values in proptest::collection::vec("[a-z0-9]{1,4}", 1..4)) {
            let text = format!("{key} in ({})", values.join(","));
            proptest::prop_assert_eq!(Selector::parse(&text).unwrap().to_string(), text);
        }
    }
}
