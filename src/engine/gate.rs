//! The budget, asked before each change; and `--ask`.
//!
//! Counted at run time, change by change: what a run has done is known
//! exactly, what it will do only to a plan.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::order::Order;
use super::plan::Bound;
use super::run::evaluation;
use crate::action::{Away, Context, Gate, Made, MadeChange, Proposal, away};
use crate::document::{self, Mode};
use crate::event::{Answer, Asker, Change, Class, Failure, ObjectId, Question, Settled, Verb};
use crate::runbook::BudgetLimits;
use crate::secret::Redactor;
use crate::template::Scope;

/// Lets a change pass while the budget holds and, with `--ask`, a person agrees.
#[derive(Debug)]
pub(super) struct BudgetGate {
    limits: BudgetLimits,
    asker: Option<Arc<dyn Asker>>,
    bound: Option<Bound>,
    /// UIDs of pods that were let go: several may be on their way at once.
    let_go: tokio::sync::Mutex<BTreeSet<String>>,
}

/// The limits of an order: the book's, widened by the command line.
pub(super) fn limits(order: &Order, scope: &Scope) -> Result<BudgetLimits, Failure> {
    let Some(budget) = &order.book.budget else { return Ok(order.options.widened.apply(BudgetLimits::default())) };
    let filled = budget.limits.fill(scope).map_err(|complaints| evaluation(&complaints))?;
    let mut complaints = Vec::new();
    let limits: Option<BudgetLimits> = document::decode(&filled.node, Mode::Whole, &mut complaints);
    let limits = limits.filter(|_| complaints.is_empty()).ok_or_else(|| evaluation(&complaints))?;
    Ok(order.options.widened.apply(limits))
}

/// The namespace that a budget asks about: an object's own, or the namespace itself that goes or changes.
pub(super) fn namespace_of(object: &ObjectId) -> Option<&str> {
    let namespace = if object.kind == "Namespace" { &object.name } else { &object.namespace };
    Some(namespace.as_str()).filter(|namespace| !namespace.is_empty())
}

/// What was spent.
#[derive(Debug, Default)]
struct Spent {
    objects: BTreeSet<String>,
    nodes: BTreeSet<String>,
    pods: u64,
    deletes: u64,
}

impl BudgetGate {
    /// The gate of an order with these limits.
    pub(super) fn new(order: &Order, limits: BudgetLimits, asker: Arc<dyn Asker>, redactor: &Redactor) -> Self {
        let bound = order.options.plan.clone().map(|plan| Bound::new(plan, redactor.clone()));
        Self { limits, asker: order.options.ask.then_some(asker), bound, let_go: tokio::sync::Mutex::default() }
    }

    fn over(&self, change: &Change, made: &Made) -> Option<String> {
        if let (Some(allowed), Some(namespace)) = (&self.limits.namespaces, namespace_of(&change.object))
            && !allowed.iter().any(|name| name == namespace)
        {
            return Some(format!("the namespace {namespace} is none of: {}", allowed.join(", ")));
        }
        let mut spent = Spent::default();
        made.all().iter().filter(|made| counts(made)).for_each(|made| spent.add(&made.change));
        spent.add(change);
        spent.over(&self.limits)
    }
}

fn counts(made: &MadeChange) -> bool {
    !matches!(made.settled, Some(Settled::Refused(_)))
}

impl Spent {
    fn add(&mut self, change: &Change) {
        let takes_pod = change.object.kind == "Pod" && matches!(change.verb, Verb::Delete | Verb::Evict);
        self.pods += u64::from(change.pods) + u64::from(takes_pod);
        if takes_pod {
            return;
        }
        self.objects.insert(change.object.to_string());
        if change.object.kind == "Node" {
            self.nodes.insert(change.object.name.clone());
        }
        if change.verb == Verb::Delete {
            self.deletes += 1;
        }
    }

    fn over(&self, limits: &BudgetLimits) -> Option<String> {
        self.lines(limits)
            .into_iter()
            .find(|(_, used, limit)| used > limit)
            .map(|(what, used, limit)| format!("{what}: this would be {used} of {limit}"))
    }

    fn lines(&self, limits: &BudgetLimits) -> Vec<(&'static str, u64, u64)> {
        let count = |set: &BTreeSet<String>| u64::try_from(set.len()).unwrap_or(u64::MAX);
        [
            ("objects", count(&self.objects), limits.objects),
            ("pods", self.pods, limits.pods),
            ("deletes", self.deletes, limits.deletes),
            ("nodes", count(&self.nodes), limits.nodes),
        ]
        .into_iter()
        .filter_map(|(what, used, limit)| Some((what, used, limit?)))
        .collect()
    }
}

