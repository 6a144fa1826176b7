//! Wall time for stamps. All sleeping is `tokio::time`.
//!
//! The wall is read once; later stamps add what `tokio::time` says has
//! passed, so that stamps never run backwards and a paused clock holds them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tokio::time::Instant;

/// A moment in UTC.
pub type Timestamp = DateTime<Utc>;

/// Tells the wall time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Timestamp,
    since: Instant,
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall")]
    pub fn system() -> Self {
        Self::starting_at(Utc::now())
    }

    /// A clock that shows `wall` now and goes on from there.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { wall, since: Instant::now() }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.wall + TimeDelta::from_std(self.since.elapsed()).unwrap_or(TimeDelta::MAX)
    }
}

/// A moment as the reports write it: RFC 3339 with milliseconds, UTC.
pub fn rfc3339(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_a_paused_runtime() {
        let start = "2026-01-02T03:04:05Z".parse().expect("a valid stamp");
        let clock = Clock::starting_at(start);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(rfc3339(clock.now()), "2026-01-02T03:05:05.000Z");
    }
}
