//! The plan: what a run would do, told before it does it (runbook-format §8).
//!
//! [`plan`] walks the book as a run would: `when`, loops and groups included.
//! Reading actions are really done, waits never; each change is asked to
//! [`look`](crate::action::Action::look). What an earlier step changes is not
//! read but computed from, and where that cannot be, the step is *unknown
//! after* it, with everything that mentions it. The walk goes the way of
//! success: `on-failure` is walked too, as something that may happen.
//!
//! | file | is |
//! |---|---|
//! | `doors` | what a run would use, with the way to change things walled up |
//! | `walk` | lists, groups, loops, branches |
//! | `deed` | one action |
//! | `account` | what the plan needs of the budget, and of permissions |
//! | `known` | what expressions see of a planned step |
//! | `drift`, `bound` | what is no longer as planned; a run that may not leave its plan |
//! | `hash` | what a run is bound to, in one number |

mod account;
mod bound;
mod deed;
mod doors;
mod drift;
mod hash;
mod known;
mod walk;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

pub(super) use bound::Bound;
pub use doors::{Scout, Witness};
pub(super) use drift::drift;
pub use hash::of as plan_hash;

use super::cancel::Cancel;
use super::names::base_scope;
use super::order::{Doors, Order};
use super::past::Past;
use super::preflight;
use super::run::{Run, Surroundings, assemble};
use crate::action::Foresight;
use crate::event::{
    EffectKind, Failure, Fan, Happens, Nobody, PLAN_VERSION, Phase, Plan, PlannedBook, PlannedEffect, PlannedStep,
    Problem, RunId, StepId,
};
use crate::runbook::{FailureBranch, taints};
use crate::secret::MASK;

/// What stands for the run's name in a plan.
const THIS_RUN: &str = "(this run)";

/// Finds out what an order would do; nothing is changed.
///
/// # Errors
/// When its vars, defaults or budget cannot be computed.
pub async fn plan(order: &Order, scout: &Scout, fan: &Fan) -> Result<Plan, Failure> {
    let planner = Planner::new(order, scout, fan)?;
    let mut guards = Vec::new();
    planner.broken_guards(&order.book.guards, &planner.around, &mut guards).await;
    planner.walk().await;
    let permissions = planner.with(|steps| account::permissions(steps));
    let mut problems = preflight::problems(&planner.run, &planner.around.scope, permissions).await;
    problems.extend(guards);
    Ok(planner.into_plan(problems))
}

/// A plan in the making.
struct Planner {
    run: Run,
    around: Surroundings,
    foresight: Foresight,
    witness: Witness,
    warnings: doors::Warnings,
    steps: Mutex<Vec<PlannedStep>>,
    wants: Mutex<Vec<String>>,
}

/// How sure it is that a list of steps runs, and how often at most.
#[derive(Debug, Clone)]
struct Mood {
    /// On what it depends; absent: it surely does.
    doubt: Option<String>,
    /// How often at most.
    times: u64,
}

impl Planner {
    fn new(order: &Order, scout: &Scout, fan: &Fan) -> Result<Self, Failure> {
        let warnings = doors::Warnings::default();
        let heard: Vec<Box<dyn crate::event::Sink>> = vec![Box::new(warnings.clone())];
        let run = RunId(THIS_RUN.into());
        let own = Fan::new(run, order.target.name.clone(), fan.clock(), fan.redactor().clone(), heard);
        let doors = Doors {
            client: scout.client.clone(),
            scout: None,
            ledger: Arc::new(doors::NoTickets),
            fan: Arc::new(own),
            asker: Arc::new(Nobody),
            shelf: Arc::new(doors::EmptyShelf),
        };
        let taints = taints(&order.book, &order.inputs.secret);
        for name in &order.inputs.secret {
            order.inputs.values.get(name).into_iter().for_each(|value| fan.redactor().register_value(value));
        }
        let scope =
            known::with_vars(base_scope(order, &doors.fan, &taints, &Past::default()), &order.book, &doors.fan)?;
        let (run, around) =
            assemble(order.clone(), doors, Past::default(), (Cancel::default(), Instant::now()), scope)?;
        let (foresight, witness) = (Foresight::default(), scout.witness.clone());
        Ok(Self { run, around, foresight, witness, warnings, steps: Mutex::default(), wants: Mutex::default() })
    }

