//! Which objects of a collection are wanted.

use serde_json::Value;

/// Tells the server which objects are wanted, and tests each that comes again.
///
/// What a sieve gives to the server must be valid: `KubeSphere` answers an
/// unreadable selector with everything. And what comes is tested once more,
/// because some lists ignore selectors.
pub trait Sieve: Send + Sync + std::fmt::Debug {
    /// The selector on labels, in the servers' syntax.
    fn labels(&self) -> Option<String> {
        None
    }

    /// The selector on fields, in the servers' syntax; understood by native lists only.
    fn fields(&self) -> Option<String> {
        None
    }

    /// Whether an object is wanted.
    fn admits(&self, object: &Value) -> bool;
}

/// Lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Everything;

impl Sieve for Everything {
    fn admits(&self, _: &Value) -> bool {
        true
    }
}

/// Lets the object of one name pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named(pub String);

impl Sieve for Named {
    fn fields(&self) -> Option<String> {
        Some(format!("metadata.name={}", self.0))
    }

    fn admits(&self, object: &Value) -> bool {
        object.pointer("/metadata/name").and_then(Value::as_str) == Some(&self.0)
    }
}
