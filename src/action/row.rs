//! The row of an action in the table.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::Action;
use crate::document::{self, Mode, Node, Target, TargetRule};
use crate::source::Diagnostic;

/// Whether an action changes its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// Never.
    No,
    /// Yes.
    Yes,
    /// Its arguments say (`effect`, the method).
    Says,
}

/// How a row reads an action's arguments; what is wrong with them goes to the list.
pub type Decode = fn(&Node, Mode, &mut Vec<Diagnostic>) -> Option<Box<dyn Action>>;

/// One action: what it is called, what it may be aimed at, how it is read.
#[derive(Debug)]
pub struct ActionKind {
    /// Its key in a step.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// What it may be aimed at.
    pub target: &'static TargetRule,
    /// Whether it changes its target.
    pub changes: Changes,
    /// Whether its changes need consent; what only brings back a normal state does not.
    pub consent: bool,
    /// Whether doing it twice is the same as doing it once, so that a step may be tried again.
    pub repeatable: bool,
    /// Whether this version can carry it out, and not only check it.
    pub supported: bool,
    /// Keys whose values leave this process in plain sight, so that a secret in them is an error.
    pub shown: &'static [&'static str],
    /// Reads the arguments.
    pub decode: Decode,
    /// The schema of the arguments beside the target.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Reads the target keys by a rule, and the rest as `Arguments`.
pub(super) fn aimed<Arguments: DeserializeOwned>(
    rule: &TargetRule,
    node: &Node,
    mode: Mode,
    out: &mut Vec<Diagnostic>,
) -> Option<(Option<Target>, Arguments)> {
    let (target, rest) = document::split(node, rule, mode, out);
    let arguments = document::decode(&rest, mode, out);
    // A missing target was already complained about; the arguments were read for their own mistakes.
    if rule.required && target.is_none() {
        return None;
    }
    Some((target, arguments?))
}

/// The schema of a type.
pub(super) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
