//! Comparing without conversions: `"3" < 3` is a mistake to be told, not an answer.

use std::cmp::Ordering;

use minijinja::Value as Raw;

use super::error::Refusal;
use super::tree::Comparison;
use super::value::{Kind, entries_of, items_of, kind_of, known, measure_of};

/// Whether a comparison holds.
pub(super) fn holds(sign: Comparison, left: &Raw, right: &Raw) -> Result<bool, Refusal> {
    known(left.clone())?;
    known(right.clone())?;
    match sign {
        Comparison::Equal => alike(left, right),
        Comparison::NotEqual => alike(left, right).map(|equal| !equal),
        Comparison::Less => order(left, right).map(Ordering::is_lt),
        Comparison::AtMost => order(left, right).map(Ordering::is_le),
        Comparison::Greater => order(left, right).map(Ordering::is_gt),
        Comparison::AtLeast => order(left, right).map(Ordering::is_ge),
        Comparison::In => contains(right, left),
        Comparison::NotIn => contains(right, left).map(|found| !found),
    }
}

/// `==`: one kind on both sides, or `none` on one.
fn alike(left: &Raw, right: &Raw) -> Result<bool, Refusal> {
    let (a, b) = (kind_of(left), kind_of(right));
    if a == b || a == Kind::None || b == Kind::None { equal(left, right) } else { Err(strangers(a, b)) }
}

/// Equal in kind and in value, all the way down.
pub(super) fn equal(left: &Raw, right: &Raw) -> Result<bool, Refusal> {
    let kind = kind_of(left);
    if kind != kind_of(right) {
        return Ok(false);
    }
    match kind {
        Kind::List => equal_lists(left, right),
        Kind::Map => equal_maps(left, right),
        Kind::Unknown => known(left.clone()).map(|_| false),
        _ => Ok(left == right),
    }
}

fn equal_lists(left: &Raw, right: &Raw) -> Result<bool, Refusal> {
    let (left, right) = (items_of(left)?, items_of(right)?);
    if left.len() != right.len() {
        return Ok(false);
    }
    all(left.iter().zip(&right), |(a, b)| equal(a, b))
}

fn equal_maps(left: &Raw, right: &Raw) -> Result<bool, Refusal> {
    let entries = entries_of(left)?;
    if Some(entries.len()) != right.len() {
        return Ok(false);
    }
    all(entries.iter(), |(key, value)| match right.get_attr(key) {
        Ok(other) if !other.is_undefined() => equal(value, &other),
        _ => Ok(false),
    })
}

fn all<T>(items: impl Iterator<Item = T>, mut test: impl FnMut(T) -> Result<bool, Refusal>) -> Result<bool, Refusal> {
    for item in items {
        if !test(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which of two numbers, texts, durations or quantities comes first.
pub(super) fn order(left: &Raw, right: &Raw) -> Result<Ordering, Refusal> {
    match (kind_of(left), kind_of(right)) {
        (Kind::Number, Kind::Number) | (Kind::Text, Kind::Text) => Ok(left.cmp(right)),
        (Kind::Duration, Kind::Duration) | (Kind::Quantity, Kind::Quantity) => {
            Ok(measure_of(left).zip(measure_of(right)).map_or(Ordering::Equal, |(a, b)| a.order(b)))
        }
        (a, b) if a == b => Err(Refusal::mismatch(format!("cannot tell which is less: both sides are {a}"))),
        (a, b) => Err(strangers(a, b)),
    }
}

fn contains(container: &Raw, item: &Raw) -> Result<bool, Refusal> {
    match (kind_of(container), kind_of(item)) {
        (Kind::Text, Kind::Text) => {
            Ok(container.as_str().unwrap_or_default().contains(item.as_str().unwrap_or_default()))
        }
        (Kind::List, _) => {
            all(items_of(container)?.iter(), |other| equal(other, item).map(|same| !same)).map(|none| !none)
        }
        (Kind::Map, Kind::Text) => {
            Ok(container.get_attr(item.as_str().unwrap_or_default()).is_ok_and(|value| !value.is_undefined()))
        }
        (container, item) => Err(Refusal::mismatch(format!("`in` cannot look for {item} in {container}"))),
    }
}

fn strangers(left: Kind, right: Kind) -> Refusal {
    let refusal = Refusal::mismatch(format!("cannot compare {left} with {right}"));
    match (left, right) {
        (Kind::Number, Kind::Text) | (Kind::Text, Kind::Number) => {
            refusal.help("convert one side: `|int`, `|float` or `|string`")
        }
        (Kind::Boolean, Kind::Text) | (Kind::Text, Kind::Boolean) => refusal.help("convert the text: `|bool`"),
        (Kind::Duration, _) | (_, Kind::Duration) => refusal.help("convert both sides to seconds: `|duration`"),
        (Kind::Quantity, _) | (_, Kind::Quantity) => refusal.help("convert both sides: `|quantity`"),
        _ => refusal,
    }
}
