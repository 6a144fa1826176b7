//! `middleware`: the databases and queues of the platform.
//!
//! The server hands out every password in clear with the list. None of them
//! leaves this process unless `reveal` asks for it, and none is ever shown.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed, failure};
use crate::cluster::middleware;
use crate::cluster::refusal::Layer;
use crate::document::{self, Node, TargetRule};
use crate::event::{Class, Failure};
use crate::source::Diagnostic;

/// The types that the platform has; each is a key.
pub(super) const TYPES: [&str; 9] =
    ["redis", "mongodb", "postgres", "minio", "rabbitmq", "elasticsearch", "mariadb", "mysql", "nats"];

/// `namespace/name` of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Instance {
    fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                Ok(Self { namespace: (*namespace).to_owned(), name: (*name).to_owned() })
            }
            _ => Err("write namespace/name, as in os-platform/citus".into()),
        }
    }
}

impl<'de> Deserialize<'de> for Instance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::leaf(deserializer, "namespace/name", Self::parse, Self::default)
    }
}

impl JsonSchema for Instance {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instance".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "description": "namespace/name", "pattern": r"^[^/]+/[^/]+$|\{\{"})
    }
}

/// Reads the platform's databases and queues: one, where it is named by its type, or all.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// A redis instance.
    #[serde(default)]
    redis: Option<Instance>,
    /// A mongodb instance.
    #[serde(default)]
    mongodb: Option<Instance>,
    /// A postgres instance.
    #[serde(default)]
    postgres: Option<Instance>,
    /// A minio instance.
    #[serde(default)]
    minio: Option<Instance>,
    /// A rabbitmq instance.
    #[serde(default)]
    rabbitmq: Option<Instance>,
    /// An elasticsearch instance.
    #[serde(default)]
    elasticsearch: Option<Instance>,
    /// A mariadb instance.
    #[serde(default)]
    mariadb: Option<Instance>,
    /// A mysql instance.
    #[serde(default)]
    mysql: Option<Instance>,
    /// A nats instance.
    #[serde(default)]
    nats: Option<Instance>,
    /// Read passwords too; they are secret from then on.
    #[serde(default)]
    reveal: bool,
}

#[derive(Debug)]
struct Middleware(Arguments);

pub(super) static ROW: ActionKind = ActionKind {
    name: "middleware",
    help: "the platform's databases and queues; passwords only with `reveal`",
    target: &TargetRule::NONE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &TYPES,
    decode: |node, mode, out| {
        let (_, arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        at_most_one(node, out);
        Some(Box::new(Middleware(arguments)))
    },
    schema: schema_of::<Arguments>,
};

fn at_most_one(node: &Node, out: &mut Vec<Diagnostic>) {
    let named: Vec<_> = TYPES.iter().filter_map(|word| node.entry(word)).collect();
    if let [first, second, ..] = named.as_slice() {
        let line = format!("one instance or all, not {}", named.len());
        out.push(Diagnostic::error(line, first.key.span).also(second.key.span, "and this"));
    }
}

#[async_trait]
impl Action for Middleware {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let mut items = listed(context).await?;
        if let Some((kind, instance)) = self.0.named() {
            items.retain(|item| is(item, kind, instance));
        }
        if !self.0.reveal {
            items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| drop(item.remove("password")));
        }
        let total = items.len();
        Ok(Observed { result: json!({"items": items, "total": total}), info: json!({}), ..Observed::default() })
    }
}

impl Arguments {
    /// The one instance that is named, with its type.
    fn named(&self) -> Option<(&'static str, &Instance)> {
        let fields = [
            &self.redis,
            &self.mongodb,
            &self.postgres,
            &self.minio,
            &self.rabbitmq,
            &self.elasticsearch,
            &self.mariadb,
            &self.mysql,
            &self.nats,
        ];
        TYPES.into_iter().zip(fields).find_map(|(kind, instance)| Some((kind, instance.as_ref()?)))
    }
}

