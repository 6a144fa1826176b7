//! Environments as containers are started with them: references followed, maps spread out, `$(NAME)` put in.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::{list, reference};
use crate::action::context::Context;
use crate::action::failure;
use crate::action::get::conceal_data;
use crate::cluster::resource::{CONFIG_MAP, Resource, SECRET};
use crate::event::{Failure, ObjectId};

/// The ConfigMaps and Secrets of a namespace, each read once.
pub(super) struct Books<'a> {
    context: &'a Context,
    object: &'a Value,
    namespace: String,
    read: BTreeMap<(&'static str, String), Option<BTreeMap<String, String>>>,
    missing: Vec<String>,
}

/// What a reference came to.
enum Came {
    /// This value.
    To(String),
    /// Nothing, and it says of itself that this is well.
    Nothing,
    /// Only the running container knows.
    Later,
    /// What it points to is not there.
    Missing(String),
}

impl<'a> Books<'a> {
    pub(super) fn new(context: &'a Context, object: &'a Value) -> Self {
        let namespace = ObjectId::of(object).namespace;
        Self { context, object, namespace, read: BTreeMap::new(), missing: Vec::new() }
    }

    /// What references pointed to and was not there.
    pub(super) fn missing(&self) -> &[String] {
        &self.missing
    }

    /// The environment of a container, later names in the place of earlier ones.
    pub(super) async fn resolved(&mut self, container: &Value) -> Result<Value, Failure> {
        let mut env: Vec<Map<String, Value>> = Vec::new();
        for source in list(container, "envFrom") {
            for (name, value, from) in self.spread(source).await? {
                put(&mut env, entry(&name, Some(value), Some(from)));
            }
        }
        for variable in list(container, "env") {
            let name = variable.get("name").and_then(Value::as_str).unwrap_or_default();
            let Some(from) = variable.get("valueFrom") else {
                let text = variable.get("value").and_then(Value::as_str).unwrap_or_default();
                let value = expanded(text, &env);
                put(&mut env, entry(name, Some(value), None));
                continue;
            };
            let word = reference(from);
            match self.follow(from).await? {
                Came::To(value) => put(&mut env, entry(name, Some(value), Some(word))),
                Came::Later => put(&mut env, entry(name, None, Some(word))),
                Came::Nothing => {}
                Came::Missing(what) => {
                    self.missing.push(what);
                    put(&mut env, entry(name, None, Some(word)));
                }
            }
        }
        Ok(json!({"name": container.get("name"), "env": env}))
    }

    async fn follow(&mut self, from: &Value) -> Result<Came, Failure> {
        for (field, resource) in [("configMapKeyRef", CONFIG_MAP), ("secretKeyRef", SECRET)] {
            let Some(to) = from.get(field) else { continue };
            let text = |name: &str| to.get(name).and_then(Value::as_str).unwrap_or_default();
            let found = self.book(&resource, text("name")).await?.and_then(|book| book.get(text("key")).cloned());
            let optional = to.get("optional") == Some(&Value::Bool(true));
            return Ok(match found {
                Some(value) => Came::To(value),
                None if optional => Came::Nothing,
                None => Came::Missing(format!("{} {}/{}", resource.kind, text("name"), text("key"))),
            });
        }
        let path = from.pointer("/fieldRef/fieldPath").and_then(Value::as_str);
        Ok(path.and_then(|path| field(self.object, path)).map_or(Came::Later, Came::To))
    }

    /// All names of a whole map, with the prefix that the container wants.
    async fn spread(&mut self, source: &Value) -> Result<Vec<(String, String, String)>, Failure> {
        let prefix = source.get("prefix").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (field, resource, word) in [("configMapRef", CONFIG_MAP, "configMap"), ("secretRef", SECRET, "secret")] {
            let Some(to) = source.get(field) else { continue };
            let name = to.get("name").and_then(Value::as_str).unwrap_or_default();
            let optional = to.get("optional") == Some(&Value::Bool(true));
            let from = format!("{word} {name}");
            let Some(book) = self.book(&resource, name).await? else {
                if !optional {
                    self.missing.push(format!("{} {name}", resource.kind));
                }
                return Ok(Vec::new());
            };
            return Ok(book
                .iter()
                .map(|(key, value)| (format!("{prefix}{key}"), value.clone(), from.clone()))
                .collect());
        }
        Ok(Vec::new())
    }

