//! What is known of the watched objects; it only ever grows newer.
//!
//! All objects of a kind share one count of versions. A list shows the whole
//! set at a version; following from there, no change is left out. So one
//! number is enough: up to which version everything is known. What is not
//! newer is old news, whichever lane brings it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::Listed;

#[derive(Debug, Default)]
pub(super) struct Memory {
    objects: BTreeMap<(String, String), Arc<Value>>,
    /// Up to which version everything is known.
    version: Option<u64>,
    /// When the present knowledge came.
    since: Option<Instant>,
    /// The object that was last found missing; it does not rise again.
    buried: Option<String>,
}

impl Memory {
    /// The objects, by namespace and name.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.objects.values()
    }

    /// Takes a whole list; says whether it is news.
    pub(super) fn list(&mut self, listed: Listed) -> bool {
        let version = listed.resource_version.as_deref().and_then(number);
        if version.is_some() && version < self.version {
            return false;
        }
        let first = self.since.is_none();
        let before = std::mem::take(&mut self.objects);
        for item in listed.items {
            if !self.is_buried(&item) {
                self.objects.insert(key(&item), Arc::new(item));
            }
        }
        self.reached(version);
        first || !same(&before, &self.objects)
    }

    /// Takes an object that was added or changed; says whether it is news.
    pub(super) fn put(&mut self, object: Value) -> bool {
        let version = version(&object);
        if self.is_old(version) || self.is_buried(&object) {
            return false;
        }
        let key = key(&object);
        let known = self.objects.get(&key).is_some_and(|known| stamp(known) == stamp(&object));
        self.reached(version);
        self.objects.insert(key, Arc::new(object));
        !known
    }

    /// Takes note that an object was deleted; says whether it is news.
    pub(super) fn delete(&mut self, object: &Value) -> bool {
        let version = version(object);
        if self.is_old(version) {
            return false;
        }
        let first = self.since.is_none();
        self.reached(version);
        self.objects.remove(&key(object)).is_some() || first
    }

    /// Takes note that nothing else changed up to a version.
    pub(super) fn bookmark(&mut self, version: &str) -> bool {
        self.version = self.version.max(number(version));
        false
    }

    /// Takes note that the one object was not there when asked; says whether it is news.
    ///
    /// An absence has no version. It counts if nothing was learned since it was asked for.
    pub(super) fn missing(&mut self, asked: Instant) -> bool {
        let Some(since) = self.since else {
            self.reached(None);
            return true;
        };
        if since >= asked {
            return false;
        }
        let gone = self.objects.pop_first().map(|(_, object)| object);
        self.buried = gone.as_deref().and_then(uid).map(str::to_owned).or(self.buried.take());
        gone.is_some()
    }

    fn reached(&mut self, version: Option<u64>) {
        self.version = self.version.max(version);
        self.since = Some(Instant::now());
    }

    fn is_old(&self, version: Option<u64>) -> bool {
        version.is_some() && version <= self.version
    }

    fn is_buried(&self, object: &Value) -> bool {
        self.buried.is_some() && self.buried.as_deref() == uid(object)
    }
}

fn same(before: &BTreeMap<(String, String), Arc<Value>>, after: &BTreeMap<(String, String), Arc<Value>>) -> bool {
    before.len() == after.len()
        && before.iter().zip(after).all(|(old, new)| old.0 == new.0 && stamp(old.1) == stamp(new.1))
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get("metadata")?.get(name)?.as_str()
}

fn key(object: &Value) -> (String, String) {
    let part = |name| text(object, name).unwrap_or_default().to_owned();
    (part("namespace"), part("name"))
}

fn uid(object: &Value) -> Option<&str> {
    text(object, "uid")
}

fn stamp(object: &Value) -> (Option<&str>, Option<&str>) {
    (uid(object), text(object, "resourceVersion"))
}

fn version(object: &Value) -> Option<u64> {
    text(object, "resourceVersion").and_then(number)
}

fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object(name: &str, uid: &str, version: u64) -> Value {
        json!({"metadata": {"name": name, "uid": uid, "resourceVersion": version.to_string()}})
    }

    fn listed(items: Vec<Value>, version: u64) -> Listed {
        Listed { items, resource_version: Some(version.to_string()), complete: true }
    }

    fn versions(memory: &Memory) -> Vec<u64> {
        memory.objects().filter_map(|object| version(object)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_lane_does_not_turn_back_time() {
        let mut memory = Memory::default();
        assert!(memory.list(listed(vec![object("a", "1", 50)], 100)));
        assert!(!memory.put(object("a", "1", 50)), "the same again");
        assert!(memory.put(object("a", "1", 120)));
        assert!(!memory.put(object("a", "1", 110)), "an older state");
        assert!(!memory.list(listed(vec![], 115)), "an older list");
        assert!(memory.delete(&object("a", "1", 130)));
        assert!(!memory.put(object("a", "1", 125)), "older than its deletion");
        assert!(memory.put(object("a", "2", 140)), "a new object of the name");
        assert_eq!(versions(&memory), [140]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_list_is_news_even_if_empty_and_the_same_list_is_not() {
        let mut memory = Memory::default();
        assert!(memory.list(listed(vec![], 100)));
        assert!(!memory.list(listed(vec![], 101)));
        assert!(memory.list(listed(vec![object("a", "1", 102)], 103)));
        assert!(!memory.list(listed(vec![object("a", "1", 102)], 104)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_absence_counts_only_if_nothing_was_learned_since() {
        let mut memory = Memory::default();
        assert!(memory.missing(Instant::now()), "the first word is news");
        let asked = Instant::now();
        tokio::time::advance(Duration::from_millis(5)).await;
        assert!(memory.put(object("a", "1", 50)));
        assert!(!memory.missing(asked), "asked before the object was seen");
        tokio::time::advance(Duration::from_millis(5)).await;
        assert!(memory.missing(Instant::now()));
        assert!(!memory.put(object("a", "1", 60)), "a late word of the dead");
        assert!(memory.put(object("a", "2", 70)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_bookmark_makes_what_is_older_old() {
        let mut memory = Memory::default();
        memory.list(listed(vec![], 100));
        memory.bookmark("200");
        assert!(!memory.put(object("a", "1", 150)));
    }

    #[tokio::test(start_paused = true)]
    async fn versions_that_are_no_numbers_are_taken_as_they_come() {
        let mut memory = Memory::default();
        let odd = |version: &str| json!({"metadata": {"name": "a", "uid": "1", "resourceVersion": version}});
        assert!(memory.put(odd("x")));
        assert!(memory.put(odd("y")));
        assert!(!memory.put(odd("y")));
    }

    proptest! {
        #[test]
        fn no_order_of_arrival_shows_an_older_state_after_a_newer(arrivals in prop::collection::vec(0u64..20, 1..40)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let _guard = runtime.enter();
            let (mut memory, mut newest) = (Memory::default(), 0);
            for arrival in arrivals {
                if memory.put(object("a", "1", arrival)) {
                    prop_assert!(newest == 0 || arrival > newest);
                    newest = arrival;
                }
            }
        }
    }
}
