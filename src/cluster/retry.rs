//! When a request is sent again: a pure decision, with delays from a seed.
//!
//! A read may always be repeated, so anything that time may heal is tried
//! again. A change is sent again only with proof that it did not apply:
//!
//! | what happened | read | change | why |
//! |---|---|---|---|
//! | could not connect | again | again | the server cannot have seen it |
//! | deadline, broken connection, answer cut off | again | stop | it may have applied |
//! | 429 | again | again | refused before anything was done |
//! | 429 of a disruption budget | stop | stop | that is the answer |
//! | 408, 500, 502, 503, 504 | again | stop | a proxy or the store may have passed it on, also with `Retry-After` |
//! | 501, other 4xx, a login that ended | stop | stop | time does not heal it |
//!
//! A `Retry-After` is honoured up to [`RetryPolicy::patience`]; a server that
//! asks for more gets its wish by being left alone.

use std::time::Duration;

use super::Error;

/// How often and how slowly requests are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first included.
    pub attempts: u32,
    /// The delay before the second try; it doubles with each.
    pub first: Duration,
    /// The longest delay of our own making.
    pub longest: Duration,
    /// The longest `Retry-After` that is waited for.
    pub patience: Duration,
    /// What the jitter is drawn from.
    pub seed: u64,
}

/// Whether a request changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It looks.
    Reads,
    /// It changes.
    Changes,
}

/// What to do after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again after this delay.
    After(Duration),
    /// The failure stands.
    Stop,
}

impl RetryPolicy {
    /// Four tries within a few seconds.
    pub fn seeded(seed: u64) -> Self {
        Self {
            attempts: 4,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(5),
            patience: Duration::from_secs(30),
            seed,
        }
    }

    /// One try.
    pub fn never() -> Self {
        Self { attempts: 1, ..Self::seeded(0) }
    }

    /// What to do after try number `attempt` (from 1) ended with `error`.
    pub fn next(&self, attempt: u32, effect: Effect, error: &Error) -> Next {
        if attempt >= self.attempts || !may_repeat(effect, error) {
            return Next::Stop;
        }
        let wished = error.refusal().and_then(|refusal| refusal.retry_after).unwrap_or_default();
        if wished > self.patience { Next::Stop } else { Next::After(wished.max(self.delay(attempt))) }
    }

    /// The delay after try number `attempt`: doubling, capped, the upper half of it by chance.
    pub fn delay(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let whole = self.first.saturating_mul(factor).min(self.longest);
        let chance = fastrand::Rng::with_seed(self.seed ^ u64::from(attempt).rotate_left(32)).f64();
        whole.mul_f64(0.5 + chance / 2.0)
    }
}

fn may_repeat(effect: Effect, error: &Error) -> bool {
    match (error, effect) {
        (Error::Refused(refusal), Effect::Reads) => refusal.is_transient(),
        (Error::Refused(refusal), Effect::Changes) => refusal.is_throttled(),
        (Error::Transport(error), Effect::Changes) => !error.may_have_arrived(),
        (Error::Transport(_), Effect::Reads) => true,
        (Error::Body(broken), _) => effect == Effect::Reads && broken.is_cut_off(),
        (Error::Login(_) | Error::UnknownKind { .. } | Error::Path(_), _) => false,
    }
}

#[cfg(test)]
mod tests;
