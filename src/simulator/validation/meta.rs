//! The rules of `metadata`: names, labels, annotations, finalizers.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::pods::{NAME as LABEL_NAME, is_dns_label};
use crate::simulator::object::{self, text};
use crate::simulator::resource::Resource;
use crate::simulator::selector::{VALUE_RULE, is_label_text, key_errors};
use crate::simulator::status::Cause;

/// Names of most objects.
static SUBDOMAIN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").ok());

const NAME: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const SERVICE_NAME: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
    alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
    validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// Adds what is wrong with the name of a new object; permissions take any name that fits into a path.
pub(super) fn name(resource: &Resource, object: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(object);
    if resource.group == "rbac.authorization.k8s.io" && !name.is_empty() {
        return;
    }
    if name.is_empty() {
        if text(object, "/metadata/generateName").is_empty() {
            causes.push(Cause::required("metadata.name", "name or generateName is required"));
        }
    } else if resource.plural == "namespaces" {
        if !is_dns_label(name) {
            causes.push(Cause::invalid("metadata.name", &name.into(), LABEL_NAME));
        }
    } else if resource.plural == "services" {
        if !is_dns_label(name) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            causes.push(Cause::invalid("metadata.name", &name.into(), SERVICE_NAME));
        }
    } else if name.len() > 253 {
        causes.push(Cause::invalid("metadata.name", &name.into(), "must be no more than 253 characters"));
    } else if !SUBDOMAIN.as_ref().is_some_and(|rule| rule.is_match(name)) {
        causes.push(Cause::invalid("metadata.name", &name.into(), NAME));
    }
}

/// Adds what is wrong with labels and annotations.
pub(super) fn tags(object: &Value, causes: &mut Vec<Cause>) {
    labels("metadata.labels", object::labels(object), causes);
    keys("metadata.annotations", object::annotations(object), causes);
}

/// Adds what is wrong with a mapping of labels.
pub(super) fn labels(field: &str, labels: &Map<String, Value>, causes: &mut Vec<Cause>) {
    keys(field, labels, causes);
    for value in labels.values() {
        let text = value.as_str().unwrap_or_default();
        if text.len() > 63 {
            causes.push(Cause::invalid(field, value, "must be no more than 63 characters"));
        } else if !text.is_empty() && !is_label_text(text) {
            causes.push(Cause::invalid(field, value, VALUE_RULE));
        }
    }
}

fn keys(field: &str, tags: &Map<String, Value>, causes: &mut Vec<Cause>) {
    for key in tags.keys() {
        // Annotations are compared without regard to case, and told so.
        let shown = if field.ends_with("annotations") { key.to_ascii_lowercase() } else { key.clone() };
        for why in key_errors(&shown) {
            causes.push(Cause::invalid(field, &shown.as_str().into(), &why));
        }
    }
}

/// Adds what an update must not do to `metadata`.
pub(super) fn changed(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (present, wanted) = (object::list(old, "/metadata/finalizers"), object::list(new, "/metadata/finalizers"));
    let fresh: Vec<_> = wanted.iter().filter(|finalizer| !present.contains(finalizer)).map(Value::to_string).collect();
    if object::is_deleting(old) && !fresh.is_empty() {
        let why = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            fresh.join(", ")
        );
        causes.push(Cause::forbidden("metadata.finalizers", &why));
    }
}
