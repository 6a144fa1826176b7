//! The strict walk: every part of an expression to its value, nothing converted on the way.

use minijinja::Value as Raw;

use super::arguments::Arguments;
use super::budget::Budget;
use super::error::{Cause, EvaluationError, Refusal};
use super::lookup::field;
use super::scope::Scope;
use super::tree::{Comparison, Form, Given, Node};
use super::value::{Kind, cost, kind_of, text_of};
use super::{arithmetic, compare, filters, names};

type Evaluated = Result<Raw, EvaluationError>;

/// One evaluation: its names, its source for messages, and what it may still spend.
pub(super) struct Walk<'a> {
    pub(super) scope: &'a Scope,
    pub(super) text: &'a str,
    pub(super) budget: &'a mut Budget,
}

impl<'a> Walk<'a> {
    /// The value of a part.
    pub(super) fn value(&mut self, node: &Node) -> Evaluated {
        self.budget.spend(1).map_err(|refusal| error(refusal, node))?;
        match &node.kind {
            Form::Constant(raw) => Ok(raw.clone()),
            Form::Name(name) => self.name(name).map_err(|refusal| error(refusal, node)),
            Form::Field(of, key) => {
                let base = self.value(of)?;
                field(&base, key).map_err(|missing| error(self.no_field(missing, of, key, &base), node))
            }
            Form::Item(of, key) => {
                let (base, key) = (self.value(of)?, self.value(key)?);
                self.item(of, &base, &key).map_err(|refusal| error(refusal, node))
            }
            Form::Slice(of, bounds) => self.slice(node, of, bounds),
            Form::Not(inner) => self.truth(inner, "`not`").map(|flag| Raw::from(!flag)),
            Form::And(left, right) => Ok(Raw::from(self.truth(left, "`and`")? && self.truth(right, "`and`")?)),
            Form::Or(left, right) => Ok(Raw::from(self.truth(left, "`or`")? || self.truth(right, "`or`")?)),
            Form::If { test, then, otherwise } => {
                let chosen = if self.truth(test, "`if`")? { then } else { otherwise };
                self.value(chosen)
            }
            Form::Negate(inner) => {
                let value = self.value(inner)?;
                arithmetic::negate(&value).map_err(|refusal| error(refusal, node))
            }
            Form::Arithmetic(sign, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.computed(arithmetic::compute(*sign, &left, &right), node)
            }
            Form::Concat(left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.concat(&left, &right).map_err(|refusal| error(refusal, node))
            }
            Form::Compare(first, rest) => self.compare(node, first, rest),
            Form::Default(subject, given) => self.default(node, subject, given),
            Form::Defined { subject, wanted } => self.defined(subject).map(|found| Raw::from(found == *wanted)),
            _ => self.rest(node),
        }
    }

    fn rest(&mut self, node: &Node) -> Evaluated {
        match &node.kind {
            Form::Filter(filter, subject, given) => {
                let value = self.value(subject)?;
                let arguments = self.arguments(given)?;
                filters::apply(self, filter, &value, arguments).map_err(|refusal| error(refusal, node))
            }
            Form::Test(predicate, subject, given) => {
                let value = self.value(subject)?;
                let arguments = self.arguments(given)?;
                let paid = self.budget.spend(cost(&value) + arguments.cost());
                let holds = paid.and_then(|()| predicate.holds(&value, arguments));
                holds.map(Raw::from).map_err(|refusal| error(refusal, node))
            }
            Form::Call(function, given) => {
                let arguments = self.arguments(given)?;
                (function.run)(self, arguments).map_err(|refusal| error(refusal, node))
            }
            Form::List(items) => {
                items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>, _>>().map(Raw::from)
            }
            Form::Map(entries) => self.map(entries),
            _ => Err(error(Refusal::failed("this part has no value"), node)),
        }
    }

