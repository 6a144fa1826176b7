//! A change to the cluster, as the journal and the reports know it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outcome::Failure;
use super::step::StepId;

/// Which object, down to its UID.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ObjectId {
    /// `apps/v1`, `v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Empty for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The UID, once known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

impl ObjectId {
    /// Reads it off an object as the server gives it.
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            api_version: text("/apiVersion"),
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            uid: text("/metadata/uid"),
        }
    }

    /// Whether both name the same object, whatever its UID.
    pub fn same_name(&self, other: &Self) -> bool {
        self.kind == other.kind && self.namespace == other.namespace && self.name == other.name
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(formatter, "{}/", self.namespace)?;
        }
        formatter.write_str(&self.name)
    }
}

/// What is done to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// A new object.
    Create,
    /// Some of its fields.
    Patch,
    /// The object goes.
    Delete,
    /// A pod is asked to go, under its disruption budget.
    Evict,
    /// A command in a container, a local program, a request elsewhere.
    Execute,
}

/// One field that a change writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Written {
    /// The field, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What it held; absent: nothing.
    #[serde(default, deserialize_with = "crate::expect::present", skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it holds then; absent: nothing.
    #[serde(default, deserialize_with = "crate::expect::present", skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// How a change is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "is", content = "with")]
pub enum Reversal {
    /// Each written field gets back what it held.
    Fields,
    /// The created object is deleted, by UID.
    DeleteCreated,
    /// There is nothing to take back (a restarted pod is replaced by its owner).
    Nothing,
    /// It cannot be, and why.
    Cannot(String),
}

/// One change to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Change {
    /// The step that makes it.
    pub step: StepId,
    /// What is done.
    pub verb: Verb,
    /// To which object.
    pub object: ObjectId,
    /// In words for people (`replicas 3 → 0`).
    pub summary: String,
    /// The resourceVersion that it is bound to; empty when unbound.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// A fingerprint of the body that is sent, keyed by the run, in hex; empty without a body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body_digest: String,
    /// The fields it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
    /// How it is taken back.
    pub reversal: Reversal,
    /// Running pods that it takes away at most, beside its own object.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pods: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "is", content = "with")]
pub enum Settled {
    /// The server did it; the object as it then was, by UID and versions.
    Applied {
        /// The object's UID.
        uid: String,
        /// Its resourceVersion after the change.
        resource_version: String,
        /// Its generation after the change; 0 where the kind has none.
        generation: i64,
    },
    /// The server refused it: nothing changed.
    Refused(Failure),
    /// Nobody knows: the answer was lost, and why.
    Unknown(String),
}
