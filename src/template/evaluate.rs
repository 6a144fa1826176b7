//! The strict walk: every part of an expression to its value, nothing converted on the way.

use minijinja::Value as Raw;

use super::arguments::Arguments;
use super::error::{Cause, EvaluationError, Refusal};
use super::scope::Scope;
use super::tree::{Form, Given, Node};
use super::value::{Kind, items_of, kind_of, known, text_of};
use super::{arithmetic, compare, filters, names};
use crate::source::nearest;

/// Steps of work that one evaluation may take: a part, an item or 64 bytes of text count one.
const FUEL: usize = 10_000_000;

/// Bytes of text that one evaluation may make on its way.
const MOST_WRITTEN: usize = 16 * 1_024 * 1_024;

/// The largest text that a filter or operator may make.
pub(super) const LARGEST_TEXT: usize = 1_024 * 1_024;

type Evaluated = Result<Raw, EvaluationError>;

/// One evaluation: its names, its source for messages, and what it may still spend.
pub(super) struct Walk<'a> {
    scope: &'a Scope,
    text: &'a str,
    fuel: usize,
    written: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(scope: &'a Scope, text: &'a str) -> Self {
        Self { scope, text, fuel: FUEL, written: MOST_WRITTEN }
    }

    pub(super) fn scope(&self) -> &'a Scope {
        self.scope
    }

    /// Pays for work.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Refusal> {
        self.fuel = self.fuel.checked_sub(steps).ok_or_else(|| Refusal::limit("the expression takes too much work"))?;
        Ok(())
    }

    /// Pays for a text of so many bytes; ask before making it.
    pub(super) fn write(&mut self, bytes: usize) -> Result<(), Refusal> {
        if bytes > LARGEST_TEXT {
            return Err(Refusal::limit("the expression makes a text of more than 1 MiB"));
        }
        let left = self.written.checked_sub(bytes);
        self.written = left.ok_or_else(|| Refusal::limit("the expression makes too much text"))?;
        Ok(())
    }

    /// The value of a part.
    pub(super) fn value(&mut self, node: &Node) -> Evaluated {
        self.spend(1).map_err(|refusal| error(refusal, node))?;
        match &node.kind {
            Form::Constant(raw) => Ok(raw.clone()),
            Form::Name(name) => self.name(name).map_err(|refusal| error(refusal, node)),
            Form::Field(of, key) => {
                let base = self.value(of)?;
                field(&base, key).map_err(|missing| error(self.no_field(&missing, of, key, &base), node))
            }
            Form::Item(of, key) => {
                let (base, key) = (self.value(of)?, self.value(key)?);
                self.item(of, &base, &key).map_err(|refusal| error(refusal, node))
            }
            Form::Slice(of, bounds) => self.slice(node, of, bounds),
            Form::Not(inner) => self.truth(inner, "not").map(|flag| Raw::from(!flag)),
            Form::And(left, right) => Ok(Raw::from(self.truth(left, "and")? && self.truth(right, "and")?)),
            Form::Or(left, right) => Ok(Raw::from(self.truth(left, "or")? || self.truth(right, "or")?)),
            Form::If { test, then, otherwise } => {
                let chosen = if self.truth(test, "if")? { then } else { otherwise };
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
                predicate.holds(&value, arguments).map(Raw::from).map_err(|refusal| error(refusal, node))
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
                let refusal = Refusal::mismatch(format!("`{taker}` takes true or false, `{written}` is {kind}"));
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

    fn name(&self, name: &str) -> Result<Raw, Refusal> {
        if let Some(value) = self.scope.get(name) {
            return known(value.0.clone());
        }
        let refusal = Refusal::undefined(format!("no name `{name}`"));
        let near = match name {
            "null" | "nil" => Some("none"),
            "now" | "uuid" => return Err(refusal.help(format!("did you mean `{name}()`?"))),
            _ => nearest(name, self.scope.names()),
        };
        Err(match near {
            Some(near) => refusal.help(format!("did you mean `{near}`?")),
            None => refusal,
        })
    }

    fn no_field(&self, missing: &Missing, of: &Node, key: &str, base: &Raw) -> Refusal {
        let holder = self.written_as(of);
        match missing {
            Missing::Unknown(refusal) => return refusal.clone(),
            Missing::Here(Kind::Map) => {}
            Missing::Here(Kind::List) => {
                return Refusal::undefined(format!("`{holder}` is a list, it has no field `{key}`"))
                    .help(format!("write `{holder}|map(attribute='{key}')` for that field of all items"));
            }
            Missing::Here(kind) => {
                return Refusal::undefined(format!("`{holder}` is {kind}, it has no field `{key}`"));
            }
        }
        let refusal = match names::path_of(of) {
            Some(path) => Refusal::undefined(format!("no name `{}.{key}`", path.join("."))),
            None => Refusal::undefined(format!("`{holder}` has no field `{key}`")),
        };
        let keys: Vec<String> =
            items_of(base).unwrap_or_default().iter().filter_map(|key| key.as_str().map(str::to_owned)).collect();
        match nearest(key, keys.iter().map(String::as_str)) {
            Some(near) => refusal.help(format!("did you mean `{near}`?")),
            None => refusal,
        }
    }

    fn item(&self, of: &Node, base: &Raw, key: &Raw) -> Result<Raw, Refusal> {
        let holder = self.written_as(of);
        match (kind_of(base), kind_of(key)) {
            (Kind::List, Kind::Number) => {
                let items = items_of(base)?;
                let index = key.as_i64().filter(|_| key.is_integer());
                let index = index.ok_or_else(|| Refusal::mismatch("an index is a whole number"))?;
                let found = position(index, items.len()).and_then(|index| items.get(index));
                let count = items.len();
                known(
                    found
                        .cloned()
                        .ok_or_else(|| Refusal::undefined(format!("no item {index} in `{holder}`: it has {count}")))?,
                )
            }
            (_, Kind::Text) => {
                let key = key.as_str().unwrap_or_default();
                field(base, key).map_err(|missing| self.no_field(&missing, of, key, base))
            }
            (kind, key) => Err(Refusal::mismatch(format!("`{holder}` is {kind}, {key} picks nothing from it"))),
        }
    }

    fn slice(&mut self, node: &Node, of: &Node, bounds: &[Option<Box<Node>>; 3]) -> Evaluated {
        let base = self.value(of)?;
        let [start, stop, step] = bounds;
        let bounds = [self.bound(start.as_deref())?, self.bound(stop.as_deref())?, self.bound(step.as_deref())?];
        slice(&base, bounds).map_err(|refusal| error(refusal, node))
    }

    fn bound(&mut self, node: Option<&Node>) -> Result<Option<i64>, EvaluationError> {
        let Some(node) = node else { return Ok(None) };
        let value = self.value(node)?;
        match kind_of(&value) {
            Kind::None => Ok(None),
            Kind::Number if value.is_integer() => Ok(value.as_i64()),
            kind => Err(error(Refusal::mismatch(format!("a slice takes whole numbers, not {kind}")), node)),
        }
    }

    fn computed(&mut self, result: Result<Raw, Refusal>, node: &Node) -> Evaluated {
        let paid = result.and_then(|value| {
            match value.as_str() {
                Some(text) => self.write(text.len())?,
                None => self.spend(value.len().unwrap_or_default())?,
            }
            Ok(value)
        });
        paid.map_err(|refusal| error(refusal, node))
    }

    fn concat(&mut self, left: &Raw, right: &Raw) -> Result<Raw, Refusal> {
        let (left, right) = (text_of(left)?, text_of(right)?);
        self.write(left.len() + right.len())?;
        Ok(Raw::from(left + &right))
    }

    fn compare(&mut self, node: &Node, first: &Node, rest: &[(super::tree::Comparison, Node)]) -> Evaluated {
        let mut left = self.value(first)?;
        for (sign, part) in rest {
            let right = self.value(part)?;
            if !compare::holds(*sign, &left, &right).map_err(|refusal| error(refusal, node))? {
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

    fn written_as(&self, node: &Node) -> &'a str {
        self.text.get(node.range.clone()).unwrap_or_default()
    }
}

/// A refusal with the place and the names of the part that it speaks of.
pub(super) fn error(refusal: Refusal, node: &Node) -> EvaluationError {
    refusal.at(node.range.clone(), names::written(node))
}

/// Why a field is not there.
enum Missing {
    Here(Kind),
    Unknown(Refusal),
}

/// A field of a map.
fn field(base: &Raw, key: &str) -> Result<Raw, Missing> {
    match base.get_attr(key) {
        Ok(value) if !value.is_undefined() => known(value).map_err(Missing::Unknown),
        _ => Err(Missing::Here(kind_of(base))),
    }
}

/// A field under a dotted path, where a number picks from a list.
pub(super) fn deep_field(base: &Raw, path: &str) -> Result<Option<Raw>, Refusal> {
    let mut value = base.clone();
    for part in path.split('.') {
        let next = match (kind_of(&value), part.parse::<usize>()) {
            (Kind::List, Ok(index)) => value.get_item_by_index(index),
            _ => value.get_attr(part),
        };
        match next {
            Ok(next) if !next.is_undefined() => value = known(next)?,
            _ => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// The position of an index, counted from the end where it is negative.
fn position(index: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 { length.checked_sub(distance) } else { Some(distance) }
}

fn slice(base: &Raw, [start, stop, step]: [Option<i64>; 3]) -> Result<Raw, Refusal> {
    let step = match step.unwrap_or(1) {
        step if step >= 1 => usize::try_from(step).unwrap_or(usize::MAX),
        _ => {
            return Err(
                Refusal::failed("the step of a slice is at least 1").help("to turn a list around, write `|reverse`")
            );
        }
    };
    let cut = |length: usize| {
        let edge = |bound: i64| position(bound, length).unwrap_or(0).min(length);
        let start = start.map_or(0, edge);
        (start, stop.map_or(length, edge).saturating_sub(start))
    };
    match kind_of(base) {
        Kind::Text => {
            let text = base.as_str().unwrap_or_default();
            let (skip, take) = cut(text.chars().count());
            Ok(Raw::from(text.chars().skip(skip).take(take).step_by(step).collect::<String>()))
        }
        Kind::List => {
            let items = items_of(base)?;
            let (skip, take) = cut(items.len());
            Ok(Raw::from(items.into_iter().skip(skip).take(take).step_by(step).collect::<Vec<_>>()))
        }
        kind => Err(Refusal::mismatch(format!("a slice takes text or a list, not {kind}"))),
    }
}
