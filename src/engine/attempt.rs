//! One try of a step, and the tries after it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::guards::any_tripped;
use super::outputs::with_result;
use super::run::{Run, Surroundings, evaluation};
use super::step::{At, Tried};
use crate::action::{Action, Context, Observed, on_behalf_of, settle_in_flight};
use crate::document::Mode;
use crate::event::{Attempt, CancelReason, Class, EventKind, Failure, Mismatches, Verdict};
use crate::expect::Expectation;
use crate::runbook::{Act, Body, Control, Retry, RetryOn, Step};
use crate::template::Scope;

/// The clock of a step that waits, where none is written.
pub(super) const WAIT: Duration = Duration::from_mins(10);

/// When a step's time is up, and whose clock that is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocks {
    /// The step's own, or that of the try if it is shorter.
    own: Option<Clock>,
    /// That of the list, group or book around it.
    around: Option<Instant>,
}

/// How long something may take, and when that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Clock {
    ends: Instant,
    limit: Duration,
}

impl Clock {
    fn start(limit: Duration) -> Self {
        Self { ends: Instant::now() + limit, limit }
    }

    fn is_over(self) -> bool {
        self.ends <= Instant::now()
    }
}

impl Run {
    /// Tries a step as often as it may be tried.
    pub(super) async fn attempts(&self, at: At<'_>) -> Tried {
        let At { step, id, around } = at;
        let retry = step.retry.as_ref().or_else(|| self.inherited_retry(step));
        let of = retry.map_or(1, |retry| retry.attempts);
        let clocks = clocks(step, around);
        let mut attempt = self.past.take_attempts(id) + 1;
        loop {
            let mut tried = self.attempt(at, clocks).await;
            tried.attempts = attempt;
            if let Some(trouble) = self.lost_login(step, &tried.verdict) {
                if self.new_login(id, &trouble).await {
                    self.shared.made.release(id);
                    continue;
                }
                tried.verdict = Verdict::Cancelled(CancelReason::Paused);
                return tried;
            }
            if self.stops_for_journal(id, &tried.verdict) {
                tried.verdict = Verdict::Cancelled(CancelReason::Paused);
                return tried;
            }
            let Some(retry) = retry.filter(|retry| attempt < of && may_retry(retry, &tried.verdict, clocks)) else {
                return tried;
            };
            let pause = pause(retry, attempt);
            self.shared.fan.tell(EventKind::AttemptFailed(Attempt {
                step: id.clone(),
                attempt,
                of,
                verdict: tried.verdict.clone(),
                next_in_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            }));
            if let Err(stopped) = self.guarded(around, clocks, None, async { tokio::time::sleep(pause).await }).await {
                // The trouble that was to be mended says more than the clock.
                if matches!(stopped, Verdict::Cancelled(_)) {
                    tried.verdict = stopped;
                }
                return tried;
            }
            attempt += 1;
            self.past.forget_inside(id);
            self.shared.made.close(id);
            self.shared.once.forget(id);
        }
    }

    /// The login ended after something was changed: the run is not given up for that.
    fn lost_login(&self, step: &Step, verdict: &Verdict) -> Option<Failure> {
        match verdict {
            Verdict::Errored(failure)
                if failure.class == Class::Login
                    && matches!(step.body, Body::Act(_))
                    && self.shared.made.count() > 0 =>
            {
                Some(failure.clone())
            }
            _ => None,
        }
    }

    /// `defaults.retry` goes only to steps that change nothing.
    fn inherited_retry(&self, step: &Step) -> Option<&Retry> {
        let controls = matches!(step.body, Body::Control(_));
        self.order.book.defaults.retry.as_ref().filter(|_| !controls && !step.may_change())
    }

    async fn attempt(&self, at: At<'_>, clocks: Clocks) -> Tried {
        let At { step, id, around } = at;
        let once = step.attempt_timeout.or(self.order.book.defaults.attempt_timeout.filter(|_| !waits(step)));
        let clocks = Clocks { own: earliest(clocks.own, once.map(Clock::start)), ..clocks };
        match &step.body {
            Body::Control(control) => {
                let own = clocks.own.map(|own| own.ends);
                let around = Surroundings { deadline: earliest(own, clocks.around), ..around.clone() };
                let done = self.control(At { around: &around, ..at }, control).await;
                let fields = approved(control, &done);
                let mut tried = self.judged(step, around.scope.as_ref(), done, clocks);
                tried.outputs.extend(fields);
                tried
            }
            Body::Act(act) => {
                let context = Context::new(self.shared.clone(), id.clone(), around.scope.clone());
                let work = on_behalf_of(id, act_out(act, &context, &around.scope));
                let done = match self.guarded(around, clocks, Some(&context), work).await {
                    Ok(Ok(observed)) => Ok(observed),
                    Ok(Err(failure)) => Err(Verdict::Errored(failure)),
                    Err(stopped) => {
                        on_behalf_of(id, settle_in_flight(&self.shared, id)).await;
                        Err(stopped)
                    }
                };
                let mut tried = self.judged(step, around.scope.as_ref(), done, clocks);
                tried.changed |= self.shared.made.changed(id);
                tried
            }
        }
    }