    /// A strictly boolean value.
    pub(super) fn truth(&mut self, node: &Node, taker: &str) -> Result<bool, EvaluationError> {
        let value = self.value(node)?;
        match kind_of(&value) {
            Kind::Boolean => Ok(value.is_true()),
            kind => {
                let written = self.written_as(node);
                let refusal = Refusal::mismatch(format!("{taker} takes true or false, `{written}` is {kind}"));
                let help = match kind {
                    Kind::Text => format!("write what it must be, such as `{written} != ''`"),
                    Kind::Number => format!("write what it must be, such as `{written} != 0`"),
                    Kind::List | Kind::Map => {
                        format!("write what it must be, such as `{written}|length > 0`")
                    }
                    _ => format!("write what it must be, such as `{written} != none`"),
                };
                Err(error(refusal.help(help), node))
            }
        }
    }

    /// A part as it was written.
    pub(super) fn written_as(&self, node: &Node) -> &'a str {
        self.text.get(node.range.clone()).unwrap_or_default()
    }

    fn computed(&mut self, result: Result<Raw, Refusal>, node: &Node) -> Evaluated {
        let paid = result.and_then(|value| {
            match value.as_str() {
                Some(text) => self.budget.write(text.len())?,
                None => self.budget.fill(value.len().unwrap_or_default())?,
            }
            Ok(value)
        });
        paid.map_err(|refusal| error(refusal, node))
    }

    fn concat(&mut self, left: &Raw, right: &Raw) -> Result<Raw, Refusal> {
        let (left, right) = (text_of(left)?, text_of(right)?);
        self.budget.write(left.len() + right.len())?;
        Ok(Raw::from(left + &right))
    }

    fn compare(&mut self, node: &Node, first: &Node, rest: &[(Comparison, Node)]) -> Evaluated {
        let mut left = self.value(first)?;
        for (sign, part) in rest {
            let right = self.value(part)?;
            let paid = self.budget.spend(cost(&left) + cost(&right));
            let holds = paid.and_then(|()| compare::holds(*sign, &left, &right));
            if !holds.map_err(|refusal| error(refusal, node))? {
                return Ok(Raw::from(false));
            }
            left = right;
        }
        Ok(Raw::from(true))
    }

    fn default(&mut self, node: &Node, subject: &Node, given: &Given) -> Evaluated {
        let found = match self.value(subject) {
            Ok(value) => Some(value),
            Err(problem) if problem.cause == Cause::Undefined => None,
            Err(problem) => return Err(problem),
        };
        let mut arguments = self.arguments(given)?;
        let refused = |refusal| error(refusal, node);
        let fallback = arguments.need("default_value").map_err(refused)?;
        let also_empty = arguments.flag("boolean").map_err(refused)?;
        arguments.finish().map_err(refused)?;
        Ok(found.filter(|value| value.is_true() || !also_empty).unwrap_or(fallback))
    }

    fn defined(&mut self, subject: &Node) -> Result<bool, EvaluationError> {
        match self.value(subject) {
            Ok(_) => Ok(true),
            Err(problem) if problem.cause == Cause::Undefined => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Evaluated {
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = self.value(key)?;
            let name = name.as_str().map(str::to_owned);
            let name = name.ok_or_else(|| error(Refusal::mismatch("the keys of a map are texts"), key))?;
            pairs.push((name, self.value(value)?));
        }
        Ok(Raw::from_pairs(pairs))
    }

    fn arguments(&mut self, given: &Given) -> Result<Arguments, EvaluationError> {
        let positional = given.positional.iter().map(|node| self.value(node)).collect::<Result<_, _>>()?;
        let named = given.named.iter().map(|(name, node)| Ok((name.clone(), self.value(node)?)));
        Ok(Arguments { positional, named: named.collect::<Result<_, EvaluationError>>()? })
    }
}

/// A refusal with the place and the names of the part that it speaks of.
pub(super) fn error(refusal: Refusal, node: &Node) -> EvaluationError {
    refusal.at(node.range.clone(), names::written(node))
}
