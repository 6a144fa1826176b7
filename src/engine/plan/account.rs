//! What a plan needs of the budget and of permissions: the upper bound, `on-failure` and `always` included.

use std::collections::BTreeSet;

use crate::cluster::resource::Resource;
use crate::cluster::verbs::Permission;
use crate::engine::gate::namespace_of;
use crate::event::{Basis, BudgetRow, Class, EffectKind, Happens, PlannedEffect, PlannedStep, Problem};
use crate::runbook::BudgetLimits;

/// The effects that count: what is taken back was counted when it was made.
fn counted(steps: &[PlannedStep]) -> impl Iterator<Item = (&PlannedStep, &PlannedEffect)> {
    let happening = steps.iter().filter(|step| !matches!(step.happens, Happens::Never(_)));
    happening
        .flat_map(|step| step.effects.iter().map(move |effect| (step, effect)))
        .filter(|(_, effect)| effect.changes() && effect.kind != EffectKind::Undo)
}

/// The budget's account of a plan, a row a limit; rows without a limit only where something is needed.
pub(super) fn of(steps: &[PlannedStep], limits: &BudgetLimits) -> Vec<BudgetRow> {
    let is_pod = |effect: &PlannedEffect| effect.object.as_ref().is_some_and(|object| object.kind == "Pod");
    let is_node = |effect: &PlannedEffect| effect.object.as_ref().is_some_and(|object| object.kind == "Node");
    let deletes = counted(steps).filter(|(_, effect)| effect.kind == EffectKind::Delete && !is_pod(effect));
    let blurred = |(step, effect): &(&PlannedStep, &PlannedEffect)| {
        let outside = effect.kind == EffectKind::Exec;
        (!outside && effect.object.is_none() && matches!(effect.basis, Basis::Unknown(_))).then(|| step.step.0.clone())
    };
    let unsure: Vec<String> =
        counted(steps).filter_map(|effect| blurred(&effect)).collect::<BTreeSet<_>>().into_iter().collect();
    let rows = [
        ("objects", objects(steps, |effect| !is_pod(effect)), limits.objects),
        ("pods", counted(steps).map(|(_, effect)| effect.pods).sum(), limits.pods),
        ("deletes", deletes.map(|(_, effect)| effect.objects).sum(), limits.deletes),
        ("nodes", objects(steps, is_node), limits.nodes),
    ];
    let row = |(what, used, limit): (&str, u64, Option<u64>)| BudgetRow {
        what: what.to_owned(),
        used,
        limit,
        unsure: unsure.clone(),
    };
    rows.into_iter().map(row).filter(|row| row.limit.is_some() || row.used > 0).collect()
}

/// Distinct objects, and those that are not known yet, each for itself.
fn objects(steps: &[PlannedStep], is_meant: impl Fn(&PlannedEffect) -> bool) -> u64 {
    let mut known = BTreeSet::new();
    let mut unknown = 0_u64;
    for (_, effect) in counted(steps).filter(|(_, effect)| is_meant(effect)) {
        match &effect.object {
            Some(object) => drop(known.insert(object.to_string())),
            None => unknown = unknown.saturating_add(effect.objects),
        }
    }
    unknown.saturating_add(u64::try_from(known.len()).unwrap_or(u64::MAX))
}

/// Where the plan needs more than the budget allows.
pub(super) fn over(steps: &[PlannedStep], rows: &[BudgetRow], limits: &BudgetLimits) -> Vec<Problem> {
    let mut problems: Vec<Problem> = rows
        .iter()
        .filter(|row| row.is_over())
        .map(|row| format!("over the budget, {}: up to {} of {}", row.what, row.used, row.limit.unwrap_or(0)))
        .map(|line| Problem::new(Class::Budget, line))
        .collect();
    let Some(allowed) = &limits.namespaces else { return problems };
    let mut told = BTreeSet::new();
    for (step, effect) in counted(steps) {
        let Some(namespace) = effect.object.as_ref().and_then(namespace_of) else { continue };
        if !allowed.iter().any(|name| name == namespace) && told.insert((step.step.clone(), namespace.to_owned())) {
            let names = allowed.join(", ");
            let line = format!("over the budget, {}: the namespace {namespace} is none of: {names}", step.step);
            problems.push(Problem::new(Class::Budget, line));
        }
    }
    problems
}

/// What must be allowed for effects that only a look could tell.
pub(super) fn permissions(steps: &[PlannedStep]) -> Vec<Permission> {
    let asked = counted(steps).filter_map(|(_, effect)| {
        let object = effect.object.as_ref().filter(|object| object.kind != "Pod")?;
        let resource = Resource::of(&object.api_version, &object.kind)?;
        let (verb, name) = match effect.kind {
            EffectKind::Create => ("create", None),
            EffectKind::Delete => ("delete", Some(object.name.clone())),
            _ => return None,
        };
        let namespace = Some(object.namespace.clone()).filter(|namespace| !namespace.is_empty());
        Some(Permission { verb: verb.to_owned(), resource: resource.clone(), subresource: None, namespace, name })
    });
    asked.collect()
}
