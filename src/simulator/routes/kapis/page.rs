//! Sorting and paging of the resources API.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::filter;
use crate::simulator::ask::Ask;
use crate::simulator::object::{self, text};
use crate::simulator::resource::Resource;

/// A page, and how many items all pages have.
pub(super) struct Page {
    pub(super) items: Vec<Arc<Value>>,
    pub(super) total: usize,
}

/// Filters, sorts and cuts a list as the query says.
pub(super) fn page(ask: &Ask, resource: &Resource, mut objects: Vec<Arc<Value>>, unpaged: bool) -> Page {
    objects.retain(|object| filter::keeps(ask, resource, object));
    let key = ask.query("sortBy").unwrap_or("creationTimestamp");
    let ascending = ask.flag("ascending");
    objects.sort_by(|one, other| {
        let order = compared(key, one, other);
        if ascending { order } else { order.reverse() }
    });
    let total = objects.len();
    let items = if unpaged { objects } else { cut(ask, objects) };
    Page { items, total }
}

/// A page of a list; a page that is not there is empty.
fn cut(ask: &Ask, objects: Vec<Arc<Value>>) -> Vec<Arc<Value>> {
    let number = |key| ask.query(key).and_then(|text| text.parse::<i64>().ok());
    let (limit, page) = (number("limit").unwrap_or(-1), number("page").unwrap_or(1));
    if limit == -1 {
        return objects;
    }
    let (Ok(limit), Ok(before)) = (usize::try_from(limit), usize::try_from(page - 1)) else {
        return Vec::new();
    };
    objects.into_iter().skip(before.saturating_mul(limit)).take(limit).collect()
}

fn compared(key: &str, one: &Value, other: &Value) -> Ordering {
    let by = |pointer: &str| text(one, pointer).cmp(text(other, pointer));
    let first = match key {
        "name" => Ordering::Equal,
        "updateTime" | "lastUpdateTimestamp" => updated(one).cmp(updated(other)),
        "status" => filter::status(one).cmp(filter::status(other)),
        _ => by("/metadata/creationTimestamp"),
    };
    first.then_with(|| object::name(one).cmp(object::name(other)))
}

/// When the newest condition of an object changed.
fn updated(object: &Value) -> &str {
    let conditions = object::list(object, "/status/conditions").iter();
    let stamps = conditions.map(|condition| {
        let update = text(condition, "/lastUpdateTime");
        if update.is_empty() { text(condition, "/lastTransitionTime") } else { update }
    });
    stamps.max().unwrap_or_else(|| text(object, "/metadata/creationTimestamp"))
}