    /// A map, read when it is first needed; what a Secret holds is shown nowhere from then on.
    async fn book(&mut self, resource: &Resource, name: &str) -> Result<Option<&BTreeMap<String, String>>, Failure> {
        let key = (kind_of(resource), name.to_owned());
        if !self.read.contains_key(&key) {
            let address = resource.at(Some(&self.namespace), name);
            let address = address.map_err(|error| failure::of_error(&error.into(), name))?;
            let object = self.context.find(&address).await?;
            let is_secret = *resource == SECRET;
            if let Some(object) = object.as_ref().filter(|_| is_secret) {
                conceal_data(self.context, object);
            }
            self.read.insert(key.clone(), object.map(|object| texts(&object, is_secret)));
        }
        Ok(self.read.get(&key).and_then(Option::as_ref))
    }
}

fn kind_of(resource: &Resource) -> &'static str {
    if *resource == SECRET { "Secret" } else { "ConfigMap" }
}

/// The texts of a map by key; those of a Secret as they were before they were encoded.
fn texts(object: &Value, encoded: bool) -> BTreeMap<String, String> {
    let data = object.get("data").and_then(Value::as_object);
    let plain = |text: &str| {
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    data.into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            let text = value.as_str()?;
            Some((key.clone(), if encoded { plain(text)? } else { text.to_owned() }))
        })
        .collect()
}

/// A field of the pod; of a workload only the pods to come will know.
fn field(object: &Value, path: &str) -> Option<String> {
    if ObjectId::of(object).kind != "Pod" {
        return None;
    }
    let (pointer, key) = match path.split_once("['") {
        Some((map, key)) => (map, Some(key.trim_end_matches("']").replace('~', "~0").replace('/', "~1"))),
        None => (path, None),
    };
    let mut pointer = format!("/{}", pointer.replace('.', "/"));
    if let Some(key) = key {
        pointer = format!("{pointer}/{key}");
    }
    object.pointer(&pointer).and_then(Value::as_str).map(str::to_owned)
}

fn entry(name: &str, value: Option<String>, from: Option<String>) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("name".into(), name.into());
    fields.insert("value".into(), value.map_or(Value::Null, Value::String));
    if let Some(from) = from {
        fields.insert("from".into(), from.into());
    }
    fields
}

fn put(env: &mut Vec<Map<String, Value>>, variable: Map<String, Value>) {
    let name = variable.get("name").cloned();
    match env.iter_mut().find(|known| known.get("name") == name.as_ref()) {
        Some(known) => *known = variable,
        None => env.push(variable),
    }
}

/// Puts earlier variables in the place of `$(NAME)`; `$$` stands for `$`, and an unknown name for itself.
fn expanded(text: &str, env: &[Map<String, Value>]) -> String {
    let value = |name: &str| {
        let known = env.iter().find(|known| known.get("name").is_some_and(|known| known == name))?;
        known.get("value")?.as_str()
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        match rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            Some((name, after)) => {
                match value(name) {
                    Some(value) => out.push_str(value),
                    None => out.extend(["$(", name, ")"]),
                }
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_names_are_put_in_and_dollars_doubled_are_dollars() {
        let env = [entry("HOST", Some("db".into()), None), entry("LATER", None, None)];
        for (text, wanted) in [
            ("$(HOST):5432", "db:5432"),
            ("$$(HOST)", "$(HOST)"),
            ("$(NOBODY)/$(LATER)", "$(NOBODY)/$(LATER)"),
            ("a$b$", "a$b$"),
            ("$(HOST", "$(HOST"),
        ] {
            assert_eq!(expanded(text, &env), wanted, "{text}");
        }
    }

    #[test]
    fn fields_are_those_of_the_pod() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "web-1", "labels": {"app.kubernetes.io/name": "web"}}});
        assert_eq!(field(&pod, "metadata.name").as_deref(), Some("web-1"));
        assert_eq!(field(&pod, "metadata.labels['app.kubernetes.io/name']").as_deref(), Some("web"));
        assert_eq!(field(&pod, "status.podIP"), None);
        assert_eq!(field(&json!({"kind": "Deployment", "metadata": {"name": "web"}}), "metadata.name"), None);
    }
}