    /// Runs `work` until it is done, stopped, or out of time.
    async fn guarded<T>(
        &self,
        around: &Surroundings,
        clocks: Clocks,
        context: Option<&Context>,
        work: impl Future<Output = T>,
    ) -> Result<T, Verdict> {
        tokio::select! {
            biased;
            reason = self.cancel.at_least(around.stopped_by) => Err(Verdict::Cancelled(reason)),
            () = any_tripped(&around.wires) => Err(Verdict::Cancelled(CancelReason::Guard)),
            done = work => Ok(done),
            limit = over(clocks.own) => Err(Verdict::Errored(out_of_time(limit, context))),
            () = until(clocks.around) => Err(Verdict::Cancelled(CancelReason::Deadline)),
        }
    }

    /// Outputs, then expectations.
    fn judged(&self, step: &Step, scope: &Scope, done: Result<Observed, Verdict>, clocks: Clocks) -> Tried {
        let observed = match done {
            Ok(observed) => observed,
            Err(verdict) => return Tried::new(overdue(verdict, clocks)),
        };
        if observed.secret {
            self.shared.fan.redactor().register_value(&observed.result);
        }
        let mut tried = Tried { changed: observed.changed, info: observed.info.clone(), ..Tried::new(Verdict::Passed) };
        let scope = with_result(scope, &observed);
        let scope = match self.outputs(step, scope, &observed, &mut tried) {
            Ok(scope) => scope,
            Err(failure) => {
                tried.verdict = Verdict::Errored(failure);
                return tried;
            }
        };
        match self.expectations(step, &scope, &observed.result) {
            Ok((looked_at, mismatches)) => {
                tried.expectations = looked_at;
                if !mismatches.is_empty() {
                    tried.verdict = Verdict::Failed(mismatches);
                }
            }
            Err(failure) => tried.verdict = Verdict::Errored(failure),
        }
        tried
    }

    fn expectations(&self, step: &Step, scope: &Scope, result: &Json) -> Result<(usize, Mismatches), Failure> {
        let Some(form) = &step.expect else { return Ok((0, Vec::new())) };
        self.expected(form, scope, result)
    }

    /// Fills a list of expectations and looks at a result with it.
    pub(super) fn expected(
        &self,
        form: &crate::form::Form,
        scope: &Scope,
        result: &Json,
    ) -> Result<(usize, Mismatches), Failure> {
        let filled = form.fill(scope).map_err(|complaints| evaluation(&complaints))?;
        filled.secrets.iter().for_each(|secret| self.shared.fan.redactor().register_value(secret));
        let mut complaints = Vec::new();
        let list = Expectation::list(&filled.node, Mode::Whole, &mut complaints);
        let Some(list) = list.filter(|_| !complaints.iter().any(crate::source::Diagnostic::is_error)) else {
            return Err(evaluation(&complaints));
        };
        let mut mismatches = Vec::new();
        for expectation in &list {
            let found = expectation.check(result, scope).map_err(|message| Failure::new(Class::Evaluation, message))?;
            mismatches.extend(found.map(|mut mismatch| {
                mismatch.place = Some(self.order.book.source.place(expectation.span().start));
                mismatch
            }));
        }
        Ok((list.len(), mismatches))
    }
}

/// What a person filled in is an output without being declared as one.
fn approved(control: &Control, done: &Result<Observed, Verdict>) -> serde_json::Map<String, Json> {
    match (control, done) {
        (Control::Approve(_), Ok(observed)) => {
            observed.result.get("fields").and_then(Json::as_object).cloned().unwrap_or_default()
        }
        _ => serde_json::Map::new(),
    }
}

fn clocks(step: &Step, around: &Surroundings) -> Clocks {
    let written = match &step.body {
        Body::Act(act) => {
            step.timeout.or_else(|| act.outline.timeout()).or_else(|| act.outline.waits().then_some(WAIT))
        }
        Body::Control(_) => step.timeout,
    };
    // The clock of a loop is its own affair: see `each`.
    let written = written.filter(|_| step.for_each.is_none() || step.timeout.is_none());
    Clocks { own: written.map(Clock::start), around: around.deadline }
}

