//! Refusals as Kubernetes words them: the `Status` object.
//!
//! Every constructor is one of the API server's own errors; messages keep its
//! wording, because clients and people match on it.

use serde_json::{Map, Value, json};

use super::resource::Resource;

/// A request refused, in the shape of a Kubernetes `Status`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StatusError {
    /// The HTTP status.
    pub code: u16,
    /// The machine-readable cause, such as `NotFound`.
    pub reason: &'static str,
    /// The server's words.
    pub message: String,
    /// What it is about; `Null` when the server says nothing.
    pub details: Value,
}

/// One field that validation found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The path of the field, such as `spec.replicas`.
    pub field: String,
    /// `FieldValueInvalid`, `FieldValueRequired`, …
    pub reason: &'static str,
    /// What is wrong, as the API server words it.
    pub message: String,
}

impl Cause {
    /// A value that does not fit.
    pub fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self::invalid_as(field, &shown(value), why)
    }

    /// A value that does not fit, as Go would print it.
    pub fn invalid_as(field: impl Into<String>, value: &str, why: &str) -> Self {
        let message = format!("Invalid value: {value}: {why}");
        Self { field: field.into(), reason: "FieldValueInvalid", message }
    }

    /// A value that is missing.
    pub fn required(field: impl Into<String>, why: &str) -> Self {
        let message = if why.is_empty() { "Required value".into() } else { format!("Required value: {why}") };
        Self { field: field.into(), reason: "FieldValueRequired", message }
    }

    /// A value that is there and must not be.
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self { field: field.into(), reason: "FieldValueForbidden", message: format!("Forbidden: {why}") }
    }

    /// A value outside of a list of allowed ones.
    pub fn unsupported(field: impl Into<String>, value: &Value, allowed: &[&str]) -> Self {
        let allowed: Vec<_> = allowed.iter().map(|word| format!("\"{word}\"")).collect();
        let message = format!("Unsupported value: {}: supported values: {}", shown(value), allowed.join(", "));
        Self { field: field.into(), reason: "FieldValueNotSupported", message }
    }

    /// Two entries of a list that must differ.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        let message = format!("Duplicate value: {}", shown(value));
        Self { field: field.into(), reason: "FieldValueDuplicate", message }
    }
}

/// Go writes maps in its own way; JSON is near enough and unambiguous.
fn shown(value: &Value) -> String {
    value.to_string()
}

impl StatusError {
    fn new(code: u16, reason: &'static str, message: String) -> Self {
        Self { code, reason, message, details: Value::Null }
    }

    fn about(mut self, resource: &Resource, name: &str) -> Self {
        self.details = details(resource.plural, resource.group, name);
        self
    }

