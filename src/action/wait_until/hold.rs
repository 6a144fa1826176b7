//! Whether what is waited for holds long enough: pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long it must hold, and what counts as a break.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    /// How long it must hold; nothing: one good look is enough.
    pub(super) stays: Option<Duration>,
    /// Bad looks that are no break.
    pub(super) tolerate: u32,
    /// A break ends the wait, and is not waited out.
    pub(super) fail_on_break: bool,
}

/// What a look comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// It held long enough.
    Done,
    /// Not yet, in one line.
    Wait(String),
    /// It held, and then it broke.
    Broke(String),
}

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Hold {
    patience: Patience,
    since: Option<Instant>,
    bad: u32,
}

impl Hold {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Takes a look in; `amiss` says what does not hold.
    pub(super) fn take(&mut self, amiss: Option<&str>, now: Instant) -> Next {
        match (amiss, self.since) {
            (None, since) => self.good(since.unwrap_or(now), now),
            (Some(line), None) => Next::Wait(line.to_owned()),
            (Some(line), Some(_)) if self.bad < self.patience.tolerate => {
                self.bad += 1;
                Next::Wait(format!("bad look {} of {} that are tolerated: {line}", self.bad, self.patience.tolerate))
            }
            (Some(line), Some(since)) if self.patience.fail_on_break => {
                Next::Broke(format!("it held for {} and then broke: {line}", seconds(now - since)))
            }
            (Some(line), Some(_)) => {
                (self.since, self.bad) = (None, 0);
                Next::Wait(line.to_owned())
            }
        }
    }

    /// How long it must go on holding, while it holds.
    pub(super) fn rest(&self, now: Instant) -> Option<Duration> {
        Some(self.patience.stays?.saturating_sub(now - self.since?))
    }

    fn good(&mut self, since: Instant, now: Instant) -> Next {
        self.since = Some(since);
        match self.patience.stays {
            Some(stays) if now - since < stays => {
                Next::Wait(format!("it holds, for {} of {}", seconds(now - since), seconds(stays)))
            }
            _ => Next::Done,
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(tolerate: u32, fail_on_break: bool) -> (Hold, Instant) {
        let stays = Some(Duration::from_secs(10));
        (Hold::new(Patience { stays, tolerate, fail_on_break }), Instant::now())
    }

    fn at(start: Instant, second: u64) -> Instant {
        start + Duration::from_secs(second)
    }

    #[test]
    fn one_good_look_is_enough_where_nothing_must_stay() {
        let (mut hold, now) = (Hold::new(Patience::default()), Instant::now());
        assert_eq!(hold.take(Some("no"), now), Next::Wait("no".into()));
        assert_eq!(hold.take(None, now), Next::Done);
    }

    #[test]
    fn a_break_begins_the_clock_anew() {
        let (mut hold, start) = hold(0, false);
        assert_eq!(hold.take(None, start), Next::Wait("it holds, for 0s of 10s".into()));
        assert_eq!(hold.rest(at(start, 9)), Some(Duration::from_secs(1)));
        assert_eq!(hold.take(Some("no"), at(start, 9)), Next::Wait("no".into()));
        assert_eq!(hold.rest(at(start, 9)), None);
        assert_eq!(hold.take(None, at(start, 10)), Next::Wait("it holds, for 0s of 10s".into()));
        assert_eq!(hold.take(None, at(start, 20)), Next::Done);
    }

    #[test]
    fn a_break_is_only_one_after_it_held_and_beyond_what_is_tolerated() {
        let (mut hold, start) = hold(1, true);
        assert_eq!(hold.take(Some("no"), start), Next::Wait("no".into()));
        hold.take(None, at(start, 1));
        assert!(matches!(hold.take(Some("no"), at(start, 2)), Next::Wait(line) if line.contains("1 of 1")));
        hold.take(None, at(start, 3));
        assert_eq!(hold.take(Some("no"), at(start, 4)), Next::Broke("it held for 3s and then broke: no".into()));
    }

    #[test]
    fn a_tolerated_look_does_not_end_the_wait() {
        let (mut hold, start) = hold(1, true);
        hold.take(None, start);
        assert!(matches!(hold.take(Some("no"), at(start, 10)), Next::Wait(_)));
        assert_eq!(hold.take(None, at(start, 11)), Next::Done);
    }
}
