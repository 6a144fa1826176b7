//! Lists of steps that answer for an end, and undo.

use super::Parser;
use crate::document::{Kind, Node};
use crate::runbook::{Branch, FailureBranch, UndoPolicy};

impl Parser {
    /// A list of steps, or `{handles, steps}`.
    pub(super) fn branch(&mut self, node: &Node, stem: &str) -> Option<Branch> {
        let Kind::Mapping(entries) = &node.kind else {
            return Some(Branch { steps: self.steps(node, stem), handles: false });
        };
        let mut branch = Branch::default();
        for entry in entries {
            match entry.key.text.as_str() {
                "handles" => branch.handles = self.literal(&entry.value).unwrap_or(false),
                "steps" => branch.steps = self.steps(&entry.value, stem),
                _ => self.unknown_key(&entry.key, &["handles", "steps"], "`{handles, steps}`"),
            }
        }
        if node.get("steps").is_none() {
            self.error("`steps` is missing here", node.span);
            return None;
        }
        Some(branch)
    }

    pub(super) fn failure_branch(&mut self, node: &Node) -> Option<FailureBranch> {
        if node.as_text() == Some("pause") {
            return Some(FailureBranch::Pause(node.span));
        }
        self.branch(node, "on-failure").map(FailureBranch::Steps)
    }

    pub(super) fn undo(&mut self, node: &Node, id: &str) -> UndoPolicy {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text == "auto" => UndoPolicy::Auto,
            Kind::Sequence(_) => UndoPolicy::Steps(self.steps(node, &format!("{id}-undo"))),
            Kind::Mapping(entries) => {
                for entry in entries.iter().filter(|entry| entry.key.text != "none") {
                    self.unknown_key(&entry.key, &["none"], "`undo`");
                }
                match node.get("none").and_then(|reason| self.literal::<String>(reason)) {
                    Some(reason) => UndoPolicy::Never(reason),
                    None => UndoPolicy::Auto,
                }
            }
            Kind::Null | Kind::Scalar(_) => {
                self.error(
                    format!("`undo` takes auto, a list of steps, or {{none: reason}}, not {}", node.describe()),
                    node.span,
                );
                UndoPolicy::Auto
            }
        }
    }
}
