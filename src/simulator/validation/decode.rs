//! What the API server's decoder refuses before any rule is looked at.

use serde_json::Value;

use super::pointer;
use crate::simulator::object::{self, text};

/// Fields whose type the API server's decoder insists on; a mismatch is its own error.
///
/// # Errors
/// The decoder's words about the first such field.
pub(in crate::simulator) fn decodable(object: &Value) -> Result<(), String> {
    let kind = text(object, "/kind");
    for field in ["replicas", "parallelism", "completions", "backoffLimit", "minReadySeconds"] {
        expect(object, kind, &format!("spec.{field}"), "int32", Value::is_i64)?;
    }
    for field in ["suspend", "paused", "unschedulable"] {
        expect(object, kind, &format!("spec.{field}"), "bool", Value::is_boolean)?;
    }
    for path in ["metadata.labels", "metadata.annotations", "data", "stringData"] {
        expect(object, kind, path, "map[string]string", Value::is_object)?;
        for value in object::map(object, &pointer(path)).values() {
            expect_value(value, kind, path, "string", Value::is_string)?;
        }
    }
    Ok(())
}

fn expect(object: &Value, kind: &str, path: &str, wanted: &str, fits: fn(&Value) -> bool) -> Result<(), String> {
    object.pointer(&pointer(path)).map_or(Ok(()), |value| expect_value(value, kind, path, wanted, fits))
}

fn expect_value(value: &Value, kind: &str, path: &str, wanted: &str, fits: fn(&Value) -> bool) -> Result<(), String> {
    if value.is_null() || fits(value) {
        return Ok(());
    }
    let owner = if path.starts_with("spec.") { "Spec" } else { "" };
    let found = match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) | Value::Null => "string",
    };
    Err(format!("json: cannot unmarshal {found} into Go struct field {kind}{owner}.{path} of type {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_decoder_insists_on_types() {
        let error = decodable(&json!({"kind": "Deployment", "spec": {"replicas": "3"}})).expect_err("a text");
        assert_eq!(
            error,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        );
    }
}
