//! Several files seen as one, as kubectl sees them: the first to define a name wins.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::endpoint::Endpoint;
use super::error::KubeconfigError;
use super::fields::Fields;
use super::identity::KubernetesIdentity;
use super::user::User;
use crate::clock::Clock;
use crate::cluster::socket::{ClientCertificate, Server, Trust};
use crate::secret::Redactor;
use crate::source::nearest;

/// The merged content of kubeconfig files.
#[derive(Debug, Clone, Default)]
pub struct Kubeconfig {
    current: Option<String>,
    contexts: Entries,
    clusters: Entries,
    users: Entries,
}

/// What a context leads to.
#[derive(Debug)]
pub struct Access {
    /// The context's name.
    pub context: String,
    /// The namespace it prefers; runbooks do not use it.
    pub namespace: Option<String>,
    /// The cluster.
    pub endpoint: Endpoint,
    /// Who we are there.
    pub user: User,
}

impl Access {
    /// The cluster as the transport is told; the identity knows the certificate.
    pub fn server(&self, certificate: Option<ClientCertificate>) -> Server {
        let Endpoint { server, certificate_authority, insecure, tls_server_name, proxy_url, .. } = &self.endpoint;
        let trust = match certificate_authority {
            Some(pem) => Trust::Authorities(pem.clone()),
            None if *insecure => Trust::Anyone,
            None => Trust::System,
        };
        Server {
            url: server.clone(),
            trust,
            certificate,
            certificate_name: tls_server_name.clone(),
            proxy: proxy_url.clone(),
            ..Server::default()
        }
    }

    /// The identity of the user, ready to be used; what it holds is hidden from now on.
    pub fn identity(&self, clock: Clock, redactor: &Redactor) -> KubernetesIdentity {
        KubernetesIdentity::new(self, clock, redactor)
    }
}

impl Kubeconfig {
    /// Reads one file's content; `path` is where it is from, and what its relative paths start at.
    pub fn from_value(path: &Path, content: &Value) -> Result<Self, KubeconfigError> {
        let shape = |what: &str| KubeconfigError::Shape { path: path.to_path_buf(), what: what.to_owned() };
        let fields = match content {
            // An empty file is one without entries, as for kubectl.
            Value::Null => return Ok(Self::default()),
            Value::Object(fields) => fields,
            _ => return Err(shape("it is not a map")),
        };
        if fields.get("kind").is_some_and(|kind| !matches!(kind.as_str(), Some("Config" | ""))) {
            return Err(shape("its kind is not Config"));
        }
        let current = Fields::new("the file".to_owned(), path, fields.clone());
        Ok(Self {
            current: current.text("current-context")?.map(str::to_owned),
            contexts: Entries::read(path, fields, "context")?,
            clusters: Entries::read(path, fields, "cluster")?,
            users: Entries::read(path, fields, "user")?,
        })
    }

    /// Joins several files; earlier ones win.
    pub fn merge<'a>(files: impl IntoIterator<Item = (&'a Path, &'a Value)>) -> Result<Self, KubeconfigError> {
        files.into_iter().try_fold(Self::default(), |mut merged, (path, content)| {
            let next = Self::from_value(path, content)?;
            merged.current = merged.current.or(next.current);
            merged.contexts.extend(next.contexts);
            merged.clusters.extend(next.clusters);
            merged.users.extend(next.users);
            Ok(merged)
        })
    }

    /// The names of all contexts.
    pub fn contexts(&self) -> Vec<&str> {
        self.contexts.0.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// The context that is used where none is asked for.
    pub fn current_context(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// What a context, or else the current one, leads to.
    pub fn select(&self, context: Option<&str>) -> Result<Access, KubeconfigError> {
        let context = context.or(self.current.as_deref()).ok_or_else(|| KubeconfigError::NoContext {
            known: self.contexts().into_iter().map(str::to_owned).collect(),
        })?;
        let fields = self.contexts.find("context", context)?;
        let cluster = fields.text("cluster")?.ok_or_else(|| fields.error("it names no cluster"))?;
        let endpoint = Endpoint::decode(&self.clusters.find("cluster", cluster)?)?;
        let user = match fields.text("user")? {
            Some(name) => User::decode(name, &self.users.find("user", name)?)?,
            None => User::anonymous(),
        };
        let namespace = fields.text("namespace")?.map(str::to_owned);
        Ok(Access { context: context.to_owned(), namespace, endpoint, user })
    }
}

/// Named entries of one kind, in the order of their weight.
#[derive(Debug, Clone, Default)]
struct Entries(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    file: PathBuf,
    fields: Map<String, Value>,
}

impl Entries {
    /// Reads `<kind>s: [{name, <kind>: {…}}]`.
    fn read(path: &Path, fields: &Map<String, Value>, kind: &str) -> Result<Self, KubeconfigError> {
        let shape = |what: String| KubeconfigError::Shape { path: path.to_path_buf(), what };
        let mut entries = Self::default();
        match fields.get(&format!("{kind}s")) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let entry = Entry::read(path, item, kind);
                    entries.push(entry.ok_or_else(|| shape(format!("{kind}s[{index}] is not a name and a {kind}")))?);
                }
            }
            Some(_) => return Err(shape(format!("{kind}s is not a list"))),
        }
        Ok(entries)
    }

    fn push(&mut self, entry: Entry) {
        if !self.0.iter().any(|known| known.name == entry.name) {
            self.0.push(entry);
        }
    }

    fn extend(&mut self, later: Self) {
        later.0.into_iter().for_each(|entry| self.push(entry));
    }

    fn find(&self, kind: &'static str, name: &str) -> Result<Fields, KubeconfigError> {
        let entry = self.0.iter().find(|entry| entry.name == name).ok_or_else(|| KubeconfigError::Unknown {
            kind,
            name: name.to_owned(),
            suggestion: nearest(name, self.0.iter().map(|entry| entry.name.as_str())).map(str::to_owned),
            known: self.0.iter().map(|entry| entry.name.clone()).collect(),
        })?;
        Ok(Fields::new(format!("{kind} `{name}`"), &entry.file, entry.fields.clone()))
    }
}

impl Entry {
    fn read(path: &Path, item: &Value, kind: &str) -> Option<Self> {
        let fields = match item.get(kind) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(fields)) => fields.clone(),
            Some(_) => return None,
        };
        let name = item.get("name")?.as_str()?.to_owned();
        Some(Self { name, file: path.to_path_buf(), fields })
    }
}
