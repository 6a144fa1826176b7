//! The rules of pods, bare or in templates.

use serde_json::Value;

use crate::simulator::object::{list, text};
use crate::simulator::status::Cause;

pub(super) const NAME: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];

/// Adds what a pod's spec breaks to the causes.
pub(super) fn pod_spec(path: &str, spec: Option<&Value>, causes: &mut Vec<Cause>) {
    let containers = spec.map(|spec| list(spec, "/containers")).unwrap_or_default();
    if containers.is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut seen = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let place = format!("{path}.containers[{index}]");
        for field in ["name", "image"] {
            if text(container, &format!("/{field}")).is_empty() {
                causes.push(Cause::required(format!("{place}.{field}"), ""));
            }
        }
        let name = text(container, "/name");
        if !name.is_empty() && !is_dns_label(name) {
            causes.push(Cause::invalid(format!("{place}.name"), &name.into(), NAME));
        }
        let policy = text(container, "/imagePullPolicy");
        if !policy.is_empty() && !POLICIES.contains(&policy) {
            causes.push(Cause::unsupported(format!("{place}.imagePullPolicy"), &policy.into(), &POLICIES));
        }
        if seen.contains(&name) && !name.is_empty() {
            causes.push(Cause::duplicate(format!("{place}.name"), &name.into()));
        }
        seen.push(name);
    }
}

pub(super) fn is_dns_label(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.len() <= 63
        && name.chars().all(|letter| plain(letter) || letter == '-')
        && name.starts_with(plain)
        && name.ends_with(plain)
}
