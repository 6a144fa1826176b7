//! Filters that go through lists.

use minijinja::Value as Raw;

use super::super::arguments::Arguments;
use super::super::arithmetic;
use super::super::error::Refusal;
use super::super::evaluate::Walk;
use super::super::lookup::deep_field;
use super::super::predicates;
use super::super::tree::Sign;
use super::super::value::{Kind, items_of, kind_of};
use super::{ANY_SEVERAL, LIST, apply, expect, find};

/// The number of characters, items or entries.
pub(super) fn length(_: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    expect("length", value, ANY_SEVERAL)?;
    arguments.finish()?;
    Ok(Raw::from(value.len().unwrap_or_default()))
}

/// The items in lists of so many; with a second argument the last one is filled up.
pub(super) fn batch(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    expect("batch", value, LIST)?;
    let size = arguments.integer("count")?.and_then(|size| usize::try_from(size).ok());
    let filler = arguments.take("fill_with");
    arguments.finish()?;
    let size =
        size.filter(|size| *size > 0).ok_or_else(|| Refusal::failed("`batch` takes a whole number of at least 1"))?;
    let items = items_of(value)?;
    if filler.is_some() {
        walk.budget.fill(size)?;
    }
    let mut batches: Vec<Vec<Raw>> = items.chunks(size).map(<[Raw]>::to_vec).collect();
    if let (Some(filler), Some(last)) = (filler, batches.last_mut()) {
        last.resize(size, filler);
    }
    Ok(Raw::from(batches.into_iter().map(Raw::from).collect::<Vec<_>>()))
}

/// The sum of numbers, durations or quantities.
pub(super) fn sum(_: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    expect("sum", value, LIST)?;
    let attribute = arguments.text("attribute")?;
    let start = arguments.take("start");
    arguments.finish()?;
    let mut total = start;
    for item in items_of(value)? {
        let item = picked(&item, attribute.as_deref())?;
        if !matches!(kind_of(&item), Kind::Number | Kind::Duration | Kind::Quantity) {
            return Err(Refusal::mismatch(format!("`sum` takes numbers, an item is {}", kind_of(&item))));
        }
        total = Some(match total {
            Some(before) => arithmetic::compute(Sign::Plus, &before, &item)?,
            None => item,
        });
    }
    Ok(total.unwrap_or_else(|| Raw::from(0)))
}

/// Each item through a filter, or one field of each item.
pub(super) fn map(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    expect("map", value, LIST)?;
    let items = items_of(value)?;
    walk.budget.fill(items.len())?;
    if let Some(path) = arguments.named("attribute") {
        let fallback = arguments.named("default");
        arguments.finish()?;
        let path = path.as_str().ok_or_else(|| Refusal::mismatch("`attribute` takes text"))?;
        let field = |item: &Raw| match (deep_field(item, path)?, &fallback) {
            (Some(field), _) => Ok(field),
            (None, Some(fallback)) => Ok(fallback.clone()),
            (None, None) => {
                Err(no_field(path).help(format!("give a value for that case: `map(attribute='{path}', default=…)`")))
            }
        };
        return items.iter().map(field).collect::<Result<Vec<_>, _>>().map(Raw::from);
    }
    let name = arguments.need_text("filter")?;
    let filter = find(&name).ok_or_else(|| Refusal::failed(format!("no filter `{name}`")).quoting())?;
    let mapped = items.iter().map(|item| apply(walk, filter, item, arguments.clone()));
    mapped.collect::<Result<Vec<_>, _>>().map(Raw::from)
}

/// The items that pass a test.
pub(super) fn select(walk: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    kept("select", walk, value, Choice { attribute: None, wanted: true, arguments })
}

/// The items that do not.
pub(super) fn reject(walk: &mut Walk<'_>, value: &Raw, arguments: Arguments) -> Result<Raw, Refusal> {
    kept("reject", walk, value, Choice { attribute: None, wanted: false, arguments })
}

/// The items of which a field passes a test; a field that is not there counts as `none`.
pub(super) fn selectattr(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let attribute = Some(arguments.need_text("attribute")?);
    kept("selectattr", walk, value, Choice { attribute, wanted: true, arguments })
}

/// The items of which it does not.
pub(super) fn rejectattr(walk: &mut Walk<'_>, value: &Raw, mut arguments: Arguments) -> Result<Raw, Refusal> {
    let attribute = Some(arguments.need_text("attribute")?);
    kept("rejectattr", walk, value, Choice { attribute, wanted: false, arguments })
}

/// What `select` and its like look at, and what they keep.
struct Choice {
    attribute: Option<String>,
    wanted: bool,
    arguments: Arguments,
}

fn kept(name: &str, walk: &mut Walk<'_>, value: &Raw, mut choice: Choice) -> Result<Raw, Refusal> {
    expect(name, value, LIST)?;
    let test = choice.arguments.text("test")?;
    let price = 1 + choice.arguments.cost();
    let mut kept = Vec::new();
    for item in items_of(value)? {
        walk.budget.spend(price)?;
        let looked_at = match &choice.attribute {
            Some(path) => deep_field(&item, path)?,
            None => Some(item.clone()),
        };
        if passes(looked_at, test.as_deref(), choice.arguments.clone())? == choice.wanted {
            kept.push(item);
        }
    }
    walk.budget.fill(kept.len())?;
    Ok(Raw::from(kept))
}

fn passes(value: Option<Raw>, test: Option<&str>, arguments: Arguments) -> Result<bool, Refusal> {
    match test {
        Some("defined") => Ok(value.is_some()),
        Some("undefined") => Ok(value.is_none()),
        None => Ok(value.is_some_and(|value| value.is_true())),
        Some(name) => {
            let test = predicates::find(name).ok_or_else(|| Refusal::failed(format!("no test `{name}`")).quoting())?;
            test.holds(&value.unwrap_or_else(|| Raw::from(())), arguments)
        }
    }
}

fn picked(item: &Raw, attribute: Option<&str>) -> Result<Raw, Refusal> {
    match attribute {
        None => Ok(item.clone()),
        Some(path) => deep_field(item, path)?.ok_or_else(|| no_field(path)),
    }
}

pub(super) fn no_field(path: &str) -> Refusal {
    Refusal::undefined(format!("an item has no field `{path}`")).quoting()
}
