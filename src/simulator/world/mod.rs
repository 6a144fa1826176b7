//! The demo world: a small shop with a database, a failed migration and two nodes.
//!
//! `history.json` says what was created when; `settled.json` is what the controllers made of it,
//! written down, so that whoever enters finds a cluster at rest, and names, UIDs and statuses are
//! the same each time. Stamps stand in it as spans: `@now-90` is 90 seconds before the world is
//! built, `@nightly+3` is 3 seconds after the last moment of the `CronJob` of that name, and
//! `@nightly.minutes` is the number that such a moment has in the names of Jobs. Only
//! `Simulator` builds the world.
//!
//! To change the world, edit `history.json` and play it again:
//! `cargo test --lib write_the_settled_world -- --ignored`.

#[cfg(test)]
mod past;

use std::collections::HashMap;
use std::str::FromStr as _;

use chrono::TimeDelta;
use croner::Cron;
use serde::Deserialize;
use serde_json::Value;

use super::object::{name, stamp, text};
use super::resource::by_kind;
use super::scenario::ScenarioError;
use super::store::{LogLine, Store};
use crate::clock::Timestamp;

const SETTLED: &str = include_str!("settled.json");

/// A world as its file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settled {
    objects: Vec<Value>,
    logs: Vec<Log>,
}

/// What a container has said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    namespace: String,
    pod: String,
    container: String,
    /// A stamp and a text each.
    lines: Vec<(String, String)>,
}

/// Fills an empty cluster with the demo world, settled at this moment.
///
/// # Errors
/// When the world's file has an object that cannot be one.
pub(super) fn build(store: &Store) -> Result<(), ScenarioError> {
    let settled: Settled = serde_json::from_str(SETTLED).map_err(|error| ScenarioError::new(error.to_string()))?;
    let moments = Moments::of(&settled.objects, store.clock().now());
    for mut object in settled.objects {
        moments.fill(&mut object);
        add(store, object)?;
    }
    for log in settled.logs {
        let pod = moments.filled(&log.pod).unwrap_or(log.pod);
        for (at, text) in log.lines {
            let at = moments.moment(&at).unwrap_or_default();
            store.append_log_at(&log.namespace, &pod, &log.container, LogLine { at, text });
        }
    }
    store.forget_log();
    Ok(())
}

fn add(store: &Store, object: Value) -> Result<(), ScenarioError> {
    let kind = by_kind(text(&object, "/apiVersion"), text(&object, "/kind"))
        .ok_or_else(|| ScenarioError::new(format!("{} is of no known kind", name(&object))))?;
    store.seed(kind.plural, object).map(drop).map_err(|error| ScenarioError::new(error.message))
}

/// The moments that stamps in the file count from.
struct Moments(HashMap<String, Timestamp>);

impl Moments {
    /// The present, and the last moment of each schedule.
    fn of(objects: &[Value], now: Timestamp) -> Self {
        let crons = objects.iter().filter(|object| text(object, "/kind") == "CronJob");
        let last = crons.filter_map(|cron| {
            let schedule = Cron::from_str(text(cron, "/spec/schedule")).ok()?;
            let last = schedule.find_previous_occurrence(&now, true).ok()?;
            Some((name(cron).to_owned(), last))
        });
        Self(last.chain([("now".to_owned(), now)]).collect())
    }

    /// Puts stamps in the place of spans, wherever they are.
    fn fill(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(filled) = self.filled(text) {
                    *text = filled;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.fill(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn filled(&self, text: &str) -> Option<String> {
        let (start, rest) = text.split_once('@')?;
        if let Some(moment) = self.moment(text) {
            return Some(stamp(moment));
        }
        let (cron, end) = rest.split_once(".minutes")?;
        Some(format!("{start}{}{end}", self.0.get(cron)?.timestamp() / 60))
    }

    /// The moment that a text of the form `@now-90` names.
    fn moment(&self, text: &str) -> Option<Timestamp> {
        let text = text.strip_prefix('@')?;
        let (anchor, span) = text.split_at_checked(text.rfind(['+', '-'])?)?;
        Some(*self.0.get(anchor)? + TimeDelta::seconds(span.parse().ok()?))
    }
}

#[cfg(test)]
mod tests;
