//! Field selectors: a few fields of each kind can be picked by.

use serde_json::Value;

use crate::simulator::resource::Resource;
use crate::simulator::status::StatusError;

/// Requirements on fields, all of which must hold.
#[derive(Debug, Clone, Default)]
pub struct FieldSelector(Vec<Field>);

#[derive(Debug, Clone)]
struct Field {
    pointer: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Reads the text form for a kind, which decides what fields can be selected.
    ///
    /// # Errors
    /// When the text is not a selector, or the kind cannot be selected by a field.
    pub fn parse(resource: &Resource, text: &str) -> Result<Self, StatusError> {
        let terms = text.split(',').filter(|term| !term.is_empty());
        terms.map(|term| field(resource, text, term)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the object meets all requirements.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|field| (shown(object.pointer(&field.pointer)) == field.value) == field.equal)
    }
}

fn field(resource: &Resource, whole: &str, term: &str) -> Result<Field, StatusError> {
    let (key, value, equal) = if let Some((key, value)) = term.split_once("!=") {
        (key, value, false)
    } else if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (key, value, true)
    } else {
        return Err(StatusError::bad_request(format!("invalid selector: '{whole}'; can't understand '{term}'")));
    };
    if !selectable(resource).contains(&key) {
        return Err(StatusError::bad_request(unselectable(resource, key)));
    }
    let pointer = if key == "source" { "source.component" } else { key };
    let pointer = if key == "status.successful" { "status.succeeded" } else { pointer };
    Ok(Field { pointer: format!("/{}", pointer.replace('.', "/")), value: value.to_owned(), equal })
}

/// The words for a field that cannot be selected by differ from kind to kind.
fn unselectable(resource: &Resource, key: &str) -> String {
    match resource.plural {
        "pods" | "nodes" | "events" | "secrets" | "namespaces" => {
            format!("field label not supported: {key}")
        }
        "jobs" => format!("field label \"{key}\" not supported for batchv1.Job"),
        _ => format!("\"{key}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
    }
}

/// Booleans that are absent select as `false`, as the API server's field sets have it.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn selectable(resource: &Resource) -> &'static [&'static str] {
    match resource.plural {
        "pods" => &[
            "metadata.name",
            "metadata.namespace",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "metadata.name",
            "metadata.namespace",
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "secrets" => &["metadata.name", "metadata.namespace", "type"],
        "jobs" => &["metadata.name", "metadata.namespace", "status.successful"],
        "namespaces" => &["metadata.name", "status.phase"],
        "nodes" => &["metadata.name", "spec.unschedulable"],
        "replicasets" => &["metadata.name", "metadata.namespace", "status.replicas"],
        _ => &["metadata.name", "metadata.namespace"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::resource::by_plural;
    use serde_json::json;

    #[test]
    fn fields_select_where_the_kind_knows_them() {
        let pods = by_plural("pods").expect("a row");
        let selector = FieldSelector::parse(pods, "spec.nodeName=a,status.phase!=Failed").expect("known");
        assert!(selector.matches(&json!({"spec": {"nodeName": "a"}, "status": {"phase": "Running"}})));
        let refused = FieldSelector::parse(pods, "spec.foo=a").expect_err("unknown");
        assert!(refused.message.ends_with("field label not supported: spec.foo"), "{refused}");
    }
}