/// Every instance by type, namespace and name; the passwords in them are shown nowhere from now on.
pub(super) async fn listed(context: &Context) -> Result<Vec<Value>, Failure> {
    let provider = context.client().provider();
    if !provider.has(Layer::Middleware) {
        let failure = Failure::new(Class::Unsupported, format!("a target of {} has no middleware", provider.name()));
        return Err(failure.help("`requires: {target: controlhub}` says so before the first step"));
    }
    let request = middleware::list();
    let answer = context.read(&request).await?.json();
    let mut answer = answer.map_err(|error| failure::of_error(&error, request.what()))?;
    let mut items = answer.get_mut("data").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    items.iter().filter_map(|item| item.get("password")).for_each(|password| context.conceal(password));
    items.sort_by_cached_key(|item| ["type", "namespace", "name"].map(|field| text(item, field).to_owned()));
    Ok(items)
}

/// Whether an item of the list is this instance.
pub(super) fn is(item: &Value, kind: &str, instance: &Instance) -> bool {
    text(item, "type") == kind && text(item, "namespace") == instance.namespace && text(item, "name") == instance.name
}

/// A text of an item.
pub(super) fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, decoded, ready};
    use super::*;
    use crate::cluster::testing::answer;
    use crate::document::Mode;

    fn platform() -> Stage {
        let data = r#"{"code":200,"data":[
            {"type":"redis","namespace":"os-platform","name":"kv","adminUser":"","password":"r-Secret1"},
            {"type":"postgres","namespace":"os-platform","name":"citus","adminUser":"postgres","password":"p-Secret2"}]}"#;
        Stage::controlhub([]).refusing(move |_, path, _| (path == "/middleware/v1/list").then(|| answer(200, data)))
    }

    #[tokio::test(start_paused = true)]
    async fn passwords_stay_here_unless_they_are_asked_for() {
        let seen = ready(&ROW, "{}").act(&platform().context()).await.unwrap();
        assert_eq!(seen.result["total"], 2);
        assert_eq!(seen.result["items"][0]["type"], "postgres");
        assert!(!seen.result.to_string().contains("Secret"), "{}", seen.result);
        let one = "{postgres: os-platform/citus, reveal: true}";
        let seen = ready(&ROW, one).act(&platform().context()).await.unwrap();
        assert_eq!((&seen.result["total"], &seen.result["items"][0]["password"]), (&json!(1), &json!("p-Secret2")));
        let none = ready(&ROW, "{postgres: os-platform/kv}").act(&platform().context()).await.unwrap();
        assert_eq!(none.result, json!({"items": [], "total": 0}));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_target_that_has_middleware_is_asked_and_its_refusal_inside_200_is_one() {
        let failure = ready(&ROW, "{}").act(&Stage::new([]).context()).await.unwrap_err();
        assert_eq!(failure.message, "a target of kubernetes has no middleware");
        let no = r#"{"code":403,"message":"Must be platform admin","data":null}"#;
        let stage = Stage::controlhub([]).refusing(move |_, _, _| Some(answer(200, no)));
        let failure = ready(&ROW, "{}").act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.class, Class::Forbidden);
        assert!(failure.message.contains("Must be platform admin"), "{failure}");
    }

    #[test]
    fn one_instance_or_all_of_them() {
        for yaml in ["{postgres: os-platform/citus, reveal: true}", "{}", "{reveal: false}"] {
            assert!(!ready(&ROW, yaml).effect().changes(), "{yaml}");
        }
        assert!(complaints(&ROW, "{postgres: a/b, redis: c/d}")[0].message.contains("not 2"));
        assert!(complaints(&ROW, "{postgres: citus}")[0].message.contains("namespace/name"));
        assert!(complaints(&ROW, "{postgre: a/b}")[0].message.contains("unknown key"));
        assert!(decoded(&ROW, "{redis: '{{ vars.kv }}'}", Mode::Holes).1.is_empty());
    }
}
