//! `env`: the environment of containers.
//!
//! Only checked in this version.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed, failure};
use crate::document::TargetRule;
use crate::event::Failure;

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
#[expect(dead_code, reason = "this version only checks it")]
struct Arguments {
    /// Read what references point to; then the result is secret.
    #[serde(default)]
    resolve: bool,
}

#[derive(Debug)]
struct Env;

pub(super) static ROW: ActionKind = ActionKind {
    name: "env",
    help: "the environment of a container; references are read only with `resolve`",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: false,
    shown: &[],
    decode: |node, mode, out| {
        let (_, _): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Env))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Env {
    async fn act(&self, _: &Context) -> Result<Observed, Failure> {
        Err(failure::unsupported(ROW.name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{complaints, ready};
    use super::*;

    #[test]
    fn a_container_a_pod_or_a_workload() {
        for yaml in ["container: shop/web-1/web", "{pod: shop/web-1, resolve: true}", "deployment: shop/web"] {
            assert_eq!(ready(&ROW, yaml).effect(), super::super::Effect::Nothing, "{yaml}");
        }
        assert!(!complaints(&ROW, "{secret: shop/auth}").is_empty());
    }
}
