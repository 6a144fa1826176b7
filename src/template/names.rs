//! Which names an expression uses, known without evaluating it.

use std::ops::Range;

use super::tree::{Form, Node};

/// One use of a name: the chain of its constant parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameUse {
    /// `steps.a.outputs['x']` is `["steps", "a", "outputs", "x"]`; a computed part ends the path.
    pub path: Vec<String>,
    /// Where it is: bytes of the text that was parsed.
    pub range: Range<usize>,
    /// Whether it may be undefined: it stands before `|default(…)`, `is defined` or `is undefined`.
    pub guarded: bool,
}

/// All uses, in the order they are written.
pub(super) fn uses(node: &Node) -> Vec<NameUse> {
    let mut found = Vec::new();
    collect(node, false, &mut found);
    found
}

/// The dotted names of a part, each once.
pub(super) fn written(node: &Node) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in uses(node).into_iter().map(|name| name.path.join(".")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The path of a part that is nothing but a chain from a name.
pub(super) fn path_of(node: &Node) -> Option<Vec<String>> {
    match &node.kind {
        Form::Name(name) => Some(vec![name.clone()]),
        Form::Field(of, key) => joined(of, key.clone()),
        Form::Item(of, key) => match &key.kind {
            Form::Constant(index) if index.is_integer() => joined(of, index.to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn joined(of: &Node, part: String) -> Option<Vec<String>> {
    let mut path = path_of(of)?;
    path.push(part);
    Some(path)
}

fn collect(node: &Node, guarded: bool, found: &mut Vec<NameUse>) {
    if let Some(path) = path_of(node) {
        found.push(NameUse { path, range: node.range.clone(), guarded });
        return;
    }
    let subject = match &node.kind {
        Form::Default(subject, _) | Form::Defined { subject, .. } => Some(&**subject),
        _ => None,
    };
    for part in node.parts() {
        let is_subject = subject.is_some_and(|subject| std::ptr::eq(subject, part));
        collect(part, guarded || is_subject, found);
    }
}
