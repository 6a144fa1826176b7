//! What must be so before step 1: all that is not is told at once, and nothing is sent.
//!
//! Requirements of the book, a login that is valid, a target within reach,
//! and the permission for every change that the book names, its taking-back
//! included. Only the server knows what is allowed: it is asked
//! (`SelfSubjectAccessReview`) where its answer is about us.

use futures_util::stream::{self, StreamExt as _};

use super::plan::{drift, plan};
use super::run::{Run, Surroundings};
use super::{consent, requires};
use crate::action::{Action, Context, Need, permissions};
use crate::cluster::verbs::Permission;
use crate::document::Mode;
use crate::event::{Class, EventKind, Failure, Note, Plan, Problem, StepId};
use crate::runbook::{Act, Body, Step};
use crate::source::Diagnostic;
use crate::template::Scope;

/// Questions that are under way at once.
const AT_ONCE: usize = 8;

/// Fails with all that is not as it must be.
pub(super) async fn check(run: &Run, scope: &Scope) -> Result<(), Failure> {
    let problems = problems(run, scope, Vec::new()).await;
    let [first, ..] = problems.as_slice() else { return Ok(()) };
    let out_of_reach = problems.iter().find(|problem| matches!(problem.class, Class::Transport | Class::Login));
    let lines: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    Err(Failure::new(out_of_reach.unwrap_or(first).class, lines.join("; ")))
}

impl Run {
    /// Makes sure of everything that must be so before the first step.
    ///
    /// # Errors
    /// Why the run may not begin.
    pub(super) async fn may_begin(&self, surroundings: &Surroundings) -> Result<(), Failure> {
        check(self, &surroundings.scope).await?;
        // What would be done is told, and consent given, once a run.
        if self.past.has_begun() {
            return Ok(());
        }
        self.tell_of_licence();
        let plan = self.looked_ahead(&surroundings.scope).await?;
        consent::ask(self, &surroundings.scope, plan).await
    }

    /// The record tells of what the command line allows beyond the book, and of the plan that binds the run.
    fn tell_of_licence(&self) {
        let options = &self.order.options;
        let widened = options.widened.words();
        if !widened.is_empty() {
            self.warn(format!("the budget is widened on the command line: {}", widened.join(", ")));
        }
        if let Some(plan) = &options.plan {
            let text = format!("bound to the plan {}", plan.hash);
            self.shared.fan.tell(EventKind::Noted(Note { step: None, text }));
        }
    }

    /// What the run would do, where somebody wants to know: a person who is asked, or a plan that binds it.
    ///
    /// # Errors
    /// When it is no longer as planned, or the plan itself would be refused.
    pub(super) async fn looked_ahead(&self, scope: &Scope) -> Result<Option<Plan>, Failure> {
        let bound = self.order.options.plan.clone();
        let Some(scout) = self.scout.as_ref().filter(|_| bound.is_some() || consent::is_asked(self, scope)) else {
            return Ok(None);
        };
        let now = Box::pin(plan(&self.order, scout, &self.shared.fan)).await?;
        if let Some(planned) = &bound {
            let lines = drift(planned, &now);
            if !lines.is_empty() {
                let failure = Failure::new(Class::Drift, format!("not as planned: {}", lines.join("; ")));
                return Err(failure.help("plan again, and look at what has changed"));
            }
        }
        match now.problems.as_slice() {
            [] => Ok(Some(now)),
            [first, ..] => {
                let lines: Vec<&str> = now.problems.iter().map(|problem| problem.message.as_str()).collect();
                Err(Failure::new(first.class, lines.join("; ")))
            }
        }
    }
}

/// All that is not as it must be; `more` are permissions beside those that the book itself names.
pub(super) async fn problems(run: &Run, scope: &Scope, more: Vec<Permission>) -> Vec<Problem> {
    let mut problems = requires::unmet(run).await;
    if !run.shared.client.provider().reviews_access() {
        return problems;
    }
    let mut asked = more;
    for step in run.order.book.walk().filter(|step| step.may_change()) {
        asked.extend(wished(run, step, scope).await);
    }
    let mut distinct: Vec<Permission> = Vec::new();
    for permission in asked {
        if !distinct.contains(&permission) {
            distinct.push(permission);
        }
    }
    let answers = stream::iter(distinct).map(|permission| refused(run, permission)).buffered(AT_ONCE);
    for problem in answers.collect::<Vec<_>>().await.into_iter().flatten() {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// What a step must be allowed to do, as far as it can be told before step 1.
async fn wished(run: &Run, step: &Step, scope: &Scope) -> Vec<Permission> {
    let Body::Act(act) = &step.body else { return Vec::new() };
    let context = Context::new(run.shared.clone(), StepId(step.id.clone()), std::sync::Arc::new(scope.clone()));
    let mut found = Vec::new();
    for need in needs(act, scope) {
        // A kind that the server does not have is the step's own trouble, in its own words.
        found.extend(permissions(&context, &need).await.unwrap_or_default());
    }
    found
}

fn needs(act: &Act, scope: &Scope) -> Vec<Need> {
    if let Some(action) = &act.ready {
        return action.needs();
    }
    // What depends on an earlier step, or on the item of a loop, is asked when it is sent.
    let Ok(filled) = act.arguments.fill(scope) else { return Vec::new() };
    let mut complaints = Vec::new();
    let action: Option<Box<dyn Action>> = (act.kind.decode)(&filled.node, Mode::Whole, &mut complaints);
    let action = action.filter(|_| !complaints.iter().any(Diagnostic::is_error));
    action.map(|action| action.needs()).unwrap_or_default()
}

async fn refused(run: &Run, permission: Permission) -> Option<Problem> {
    match run.shared.client.may(&permission).await {
        Ok(Some(answer)) if !answer.allowed => {
            let reason = if answer.reason.is_empty() { String::new() } else { format!(": {}", answer.reason) };
            let user = &run.order.target.user;
            Some(Problem::new(Class::Forbidden, format!("{user} may not {permission}{reason}")))
        }
        Ok(_) => None,
        Err(error) => Some(requires::unreachable(&error, "permissions cannot be asked")),
    }
}
