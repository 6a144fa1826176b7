//! Patches in the four dialects of the API server, on plain JSON values.

pub(super) mod fields;
pub(super) mod managed;
mod strategic;

use serde_json::Value;

use super::ask::structured;
use super::object;
use super::schema::{Type, of_kind};
use super::status::StatusError;
pub(super) use managed::Manager;

/// A dialect of patches, known by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// RFC 7396.
    Merge,
    /// Lists of objects are merged by their keys.
    Strategic,
    /// RFC 6902.
    Json,
    /// Server-side apply.
    Apply,
}

impl Dialect {
    /// The dialect of a content type; parameters behind `;` do not matter.
    pub(super) fn of(content_type: &str) -> Result<Self, StatusError> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            "application/json-patch+json" => Ok(Self::Json),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            _ => Err(StatusError::unsupported_media("415: Unsupported Media Type")),
        }
    }

    /// Reads the body of a patch; each dialect has its own words for what is none.
    pub(super) fn read(self, body: &[u8]) -> Result<Value, StatusError> {
        let content_type = if self == Self::Apply { "application/yaml" } else { "application/json" };
        let patch = structured(body, content_type).map_err(|error| match self {
            Self::Merge => StatusError::unexplained("Invalid JSON Patch"),
            _ => StatusError::bad_request(format!("error decoding patch: {error}")),
        })?;
        match self {
            Self::Json if patch.is_array() => Ok(patch),
            Self::Merge | Self::Strategic | Self::Apply if patch.is_object() => Ok(patch),
            Self::Json => {
                let why = "json: cannot unmarshal object into Go value of type jsonpatch.Patch";
                Err(StatusError::bad_request(why))
            }
            _ => Err(StatusError::bad_request("error decoding patch: wrong type of document")),
        }
    }
}

/// Changes an object as a patch says; server-side apply has its own door, [`managed::apply`].
pub(super) fn apply(dialect: Dialect, object: &mut Value, patch: &Value) -> Result<(), StatusError> {
    match dialect {
        Dialect::Merge => json_patch::merge(object, patch),
        Dialect::Strategic | Dialect::Apply => {
            let kind = of_kind(object::text(object, "/apiVersion"), object::text(object, "/kind"));
            check_keys(kind, patch)?;
            strategic::merge(kind, object, patch);
        }
        Dialect::Json => {
            let operations: json_patch::Patch = serde_json::from_value(patch.clone())
                .map_err(|error| StatusError::bad_request(format!("error decoding patch: {error}")))?;
            json_patch::patch(object, &operations).map_err(|_| StatusError::inapplicable())?;
        }
    }
    Ok(())
}

/// Entries of keyed lists must name their key.
fn check_keys(kind: Option<Type>, patch: &Value) -> Result<(), StatusError> {
    match patch {
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, inner)| check_keys(kind.and_then(|kind| kind.field(name)), inner))
        }
        Value::Array(items) => items.iter().try_for_each(|item| match kind.and_then(Type::merge_key) {
            Some(key) if item.get(key).is_none() && item.get("$patch").is_none() => {
                let item = golang(item);
                Err(StatusError::unexplained(format!("map: {item} does not contain declared merge key: {key}")))
            }
            _ => check_keys(kind.and_then(Type::item), item),
        }),
        _ => Ok(()),
    }
}

/// A value as Go's `%v` prints it: `map[name:x ports:[80]]`.
pub(super) fn golang(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut pairs: Vec<_> = fields.iter().map(|(key, value)| format!("{key}:{}", golang(value))).collect();
            pairs.sort_unstable();
            format!("map[{}]", pairs.join(" "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(golang).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn content_types_name_the_dialect() {
        assert_eq!(Dialect::of("application/merge-patch+json; charset=utf-8"), Ok(Dialect::Merge));
        assert_eq!(Dialect::of("application/json").expect_err("no patch").code, 415);
    }

    #[test]
    fn a_failed_test_of_a_json_patch_is_unprocessable() {
        let mut object = json!({"spec": {"replicas": 3}});
        let patch = json!([{"op": "test", "path": "/spec/replicas", "value": 2}]);
        let refused = apply(Dialect::Json, &mut object, &patch).expect_err("false");
        assert_eq!((refused.code, refused.reason), (422, "Invalid"));
        assert_eq!(object, json!({"spec": {"replicas": 3}}));
    }

    #[test]
    fn a_merge_patch_takes_null_as_removal() {
        let mut object = json!({"a": {"b": 1, "c": 2}});
        apply(Dialect::Merge, &mut object, &json!({"a": {"b": null}})).expect("merged");
        assert_eq!(object, json!({"a": {"c": 2}}));
    }
}
