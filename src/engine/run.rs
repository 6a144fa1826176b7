//! The phases of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::cancel::Cancel;
use super::frame::Frame;
use super::gate::{self, BudgetGate};
use super::guards::Tripwire;
use super::names::{base_scope, with_known_vars, with_new_vars};
use super::order::{Doors, Order};
use super::outcome::{self, Decisive};
use super::past::Past;
use super::pause::Pause;
use super::plan::Scout;
use crate::action::{Choices, Made, RunFacts, Shared, Unbroken};
use crate::event::{
    CancelReason, Choice, Class, EventKind, FORMAT_VERSION, Failure, Fan, Note, Phase, RunEnd, RunHead, StepId, Verdict,
};
use crate::form::Form;
use crate::runbook::{BudgetLimits, FailureBranch, Runbook, taints};
use crate::secret::MASK;
use crate::template::{Scope, Value};

/// What all parts of a run share.
pub(super) struct Run {
    pub(super) order: Order,
    /// How much it may touch.
    pub(super) limits: BudgetLimits,
    /// Who looks before anything is sent.
    pub(super) scout: Option<Scout>,
    pub(super) shared: Arc<Shared>,
    pub(super) asker: Arc<dyn crate::event::Asker>,
    pub(super) cancel: Cancel,
    /// Paths that are never shown, known from the document alone.
    pub(super) taints: Vec<Vec<String>>,
    pub(super) tolerated: AtomicUsize,
    /// The innermost step that went badly and is not yet tolerated.
    blamed: Mutex<Option<Decisive>>,
    /// The step that decides how the run ends.
    pub(super) decisive: Mutex<Option<Decisive>>,
    pub(super) undo_failed: Mutex<Option<Failure>>,
    /// The first guard that broke.
    pub(super) broken_guard: Mutex<Option<Failure>>,
    /// What the run waits for, where it is paused.
    pub(super) paused: Mutex<Option<Pause>>,
    /// How a person wants a failed run to go on.
    pub(super) answered_by: Mutex<Option<Choice>>,
    /// What earlier processes did of it.
    pub(super) past: Past,
    pub(super) started: Instant,
}

/// Where a step runs: what it sees, what stops it.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) scope: Arc<Scope>,
    pub(super) frame: Arc<Frame>,
    pub(super) phase: Phase,
    pub(super) depth: usize,
    /// The step around this one, if any.
    pub(super) parent: Option<StepId>,
    /// The clock of the list, the group or the book.
    pub(super) deadline: Option<Instant>,
    /// Only a reason at least as grave stops it.
    pub(super) stopped_by: CancelReason,
    /// What the guards around it trip.
    pub(super) wires: Vec<Tripwire>,
}

/// Carries an order out. Whatever happens, there is an end.
pub async fn run(order: Order, doors: Doors, cancel: Cancel) -> RunEnd {
    resume(order, doors, cancel, Past::default()).await
}

/// Goes on with an order that earlier processes have begun.
pub async fn resume(order: Order, doors: Doors, cancel: Cancel, past: Past) -> RunEnd {
    with(order, doors, cancel, past, async |run, surroundings| run.phases(surroundings).await).await
}

/// Does `work` between the first event of a process and the last.
pub(super) async fn with(
    order: Order,
    doors: Doors,
    cancel: Cancel,
    past: Past,
    work: impl AsyncFnOnce(&Run, Surroundings) -> RunEnd,
) -> RunEnd {
    let started = Instant::now();
    let fan = doors.fan.clone();
    fan.tell(EventKind::RunStarted(Box::new(head(&order, &fan))));
    let end = match begin(order, doors, past, (cancel, started)) {
        Ok((run, surroundings)) => {
            run.recall();
            run.interruptible(Box::pin(work(&run, surroundings))).await
        }
        Err(failure) => outcome::never_began(&failure, started),
    };
    fan.tell(EventKind::RunFinished(Box::new(end.clone())));
    end
}

