//! Pod templates: when two are the same, and the short name that tells them apart.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::simulator::object::{labels, map, put, remove};

/// The letters that Kubernetes uses for hashes and names: no vowels, no digits that look like them.
pub(super) const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The pod template of a workload, without the label that controllers put on it.
pub(super) struct Template<'a> {
    value: &'a Value,
    label: &'static str,
}

impl<'a> Template<'a> {
    /// The template in the spec of a workload whose controller adds `label`.
    pub(super) fn of(workload: &'a Value, label: &'static str) -> Self {
        Self { value: workload.pointer("/spec/template").unwrap_or(&Value::Null), label }
    }

    /// Whether both say the same about pods.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let plain = ["labels", "creationTimestamp"];
        is_same_but(&["metadata", "$patch"], map(self.value, ""), map(other.value, ""))
            && is_same_but(&plain, map(self.value, "/metadata"), map(other.value, "/metadata"))
            && is_same_but(&[self.label, other.label], self.labels(), other.labels())
    }

    /// The template without the controller's label.
    fn bare(&self) -> Value {
        let mut bare = self.value.clone();
        remove(&mut bare, &["metadata", "labels", self.label]);
        remove(&mut bare, &["metadata", "creationTimestamp"]);
        bare
    }

    /// The name of this template: the same for the same text, whatever the order of its keys.
    pub(super) fn hash(&self, collisions: i64) -> String {
        let mut text = String::new();
        canonical(&self.bare(), &mut text);
        if collisions > 0 {
            let _ = write!(text, "{collisions}");
        }
        let sum = text.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        sum.to_string().bytes().filter_map(safe_letter).collect()
    }

    /// The template with the controller's label on it.
    pub(super) fn labelled(&self, hash: &str) -> Value {
        let mut labelled = self.value.clone();
        put(&mut labelled, &["metadata", "labels", self.label], hash);
        labelled
    }

    /// The labels of its pods, without the controller's.
    pub(super) fn labels(&self) -> &'a Map<String, Value> {
        labels(self.value)
    }
}

fn is_same_but(ignored: &[&str], one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let counts = |(key, _): &(&String, &Value)| !ignored.contains(&key.as_str());
    one.iter().filter(counts).count() == other.iter().filter(counts).count()
        && one.iter().filter(counts).all(|(key, value)| other.get(key) == Some(value))
}

fn safe_letter(digit: u8) -> Option<char> {
    ALPHABET.get(usize::from(digit) % ALPHABET.len()).copied().map(char::from)
}

/// JSON with the keys of mappings in order.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<_> = fields.iter().collect();
            keys.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in keys {
                let _ = write!(text, "{key}:");
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => {
            let _ = write!(text, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_keeps_its_name_whatever_the_order_of_its_keys() {
        let one = json!({"spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"a": 1, "b": 2}}}});
        let two = json!({"spec": {"template": {"spec": {"b": 2, "a": 1}, "metadata": {"labels": {"pod-template-hash": "x", "app": "web"}}}}});
        let other = json!({"spec": {"template": {"spec": {"a": 2, "b": 2}}}});
        let [one, two, other] = [&one, &two, &other].map(|workload| Template::of(workload, "pod-template-hash"));
        assert!(one.is_same(&two) && !one.is_same(&other));
        assert_eq!(one.hash(0), two.hash(0));
        assert_ne!(one.hash(0), other.hash(0));
        assert_ne!(one.hash(0), one.hash(1));
        assert!(one.hash(0).bytes().all(|letter| ALPHABET.contains(&letter)));
    }
}
