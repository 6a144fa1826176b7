//! Kinds that are not known by heart, asked of the server one group at a time.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Mutex;

use super::path::{Path, PathError};
use super::resource::{CRON_JOB, OLD_CRON_JOB, Resource};
use super::{Client, Error, Refusal, Request};

/// What servers take for sure, since 1.4 until today.
const OLD_EVICTION: &str = "policy/v1beta1";

/// What was asked, by the prefix of the server.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    /// The groups, by version.
    groups: Mutex<Groups>,
    /// The version of evictions.
    evictions: Mutex<HashMap<Path, String>>,
}

type Groups = HashMap<(Path, String), Arc<Vec<Resource>>>;

impl Client {
    /// The resource behind `apiVersion` and `kind`, known by heart or asked of the server.
    pub async fn resource(&self, api_version: &str, kind: &str) -> Result<Resource, Error> {
        if let Some(known) = Resource::of(api_version, kind) {
            return Ok(known.clone());
        }
        let find = |kinds: &[Resource]| kinds.iter().find(|resource| resource.kind == kind).cloned();
        let key = (self.prefix().clone(), api_version.to_owned());
        let mut groups = self.discovery().groups.lock().await;
        if let Some(found) = groups.get(&key).and_then(|kinds| find(kinds)) {
            return Ok(found);
        }
        // A kind that was not there may have been installed since.
        let kinds = Arc::new(self.ask(api_version).await?);
        groups.insert(key, Arc::clone(&kinds));
        find(&kinds).ok_or_else(|| Error::UnknownKind {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            known: kinds.iter().map(|resource| resource.kind.to_string()).collect(),
        })
    }

    /// Cron jobs as this server has them.
    ///
    /// A server that does not say is taken for a present one.
    pub async fn cron_jobs(&self) -> Result<Resource, Error> {
        let key = (self.prefix().clone(), CRON_JOB.api_version());
        let mut groups = self.discovery().groups.lock().await;
        let kinds = match groups.get(&key) {
            Some(kinds) => Arc::clone(kinds),
            None => match self.ask(&key.1).await {
                Ok(kinds) => Arc::new(kinds),
                Err(error) if error.refusal().is_some_and(Refusal::is_forbidden) => Arc::new(vec![CRON_JOB]),
                Err(error) => return Err(error),
            },
        };
        let modern = kinds.is_empty() || kinds.iter().any(|resource| resource.kind == CRON_JOB.kind);
        groups.insert(key, kinds);
        Ok(if modern { CRON_JOB } else { OLD_CRON_JOB })
    }

    /// The version of evictions that this server takes, as `pods/eviction` says in its discovery.
    ///
    /// A server that does not say takes the old one: present ones do too.
    pub async fn eviction_version(&self) -> Result<String, Error> {
        let mut known = self.discovery().evictions.lock().await;
        if let Some(version) = known.get(self.prefix()) {
            return Ok(version.clone());
        }
        let request = Request::get(group_path("v1")?).label("look up the version of evictions");
        let version = match self.read_json(&request).await {
            Ok(list) => eviction(&list),
            Err(Error::Refused(no)) if no.is_forbidden() || no.is_unrouted() || no.is_not_found() => None,
            Err(error) => return Err(error),
        };
        let version = version.unwrap_or_else(|| OLD_EVICTION.to_owned());
        known.insert(self.prefix().clone(), version.clone());
        Ok(version)
    }

