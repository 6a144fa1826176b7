//! What differs from cluster to cluster and from run to run, put on one form.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"\b(10|127|192)\.\d+\.\d+\.\d+\b", "<ip>"),
        (r"\bnode-[ab]\b", "<node>"),
        (r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-<hash>-<suffix>"),
        (r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}\b", "-<hash>"),
        (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-<suffix>"),
        (r"\.[0-9a-f]{16}\b", ".<event>"),
        (r"too old resource version: (\d+) \(\d+\)", "too old resource version: $1 (<version>)"),
        (r"in record \(\d+\)", "in record (<version>)"),
        (r"-\d{8,10}\b", "-<moment>"),
    ]
    .into_iter()
    .map(|(pattern, with)| (Regex::new(pattern).unwrap(), with))
    .collect()
});

/// Managers of fields that are part of a cluster: the simulator's controllers keep no such books.
const COMPONENTS: [&str; 4] = ["kube-controller-manager", "kube-scheduler", "kube-apiserver", "Python-urllib"];

/// Puts answers of one sequence on one form.
pub(super) struct Normal {
    /// The word by which the sequence keeps apart from the others.
    word: String,
}

impl Normal {
    pub(super) fn new(word: &str) -> Self {
        Self { word: word.to_owned() }
    }

    pub(super) fn of(&mut self, value: Value) -> Value {
        self.field("", value)
    }

    fn field(&mut self, name: &str, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(name, &text),
            Value::Array(items) => self.list(name, items),
            Value::Object(fields) => {
                let mut fields: Vec<_> =
                    fields.into_iter().map(|(key, value)| (key.replace(&self.word, "<w>"), value)).collect();
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                fields.into_iter().map(|(key, value)| (key.clone(), self.field(&key, value))).collect()
            }
            other => other,
        }
    }

    fn text(&mut self, name: &str, text: &str) -> Value {
        match name {
            "resourceVersion" | "continue" if !text.is_empty() => return format!("<{name}>").into(),
            "pod-template-hash" | "controller-revision-hash" => return "<hash>".into(),
            "cells" if is_age(text) => return "<age>".into(),
            _ => {}
        }
        let text = text.replace(&self.word, "<w>");
        let plain = PATTERNS.iter().fold(text, |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned());
        plain.into()
    }

    fn list(&mut self, name: &str, mut items: Vec<Value>) -> Value {
        if name == "managedFields" {
            items.retain(|item| COMPONENTS.iter().all(|component| item["manager"] != *component));
            items.sort_by_key(|item| (item["manager"].to_string(), item["operation"].to_string()));
        }
        if name == "items" || name == "rows" {
            items.retain(|item| !is_furniture(item));
        }
        items.into_iter().map(|item| self.field(name, item)).collect()
    }
}

/// What a real cluster puts into each namespace.
fn is_furniture(item: &Value) -> bool {
    let name = item.pointer("/metadata/name").or(item.pointer("/object/metadata/name"));
    let name = name.and_then(Value::as_str).unwrap_or_default();
    name == "kube-root-ca.crt" || name == "default" || name.starts_with("default-token-")
}

fn is_age(text: &str) -> bool {
    static AGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(\d+[smhd])+$|^<unknown>$").unwrap());
    AGE.is_match(text)
}