fn head(order: &Order, fan: &Fan) -> RunHead {
    let book = &order.book;
    let shown = |name: &String, value: &Json| {
        let hidden = order.inputs.secret.contains(name);
        (name.clone(), if hidden { MASK.into() } else { value.clone() })
    };
    for name in &order.inputs.secret {
        if let Some(value) = order.inputs.values.get(name) {
            fan.redactor().register_value(value);
        }
    }
    RunHead {
        format_version: FORMAT_VERSION,
        runhub_version: env!("CARGO_PKG_VERSION").into(),
        book: book.name.clone(),
        description: book.description.clone(),
        labels: book.labels.clone(),
        owner: book.owner.clone(),
        links: book.links.clone(),
        file: book.source.name().to_owned(),
        book_hash: book_hash(book),
        inputs: order.inputs.values.iter().map(|(name, value)| shown(name, value)).collect(),
        target: order.target.clone(),
        actor: order.actor.clone(),
        steps: book.steps.len(),
    }
}

/// The SHA-256 of a book's text, in hex: by it a run knows its book again.
pub fn book_hash(book: &Runbook) -> String {
    crate::action::hex(digest(&SHA256, book.source.text().as_bytes()).as_ref())
}

/// Computes vars and defaults; nothing is sent.
fn begin(
    order: Order,
    doors: Doors,
    past: Past,
    (cancel, started): (Cancel, Instant),
) -> Result<(Run, Surroundings), Failure> {
    let book = order.book.clone();
    let taints = taints(&book, &order.inputs.secret);
    let scope = base_scope(&order, &doors.fan, &taints, &past);
    let scope = match past.vars() {
        Some(vars) => with_known_vars(scope, vars, &doors.fan, &taints),
        None => with_new_vars(scope, &order, &doors)?,
    };
    assemble(order, doors, past, (cancel, started), scope)
}

/// A run whose vars are bound in `scope`.
pub(super) fn assemble(
    order: Order,
    doors: Doors,
    past: Past,
    (cancel, started): (Cancel, Instant),
    scope: Scope,
) -> Result<(Run, Surroundings), Failure> {
    let book = order.book.clone();
    let taints = taints(&book, &order.inputs.secret);
    let known: BTreeSet<String> = book.walk().filter(|step| step.named).map(|step| step.id.clone()).collect();
    let frame = Frame::root(known);
    let scope = Arc::new(with_steps(scope, &frame, &taints));
    let facts = facts(&order, &doors.fan, &scope)?;
    let (made, once) = (Made::default(), Choices::default());
    past.hand_over(&made, &once);
    let limits = gate::limits(&order, &scope)?;
    let gate = BudgetGate::new(&order, limits.clone(), doors.asker.clone(), doors.fan.redactor());
    let shared = Shared {
        client: doors.client,
        ledger: doors.ledger,
        fan: doors.fan,
        made,
        once,
        unbroken: Unbroken::default(),
        gate: Arc::new(gate),
        shelf: doors.shelf,
        facts,
    };
    let deadline = book.timeout.map(|timeout| started + timeout.saturating_sub(past.worked()));
    let run = Run {
        scout: doors.scout,
        order,
        limits,
        shared: Arc::new(shared),
        asker: doors.asker,
        cancel,
        taints,
        tolerated: AtomicUsize::new(0),
        blamed: Mutex::default(),
        decisive: Mutex::default(),
        undo_failed: Mutex::default(),
        broken_guard: Mutex::default(),
        paused: Mutex::default(),
        answered_by: Mutex::default(),
        past,
        started,
    };
    let surroundings = Surroundings {
        scope,
        frame,
        phase: Phase::Steps,
        depth: 0,
        parent: None,
        deadline,
        stopped_by: CancelReason::StepFailed,
        wires: Vec::new(),
    };
    Ok((run, surroundings))
}