    /// All kinds of a group and version; none where the server does not have it.
    async fn ask(&self, api_version: &str) -> Result<Vec<Resource>, Error> {
        let request = Request::get(group_path(api_version)?).label(format!("look up the kinds of {api_version}"));
        match self.read_json(&request).await {
            Ok(list) => Ok(kinds(api_version, &list)),
            Err(Error::Refused(refusal)) if refusal.is_unrouted() || refusal.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn group_path(api_version: &str) -> Result<Path, PathError> {
    match api_version.split_once('/') {
        Some((group, version)) => Path::of("/apis").push(group)?.push(version),
        None => Path::of("/api").push(api_version),
    }
}

/// The version beside `pods/eviction` in the core's `APIResourceList`.
fn eviction(list: &Value) -> Option<String> {
    let rows = list.get("resources").and_then(Value::as_array)?;
    let row = rows.iter().find(|row| row.get("name").is_some_and(|name| name == "pods/eviction"))?;
    let text = |field: &str| row.get(field).and_then(Value::as_str);
    Some(format!("{}/{}", text("group")?, text("version")?))
}

/// The kinds in an `APIResourceList`; subresources are left out.
fn kinds(api_version: &str, list: &Value) -> Vec<Resource> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let rows = list.get("resources").and_then(Value::as_array);
    let resource = |row: &Value| {
        let plural = row.get("name")?.as_str().filter(|name| !name.contains('/'))?;
        Some(Resource {
            group: group.to_owned().into(),
            version: version.to_owned().into(),
            plural: plural.to_owned().into(),
            kind: row.get("kind")?.as_str()?.to_owned().into(),
            namespaced: row.get("namespaced")?.as_bool()?,
        })
    };
    rows.into_iter().flatten().filter_map(resource).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{answer, client, typed};
    use crate::cluster::{resource::DEPLOYMENT, testing::Script};

    const BATCH: &str = r#"{"kind":"APIResourceList","resources":[
        {"name":"jobs","kind":"Job","namespaced":true},{"name":"jobs/status","kind":"Job","namespaced":true}]}"#;

    #[tokio::test(start_paused = true)]
    async fn a_custom_kind_is_asked_once_and_a_known_one_never() {
        let list = r#"{"resources":[{"name":"locations","kind":"Location","namespaced":false},
            {"name":"locations/status","kind":"Location","namespaced":false}]}"#;
        let script = Script::new([answer(200, list)]);
        let client = client(&script);
        assert_eq!(client.resource("apps/v1", "Deployment").await.unwrap(), DEPLOYMENT);
        for _ in 0..2 {
            let found = client.resource("edge.example/v1", "Location").await.unwrap();
            assert_eq!((found.plural.as_ref(), found.namespaced), ("locations", false));
        }
        assert_eq!(script.seen(), ["GET /apis/edge.example/v1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_that_is_not_there_names_those_that_are_and_is_asked_again() {
        let script = Script::new([answer(200, BATCH), typed(404, "text/plain", "404 page not found")]);
        let client = client(&script);
        let error = client.resource("batch/v1", "Jbo").await.unwrap_err();
        assert!(matches!(&error, Error::UnknownKind { known, .. } if known == &["Job"]), "{error:?}");
        assert!(
            matches!(client.resource("batch/v1", "Jbo").await, Err(Error::UnknownKind { known, .. }) if known.is_empty())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn old_servers_have_old_cron_jobs() {
        let script = Script::new([answer(200, BATCH)]);
        let client = client(&script);
        assert_eq!(client.cron_jobs().await.unwrap(), OLD_CRON_JOB);
        assert_eq!(client.cron_jobs().await.unwrap(), OLD_CRON_JOB);
        assert_eq!(script.seen().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_will_not_say_is_taken_for_a_present_one() {
        let script = Script::new([answer(403, r#"{"kind":"Status","reason":"Forbidden","message":"no","code":403}"#)]);
        assert_eq!(client(&script).cron_jobs().await.unwrap(), CRON_JOB);
    }

    #[tokio::test(start_paused = true)]
    async fn evictions_are_of_the_version_that_the_server_says_asked_once() {
        let list = r#"{"resources":[{"name":"pods","kind":"Pod","namespaced":true},
            {"name":"pods/eviction","kind":"Eviction","group":"policy","version":"v1","namespaced":true}]}"#;
        let script = Script::new([answer(200, list)]);
        let client = client(&script);
        for _ in 0..2 {
            assert_eq!(client.eviction_version().await.unwrap(), "policy/v1");
        }
        assert_eq!(script.seen(), ["GET /api/v1"]);
        let silent = Script::new([answer(200, r#"{"resources":[{"name":"pods/eviction"}]}"#)]);
        assert_eq!(super::super::testing::client(&silent).eviction_version().await.unwrap(), "policy/v1beta1");
    }

    #[tokio::test(start_paused = true)]
    async fn another_prefix_is_another_server() {
        let list = r#"{"resources":[{"name":"xs","kind":"X","namespaced":true}]}"#;
        let script = Script::new([answer(200, list), answer(200, list)]);
        let client = client(&script);
        client.resource("x/v1", "X").await.unwrap();
        client.under(Path::of("/clusters").push("root:a").unwrap()).resource("x/v1", "X").await.unwrap();
        assert_eq!(script.seen(), ["GET /apis/x/v1", "GET /clusters/root:a/apis/x/v1"]);
    }
}
