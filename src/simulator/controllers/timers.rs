//! When which object wants another look.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::view::Id;
use crate::clock::Timestamp;

/// The alarms of the controllers: by object and purpose, and in order of time.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: HashMap<String, HashMap<String, Timestamp>>,
    tallies: HashMap<String, HashMap<&'static str, i64>>,
    queue: BinaryHeap<Reverse<(Timestamp, Id)>>,
}

impl Timers {
    /// When the alarm of a purpose is due; the first who asks sets it to `moment`.
    pub(super) fn ask(&mut self, uid: &str, id: &Id, purpose: &str, moment: Timestamp) -> Timestamp {
        let alarms = self.due.entry(uid.to_owned()).or_default();
        if let Some(due) = alarms.get(purpose) {
            return *due;
        }
        alarms.insert(purpose.to_owned(), moment);
        self.queue.push(Reverse((moment, id.clone())));
        moment
    }

    /// Wants another look at a place at a moment, for no purpose that is remembered.
    pub(super) fn wake(&mut self, id: Id, moment: Timestamp) {
        self.queue.push(Reverse((moment, id)));
    }

    /// Forgets the alarm of a purpose, so that it can be set again.
    pub(super) fn clear(&mut self, uid: &str, purpose: &str) {
        if let Some(alarms) = self.due.get_mut(uid) {
            alarms.remove(purpose);
        }
    }

    /// Counts one more of something that happens to an object.
    pub(super) fn tally(&mut self, uid: &str, what: &'static str) -> i64 {
        let count = self.tallies.entry(uid.to_owned()).or_default().entry(what).or_default();
        *count += 1;
        *count
    }

    /// How often something has happened to an object.
    pub(super) fn count(&self, uid: &str, what: &str) -> i64 {
        self.tallies.get(uid).and_then(|all| all.get(what)).copied().unwrap_or_default()
    }

    /// Forgets an object that is gone.
    pub(super) fn forget(&mut self, uid: &str) {
        self.due.remove(uid);
        self.tallies.remove(uid);
    }

    /// When the next alarm is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((moment, _))| *moment)
    }

    /// The place of an object whose alarm is due, taken off the queue.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Id> {
        self.next().filter(|moment| *moment <= now)?;
        self.queue.pop().map(|Reverse((_, id))| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_ask_sets_the_alarm_and_it_rings_in_order() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a stamp");
        let (early, late) = (at("2026-01-01T00:00:01Z"), at("2026-01-01T00:00:02Z"));
        let (a, b) = (Id::new("pods", "shop", "a"), Id::new("pods", "shop", "b"));
        let mut timers = Timers::default();
        assert_eq!(timers.ask("a", &a, "start", late), late);
        assert_eq!(timers.ask("a", &a, "start", early), late);
        timers.ask("b", &b, "start", early);
        assert_eq!(timers.next(), Some(early));
        assert_eq!((timers.pop(early), timers.pop(early)), (Some(b), None));
        assert_eq!(timers.pop(late), Some(a));
        assert_eq!((timers.tally("a", "pull"), timers.tally("a", "pull")), (1, 2));
        assert_eq!(timers.count("a", "crash"), 0);
    }
}
