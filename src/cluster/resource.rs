//! Kinds of objects and where their objects live.
//!
//! A [`Resource`] is a kind; [`Resource::at`] and [`Resource::within`] join it
//! with names, once, so that every request built from the result has a path
//! that is known to be sound.

use std::borrow::Cow;

use serde_json::Value;

use super::path::{Path, PathError};

/// A kind of object, as the server names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The API group; empty for the core.
    pub group: Cow<'static, str>,
    /// The version: `v1`.
    pub version: Cow<'static, str>,
    /// The word in paths: `deployments`.
    pub plural: Cow<'static, str>,
    /// The word in objects: `Deployment`.
    pub kind: Cow<'static, str>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
}

const fn known(group: &'static str, version: &'static str, plural: &'static str, kind: &'static str) -> Resource {
    Resource {
        group: Cow::Borrowed(group),
        version: Cow::Borrowed(version),
        plural: Cow::Borrowed(plural),
        kind: Cow::Borrowed(kind),
        namespaced: true,
    }
}

const fn global(plural: &'static str, kind: &'static str) -> Resource {
    let mut resource = known("", "v1", plural, kind);
    resource.namespaced = false;
    resource
}

/// Deployments.
pub const DEPLOYMENT: Resource = known("apps", "v1", "deployments", "Deployment");
/// Stateful sets.
pub const STATEFUL_SET: Resource = known("apps", "v1", "statefulsets", "StatefulSet");
/// Daemon sets.
pub const DAEMON_SET: Resource = known("apps", "v1", "daemonsets", "DaemonSet");
/// Replica sets.
pub const REPLICA_SET: Resource = known("apps", "v1", "replicasets", "ReplicaSet");
/// Controller revisions: the past of stateful sets and daemon sets.
pub const CONTROLLER_REVISION: Resource = known("apps", "v1", "controllerrevisions", "ControllerRevision");
/// Pods.
pub const POD: Resource = known("", "v1", "pods", "Pod");
/// Jobs.
pub const JOB: Resource = known("batch", "v1", "jobs", "Job");
/// Cron jobs, as servers since Kubernetes 1.21 have them; see [`super::Client::cron_jobs`].
pub const CRON_JOB: Resource = known("batch", "v1", "cronjobs", "CronJob");
/// Cron jobs, as servers before Kubernetes 1.21 have them.
pub const OLD_CRON_JOB: Resource = known("batch", "v1beta1", "cronjobs", "CronJob");
/// Nodes.
pub const NODE: Resource = global("nodes", "Node");
/// Namespaces.
pub const NAMESPACE: Resource = global("namespaces", "Namespace");
/// Services.
pub const SERVICE: Resource = known("", "v1", "services", "Service");
/// Config maps.
pub const CONFIG_MAP: Resource = known("", "v1", "configmaps", "ConfigMap");
/// Secrets.
pub const SECRET: Resource = known("", "v1", "secrets", "Secret");
/// Events, as every server has them; new-style events show here too.
pub const EVENT: Resource = known("", "v1", "events", "Event");

/// The kinds that need no discovery.
pub static RESOURCES: [Resource; 14] = [
    DEPLOYMENT,
    STATEFUL_SET,
    DAEMON_SET,
    REPLICA_SET,
    CONTROLLER_REVISION,
    POD,
    JOB,
    CRON_JOB,
    NODE,
    NAMESPACE,
    SERVICE,
    CONFIG_MAP,
    SECRET,
    EVENT,
];

