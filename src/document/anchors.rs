//! Nodes with names, and the budget for their copies.

use std::collections::HashMap;

use crate::source::Span;

use super::halt::{Cause, MAX_DEPTH};
use super::node::{Kind, Node};

/// How many nodes aliases may copy in one document.
const ALIAS_BUDGET: usize = 100_000;

/// The anchors of one document.
#[derive(Default)]
pub(super) struct Anchors {
    named: HashMap<usize, Anchored>,
    copied: usize,
}

struct Anchored {
    node: Node,
    size: usize,
    height: usize,
}

impl Anchors {
    /// Keeps a node under the number of its anchor.
    pub(super) fn keep(&mut self, id: usize, node: &Node) {
        let (size, height) = measure(node);
        self.named.insert(id, Anchored { node: node.clone(), size, height });
    }

    /// A copy of the node; none where it is not finished yet, so that the
    /// alias stands inside of what it names.
    pub(super) fn copy(&mut self, id: usize, span: Span, depth: usize) -> Result<Option<Node>, Cause> {
        let Some(anchored) = self.named.get(&id) else {
            return Ok(None);
        };
        self.copied += anchored.size;
        if self.copied > ALIAS_BUDGET {
            return Err(Cause::AliasBomb(span));
        }
        if depth + anchored.height > MAX_DEPTH {
            return Err(Cause::TooDeep(span));
        }
        Ok(Some(anchored.node.clone()))
    }
}

/// How many nodes a tree has, and how deep it is.
fn measure(node: &Node) -> (usize, usize) {
    let children: &mut dyn Iterator<Item = &Node> = match &node.kind {
        Kind::Null | Kind::Scalar(_) => return (1, 0),
        Kind::Sequence(items) => &mut items.iter(),
        Kind::Mapping(entries) => &mut entries.iter().map(|entry| &entry.value),
    };
    children.map(measure).fold((1, 1), |(size, height), (inner, depth)| (size + inner, height.max(depth + 1)))
}
