//! Values as Go prints them, because the API server's messages do.

use serde_json::{Map, Value};

use crate::simulator::object;

/// A map of texts: `map[string]string{"app":"web"}`.
pub(super) fn map(texts: &Map<String, Value>) -> String {
    if texts.is_empty() {
        return "map[string]string(nil)".into();
    }
    let mut entries: Vec<_> =
        texts.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect();
    entries.sort_unstable();
    format!("map[string]string{{{}}}", entries.join(", "))
}

/// A label selector; its expressions are told only where there are none.
pub(super) fn selector(selector: &Value) -> String {
    let labels = map(object::map(selector, "/matchLabels"));
    let expressions = match object::list(selector, "/matchExpressions") {
        [] => "[]v1.LabelSelectorRequirement(nil)".to_owned(),
        some => format!("[]v1.LabelSelectorRequirement{}", Value::from(some)),
    };
    format!("v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:{expressions}}}")
}