    /// No such object.
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::new(404, "NotFound", message).about(resource, name)
    }

    /// The path is served by nobody.
    pub fn no_such_path() -> Self {
        let message = "the server could not find the requested resource".to_owned();
        Self::new(404, "NotFound", message).about_nothing()
    }

    /// Some errors carry details in which nothing is said.
    fn about_nothing(mut self) -> Self {
        self.details = json!({});
        self
    }

    /// An object of that name is already there.
    pub fn already_exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::new(409, "AlreadyExists", message).about(resource, name)
    }

    /// The caller looked at an older state.
    pub fn modified(resource: &Resource, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// The write does not fit the present state.
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::new(409, "Conflict", message).about(resource, name)
    }

    /// A deletion whose preconditions do not hold; the server names the kind here, not the resource.
    pub fn precondition(resource: &Resource, name: &str, why: &str) -> Self {
        let kind = resource.qualified_kind();
        let message = format!("Operation cannot be fulfilled on {kind} \"{name}\": {why}");
        let mut error = Self::new(409, "Conflict", message);
        error.details = details(resource.kind, resource.group, name);
        error
    }

    /// A server-side apply met fields of other managers.
    pub fn apply_conflict(message: String, causes: &[Cause]) -> Self {
        let mut error = Self::new(409, "Conflict", message);
        error.details = json!({ "causes": causes_value(causes) });
        error
    }

    /// The object breaks the rules of its kind.
    pub fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> Self {
        let lines: Vec<_> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let listed = match lines.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} \"{name}\" is invalid: {listed}", resource.qualified_kind());
        let mut error = Self::new(422, "Invalid", message);
        error.details = details(resource.kind, resource.group, name);
        if let Some(fields) = error.details.as_object_mut() {
            fields.insert("causes".into(), causes_value(causes));
        }
        error
    }

    /// The request is well-formed but cannot be carried out.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message.into())
    }

    /// A JSON patch that cannot be carried out.
    pub fn inapplicable() -> Self {
        let message = "the server rejected our request due to an error in our request".to_owned();
        Self::new(422, "Invalid", message).about_nothing()
    }

    /// A patch whose result is no object of the kind.
    pub fn bad_patch(cause: &Cause) -> Self {
        let message = format!(" \"\" is invalid: {}: {}", cause.field, cause.message);
        let mut error = Self::new(422, "Invalid", message);
        error.details = json!({ "causes": causes_value(std::slice::from_ref(cause)) });
        error
    }

    /// Options of a request that make no sense; `kind` is `ListOptions`, `PatchOptions`, …
    pub fn bad_options(kind: &str, cause: &Cause) -> Self {
        let message = format!("{kind}.meta.k8s.io \"\" is invalid: {}: {}", cause.field, cause.message);
        let mut error = Self::new(422, "Invalid", message);
        let causes = causes_value(std::slice::from_ref(cause));
        error.details = json!({ "group": "meta.k8s.io", "kind": kind, "causes": causes });
        error
    }

    /// The server failed in a place where it has no words for clients.
    pub fn unexplained(message: impl Into<String>) -> Self {
        Self::new(500, "", message.into())
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message.into())
    }

    /// Nobody the server knows.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "Unauthorized", message.into())
    }

    /// The caller may not; `details` names what.
    pub fn forbidden(message: impl Into<String>, resource: &str, group: &str, name: &str) -> Self {
        let mut error = Self::new(403, "Forbidden", message.into());
        error.details = details(resource, group, name);
        error
    }

    /// The path knows no such method.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource".to_owned();
        Self::new(405, "MethodNotAllowed", message).about_nothing()
    }

    /// The asked-for past is forgotten.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message.into())
    }

    /// The asked-for version lies in the future.
    pub fn too_large_version(asked: u64, present: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {present}");
        let mut error = Self::new(504, "Timeout", message);
        let cause = json!({ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" });
        error.details = json!({ "causes": [cause], "retryAfterSeconds": 1 });
        error
    }

    /// A body in a format that this path does not take.
    pub fn unsupported_media(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message.into()).about_nothing()
    }

    /// No form that the client takes can be had.
    pub fn not_acceptable() -> Self {
        Self::new(406, "NotAcceptable", "406: Not Acceptable".to_owned()).about_nothing()
    }

    /// Not now: too many requests, or a disruption budget says so.
    pub fn too_many(message: impl Into<String>, retry_after: Option<u64>) -> Self {
        let mut error = Self::new(429, "TooManyRequests", message.into());
        if let Some(seconds) = retry_after {
            error.details = json!({ "retryAfterSeconds": seconds });
        }
        error
    }

    /// The server itself failed.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        let mut error = Self::new(500, "InternalError", format!("Internal error occurred: {message}"));
        error.details = json!({ "causes": [{ "message": message.to_string() }] });
        error
    }

    /// The `Status` object that goes over the wire.
    pub fn body(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("kind".into(), "Status".into());
        fields.insert("apiVersion".into(), "v1".into());
        fields.insert("metadata".into(), json!({}));
        fields.insert("status".into(), "Failure".into());
        fields.insert("message".into(), self.message.clone().into());
        if !self.reason.is_empty() {
            fields.insert("reason".into(), self.reason.into());
        }
        if !self.details.is_null() {
            fields.insert("details".into(), self.details.clone());
        }
        fields.insert("code".into(), self.code.into());
        Value::Object(fields)
    }
}

fn details(kind: &str, group: &str, name: &str) -> Value {
    let mut fields = Map::new();
    for (key, text) in [("name", name), ("group", group), ("kind", kind)] {
        if !text.is_empty() {
            fields.insert(key.into(), text.into());
        }
    }
    Value::Object(fields)
}

fn causes_value(causes: &[Cause]) -> Value {
    causes
        .iter()
        .map(|cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::resource::by_plural;

    #[test]
    fn a_missing_object_is_named_with_its_group() {
        let error = StatusError::not_found(by_plural("deployments").expect("a row"), "web");
        assert_eq!(
            error.body(),
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "deployments.apps \"web\" not found", "reason": "NotFound",
                "details": {"name": "web", "group": "apps", "kind": "deployments"}, "code": 404})
        );
    }

    #[test]
    fn several_causes_stand_in_brackets() {
        let causes = [
            Cause::invalid("spec.replicas", &json!(-1), "must be greater than or equal to 0"),
            Cause::required("spec.selector", ""),
        ];
        let error = StatusError::invalid(by_plural("deployments").expect("a row"), "web", &causes);
        assert_eq!(
            error.message,
            "Deployment.apps \"web\" is invalid: [spec.replicas: Invalid value: -1: must be greater \
             than or equal to 0, spec.selector: Required value]"
        );
    }
}
