//! The demo world: a small shop with a database, a failed migration and two nodes.
//!
//! `demo.json` says what was created when; the controllers play that past in advance, so that
//! every status, stamp, revision, event and log line is what they would have left. Whoever enters
//! finds a cluster at rest. Only `Simulator` builds it.
//!
//! To add something to the world: an object in the chapter of its age. What becomes of its pods
//! in the past is said under `pods`; in the present, pods simply run.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;

use super::controllers::Past;
use super::fate::{PodFates, PodRule};
use super::object::{name, namespace, text};
use super::resource::by_kind;
use super::scenario::{ScenarioError, Timing};
use super::status::StatusError;
use super::store::Store;
use crate::clock::Timestamp;

const DEMO: &str = include_str!("demo.json");

/// The pace of the past.
const PACE: Timing = Timing {
    scheduled: std::time::Duration::from_millis(50),
    pulled: std::time::Duration::from_secs(2),
    ready: std::time::Duration::from_secs(5),
    job: std::time::Duration::from_secs(9),
    ended: std::time::Duration::from_secs(2),
    back_off: std::time::Duration::from_secs(10),
    observed: std::time::Duration::from_millis(100),
};

/// A world as its file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    pods: Vec<PodRule>,
    history: Vec<Chapter>,
}

/// What happened at one moment of the past.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[derive(Default)]
struct Chapter {
    minutes_ago: i64,
    objects: Vec<Value>,
    patches: Vec<Value>,
}

/// Fills an empty cluster with the demo world, settled at this moment.
///
/// # Errors
/// When the world's file has an object that cannot be one.
pub(super) fn build(store: &Store) -> Result<(), ScenarioError> {
    let demo: Demo =
        serde_json::from_str(DEMO).map_err(|error| ScenarioError::new(error.to_string()))?;
    let present = store.clock().now();
    let mut past = Past::new(store, present, PACE, PodFates::new(demo.pods));
    let mut moment = present;
    for chapter in demo.history {
        let next = present - TimeDelta::minutes(chapter.minutes_ago);
        past.play(moment.min(next), next);
        moment = next;
        chapter
            .happen(store, moment)
            .map_err(|error| ScenarioError::new(error.message))?;
    }
    past.play(moment, present);
    store.forget_log();
    Ok(())
}

impl Chapter {
    fn happen(self, store: &Store, moment: Timestamp) -> Result<(), StatusError> {
        for mut object in self.objects {
            super::object::put(
                &mut object,
                &["metadata", "creationTimestamp"],
                super::object::stamp(moment),
            );
            store.seed(plural(&object)?, object)?;
        }
        for patch in self.patches {
            let merge = |object: &mut Value| {
                json_patch::merge(object, &patch);
                Ok(())
            };
            store.update(
                plural(&patch)?,
                namespace(&patch),
                name(&patch),
                None,
                merge,
            )?;
        }
        Ok(())
    }
}

fn plural(object: &Value) -> Result<&'static str, StatusError> {
    let found = by_kind(text(object, "/apiVersion"), text(object, "/kind"));
    found
        .map(|resource| resource.plural)
        .ok_or_else(StatusError::no_such_path)
}

#[cfg(test)]
mod tests;
