//! A part of a document with holes: parsed once, filled as often as it runs.
//!
//! A [`Form`] is a [`Node`] tree whose templates are compiled. Filling gives a
//! tree without holes, whose values stand at their template's place, so that
//! a wrong type found later still points into the book. It joins `document`
//! and `template`, which do not know each other, and so stands above both.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::document::{Kind, Node, Route};
use crate::source::{Diagnostic, Span};
use crate::template::{Cause, EvaluationError, Scope, Template};

/// A part of a document with holes.
#[derive(Debug, Clone)]
pub struct Form {
    node: Node,
    holes: Arc<BTreeMap<usize, Template>>,
}

/// One template of a form.
#[derive(Debug)]
pub struct Hole<'a> {
    /// The way to its scalar.
    pub route: Route,
    /// The scalar.
    pub node: &'a Node,
    /// What fills it.
    pub template: &'a Template,
}

/// A form without holes.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The tree, whole.
    pub node: Node,
    /// Values that came from tainted expressions; whoever shows anything registers them first.
    pub secrets: Vec<Value>,
}

/// A form filled as far as its values are known.
#[derive(Debug, Clone)]
pub struct PartlyFilled {
    /// The tree; where a value is not known, its template still stands.
    pub node: Node,
    /// Values that came from tainted expressions; whoever shows anything registers them first.
    pub secrets: Vec<Value>,
    /// Why values are not known (`after grow`), each reason once.
    pub unknown: Vec<String>,
}

impl Form {
    /// Compiles the templates of a tree; what is wrong with them goes to `out`.
    pub fn new(node: Node, out: &mut Vec<Diagnostic>) -> Self {
        let mut holes = BTreeMap::new();
        for found in node.templates() {
            match Template::parse(&found.scalar.text) {
                Ok(template) => drop(holes.insert(found.span.start, template)),
                Err(mistake) => {
                    let place = node.at(&found.route.0).map_or(found.span, |scalar| scalar.span_in(mistake.range));
                    let mut complaint = Diagnostic::error(mistake.message, place);
                    complaint.helps.extend(mistake.help);
                    out.push(complaint);
                }
            }
        }
        Self { node, holes: Arc::new(holes) }
    }

    /// A form around a value that was never written.
    pub fn empty() -> Self {
        Self { node: Node::new(Span::default(), Kind::Null), holes: Arc::default() }
    }

    /// The tree with its holes.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// Whether there is nothing to fill.
    pub fn is_whole(&self) -> bool {
        self.holes.is_empty()
    }

    /// Its templates, in the order written.
    pub fn holes(&self) -> Vec<Hole<'_>> {
        let found = self.node.templates().into_iter().filter_map(|found| {
            let template = self.holes.get(&found.span.start)?;
            Some(Hole { node: self.node.at(&found.route.0)?, route: found.route, template })
        });
        found.collect()
    }

    /// Fills the holes whose values are known already; a plan asks so.
    ///
    /// # Errors
    /// A diagnostic for each template that cannot be evaluated for another reason.
    pub fn fill_known(&self, scope: &Scope) -> Result<PartlyFilled, Vec<Diagnostic>> {
        let (mut secrets, mut unknown) = (Vec::new(), Vec::new());
        let node = self.node.fill(&mut |scalar, span, _| {
            let Some(template) = self.holes.get(&span.start) else {
                return Err(Diagnostic::error("this template was not compiled", span));
            };
            match template.fill(scope) {
                Ok(filled) => {
                    secrets.extend(filled.tainted.then(|| filled.value.clone()));
                    Ok(filled.value)
                }
                Err(EvaluationError { cause: Cause::Unknown { reason }, .. }) => {
                    if !unknown.iter().any(|known: &String| **known == *reason) {
                        unknown.push(reason.into_string());
                    }
                    Ok(Value::String(scalar.text.clone()))
                }
                Err(error) => Err(Diagnostic::error(error.to_string(), span)),
            }
        })?;
        Ok(PartlyFilled { node, secrets, unknown })
    }

    /// Fills every hole; all that fails is named at once.
    ///
    /// # Errors
    /// A diagnostic for each template that cannot be evaluated.
    pub fn fill(&self, scope: &Scope) -> Result<Filled, Vec<Diagnostic>> {
        if self.is_whole() {
            return Ok(Filled { node: self.node.clone(), secrets: Vec::new() });
        }
        let mut secrets = Vec::new();
        let node = self.node.fill(&mut |_, span, _| {
            let Some(template) = self.holes.get(&span.start) else {
                return Err(Diagnostic::error("this template was not compiled", span));
            };
            match template.fill(scope) {
                Ok(filled) => {
                    if filled.tainted {
                        secrets.push(filled.value.clone());
                    }
                    Ok(filled.value)
                }
                Err(error) => Err(Diagnostic::error(error.to_string(), span)),
            }
        })?;
        Ok(Filled { node, secrets })
    }
}