    /// The phases, in the order in which a run that goes well has them; `on-failure` between, as a doubt.
    async fn walk(&self) {
        let book = self.run.order.book.clone();
        let sure = Mood { doubt: None, times: 1 };
        self.list(&book.steps, &self.around, &sure).await;
        if !book.always.is_empty() {
            let inner = Surroundings { phase: Phase::Always, ..self.around.clone() };
            self.list(&book.always, &inner, &sure).await;
        }
        if let Some(FailureBranch::Steps(branch)) = &book.on_failure {
            self.foresight.forget();
            let doubt = Mood { doubt: Some("if the run fails".into()), times: 1 };
            let inner = Surroundings { phase: Phase::OnFailure, ..walk::failed(&self.around) };
            self.list(&branch.steps, &inner, &doubt).await;
        }
    }

    /// The guards that are broken now.
    async fn broken_guards(&self, guards: &[crate::runbook::Guard], around: &Surroundings, out: &mut Vec<Problem>) {
        if let Err(failure) = self.run.guard(guards, &StepId("guards".into()), around).await {
            out.push(Problem::new(failure.class, failure.message));
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<PlannedStep>) -> T) -> T {
        act(&mut self.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with_wants<T>(&self, act: impl FnOnce(&mut Vec<String>) -> T) -> T {
        act(&mut self.wants.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn edit(&self, index: usize, act: impl FnOnce(&mut PlannedStep)) {
        self.with(|steps| steps.get_mut(index).map(act));
    }

    fn into_plan(self, mut problems: Vec<Problem>) -> Plan {
        let order = &self.run.order;
        let shown = |(name, value): (&String, &serde_json::Value)| {
            let hidden = order.inputs.secret.contains(name);
            (name.clone(), if hidden { MASK.into() } else { value.clone() })
        };
        let fan = &self.run.shared.fan;
        let steps = self.with(std::mem::take);
        let budget = account::of(&steps, &self.run.limits);
        problems.extend(account::over(&steps, &budget, &self.run.limits));
        let plan = Plan {
            format_version: PLAN_VERSION,
            runhub_version: env!("CARGO_PKG_VERSION").into(),
            made_at: fan.clock().now(),
            hash: String::new(),
            book: PlannedBook {
                name: order.book.name.clone(),
                file: order.book.source.name().to_owned(),
                hash: hash::of_text(order.book.source.text()),
            },
            inputs: order.inputs.values.iter().map(shown).collect(),
            secret_inputs: hash::fingerprint(order),
            target: order.target.clone(),
            tags: order.options.tags.clone(),
            skip_tags: order.options.skip_tags.clone(),
            steps,
            budget,
            wants: self.with_wants(std::mem::take),
            problems,
            warnings: self.warnings.take(),
            requests: self.witness.count(),
        };
        let mut plan = without_secrets(plan, fan);
        plan.hash = hash::of(&plan);
        plan
    }
}

/// The plan as it may leave the process.
fn without_secrets(plan: Plan, fan: &Fan) -> Plan {
    let Ok(mut value) = serde_json::to_value(&plan) else { return plan };
    fan.redactor().value(&mut value);
    // A secret in a structural place: its step is told of without its particulars.
    serde_json::from_value(value).unwrap_or_else(|_| Plan {
        steps: Vec::new(),
        warnings: vec!["the plan was withheld: it holds a secret in a structural place".into()],
        ..plan
    })
}

/// A step of which only its place in the book is known yet.
fn blank(at: super::step::At<'_>, name: String, happens: Happens) -> PlannedStep {
    PlannedStep {
        step: at.id.clone(),
        name,
        action: at.step.action().to_owned(),
        phase: at.around.phase,
        depth: at.around.depth,
        happens,
        effects: Vec::new(),
        outputs: std::collections::BTreeMap::new(),
        unknown: None,
        waits: None,
        fails: None,
    }
}

/// An effect of no object of its own.
fn plain_effect(kind: EffectKind, summary: String) -> PlannedEffect {
    PlannedEffect {
        kind,
        object: None,
        summary,
        fields: Vec::new(),
        basis: crate::event::Basis::Server,
        state: String::new(),
        objects: 0,
        pods: 0,
        undo: None,
    }
}

/// A plan of some steps and nothing else.
#[cfg(test)]
fn empty(target: crate::event::TargetHead, made_at: crate::clock::Timestamp, steps: Vec<PlannedStep>) -> Plan {
    Plan {
        format_version: PLAN_VERSION,
        runhub_version: String::new(),
        made_at,
        hash: String::new(),
        book: PlannedBook { name: String::new(), file: String::new(), hash: String::new() },
        inputs: std::collections::BTreeMap::new(),
        secret_inputs: None,
        target,
        tags: Vec::new(),
        skip_tags: Vec::new(),
        steps,
        budget: Vec::new(),
        wants: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
        requests: 0,
    }
}
