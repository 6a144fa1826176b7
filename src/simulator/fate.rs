//! What becomes of pods: most run, some are unlucky.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::object;

/// Pods that meet a fate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PodRule {
    /// Which pods.
    #[serde(rename = "match")]
    pub matching: PodMatch,
    /// What becomes of them.
    pub becomes: Becomes,
    /// Lines that their containers write.
    #[serde(default)]
    pub says: Vec<String>,
    /// The code with which a failing container ends.
    #[serde(default)]
    pub exit_code: Option<u8>,
    /// For how many pods this holds; all when it is not said.
    #[serde(default)]
    pub times: Option<usize>,
}

/// Which pods; what is not said does not matter.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PodMatch {
    /// Their namespace.
    pub namespace: Option<String>,
    /// How their name begins.
    pub name_prefix: Option<String>,
    /// Part of the image of one of their containers.
    pub image: Option<String>,
    /// Labels that they carry.
    pub labels: BTreeMap<String, String>,
}

/// What becomes of an unlucky pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Becomes {
    /// Its image cannot be pulled.
    ImagePullError,
    /// Its container ends soon after each start.
    CrashLoop,
    /// No node takes it.
    Unschedulable,
    /// It runs and never becomes ready.
    NeverReady,
    /// Its container ends with an error.
    Fail,
    /// A quota keeps it from being created.
    Quota,
    /// It runs well; for exceptions before a wider rule.
    Healthy,
}

impl PodMatch {
    pub(super) fn holds(&self, pod: &Value) -> bool {
        let containers = object::list(pod, "/spec/containers");
        let image = |part: &String| containers.iter().any(|container| object::text(container, "/image").contains(part));
        let name = match object::name(pod) {
            "" => object::text(pod, "/metadata/generateName"),
            name => name,
        };
        self.namespace.as_ref().is_none_or(|ns| ns == object::namespace(pod))
            && self.name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && self.image.as_ref().is_none_or(image)
            && self
                .labels
                .iter()
                .all(|(key, value)| object::labels(pod).get(key).and_then(Value::as_str) == Some(value))
    }
}

/// Decides the fate of each pod once; clones share the decisions.
#[derive(Debug, Clone, Default)]
pub struct PodFates {
    rules: Arc<Vec<PodRule>>,
    decided: Arc<Mutex<Decided>>,
}

#[derive(Debug, Default)]
struct Decided {
    by_uid: HashMap<String, Option<usize>>,
    used: HashMap<usize, usize>,
}

impl PodFates {
    /// Fates by rules; the first rule that matches a pod decides.
    pub fn new(rules: Vec<PodRule>) -> Self {
        Self { rules: Arc::new(rules), decided: Arc::default() }
    }

    /// The rule for a pod, the same each time it is asked; nothing for a pod that just runs.
    pub fn of(&self, pod: &Value) -> Option<&PodRule> {
        if self.rules.is_empty() {
            return None;
        }
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        let uid = object::uid(pod);
        if let Some(known) = decided.by_uid.get(uid) {
            return known.and_then(|index| self.rules.get(index));
        }
        let found = self.rules.iter().enumerate().position(|(index, rule)| {
            let used = decided.used.get(&index).copied().unwrap_or_default();
            rule.times.is_none_or(|times| used < times) && rule.matching.holds(pod)
        });
        if let Some(index) = found {
            *decided.used.entry(index).or_default() += 1;
        }
        if !uid.is_empty() {
            decided.by_uid.insert(uid.to_owned(), found);
        }
        found.and_then(|index| self.rules.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(uid: &str) -> Value {
        json!({"metadata": {"name": "web-1", "namespace": "shop", "uid": uid},
            "spec": {"containers": [{"image": "registry.example/web:1.9"}]}})
    }

    fn fates(rule: Value) -> PodFates {
        PodFates::new(vec![serde_json::from_value(rule).expect("legal")])
    }

    #[test]
    fn a_fate_is_counted_by_pods_and_never_changes() {
        let fates = fates(json!({"match": {"image": "web:1.9"}, "becomes": "fail", "times": 1}));
        for _ in 0..3 {
            assert_eq!(fates.of(&pod("a")).map(|rule| rule.becomes), Some(Becomes::Fail));
            assert!(fates.of(&pod("b")).is_none());
        }
    }

    #[test]
    fn every_word_of_a_match_counts() {
        let rule = |matching: Value| fates(json!({"match": matching, "becomes": "crash-loop"}));
        assert!(rule(json!({"namespace": "shop", "name-prefix": "web-"})).of(&pod("a")).is_some());
        assert!(rule(json!({"namespace": "other"})).of(&pod("a")).is_none());
        assert!(rule(json!({"labels": {"app": "web"}})).of(&pod("a")).is_none());
    }
}