pub(super) fn taint(scope: &mut Scope, taints: &[Vec<String>]) {
    for path in taints {
        scope.taint(&path.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// A layer in which `steps` means this frame.
pub(super) fn with_steps(mut scope: Scope, frame: &Arc<Frame>, taints: &[Vec<String>]) -> Scope {
    scope.bind("steps", Value::lookup(frame.clone()));
    taint(&mut scope, taints);
    scope
}

/// Fills a form to a JSON value; tainted values are registered before anyone sees them.
pub(super) fn fill(form: &Form, scope: &Scope, fan: &Fan) -> Result<(Json, bool), Failure> {
    let filled = form.fill(scope).map_err(|complaints| evaluation(&complaints))?;
    filled.secrets.iter().for_each(|secret| fan.redactor().register_value(secret));
    Ok((filled.node.to_json(), !filled.secrets.is_empty()))
}

/// Diagnostics of a filling as a step's failure.
pub(super) fn evaluation(complaints: &[crate::source::Diagnostic]) -> Failure {
    let lines: Vec<&str> = complaints.iter().map(|complaint| complaint.message.as_str()).collect();
    let failure = Failure::new(Class::Evaluation, lines.join("; "));
    match complaints.iter().flat_map(|complaint| &complaint.helps).next() {
        Some(help) => failure.help(help.clone()),
        None => failure,
    }
}

fn facts(order: &Order, fan: &Fan, scope: &Scope) -> Result<RunFacts, Failure> {
    let defaults = &order.book.defaults;
    let namespace = match &defaults.namespace {
        Some(form) => match fill(form, scope, fan)?.0 {
            Json::String(namespace) => Some(namespace),
            other => {
                return Err(Failure::new(Class::Evaluation, format!("defaults.namespace should be text, not {other}")));
            }
        },
        None => None,
    };
    Ok(RunFacts {
        run: fan.run().0.clone(),
        book: order.book.name.clone(),
        namespace,
        every: defaults.every,
        allowed: order.options.allowed.clone(),
        environment: order.options.environment.clone(),
        folder: order.options.folder.clone(),
    })
}

impl Run {
    /// Tells of interrupts while `work` goes on to its end.
    async fn interruptible<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        for least in [CancelReason::Interrupt, CancelReason::SecondInterrupt] {
            tokio::select! {
                biased;
                reason = self.cancel.at_least(least) => {
                    // A pause is of our own making, and no interrupt.
                    if reason != CancelReason::Paused {
                        self.shared.fan.tell(EventKind::Interrupted(reason));
                    }
                }
                end = &mut work => return end,
            }
        }
        work.await
    }

    async fn phases(&self, surroundings: Surroundings) -> RunEnd {
        if let Err(failure) = self.may_begin(&surroundings).await {
            return outcome::refused(self, &failure, self.started);
        }
        let (book, own) = (self.order.book.clone(), StepId("guards".into()));
        let (watch, inner) = match self.guard(&book.guards, &own, &surroundings).await {
            Ok(guarded) => guarded,
            Err(failure) => return outcome::refused(self, &failure, self.started),
        };
        let ended_well = self.settle_lost().await && self.under(&watch, self.steps(&inner)).await;
        let mut handled = false;
        if !ended_well && self.goes_to_on_failure() {
            handled = self.after_failure(&surroundings).await;
        }
        self.always(&surroundings).await;
        let outputs = self.book_outputs(&surroundings);
        outcome::conclude(self, handled, outputs, self.started)
    }

    /// A failure is answered, an interrupt or a pause is not; nor is a failure whose run was on its way out.
    fn goes_to_on_failure(&self) -> bool {
        let stopped = self.cancel.reason().is_some_and(|reason| reason >= CancelReason::Interrupt);
        !stopped
            && self.on_failure_is_wanted()
            && (self.past.has_phase(Phase::OnFailure) || !self.past.has_phase(Phase::Always))
    }

    async fn after_failure(&self, surroundings: &Surroundings) -> bool {
        let Some(FailureBranch::Steps(branch)) = &self.order.book.on_failure else { return false };
        self.shared.fan.tell(EventKind::PhaseStarted(Phase::OnFailure));
        let inner = Surroundings {
            scope: self.with_failure(&surroundings.scope),
            phase: Phase::OnFailure,
            stopped_by: CancelReason::Deadline,
            ..surroundings.clone()
        };
        let all_passed = self.list_to_the_end(&branch.steps, &inner).await;
        branch.handles && all_passed
    }

    async fn always(&self, surroundings: &Surroundings) {
        if self.order.book.always.is_empty() || self.cancel.reason() >= Some(CancelReason::SecondInterrupt) {
            return;
        }
        self.shared.fan.tell(EventKind::PhaseStarted(Phase::Always));
        let inner = Surroundings {
            scope: self.with_outcome(&surroundings.scope),
            phase: Phase::Always,
            deadline: Some(Instant::now() + self.order.book.always_timeout),
            stopped_by: CancelReason::SecondInterrupt,
            ..surroundings.clone()
        };
        self.list_to_the_end(&self.order.book.always, &inner).await;
    }

    /// A layer in which `failure` is the step that decided the run.
    pub(super) fn with_failure(&self, scope: &Arc<Scope>) -> Arc<Scope> {
        let mut inner = Scope::child(scope);
        let decisive = self.decisive.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = decisive.as_ref().map_or(Json::Null, |decisive| {
            json!({
                "step": decisive.step.0,
                "name": decisive.name,
                "message": decisive.verdict.line(),
                "class": decisive.verdict.class().map(Class::word),
            })
        });
        inner.bind("failure", Value::from_json(failure));
        Arc::new(inner)
    }

    /// A layer in which `run.outcome` says how the steps ended.
    fn with_outcome(&self, scope: &Arc<Scope>) -> Arc<Scope> {
        let mut inner = Scope::child(scope);
        let mut run = scope.get("run").and_then(|run| run.to_json().ok()).unwrap_or_else(|| json!({}));
        if let Some(fields) = run.as_object_mut() {
            fields.insert("outcome".into(), outcome::so_far(self).word().into());
        }
        inner.bind("run", Value::from_json(run));
        Arc::new(inner)
    }

    fn book_outputs(&self, surroundings: &Surroundings) -> BTreeMap<String, Json> {
        let mut outputs = BTreeMap::new();
        for output in &self.order.book.outputs {
            match fill(&output.value, &surroundings.scope, &self.shared.fan) {
                Ok((_, true)) => drop(outputs.insert(output.name.clone(), MASK.into())),
                Ok((value, false)) => drop(outputs.insert(output.name.clone(), value)),
                Err(failure) => self.warn(format!("the book's output `{}` is missing: {failure}", output.name)),
            }
        }
        outputs
    }

    pub(super) fn warn(&self, text: impl Into<String>) {
        self.shared.fan.tell(EventKind::Warned(Note { step: None, text: text.into() }));
    }

    /// Notes the innermost step that went badly, until it is tolerated or decides the run.
    pub(super) fn blame(&self, step: &StepId, name: &str, verdict: &Verdict) {
        let mut blamed = self.blamed.lock().unwrap_or_else(PoisonError::into_inner);
        if blamed.is_none() {
            *blamed = Some(Decisive {
                step: step.clone(),
                name: name.to_owned(),
                verdict: verdict.clone(),
                failure: self.told(verdict),
            });
        }
    }

    /// The innermost step that went badly and is not yet tolerated.
    pub(super) fn blamed(&self) -> Option<Decisive> {
        self.blamed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The blamed step, which is forgotten.
    pub(super) fn absolve(&self) -> Option<Decisive> {
        self.blamed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The blamed step decides the run, if none did before.
    pub(super) fn decide(&self) {
        let blamed = self.absolve();
        let mut decisive = self.decisive.lock().unwrap_or_else(PoisonError::into_inner);
        *decisive = decisive.take().or(blamed);
    }

    pub(super) fn tolerate(&self) {
        self.tolerated.fetch_add(1, Ordering::Relaxed);
    }
}
