//! The verbs of the Kubernetes API: from a place to the request that reads or changes it.

use http::Method;
use serde_json::{Map, Value, json};

use super::path::Path;
use super::request::{FIELD_MANAGER, Media, Read, Request, Write};
use super::resource::{Address, Collection, Resource};

/// How the things that an object owns go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They go first; the object stays until they are gone.
    Foreground,
    /// They go later, by the garbage collector.
    Background,
    /// They stay.
    Orphan,
}

/// How an object is to be deleted; the default asks nothing in particular.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deletion {
    /// Only if it is still this very object.
    pub uid: Option<String>,
    /// Only if nothing changed since.
    pub resource_version: Option<String>,
    /// What happens to what it owns.
    pub propagation: Option<Propagation>,
    /// Seconds to end in peace; the object's own setting if none.
    pub grace_period: Option<u32>,
}

impl Deletion {
    fn options(&self) -> Value {
        let mut options = Map::new();
        options.insert("kind".into(), "DeleteOptions".into());
        options.insert("apiVersion".into(), "v1".into());
        let mut preconditions = Map::new();
        put(&mut preconditions, "uid", self.uid.as_deref());
        put(&mut preconditions, "resourceVersion", self.resource_version.as_deref());
        if !preconditions.is_empty() {
            options.insert("preconditions".into(), preconditions.into());
        }
        put(&mut options, "propagationPolicy", self.propagation.map(|policy| format!("{policy:?}")));
        put(&mut options, "gracePeriodSeconds", self.grace_period);
        options.into()
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}

/// Which part of a container's log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogPart {
    /// The container; needed where a pod has several.
    pub container: Option<String>,
    /// The log of the instance before the present one.
    pub previous: bool,
    /// The last lines only.
    pub tail: Option<u32>,
    /// The last seconds only.
    pub since_seconds: Option<u64>,
    /// From this moment on, by the node's clock; the server looks at whole seconds.
    pub since_time: Option<String>,
    /// At most so many bytes.
    pub limit_bytes: Option<u64>,
    /// Each line begins with its moment.
    pub timestamps: bool,
}

impl Collection {
    /// Reads a page of the list.
    pub fn list(&self) -> Request<Read> {
        Request::get(self.path().clone()).label(format!("list {self}"))
    }

    /// Follows the list's changes from a version on, with bookmarks, for so many seconds.
    pub fn watch(&self, resource_version: &str, seconds: u64) -> Request<Read> {
        Request::get(self.path().clone())
            .with("watch", "1")
            .with("allowWatchBookmarks", "true")
            .with("resourceVersion", resource_version)
            .with("timeoutSeconds", seconds.to_string())
            .label(format!("watch {self}"))
    }

    /// Creates an object.
    pub fn create(&self, object: Value) -> Request<Write> {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("(unnamed)");
        let label = format!("create {} {name}", self.resource().kind.to_lowercase());
        Request::change(Method::POST, self.path().clone())
            .manager(FIELD_MANAGER)
            .with_body(Media::Json, object)
            .label(label)
    }
}

impl Address {
    /// Reads the object.
    pub fn get(&self) -> Request<Read> {
        Request::get(self.path().clone()).label(format!("get {self}"))
    }

    /// Changes the object by a patch of RFC 7396.
    pub fn merge_patch(&self, patch: Value) -> Request<Write> {
        self.patch(Media::MergePatch, patch)
    }

    /// Changes the object by a patch of RFC 6902.
    pub fn json_patch(&self, operations: Value) -> Request<Write> {
        self.patch(Media::JsonPatch, operations)
    }

    /// Changes the object by a patch whose lists merge by key; built-in kinds only.
    pub fn strategic_patch(&self, patch: Value) -> Request<Write> {
        self.patch(Media::StrategicPatch, patch)
    }

    /// Creates or changes the object by server-side apply; `force` takes fields over from others.
    pub fn apply(&self, object: Value, force: bool) -> Request<Write> {
        self.patch(Media::ApplyPatch, object).with("force", force.to_string()).label(format!("apply {self}"))
    }

    fn patch(&self, media: Media, patch: Value) -> Request<Write> {
        Request::change(Method::PATCH, self.path().clone())
            .manager(FIELD_MANAGER)
            .with_body(media, patch)
            .label(format!("patch {self}"))
    }

    /// Deletes the object.
    pub fn delete(&self, how: &Deletion) -> Request<Write> {
        Request::change(Method::DELETE, self.path().clone())
            .with_body(Media::Json, how.options())
            .label(format!("delete {self}"))
    }

    /// Asks the server to delete the pod, if its disruption budgets allow.
    ///
    /// `version` is what [`super::Client::eviction_version`] says.
    pub fn evict(&self, version: &str, how: &Deletion) -> Request<Write> {
        let eviction = json!({
            "kind": "Eviction",
            "apiVersion": version,
            "metadata": {"name": self.name(), "namespace": self.namespace()},
            "deleteOptions": how.options(),
        });
        Request::change(Method::POST, self.path().clone().plus("eviction"))
            .with_body(Media::Json, eviction)
            .label(format!("evict {self}"))
    }

