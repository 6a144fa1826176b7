use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cluster::identity::LoginEnded;
use crate::cluster::refusal::{Layer, Refusal};
use crate::cluster::response::BodyError;
use crate::cluster::transport::TransportError;

fn refused(status: u16) -> Error {
    let (reason, message, layer) = (None, "no".to_owned(), Layer::Kubernetes);
    Error::from(Refusal { status, reason, message, code: None, details: None, retry_after: None, layer })
}

fn repeats(effect: Effect, error: &Error) -> bool {
    RetryPolicy::seeded(1).next(1, effect, error) != Next::Stop
}

/// What happened, whether a read goes on, whether a change does.
type Row = (Error, bool, bool);

fn holds(rows: impl IntoIterator<Item = Row>) {
    for (error, read, change) in rows {
        assert_eq!(repeats(Effect::Reads, &error), read, "read after {error:?}");
        assert_eq!(repeats(Effect::Changes, &error), change, "change after {error:?}");
    }
}

#[test]
fn what_the_road_did_decides() {
    let cut = BodyError::CutOff { status: 200, cause: "reset".into() };
    holds([
        (Error::Transport(TransportError::NotSent("refused".into())), true, true),
        (Error::Transport(TransportError::TimedOut(Duration::from_secs(1))), true, false),
        (Error::Transport(TransportError::Broken("reset".into())), true, false),
        (Error::Body(cut), true, false),
        (Error::Body(BodyError::TooLarge { status: 200, limit: 1 }), false, false),
        (Error::Body(BodyError::NotJson { status: 200, cause: "x".into() }), false, false),
        (Error::Login(LoginEnded::new("it ended", "log in")), false, false),
    ]);
}

#[test]
fn what_the_server_said_decides() {
    holds([408, 500, 502, 503, 504].map(|status| (refused(status), true, false)));
    holds([400, 401, 403, 404, 409, 410, 422, 501].map(|status| (refused(status), false, false)));
    holds([(refused(429), true, true)]);
}

#[test]
fn a_disruption_budget_is_an_answer() {
    let mut budget = refused(429);
    if let Error::Refused(refusal) = &mut budget {
        refusal.details = Some(json!({"causes": [{"reason": "DisruptionBudget"}]}));
    }
    holds([(budget, false, false)]);
}

#[test]
fn a_503_with_retry_after_is_no_proof_for_a_change() {
    let mut error = refused(503);
    if let Error::Refused(refusal) = &mut error {
        refusal.retry_after = Some(Duration::from_secs(9));
    }
    let policy = RetryPolicy::seeded(1);
    assert_eq!(policy.next(1, Effect::Reads, &error), Next::After(Duration::from_secs(9)));
    assert_eq!(policy.next(1, Effect::Changes, &error), Next::Stop);
}

#[test]
fn a_server_that_asks_for_too_much_is_left_alone() {
    let mut error = refused(429);
    if let Error::Refused(refusal) = &mut error {
        refusal.retry_after = Some(Duration::from_secs(31));
    }
    assert_eq!(RetryPolicy::seeded(1).next(1, Effect::Reads, &error), Next::Stop);
}

#[test]
fn the_tries_come_to_an_end() {
    let policy = RetryPolicy::seeded(1);
    assert_ne!(policy.next(3, Effect::Reads, &refused(500)), Next::Stop);
    assert_eq!(policy.next(4, Effect::Reads, &refused(500)), Next::Stop);
    assert_eq!(RetryPolicy::never().next(1, Effect::Reads, &refused(500)), Next::Stop);
}

proptest! {
    #[test]
    fn delays_double_up_to_the_cap_and_follow_the_seed(seed: u64, attempt in 1u32..80) {
        let policy = RetryPolicy::seeded(seed);
        let delay = policy.delay(attempt);
        let whole = policy.first.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(policy.longest);
        prop_assert!(delay >= whole / 2 && delay <= whole);
        prop_assert_eq!(delay, policy.delay(attempt));
    }
}
