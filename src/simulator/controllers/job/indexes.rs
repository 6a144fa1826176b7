//! The numbers of an indexed Job's pods, and which of them are done.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::index_of;
use crate::simulator::object::{name, put, text};

/// The numbers that are done; not used by Jobs whose pods are all alike.
#[derive(Debug, Clone, Default)]
pub(super) struct Indexes {
    used: bool,
    done: BTreeSet<i64>,
}

impl Indexes {
    /// What a Job's status says is done.
    pub(super) fn of(job: &Value) -> Self {
        let used = text(job, "/spec/completionMode") == "Indexed";
        let done = text(job, "/status/completedIndexes").split(',').filter_map(range).flatten();
        Self { used, done: done.collect() }
    }

    /// Whether the Job's pods have numbers.
    pub(super) fn are_used(&self) -> bool {
        self.used
    }

    /// Notes that a pod succeeded; says whether that counts: a number counts once.
    pub(super) fn complete(&mut self, pod: &Value) -> bool {
        !self.used || index_of(pod).is_some_and(|index| self.done.insert(index))
    }

    /// The numbers that are neither done nor at work.
    pub(super) fn free<'a>(
        &self,
        active: impl Iterator<Item = &'a Arc<Value>>,
        completions: Option<i64>,
    ) -> VecDeque<i64> {
        let taken: HashSet<_> = active.filter_map(|pod| index_of(pod)).collect();
        let all = 0..completions.filter(|_| self.used).unwrap_or_default();
        all.filter(|index| !self.done.contains(index) && !taken.contains(index)).collect()
    }

    /// The numbers that are done as the status writes them: `0-2,5`.
    pub(super) fn text(&self) -> String {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for index in &self.done {
            match runs.last_mut().filter(|(_, last)| last + 1 == *index) {
                Some((_, last)) => *last = *index,
                None => runs.push((*index, *index)),
            }
        }
        let shown = runs.into_iter().map(|(first, last)| match last - first {
            0 => first.to_string(),
            1 => format!("{first},{last}"),
            _ => format!("{first}-{last}"),
        });
        shown.collect::<Vec<_>>().join(",")
    }
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<i64>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// Gives a pod its number.
pub(super) fn mark(job: &Value, pod: &mut Value, index: i64) {
    let (label, number) = ("batch.kubernetes.io/job-completion-index", index.to_string());
    put(pod, &["metadata", "annotations", label], number.as_str());
    put(pod, &["metadata", "labels", label], number);
    put(pod, &["metadata", "generateName"], format!("{}-{index}-", name(job)));
    put(pod, &["spec", "hostname"], format!("{}-{index}", name(job)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn done_numbers_are_written_as_runs() {
        let job = json!({"spec": {"completionMode": "Indexed"}, "status": {"completedIndexes": "0-2,5,7,8"}});
        let indexes = Indexes::of(&job);
        assert_eq!(indexes.text(), "0-2,5,7,8");
        assert_eq!(indexes.free(std::iter::empty(), Some(10)), [3, 4, 6, 9]);
    }
}
