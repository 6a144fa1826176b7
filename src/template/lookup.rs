//! From a value to a part of it: names, fields, items, slices. What is not there is an error.

use minijinja::Value as Raw;

use super::error::{EvaluationError, Refusal};
use super::evaluate::{Walk, error};
use super::names;
use super::tree::Node;
use super::value::{Kind, cost, items_of, kind_of, known};
use crate::source::nearest;

impl Walk<'_> {
    pub(super) fn name(&self, name: &str) -> Result<Raw, Refusal> {
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

    pub(super) fn no_field(&self, missing: Missing, of: &Node, key: &str, base: &Raw) -> Refusal {
        let holder = self.written_as(of);
        match missing {
            Missing::Unknown(refusal) => return refusal,
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

    pub(super) fn item(&self, of: &Node, base: &Raw, key: &Raw) -> Result<Raw, Refusal> {
        let holder = self.written_as(of);
        match (kind_of(base), kind_of(key)) {
            (Kind::List, Kind::Number) => {
                let index = key.as_i64().filter(|_| key.is_integer());
                let index = index.ok_or_else(|| Refusal::mismatch("an index is a whole number"))?;
                let count = base.len().unwrap_or_default();
                let found = position(index, count).and_then(|at| base.get_item_by_index(at).ok());
                let found = found.filter(|item| !item.is_undefined()).ok_or_else(|| {
                    Refusal::undefined(format!("no item {index} in `{holder}`: it has {count}")).quoting()
                });
                known(found?)
            }
            (_, Kind::Text) => {
                let key = key.as_str().unwrap_or_default();
                field(base, key).map_err(|missing| match missing {
                    Missing::Unknown(refusal) => refusal,
                    missing @ Missing::Here(_) => self.no_field(missing, of, key, base).quoting(),
                })
            }
            (kind, key) => Err(Refusal::mismatch(format!("`{holder}` is {kind}, {key} picks nothing from it"))),
        }
    }

    pub(super) fn slice(
        &mut self,
        node: &Node,
        of: &Node,
        bounds: &[Option<Box<Node>>; 3],
    ) -> Result<Raw, EvaluationError> {
        let base = self.value(of)?;
        let [from, to, step] = bounds;
        let bounds = [self.bound(from.as_deref())?, self.bound(to.as_deref())?, self.bound(step.as_deref())?];
        let paid = self.budget.spend(cost(&base).saturating_mul(8));
        paid.and_then(|()| slice(&base, bounds)).map_err(|refusal| error(refusal, node))
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
}

/// Why a field is not there.
pub(super) enum Missing {
    Here(Kind),
    Unknown(Refusal),
}

/// A field of a map.
pub(super) fn field(base: &Raw, key: &str) -> Result<Raw, Missing> {
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

fn slice(base: &Raw, [from, to, step]: [Option<i64>; 3]) -> Result<Raw, Refusal> {
    let stride = match step.unwrap_or(1) {
        width if width >= 1 => usize::try_from(width).unwrap_or(usize::MAX),
        _ => {
            return Err(
                Refusal::failed("the step of a slice is at least 1").help("to turn a list around, write `|reverse`")
            );
        }
    };
    let cut = |length: usize| {
        let edge = |bound: i64| position(bound, length).unwrap_or(0).min(length);
        let skip = from.map_or(0, edge);
        (skip, to.map_or(length, edge).saturating_sub(skip))
    };
    match kind_of(base) {
        Kind::Text => {
            let text = base.as_str().unwrap_or_default();
            let (skip, take) = cut(text.chars().count());
            Ok(Raw::from(text.chars().skip(skip).take(take).step_by(stride).collect::<String>()))
        }
        Kind::List => {
            let items = items_of(base)?;
            let (skip, take) = cut(items.len());
            Ok(Raw::from(items.into_iter().skip(skip).take(take).step_by(stride).collect::<Vec<_>>()))
        }
        kind => Err(Refusal::mismatch(format!("a slice takes text or a list, not {kind}"))),
    }
}
