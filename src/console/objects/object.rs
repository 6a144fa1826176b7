//! One object, asked for what its columns need.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::console::age::age;
use crate::console::style::Tone;
use crate::console::table::Cell;
use crate::document::Selector;

/// What kubectl writes where there is nothing.
pub(super) const NONE: &str = "<none>";

/// What kubectl writes where nobody knows.
pub(super) const UNKNOWN: &str = "<unknown>";

/// An object, and the moment it is looked at.
pub(super) struct Object<'a> {
    value: &'a Value,
    now: Timestamp,
}

impl<'a> Object<'a> {
    pub(super) fn new(value: &'a Value, now: Timestamp) -> Self {
        Self { value, now }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.value.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A text; empty where there is none.
    pub(super) fn text(&self, pointer: &str) -> &'a str {
        self.at(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text, or `<none>`.
    pub(super) fn text_or_none(&self, pointer: &str) -> &'a str {
        Some(self.text(pointer)).filter(|text| !text.is_empty()).unwrap_or(NONE)
    }

    /// A number; zero where there is none, as Kubernetes leaves zeros out.
    pub(super) fn number(&self, pointer: &str) -> i64 {
        self.at(pointer).and_then(Value::as_i64).unwrap_or(0)
    }

    pub(super) fn list(&self, pointer: &str) -> &'a [Value] {
        self.at(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// How many entries a mapping has.
    pub(super) fn entries(&self, pointer: &str) -> usize {
        self.at(pointer).and_then(Value::as_object).map_or(0, serde_json::Map::len)
    }

    pub(super) fn moment(&self, pointer: &str) -> Option<Timestamp> {
        self.text(pointer).parse().ok()
    }

    /// How long ago something was, or `<unknown>`.
    pub(super) fn ago(&self, pointer: &str) -> String {
        self.moment(pointer).map_or_else(|| UNKNOWN.to_owned(), |at| age(at, self.now))
    }

    pub(super) fn name(&self) -> Cell {
        Cell::plain(self.text("/metadata/name"))
    }

    pub(super) fn age(&self) -> Cell {
        Cell::plain(self.ago("/metadata/creationTimestamp"))
    }

    pub(super) fn is_going(&self) -> bool {
        self.at("/metadata/deletionTimestamp").is_some()
    }

    /// The status of a condition: `True`, `False`, `Unknown`; empty where there is none.
    pub(super) fn condition(&self, kind: &str) -> &'a str {
        let of_kind = |condition: &&Value| condition.get("type").and_then(Value::as_str) == Some(kind);
        let found = self.list("/status/conditions").iter().find(of_kind);
        found.and_then(|condition| condition.get("status")?.as_str()).unwrap_or_default()
    }

    /// The names and images of a pod template's containers.
    pub(super) fn containers(&self, pointer: &str) -> [Cell; 2] {
        let joined = |key: &str| {
            let texts = self.list(pointer).iter().filter_map(|container| container.get(key)?.as_str());
            Cell::plain(texts.collect::<Vec<_>>().join(","))
        };
        [joined("name"), joined("image")]
    }

    /// The labels that a workload selects its pods by.
    pub(super) fn selector(&self) -> Cell {
        Cell::plain(Selector::of_object(self.value).map_or_else(|_| NONE.to_owned(), |selector| selector.to_string()))
    }
}

/// `ready/wanted`, odd where some are missing.
pub(super) fn ratio(ready: i64, wanted: i64) -> Cell {
    let tone = if ready < wanted { Tone::Odd } else { Tone::Plain };
    Cell::new(tone, format!("{ready}/{wanted}"))
}

/// A word of a status in the tone that it has for people.
pub(super) fn status_word(word: impl Into<String>) -> Cell {
    const GOOD: [&str; 7] = ["Running", "Completed", "Complete", "Active", "Ready", "Succeeded", "Normal"];
    const UNDER_WAY: [&str; 8] = [
        "Pending",
        "Terminating",
        "ContainerCreating",
        "PodInitializing",
        "Init:",
        "Suspended",
        "SchedulingGated",
        "Ready,SchedulingDisabled",
    ];
    let word = word.into();
    let is_init_progress = word.starts_with("Init:") && word.chars().any(|letter| letter == '/');
    let tone = if GOOD.contains(&word.as_str()) {
        Tone::Good
    } else if UNDER_WAY.contains(&word.as_str()) || is_init_progress {
        Tone::Odd
    } else {
        Tone::Bad
    };
    Cell::new(tone, word)
}

/// A number in a cell.
pub(super) fn count(number: impl std::fmt::Display) -> Cell {
    Cell::plain(number.to_string())
}
