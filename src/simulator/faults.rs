//! What goes wrong between a client and the simulated server: counted, never timed.

use std::sync::atomic::{AtomicUsize, Ordering};

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// A misfortune of some requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Which requests.
    #[serde(default)]
    pub on: On,
    /// How many of them go well first.
    #[serde(default)]
    pub after: usize,
    /// How many of them go wrong then; one when it is not said.
    #[serde(default = "once")]
    pub times: usize,
    /// What happens to them.
    #[serde(rename = "do")]
    pub effect: Effect,
}

fn once() -> usize {
    1
}

/// Which requests; what is not said does not matter.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct On {
    /// The HTTP method.
    pub method: Option<String>,
    /// A regular expression that is found in path and query.
    #[serde(deserialize_with = "pattern")]
    #[schemars(with = "Option<String>")]
    pub path: Option<Regex>,
    /// The kind in its plural, such as `deployments`.
    pub resource: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The name of the object.
    pub name: Option<String>,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: Option<String>,
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| Regex::new(&text).map_err(serde::de::Error::custom)).transpose()
}

/// What happens to an unlucky request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// An error of this HTTP status instead of an answer; nothing is done.
    Status(u16),
    /// Too many requests; nothing is done.
    Throttle(Throttle),
    /// A conflict; nothing is done.
    Conflict,
    /// Permission denied; nothing is done.
    Forbid,
    /// The connection breaks before anything is done.
    DropBefore,
    /// All is done, and then the connection breaks.
    DropAfter,
    /// Nothing is done, and no answer comes.
    Stall,
    /// All is done, and no answer comes.
    StallAfter,
    /// The answer ends in the middle.
    Truncate,
    /// The answer is not what its type says.
    Garble,
    /// The page of the web application comes instead of an answer.
    Html,
    /// A proxy holds the events of a watch back until it ends.
    BufferWatch,
    /// The watch ends after its first event, or at once when there is none.
    CloseWatch,
    /// The caches behind `/kapis` are late by so many writes.
    Lag(u64),
    /// Someone else changes the object just before: a merge patch, written as `someone-else`.
    Meddle(serde_json::Value),
    /// The past that the request names is forgotten.
    #[serde(rename = "gone-410")]
    Gone,
}

/// How a throttled client is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Throttle {
    /// Seconds in `Retry-After`; no such header when it is not said.
    pub retry_after: Option<u64>,
}

/// What a request asks for, in the words by which faults pick.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traits<'a> {
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) resource: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) verb: &'a str,
}

impl On {
    fn picks(&self, traits: &Traits<'_>) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
        };
        same(&self.method, traits.method)
            && same(&self.resource, traits.resource)
            && same(&self.namespace, traits.namespace)
            && same(&self.name, traits.name)
            && same(&self.verb, traits.verb)
            && self.path.as_ref().is_none_or(|path| path.is_match(traits.uri))
    }
}

/// The faults of a scenario, with their counts.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Fault, AtomicUsize)>);

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self(faults.into_iter().map(|fault| (fault, AtomicUsize::new(0))).collect())
    }

    /// Counts a request and tells what happens to it; the first fault that fires wins.
    pub(super) fn strike(&self, traits: &Traits<'_>) -> Option<&Effect> {
        let mut struck = None;
        for (fault, count) in self.0.iter().filter(|(fault, _)| fault.on.picks(traits)) {
            let seen = count.fetch_add(1, Ordering::Relaxed);
            let fires = seen >= fault.after && seen - fault.after < fault.times;
            if fires && struck.is_none() {
                struck = Some(&fault.effect);
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(document: serde_json::Value) -> Faults {
        Faults::new(serde_json::from_value(document).expect("legal"))
    }

    #[test]
    fn a_fault_strikes_after_some_and_for_some() {
        let faults = faults(json!([{"on": {"method": "GET"}, "after": 1, "times": 2, "do": {"status": 500}}]));
        let get = Traits { method: "GET", ..Traits::default() };
        let post = Traits { method: "POST", ..Traits::default() };
        let struck: Vec<_> = (0..4).map(|_| faults.strike(&get).is_some()).collect();
        assert_eq!(struck, [false, true, true, false]);
        assert_eq!(faults.strike(&post), None);
    }

    #[test]
    fn each_word_picks() {
        let faults = faults(json!([{"on": {"resource": "pods", "namespace": "shop", "verb": "list",
            "path": "limit=5"}, "times": 9, "do": {"throttle": {"retry-after": 2}}}]));
        let hit = Traits { uri: "/x?limit=5", resource: "pods", namespace: "shop", verb: "list", ..Traits::default() };
        assert_eq!(faults.strike(&hit), Some(&Effect::Throttle(Throttle { retry_after: Some(2) })));
        assert_eq!(faults.strike(&Traits { verb: "get", ..hit }), None);
        assert_eq!(faults.strike(&Traits { uri: "/x", ..hit }), None);
    }
}
