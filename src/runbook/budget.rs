//! How much a run may touch (runbook-format §8).

use schemars::JsonSchema;
use serde::Deserialize;

/// The limits of a budget; what is not written is not limited.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BudgetLimits {
    /// The namespaces of every changed or evicted object.
    #[serde(default)]
    pub namespaces: Option<Vec<String>>,
    /// Distinct objects changed by us.
    #[serde(default)]
    pub objects: Option<u64>,
    /// Running pods taken away by us.
    #[serde(default)]
    pub pods: Option<u64>,
    /// Deletions of anything but pods.
    #[serde(default)]
    pub deletes: Option<u64>,
    /// Nodes changed by us.
    #[serde(default)]
    pub nodes: Option<u64>,
    /// The part of one workload that may be unavailable at one time (`25%`).
    #[serde(default)]
    pub unavailable: Option<String>,
}
