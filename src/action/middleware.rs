//! `middleware`: the databases and queues of the platform.
//!
//! Only checked in this version.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed, failure};
use crate::document::{self, Node, TargetRule};
use crate::event::Failure;
use crate::source::Diagnostic;

/// The types that the platform has; each is a key.
pub(super) const TYPES: [&str; 9] =
    ["redis", "mongodb", "postgres", "minio", "rabbitmq", "elasticsearch", "mariadb", "mysql", "nats"];

/// `namespace/name` of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instance {
    namespace: String,
    name: String,
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
#[expect(dead_code, reason = "this version only checks it")]
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
struct Middleware;

pub(super) static ROW: ActionKind = ActionKind {
    name: "middleware",
    help: "the platform's databases and queues; passwords only with `reveal`",
    target: &TargetRule::NONE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: false,
    shown: &TYPES,
    decode: |node, mode, out| {
        let (_, _): (_, Arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        at_most_one(node, out);
        Some(Box::new(Middleware))
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
    async fn act(&self, _: &Context) -> Result<Observed, Failure> {
        Err(failure::unsupported(ROW.name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{complaints, decoded, ready};
    use super::*;
    use crate::document::Mode;

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
