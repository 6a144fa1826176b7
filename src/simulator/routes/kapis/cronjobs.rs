//! Lists of `CronJobs`, which take an older path: no selector, names backwards, and a page too far is a panic.

use std::sync::Arc;

use serde_json::Value;

use super::page::Page;
use crate::simulator::ask::Ask;
use crate::simulator::object;

/// Parameters that the older path reads itself, or drops.
const READ: [&str; 5] = ["limit", "page", "sortBy", "ascending", "labelSelector"];

/// A page of `CronJobs`; nothing where the real server panics.
pub(super) fn page(ask: &Ask, mut objects: Vec<Arc<Value>>) -> Option<Page> {
    objects.retain(|object| {
        let mut filters = ask.queries().iter().filter(|(key, _)| !READ.contains(&key.as_str()));
        filters.all(|(key, value)| object::labels(object).get(key).and_then(Value::as_str) == Some(value))
    });
    objects.sort_by(|one, other| object::name(one).cmp(object::name(other)));
    if !ask.flag("ascending") {
        objects.reverse();
    }
    let total = objects.len();
    let number = |key| ask.query(key).and_then(|text| text.parse::<usize>().ok());
    let Some(limit) = number("limit") else {
        return Some(Page { items: objects, total });
    };
    let start = number("page").unwrap_or(1).saturating_sub(1).saturating_mul(limit);
    if start > total {
        return None;
    }
    Some(Page { items: objects.into_iter().skip(start).take(limit).collect(), total })
}
