//! Guards, as far as `check` reads them: an object and what must hold of it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::row::aimed;
use crate::document::{DurationText, Mode, Node, TargetRule};
use crate::expect::Expectation;
use crate::source::Diagnostic;

const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "daemonset", "replicaset", "pod", "job", "cronjob", "node", "service"],
    sets: true,
    container: false,
    object: true,
    required: true,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// What must hold.
    #[expect(dead_code, reason = "read as expectations; here only the key is known")]
    expect: serde_json::Value,
    /// How long it may be broken.
    #[serde(default, rename = "for")]
    #[expect(dead_code, reason = "read when guards are watched")]
    grace: Option<DurationText>,
}

/// Complains about what is wrong with a guard.
pub fn check_guard(node: &Node, out: &mut Vec<Diagnostic>) {
    aimed::<Arguments>(&RULE, node, Mode::Holes, out);
    if let Some(expect) = node.get("expect") {
        Expectation::list(expect, Mode::Holes, out);
    }
}
