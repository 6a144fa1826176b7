//! `env`: the environment of containers.
//!
//! As it is declared: a reference is told, not followed. With `resolve` the
//! ConfigMaps and Secrets behind the references are read too (`resolved.rs`),
//! and each container gets the environment that it would be started with.

mod resolved;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::resolved::Books;
use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};

const RULE: TargetRule = TargetRule {
    kinds: &["pod", "deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob"],
    sets: false,
    container: true,
    object: false,
    required: true,
};

/// Reads the environment that containers are given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Read what references point to; then the result is secret.
    #[serde(default)]
    resolve: bool,
}

#[derive(Debug)]
struct Env {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "env",
    help: "the environment of a container; references are read only with `resolve`",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Env { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Env {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let object = context.get(&context.one(&self.target).await?).await?;
        let named = if let Target::Container(container) = &self.target { Some(&container.container) } else { None };
        let meant = containers(&object, named.map(String::as_str))?;
        let mut books = Books::new(context, &object);
        let mut containers = Vec::new();
        for (container, kind) in &meant {
            let mut told = if self.arguments.resolve { books.resolved(container).await? } else { declared(container) };
            super::set(&mut told, "kind", *kind);
            containers.push(told);
        }
        let info = json!({"missing": books.missing()});
        Ok(Observed { result: json!({"containers": containers}), info, ..Observed::default() })
    }
}

/// The containers that are meant, each with what kind of container it is.
fn containers(object: &Value, named: Option<&str>) -> Result<Vec<(Value, &'static str)>, Failure> {
    let id = ObjectId::of(object);
    let spec = match id.kind.as_str() {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    };
    let lists = [("initContainers", "init"), ("containers", "container"), ("ephemeralContainers", "ephemeral")];
    let all: Vec<(Value, &str)> = lists
        .into_iter()
        .flat_map(|(field, kind)| {
            let list = object.pointer(&format!("{spec}/{field}")).and_then(Value::as_array);
            list.into_iter().flatten().map(move |container| (container.clone(), kind))
        })
        .collect();
    let Some(named) = named else { return Ok(all) };
    let known: Vec<&str> = all.iter().filter_map(|(container, _)| container.get("name")?.as_str()).collect();
    if !known.contains(&named) {
        let failure = Failure::new(Class::NotFound, format!("{id} has no container `{named}`"));
        return Err(failure.help(format!("it has: {}", known.join(", "))));
    }
    Ok(all.into_iter().filter(|(container, _)| container.get("name").is_some_and(|name| name == named)).collect())
}

/// What a container declares, with references as references.
fn declared(container: &Value) -> Value {
    let env: Vec<Value> = list(container, "env").map(variable).collect();
    let sources: Vec<Value> = list(container, "envFrom").map(source).collect();
    json!({"name": container.get("name"), "env": env, "env_from": sources})
}

/// A list of a container; empty where there is none.
fn list<'a>(container: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    container.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn variable(declared: &Value) -> Value {
    let mut fields = Map::new();
    fields.insert("name".into(), declared.get("name").cloned().unwrap_or_default());
    match declared.get("valueFrom") {
        Some(from) => drop(fields.insert("from".into(), reference(from).into())),
        None => drop(fields.insert("value".into(), declared.get("value").cloned().unwrap_or_else(|| "".into()))),
    }
    fields.into()
}

/// A reference as people read it: `secretKey auth/password`.
fn reference(from: &Value) -> String {
    let Some((kind, to)) = from.as_object().and_then(|from| from.iter().next()) else { return "nowhere".to_owned() };
    let text = |field: &str| to.get(field).and_then(Value::as_str).unwrap_or_default();
    match kind.as_str() {
        "configMapKeyRef" => format!("configMapKey {}/{}", text("name"), text("key")),
        "secretKeyRef" => format!("secretKey {}/{}", text("name"), text("key")),
        "fieldRef" => format!("field {}", text("fieldPath")),
        "resourceFieldRef" => format!("resource {}", text("resource")),
        other => other.to_owned(),
    }
}

/// A whole map as a source: its keys are the names.
fn source(declared: &Value) -> Value {
    let of = |field: &str, word: &str| {
        let name = declared.get(field)?.get("name")?.as_str()?;
        Some(format!("{word} {name}"))
    };
    let from = of("configMapRef", "configMap").or_else(|| of("secretRef", "secret"));
    json!({"from": from, "prefix": declared.get("prefix").cloned().unwrap_or_else(|| "".into())})
}

#[cfg(test)]
mod tests;
