//! How the BFF narrows some lists for those who are not admins.

use std::sync::Arc;

use serde_json::Value;

use crate::simulator::object;
use crate::simulator::resource::Resource;

/// The lists across namespaces that are narrowed; all others are left to permissions.
pub(super) const PATHS: [&str; 6] =
    ["namespaces", "pods", "jobs", "cronjobs", "networkpolicies", "persistentvolumeclaims"];

/// The items in whose namespace the user's name is a piece.
pub(super) fn narrowed(mut objects: Vec<Arc<Value>>, resource: &Resource, user: &str) -> Vec<Arc<Value>> {
    objects.retain(|object| {
        let ns = if resource.plural == "namespaces" { object::name(object) } else { object::namespace(object) };
        ns.split('-').any(|piece| piece == user)
    });
    objects
}
