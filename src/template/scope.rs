//! What fills the holes: names in layers, and which of them are secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::value::Value;
use crate::clock::Clock;

/// What expressions need from other rooms.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    /// Selects with a `JSONPath`: the nodes, in document order, or what is wrong with the path.
    pub jsonpath: fn(&Json, &str) -> Result<Vec<Json>, String>,
    /// Tells `now()`.
    pub clock: Clock,
}

/// The names that an expression may use, in layers: an inner layer hides the outer one's names.
#[derive(Debug, Clone)]
pub struct Scope {
    functions: Functions,
    outer: Option<Arc<Self>>,
    names: BTreeMap<String, Value>,
    tainted: Vec<Vec<String>>,
}

impl Scope {
    /// The outermost layer, empty.
    pub fn new(functions: Functions) -> Self {
        Self { functions, outer: None, names: BTreeMap::new(), tainted: Vec::new() }
    }

    /// An empty layer inside `outer`.
    pub fn child(outer: &Arc<Self>) -> Self {
        Self { outer: Some(Arc::clone(outer)), ..Self::new(outer.functions) }
    }

    /// Binds a name in this layer.
    pub fn bind(&mut self, name: impl Into<String>, value: Value) {
        self.names.insert(name.into(), value);
    }

    /// Marks a path such as `["vars", "fresh"]` as secret; it need not be bound yet.
    pub fn taint(&mut self, path: &[&str]) {
        self.tainted.push(path.iter().map(|&part| part.to_owned()).collect());
    }

    /// Whether a path is secret, holds a secret or lies inside one.
    ///
    /// A layer that binds the first name of the path hides the marks of the layers around it.
    pub fn is_tainted<T: AsRef<str>>(&self, path: &[T]) -> bool {
        let Some(root) = path.first() else {
            return false;
        };
        for layer in self.layers() {
            if layer.tainted.iter().any(|mark| meets(mark, path)) {
                return true;
            }
            if layer.names.contains_key(root.as_ref()) {
                return false;
            }
        }
        false
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.layers().find_map(|layer| layer.names.get(name))
    }

    /// All names, innermost layer first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.layers().flat_map(|layer| layer.names.keys().map(String::as_str))
    }

    pub(super) fn functions(&self) -> &Functions {
        &self.functions
    }

    fn layers(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |layer| layer.outer.as_deref())
    }
}

/// Whether one path is the beginning of the other.
fn meets<T: AsRef<str>>(mark: &[String], path: &[T]) -> bool {
    mark.iter().zip(path).all(|(a, b)| a == b.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::functions;
    use serde_json::json;

    #[test]
    fn an_inner_name_hides_the_outer_one() {
        let mut outer = Scope::new(functions());
        outer.bind("a", json!(1).into());
        outer.bind("b", json!(2).into());
        let mut inner = Scope::child(&Arc::new(outer));
        inner.bind("a", json!(3).into());
        assert_eq!(inner.get("a").unwrap().to_json(), Ok(json!(3)));
        assert_eq!(inner.get("b").unwrap().to_json(), Ok(json!(2)));
        assert!(inner.get("c").is_none());
        assert_eq!(inner.names().collect::<Vec<_>>(), ["a", "a", "b"]);
    }

    #[test]
    fn taint_meets_what_is_around_it_and_what_is_inside() {
        let mut scope = Scope::new(functions());
        scope.taint(&["vars", "fresh"]);
        assert!(scope.is_tainted(&["vars", "fresh"]));
        assert!(scope.is_tainted(&["vars"]));
        assert!(scope.is_tainted(&["vars", "fresh", "deep"]));
        assert!(!scope.is_tainted(&["vars", "stale"]));
        assert!(!scope.is_tainted(&["inputs"]));
    }

    #[test]
    fn a_fresh_binding_is_not_tainted_by_the_one_it_hides() {
        let mut outer = Scope::new(functions());
        outer.bind("item", json!("secret").into());
        outer.taint(&["item"]);
        let outer = Arc::new(outer);
        let mut inner = Scope::child(&outer);
        assert!(inner.is_tainted(&["item"]));
        inner.bind("item", json!("plain").into());
        assert!(!inner.is_tainted(&["item"]));
        inner.taint(&["item"]);
        assert!(inner.is_tainted(&["item"]));
    }
}
