//! Guards while steps run: true before the first, watched until the last.
//!
//! Their watch stands beside the steps under one `select!`: it ends with them.
//! A guard that breaks trips its wire; whatever runs inside of it is
//! cancelled with the reason *guard*. `on-failure`, `always` and undo run
//! without wires: guards are watched during `steps` only.

use std::sync::PoisonError;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;

use super::frame::failure_of;
use super::run::{Run, Surroundings, evaluation};
use crate::action::{Context, Guard};
use crate::event::{CancelReason, Class, EventKind, Failure, Note, StepId, Verdict};
use crate::runbook;
use crate::source::Diagnostic;

/// What a broken guard trips; clones are one wire.
#[derive(Debug, Clone)]
pub(super) struct Tripwire(watch::Sender<bool>);

impl Default for Tripwire {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Tripwire {
    fn trip(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn is_tripped(&self) -> bool {
        *self.0.borrow()
    }

    async fn tripped(&self) {
        let mut listener = self.0.subscribe();
        if listener.wait_for(|tripped| *tripped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Ends when any of these wires is tripped; with none, never.
pub(super) async fn any_tripped(wires: &[Tripwire]) {
    let mut all: FuturesUnordered<_> = wires.iter().map(Tripwire::tripped).collect();
    if all.next().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Guards and the wire that they trip.
#[derive(Debug)]
pub(super) struct Watch {
    guards: Vec<Guard>,
    context: Context,
    wire: Tripwire,
}

impl Run {
    /// Makes sure that guards hold, and gives their watch with the surroundings that hear of it.
    ///
    /// # Errors
    /// When one is broken before the first step; a resumed run is past its first step.
    pub(super) async fn guard(
        &self,
        guards: &[runbook::Guard],
        id: &StepId,
        around: &Surroundings,
    ) -> Result<(Watch, Surroundings), Failure> {
        let context = Context::new(self.shared.clone(), id.clone(), around.scope.clone());
        let guards = filled(guards, around)?;
        if !self.past.has_begun() {
            all_hold(&guards, &context).await?;
        }
        let (wire, mut inner) = (Tripwire::default(), around.clone());
        if !guards.is_empty() {
            inner.wires.push(wire.clone());
        }
        Ok((Watch { guards, context, wire }, inner))
    }

    /// Does work under the eyes of its guards.
    pub(super) async fn under<T>(&self, watch: &Watch, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            never = self.watch_all(watch) => match never {},
            ended = work => ended,
        }
    }

    /// The trouble of a verdict; of a broken guard, which one and how.
    pub(super) fn told(&self, verdict: &Verdict) -> Option<Failure> {
        let guard = self.broken_guard.lock().unwrap_or_else(PoisonError::into_inner);
        match verdict {
            Verdict::Cancelled(CancelReason::Guard) if guard.is_some() => guard.clone(),
            _ => failure_of(verdict),
        }
    }

    /// Notes a guard that broke; the first one counts.
    fn guard_broke(&self, failure: Failure) {
        self.broken_guard.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }

    /// Watches guards until it is let go of; the first that breaks trips the wire.
    async fn watch_all(&self, watch: &Watch) -> std::convert::Infallible {
        let mut watches: FuturesUnordered<_> = watch.guards.iter().map(|guard| guard.watch(&watch.context)).collect();
        if let Some(failure) = watches.next().await {
            let text = failure.message.clone();
            self.shared.fan.tell(EventKind::Warned(Note { step: None, text }));
            self.guard_broke(failure);
            watch.wire.trip();
        }
        std::future::pending().await
    }
}

fn filled(guards: &[runbook::Guard], around: &Surroundings) -> Result<Vec<Guard>, Failure> {
    let mut read = Vec::with_capacity(guards.len());
    for guard in guards {
        let form = guard.form.fill(&around.scope).map_err(|complaints| evaluation(&complaints))?;
        let mut complaints = Vec::new();
        let found = Guard::read(&form.node, &mut complaints).filter(|_| !complaints.iter().any(Diagnostic::is_error));
        read.push(found.ok_or_else(|| evaluation(&complaints))?);
    }
    Ok(read)
}

/// Looks at every guard once; all that are broken are named.
async fn all_hold(guards: &[Guard], context: &Context) -> Result<(), Failure> {
    let mut broken = Vec::new();
    for guard in guards {
        match guard.look(context).await {
            Ok(None) => {}
            Ok(Some(line)) => broken.push(format!("{}: {line}", guard.name())),
            Err(failure) if matches!(failure.class, Class::Transport | Class::Login) => return Err(failure),
            Err(failure) => broken.push(format!("{} cannot be read: {failure}", guard.name())),
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    let message = format!("broken before the first step: {}", broken.join("; "));
    Err(Failure::new(Class::Guard, message).help("mend what is guarded first, or run without this guard"))
}