#[async_trait]
impl Gate for BudgetGate {
    async fn admit(&self, change: &Change, made: &Made) -> Result<(), Failure> {
        if let Some(over) = self.over(change, made) {
            return Err(Failure::new(
                Class::Budget,
                format!("{} {}: over the budget, {over}", change.object, change.summary),
            ));
        }
        if let Some(bound) = &self.bound {
            bound.admit(change, made)?;
        }
        let Some(asker) = &self.asker else { return Ok(()) };
        let question = Question::Confirm {
            step: change.step.to_string(),
            text: format!("{}: {}?", change.object, change.summary),
        };
        match asker.ask(&question).await {
            Answer::Yes => Ok(()),
            Answer::No(_) | Answer::Filled(_) | Answer::Chosen(_) => {
                Err(Failure::new(Class::Consent, format!("{} {} was not agreed to", change.object, change.summary)))
            }
            Answer::Nobody(hint) => {
                Err(Failure::new(Class::Consent, "`--ask` asks before each change and nobody is there").help(hint))
            }
        }
    }

    async fn weigh(&self, context: &Context, proposal: &Proposal) -> Result<(), Failure> {
        let Some(limit) = self.limits.unavailable else { return Ok(()) };
        // Held over the look, so that no two pods are let go on the same sight.
        let mut let_go = self.let_go.lock().await;
        for made in context.made().all().iter().filter(|made| !made.stands()) {
            let_go.remove(&made.change.object.uid);
        }
        let taken: Vec<String> = let_go.iter().cloned().collect();
        let Some(away) = away(context, proposal, &taken).await? else { return Ok(()) };
        if limit.holds(away.pods, away.of) {
            let_go.insert(proposal.object.uid.clone());
            return Ok(());
        }
        let Away { workload, pods, of } = away;
        let line =
            format!("over the budget, unavailable: {pods} of {of} pods of {workload} would be away, {limit} may be");
        Err(Failure::new(Class::Budget, format!("{} {}: {line}", proposal.object, proposal.summary)))
    }

    fn account(&self, made: &Made) -> Vec<String> {
        let mut spent = Spent::default();
        made.all().iter().filter(|made| counts(made)).for_each(|made| spent.add(&made.change));
        let mut lines: Vec<String> = spent
            .lines(&self.limits)
            .into_iter()
            .map(|(what, used, limit)| format!("{what} {used} of {limit}"))
            .collect();
        lines.extend(self.limits.unavailable.map(|limit| format!("at most {limit} of a workload away")));
        lines.extend(self.limits.namespaces.as_ref().map(|namespaces| format!("only in {}", namespaces.join(", "))));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Reversal, StepId};

    fn change(kind: &str, name: &str, verb: Verb, pods: u32) -> Change {
        Change {
            step: StepId("s".into()),
            verb,
            object: ObjectId { kind: kind.into(), namespace: "shop".into(), name: name.into(), ..ObjectId::default() },
            summary: "x".into(),
            resource_version: String::new(),
            body_digest: String::new(),
            written: Vec::new(),
            reversal: Reversal::Fields,
            pods,
        }
    }

    fn gate(limits: BudgetLimits) -> BudgetGate {
        BudgetGate { limits, asker: None, bound: None, let_go: tokio::sync::Mutex::default() }
    }

    #[tokio::test]
    async fn an_object_counts_once_and_one_too_many_is_refused() {
        let gate = gate(BudgetLimits { objects: Some(1), ..BudgetLimits::default() });
        let made = Made::default();
        made.begin(change("Deployment", "web", Verb::Patch, 0), None, 0);
        assert_eq!(gate.admit(&change("Deployment", "web", Verb::Patch, 0), &made).await, Ok(()));
        let refused = gate.admit(&change("Deployment", "db", Verb::Patch, 0), &made).await.unwrap_err();
        assert_eq!(refused.class, Class::Budget);
        assert!(refused.message.contains("objects: this would be 2 of 1"), "{refused}");
        assert_eq!(gate.account(&made), ["objects 1 of 1"]);
    }

    #[tokio::test]
    async fn pods_taken_away_count_as_pods_not_as_objects() {
        let gate = gate(BudgetLimits { objects: Some(0), pods: Some(2), ..BudgetLimits::default() });
        let made = Made::default();
        assert_eq!(gate.admit(&change("Pod", "a", Verb::Evict, 0), &made).await, Ok(()));
        made.begin(change("Pod", "a", Verb::Evict, 0), None, 0);
        made.begin(change("Pod", "b", Verb::Delete, 0), None, 0);
        assert!(gate.admit(&change("Pod", "c", Verb::Evict, 0), &made).await.is_err());
    }

    #[tokio::test]
    async fn a_foreign_namespace_is_refused() {
        let gate = gate(BudgetLimits { namespaces: Some(vec!["other".into()]), ..BudgetLimits::default() });
        assert!(gate.admit(&change("Deployment", "web", Verb::Patch, 0), &Made::default()).await.is_err());
    }

    #[tokio::test]
    async fn a_namespace_that_goes_is_in_itself() {
        let gate = gate(BudgetLimits { namespaces: Some(vec!["shop".into()]), ..BudgetLimits::default() });
        let mut gone = change("Namespace", "bank", Verb::Delete, 0);
        gone.object.namespace.clear();
        let refused = gate.admit(&gone, &Made::default()).await.unwrap_err();
        assert!(refused.message.contains("the namespace bank is none of: shop"), "{refused}");
    }
}