impl Resource {
    /// The kind of this name (`Deployment`), if it needs no discovery.
    pub fn of_kind(kind: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|resource| resource.kind == kind)
    }

    /// The kind of this version and name (`apps/v1`, `Deployment`), if it needs no discovery.
    pub fn of(api_version: &str, kind: &str) -> Option<&'static Self> {
        Self::of_kind(kind).filter(|resource| resource.api_version() == api_version)
    }

    /// What stands in an object's `apiVersion`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// One object, by name.
    pub fn at(&self, namespace: Option<&str>, name: &str) -> Result<Address, PathError> {
        if self.namespaced && namespace.is_none() {
            return Err(PathError::NoNamespace(self.kind.to_lowercase()));
        }
        let collection = self.within(namespace)?;
        let path = collection.path.clone().push(name)?;
        Ok(Address { collection, name: name.to_owned(), path })
    }

    /// All objects of a namespace; without one, of the whole server.
    pub fn within(&self, namespace: Option<&str>) -> Result<Collection, PathError> {
        if !self.namespaced && namespace.is_some() {
            return Err(PathError::Namespaced(self.kind.to_lowercase()));
        }
        let mut path = self.root()?;
        if let Some(namespace) = namespace {
            path = path.plus("namespaces").push(namespace)?;
        }
        let path = path.push(&self.plural)?;
        Ok(Collection { resource: self.clone(), namespace: namespace.map(str::to_owned), path })
    }

    /// `/api/v1` or `/apis/apps/v1`.
    fn root(&self) -> Result<Path, PathError> {
        if self.group.is_empty() {
            Path::of("/api").push(&self.version)
        } else {
            Path::of("/apis").push(&self.group)?.push(&self.version)
        }
    }

    /// Writes `kind` and `apiVersion` into an object that came without them, as items of lists do.
    pub fn name_kind(&self, object: &mut Value) {
        if let Some(fields) = object.as_object_mut() {
            fields.entry("apiVersion").or_insert_with(|| self.api_version().into());
            fields.entry("kind").or_insert_with(|| self.kind.as_ref().into());
        }
    }
}

/// Where all objects of a kind are: in one namespace, or everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Collection {
    resource: Resource,
    namespace: Option<String>,
    path: Path,
}

impl Collection {
    /// The kind.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The namespace; none for all of them, or for a kind that has none.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The path of the list.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for Collection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{} in {namespace}", self.resource.plural),
            None => write!(formatter, "{}", self.resource.plural),
        }
    }
}

/// Where one object is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    collection: Collection,
    name: String,
    path: Path,
}

impl Address {
    /// The collection that the object belongs to.
    pub fn collection(&self) -> &Collection {
        &self.collection
    }

    /// The kind.
    pub fn resource(&self) -> &Resource {
        &self.collection.resource
    }

    /// The namespace, for kinds that have one.
    pub fn namespace(&self) -> Option<&str> {
        self.collection.namespace()
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of the object.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.resource().kind.to_lowercase();
        match self.namespace() {
            Some(namespace) => write!(formatter, "{kind} {namespace}/{}", self.name),
            None => write!(formatter, "{kind} {}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_follow_group_and_namespace() {
        let path = |address: Result<Address, PathError>| address.unwrap().path().to_string();
        assert_eq!(path(DEPLOYMENT.at(Some("shop"), "web")), "/apis/apps/v1/namespaces/shop/deployments/web");
        assert_eq!(path(POD.at(Some("shop"), "web-1")), "/api/v1/namespaces/shop/pods/web-1");
        assert_eq!(path(NODE.at(None, "n1")), "/api/v1/nodes/n1");
        assert_eq!(POD.within(None).unwrap().path().as_str(), "/api/v1/pods");
    }

    #[test]
    fn a_namespace_is_demanded_and_refused_by_kind() {
        assert_eq!(POD.at(None, "x").unwrap_err().to_string(), "a pod needs a namespace");
        assert_eq!(NODE.at(Some("shop"), "x").unwrap_err().to_string(), "a node is in no namespace");
        assert!(
            POD.at(Some("shop"), "../secrets").is_ok_and(|address| address.path().as_str().ends_with("..%2Fsecrets"))
        );
    }

    #[test]
    fn an_item_gets_the_kind_it_lacks_and_keeps_the_one_it_has() {
        let mut item = json!({"metadata": {}});
        DEPLOYMENT.name_kind(&mut item);
        assert_eq!(item, json!({"metadata": {}, "apiVersion": "apps/v1", "kind": "Deployment"}));
        let mut whole = json!({"kind": "Other", "apiVersion": "x/v2"});
        DEPLOYMENT.name_kind(&mut whole);
        assert_eq!(whole, json!({"kind": "Other", "apiVersion": "x/v2"}));
    }

    #[test]
    fn people_read_kind_namespace_and_name() {
        assert_eq!(DEPLOYMENT.at(Some("shop"), "web").unwrap().to_string(), "deployment shop/web");
        assert_eq!(NODE.at(None, "n1").unwrap().to_string(), "node n1");
        assert_eq!(JOB.within(Some("shop")).unwrap().to_string(), "jobs in shop");
    }

    #[test]
    fn the_kinds_known_by_heart_are_found_by_name() {
        assert_eq!(Resource::of_kind("Deployment"), Some(&DEPLOYMENT));
        assert_eq!(Resource::of("apps/v1", "Deployment"), Some(&DEPLOYMENT));
        assert_eq!(Resource::of("extensions/v1beta1", "Deployment"), None);
    }
}