    /// Reads the log of the pod.
    pub fn logs(&self, part: &LogPart) -> Request<Read> {
        Request::get(self.path().clone().plus("log"))
            .with_some("container", part.container.clone())
            .with_some("previous", part.previous.then_some("true"))
            .with_some("tailLines", part.tail.map(|lines| lines.to_string()))
            .with_some("sinceSeconds", part.since_seconds.map(|seconds| seconds.to_string()))
            .with_some("sinceTime", part.since_time.clone())
            .with_some("limitBytes", part.limit_bytes.map(|bytes| bytes.to_string()))
            .with_some("timestamps", part.timestamps.then_some("true"))
            .label(format!("read the log of {self}"))
    }
}

/// Something that one might be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// `get`, `patch`, `delete`, `create`, …
    pub verb: String,
    /// On which kind.
    pub resource: Resource,
    /// On which part of it: `eviction`, `log`.
    pub subresource: Option<String>,
    /// In which namespace; none for all.
    pub namespace: Option<String>,
    /// On which object; none for all.
    pub name: Option<String>,
}

impl Permission {
    /// Asks the server whether we may; see [`super::provider::Provider::reviews_access`].
    pub fn review(&self) -> Request<Read> {
        let mut attributes = Map::new();
        put(&mut attributes, "verb", Some(self.verb.as_str()));
        put(&mut attributes, "group", Some(self.resource.group.as_ref()));
        put(&mut attributes, "version", Some(self.resource.version.as_ref()));
        put(&mut attributes, "resource", Some(self.resource.plural.as_ref()));
        put(&mut attributes, "subresource", self.subresource.as_deref());
        put(&mut attributes, "namespace", self.namespace.as_deref());
        put(&mut attributes, "name", self.name.as_deref());
        let question = json!({
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": attributes},
        });
        Request::ask(Path::of("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), question)
            .label(format!("ask whether we may {self}"))
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.verb, self.resource.plural)?;
        if let Some(subresource) = &self.subresource {
            write!(formatter, "/{subresource}")?;
        }
        match (&self.namespace, &self.name) {
            (Some(namespace), Some(name)) => write!(formatter, " {namespace}/{name}"),
            (Some(namespace), None) => write!(formatter, " in {namespace}"),
            (None, Some(name)) => write!(formatter, " {name}"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resource::{DEPLOYMENT, NODE, POD};

    fn web() -> Address {
        DEPLOYMENT.at(Some("shop"), "web").unwrap()
    }

    #[test]
    fn a_delete_carries_its_preconditions() {
        let how = Deletion {
            uid: Some("u-1".into()),
            resource_version: Some("42".into()),
            propagation: Some(Propagation::Foreground),
            grace_period: Some(0),
        };
        let request = web().delete(&how);
        assert_eq!(request.method(), Method::DELETE);
        assert_eq!(
            request.body().unwrap(),
            &json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u-1", "resourceVersion": "42"},
                    "propagationPolicy": "Foreground", "gracePeriodSeconds": 0})
        );
        assert_eq!(Deletion::default().options(), json!({"kind": "DeleteOptions", "apiVersion": "v1"}));
    }

    #[test]
    fn patches_name_us_as_the_manager() {
        let request = web().apply(json!({}), true).manager("runhub-7");
        assert_eq!(request.query().text(), "?fieldManager=runhub-7&force=true");
        assert_eq!(web().merge_patch(json!({})).query().text(), "?fieldManager=runhub");
        assert_eq!(web().merge_patch(json!({})).what(), "patch deployment shop/web");
    }

    #[test]
    fn an_eviction_names_the_pod_twice() {
        let request = POD.at(Some("shop"), "web-1").unwrap().evict("policy/v1", &Deletion::default());
        assert_eq!(request.path().as_str(), "/api/v1/namespaces/shop/pods/web-1/eviction");
        assert_eq!(request.body().unwrap()["metadata"], json!({"name": "web-1", "namespace": "shop"}));
        assert_eq!(request.body().unwrap()["apiVersion"], "policy/v1");
    }

    #[test]
    fn a_log_request_sends_only_what_was_asked() {
        let pod = POD.at(Some("shop"), "web-1").unwrap();
        assert_eq!(pod.logs(&LogPart::default()).query().text(), "");
        let part = LogPart { container: Some("web".into()), tail: Some(20), timestamps: true, ..LogPart::default() };
        assert_eq!(pod.logs(&part).query().text(), "?container=web&tailLines=20&timestamps=true");
    }

    #[test]
    fn a_permission_reads_like_a_sentence() {
        let permission = Permission {
            verb: "patch".into(),
            resource: NODE,
            subresource: None,
            namespace: None,
            name: Some("n1".into()),
        };
        assert_eq!(permission.to_string(), "patch nodes n1");
        let asked = permission.review();
        assert_eq!(
            asked.body().unwrap()["spec"]["resourceAttributes"],
            json!({"verb": "patch", "group": "", "version": "v1", "resource": "nodes", "name": "n1"})
        );
    }

    #[test]
    fn a_watch_asks_for_bookmarks_from_a_version() {
        assert_eq!(
            POD.within(None).unwrap().watch("77", 290).query().text(),
            "?allowWatchBookmarks=true&resourceVersion=77&timeoutSeconds=290&watch=1"
        );
    }
}