async fn act_out(act: &Act, context: &Context, scope: &Scope) -> Result<Observed, Failure> {
    if let Some(action) = &act.ready {
        return action.act(context).await;
    }
    let filled = act.arguments.fill(scope).map_err(|complaints| evaluation(&complaints))?;
    filled.secrets.iter().for_each(|secret| context.conceal(secret));
    let mut complaints = Vec::new();
    let action: Option<Arc<dyn Action>> = (act.kind.decode)(&filled.node, Mode::Whole, &mut complaints).map(Arc::from);
    match action.filter(|_| !complaints.iter().any(crate::source::Diagnostic::is_error)) {
        Some(action) => action.act(context).await,
        None => Err(evaluation(&complaints)),
    }
}

fn waits(step: &Step) -> bool {
    matches!(&step.body, Body::Act(act) if act.outline.waits())
}

fn earliest<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Waits until a clock is over, and tells how long it ran.
async fn over(clock: Option<Clock>) -> Duration {
    until(clock.map(|clock| clock.ends)).await;
    clock.map_or(Duration::ZERO, |clock| clock.limit)
}

/// A group whose own clock ended it is a timeout, not a cancellation.
fn overdue(verdict: Verdict, clocks: Clocks) -> Verdict {
    match (verdict, clocks.own.filter(|own| own.is_over())) {
        (Verdict::Cancelled(CancelReason::Deadline), Some(own)) => Verdict::Errored(out_of_time(own.limit, None)),
        (other, _) => other,
    }
}

/// The timeout, with what the step last said it waits for and why.
fn out_of_time(limit: Duration, context: Option<&Context>) -> Failure {
    let (line, mut cause) = context.map(Context::last_words).unwrap_or_default();
    cause.retain(|link| *link != line);
    let waiting = if line.is_empty() { String::new() } else { format!(", waiting: {line}") };
    Failure::new(Class::Timeout, format!("the time ran out after {limit:?}{waiting}")).because(cause)
}

fn may_retry(retry: &Retry, verdict: &Verdict, step: Clocks) -> bool {
    let trouble = match verdict.class() {
        Some(Class::Transport) => RetryOn::Transport,
        // The time of this try ran out, not that of the step: an answer that did not come.
        Some(Class::Timeout) if !step.own.is_some_and(Clock::is_over) => RetryOn::Transport,
        Some(Class::Throttle) => RetryOn::Throttle,
        Some(Class::Conflict) => RetryOn::Conflict,
        Some(Class::Server) => RetryOn::Server,
        Some(Class::Expectation | Class::Assertion | Class::Command) => RetryOn::Expectation,
        _ => return false,
    };
    retry.on.contains(&trouble)
}

/// The pause after a try: doubled each time, capped, a part of it random.
fn pause(retry: &Retry, attempt: u32) -> Duration {
    let grown = retry.backoff.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX)).min(retry.max_backoff);
    grown.mul_f64(1.0 - retry.jitter * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn retry(jitter: f64) -> Retry {
        Retry {
            attempts: 9,
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(10),
            jitter,
            on: vec![RetryOn::Transport],
            span: Span::default(),
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u64> = [1, 2, 3, 4, 5, 40].map(|attempt| pause(&retry(0.0), attempt).as_secs()).into();
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn only_the_named_troubles_are_tried_again() {
        let errored = |class| Verdict::Errored(Failure::new(class, "x"));
        let clocks = Clocks { own: None, around: None };
        assert!(may_retry(&retry(0.0), &errored(Class::Transport), clocks));
        assert!(!may_retry(&retry(0.0), &errored(Class::Server), clocks));
        assert!(!may_retry(&retry(0.0), &errored(Class::Forbidden), clocks));
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_out_of_time_is_tried_again_while_the_step_has_time() {
        let timeout = Verdict::Errored(out_of_time(Duration::from_secs(1), None));
        let clocks = Clocks { own: Some(Clock::start(Duration::from_secs(5))), around: None };
        assert!(may_retry(&retry(0.0), &timeout, clocks));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(!may_retry(&retry(0.0), &timeout, clocks));
    }

    proptest::proptest! {
        #[test]
        fn a_pause_is_never_longer_than_the_longest(attempt in 1_u32..200, jitter in 0.0_f64..=1.0) {
            proptest::prop_assert!(pause(&retry(jitter), attempt) <= Duration::from_secs(10));
        }
    }
}
