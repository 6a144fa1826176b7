//! An expression: parsed once, asked often.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use super::budget::Budget;
use super::error::{EvaluationError, Mistake};
use super::evaluate::{Walk, error};
use super::lower;
use super::names::{self, NameUse};
use super::scope::Scope;
use super::tree::{Form, Node, Sign};
use super::value::{Value, raw_to_json};
use crate::secret::MASK;

/// A parsed expression such as `steps.before.outputs.replicas < inputs.replicas`; a clone shares it.
///
/// ```
/// use runhub::template::Expression;
///
/// let expression = Expression::parse("steps.before.changed and inputs.replicas > 2").unwrap();
/// assert_eq!(expression.names()[1].path, ["inputs", "replicas"]);
/// assert!(Expression::parse("a && b").is_err());
/// ```
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    offset: usize,
    root: Arc<Node>,
    names: Arc<[NameUse]>,
}

impl Expression {
    /// Parses a bare expression, as `when` and `that` hold it.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        Self::parse_at(text, 0)
    }

    /// Parses an expression that begins at `offset` of a larger text; all its places count from there.
    pub(super) fn parse_at(text: &str, offset: usize) -> Result<Self, Mistake> {
        let root = lower::parse(text).map_err(|mistake| mistake.shifted(offset))?;
        let mut names = names::uses(&root);
        for name in &mut names {
            name.range = shifted(&name.range, offset);
        }
        Ok(Self { text: text.into(), offset, root: Arc::new(root), names: names.into() })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Each name that it uses, known without evaluating it.
    pub fn names(&self) -> &[NameUse] {
        &self.names
    }

    /// Whether it mentions a name that is secret in this scope.
    pub fn is_tainted(&self, scope: &Scope) -> bool {
        self.names.iter().any(|name| scope.is_tainted(&name.path))
    }

    /// Whether it calls `now`, `random_text` or `uuid`, which belong in `vars` alone.
    pub fn uses_generators(&self) -> bool {
        self.any(|node| matches!(&node.kind, Form::Call(function, _) if function.generates))
    }

    /// Whether it divides with `/`, which never gives a whole number: where one is needed, offer `//`.
    pub fn divides(&self) -> bool {
        self.any(|node| matches!(node.kind, Form::Arithmetic(Sign::Divide, ..)))
    }

    /// The constant paths given to the filter `jsonpath`, with their places, to be checked before a run.
    pub fn json_paths(&self) -> Vec<(Range<usize>, &str)> {
        let mut found = Vec::new();
        self.root.walk(&mut |node| {
            if let Form::Filter(filter, _, given) = &node.kind
                && filter.name == "jsonpath"
                && let Some(path) = given.positional.first()
                && let Form::Constant(constant) = &path.kind
                && let Some(text) = constant.as_str()
            {
                found.push((shifted(&path.range, self.offset), text));
            }
        });
        found
    }

    /// Its value, to be bound or gone through without the way over JSON.
    pub fn value(&self, scope: &Scope) -> Result<Value, EvaluationError> {
        self.value_within(scope, &mut Budget::default())
    }

    /// Its value, paid from a purse that others share.
    pub(super) fn value_within(&self, scope: &Scope, budget: &mut Budget) -> Result<Value, EvaluationError> {
        let mut walk = Walk { scope, text: &self.text, budget };
        walk.value(&self.root).map(Value).map_err(|problem| self.placed(problem, scope))
    }

    /// Its value as JSON, and whether it is secret.
    pub fn evaluate(&self, scope: &Scope) -> Result<Filled, EvaluationError> {
        let value = self.value(scope)?;
        let json = raw_to_json(&value.0).map_err(|refusal| self.placed(error(refusal, &self.root), scope))?;
        Ok(Filled { value: json, tainted: self.is_tainted(scope) })
    }

    /// Whether it holds; anything but true or false is an error.
    pub fn test(&self, scope: &Scope) -> Result<Truth, EvaluationError> {
        let mut walk = Walk { scope, text: &self.text, budget: &mut Budget::default() };
        let truth = walk.truth(&self.root, "a condition");
        let holds = truth.map_err(|problem| self.placed(problem, scope))?;
        let trace = if holds { Vec::new() } else { self.trace(scope) };
        Ok(Truth { holds, trace })
    }

    /// The dotted names that it uses, each once.
    pub(super) fn written_names(&self) -> Vec<String> {
        names::written(&self.root)
    }

    fn trace(&self, scope: &Scope) -> Vec<Operand> {
        let mut parts = Vec::new();
        operands(&self.root, true, &mut parts);
        let mut trace: Vec<Operand> = Vec::new();
        for part in parts {
            let text = self.text.get(part.range.clone()).unwrap_or_default();
            if trace.iter().all(|operand| operand.text != text)
                && let Some(value) = self.operand(part, scope)
            {
                trace.push(Operand { text: text.to_owned(), value });
            }
        }
        trace
    }

    /// The value of a part, hidden where a secret is in it, nothing where it has none.
    fn operand(&self, part: &Node, scope: &Scope) -> Option<Json> {
        if names::uses(part).iter().any(|name| scope.is_tainted(&name.path)) {
            return Some(Json::from(MASK));
        }
        let mut walk = Walk { scope, text: &self.text, budget: &mut Budget::default() };
        raw_to_json(&walk.value(part).ok()?).ok()
    }

    /// An error with its place in the whole text, and without values where one of them is secret.
    fn placed(&self, mut problem: EvaluationError, scope: &Scope) -> EvaluationError {
        problem.range = shifted(&problem.range, self.offset);
        if self.is_tainted(scope) { problem.hidden() } else { problem }
    }

    fn any(&self, test: impl Fn(&Node) -> bool) -> bool {
        let mut found = false;
        self.root.walk(&mut |node| found = found || test(node));
        found
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.offset == other.offset
    }
}

impl Eq for Expression {}

/// What came of a template or an expression.
#[derive(Clone, PartialEq)]
pub struct Filled {
    /// The value.
    pub value: Json,
    /// Whether a secret is in it.
    pub tainted: bool,
}

impl fmt::Debug for Filled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = Json::from(MASK);
        let shown = if self.tainted { &mask } else { &self.value };
        formatter.debug_struct("Filled").field("value", shown).field("tainted", &self.tainted).finish()
    }
}

/// What came of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Whether it holds.
    pub holds: bool,
    /// Where it does not: what its parts were.
    pub trace: Vec<Operand>,
}

/// A part of a condition that does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// The part as it was written.
    pub text: String,
    /// What it was; `***` where a secret is in it.
    pub value: Json,
}

fn shifted(range: &Range<usize>, offset: usize) -> Range<usize> {
    range.start + offset..range.end + offset
}

/// The parts whose values explain why a condition does not hold.
fn operands<'a>(node: &'a Node, whole: bool, found: &mut Vec<&'a Node>) {
    match &node.kind {
        Form::Constant(_) => {}
        Form::And(left, right) | Form::Or(left, right) => {
            operands(left, false, found);
            operands(right, false, found);
        }
        Form::Not(inner) => operands(inner, false, found),
        Form::Compare(..) => {
            if !whole {
                found.push(node);
            }
            found.extend(node.parts().into_iter().filter(|part| !matches!(part.kind, Form::Constant(_))));
        }
        _ => found.push(node),
    }
}
