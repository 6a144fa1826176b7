//! What is no longer as it was planned, by field.
//!
//! Compared are effects, not states: an object that was changed by someone
//! else in a way that leaves the planned effect the same has not drifted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::event::{EffectKind, Happens, Plan, PlannedEffect, PlannedStep, Written};

/// A line for each thing that differs; none where a run may go by the plan.
pub(in crate::engine) fn drift(planned: &Plan, now: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut differs = |what: &str, was: &str, is: &str| {
        if was != is {
            lines.push(format!("{what}: planned {was}, now {is}"));
        }
    };
    differs("the plan format", &planned.format_version.to_string(), &now.format_version.to_string());
    differs("the book", &short(&planned.book.hash), &short(&now.book.hash));
    differs("the target", &planned.target.name, &now.target.name);
    differs("the target's address", &planned.target.url, &now.target.url);
    differs("the user", &planned.target.user, &now.target.user);
    differs("the tags", &tags(planned), &tags(now));
    lines.extend(inputs(planned, now));
    if lines.is_empty() {
        lines.extend(steps(&planned.steps, &now.steps));
    }
    lines
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn tags(plan: &Plan) -> String {
    format!("with ({}) without ({})", plan.tags.join(", "), plan.skip_tags.join(", "))
}

fn inputs(planned: &Plan, now: &Plan) -> Vec<String> {
    let names: BTreeSet<&String> = planned.inputs.keys().chain(now.inputs.keys()).collect();
    let shown = |plan: &Plan, name: &str| plan.inputs.get(name).map_or_else(|| "nothing".to_owned(), Value::to_string);
    let mut lines: Vec<String> = names
        .into_iter()
        .map(|name| (name, shown(planned, name), shown(now, name)))
        .filter(|(_, was, is)| was != is)
        .map(|(name, was, is)| format!("the input `{name}`: planned {was}, now {is}"))
        .collect();
    if planned.secret_inputs != now.secret_inputs {
        lines.push("a secret input is another".into());
    }
    lines
}

fn steps(planned: &[PlannedStep], now: &[PlannedStep]) -> Vec<String> {
    let by_name = |steps: &[PlannedStep]| -> BTreeMap<String, PlannedStep> {
        steps.iter().map(|step| (step.step.0.clone(), step.clone())).collect()
    };
    let (was, is) = (by_name(planned), by_name(now));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    names.into_iter().flat_map(|name| step(name, was.get(name), is.get(name))).collect()
}

fn step(name: &str, was: Option<&PlannedStep>, is: Option<&PlannedStep>) -> Vec<String> {
    // Only what would change something can drift.
    if was.is_none_or(|step| changes(step).is_empty()) && is.is_none_or(|step| changes(step).is_empty()) {
        return Vec::new();
    }
    let (Some(was), Some(is)) = (was, is) else {
        let word = if was.is_some() { "is no longer there" } else { "was not planned" };
        return vec![format!("{name}: the step {word}")];
    };
    let mut lines = Vec::new();
    if happens(&was.happens) != happens(&is.happens) {
        lines.push(format!("{name}: planned to run {}, now {}", happens(&was.happens), happens(&is.happens)));
    }
    let (old, new) = (changes(was), changes(is));
    let objects: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for object in objects {
        match (old.get(object), new.get(object)) {
            (Some(old), Some(new)) => lines.extend(effect(&format!("{name}: {object}"), old, new)),
            (Some(_), None) => lines.push(format!("{name}: {object} would no longer be changed")),
            (None, Some(new)) => lines.push(format!("{name}: {object} was not planned: {}", new.summary)),
            (None, None) => {}
        }
    }
    lines
}

fn happens(happens: &Happens) -> &'static str {
    match happens {
        Happens::Surely => "surely",
        Happens::Perhaps(_) => "perhaps",
        Happens::Never(_) => "never",
    }
}

/// The changes of a step, by what is done to which object.
fn changes(step: &PlannedStep) -> BTreeMap<String, &PlannedEffect> {
    let changing = step.effects.iter().filter(|effect| effect.changes() && effect.kind != EffectKind::Undo);
    let key = |effect: &PlannedEffect| match &effect.object {
        Some(object) => format!("{} {object}", word(effect.kind)),
        None => format!("{} up to {} objects", word(effect.kind), effect.objects),
    };
    changing.map(|effect| (key(effect), effect)).collect()
}

fn word(kind: EffectKind) -> &'static str {
    match kind {
        EffectKind::Read => "read",
        EffectKind::Create => "create",
        EffectKind::Change => "change",
        EffectKind::Delete => "delete",
        EffectKind::Restart => "restart",
        EffectKind::Exec => "exec",
        EffectKind::Undo => "undo",
        EffectKind::Opaque => "opaque",
    }
}

fn effect(what: &str, was: &PlannedEffect, is: &PlannedEffect) -> Vec<String> {
    let uid = |effect: &PlannedEffect| effect.object.as_ref().map(|object| object.uid.clone()).unwrap_or_default();
    if uid(was) != uid(is) {
        return vec![format!("{what}: it is another object of the same name")];
    }
    let by_field = |fields: &[Written]| -> BTreeMap<String, Written> {
        fields.iter().map(|field| (field.pointer.clone(), field.clone())).collect()
    };
    let (old, new) = (by_field(&was.fields), by_field(&is.fields));
    let pointers: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut lines: Vec<String> = pointers
        .into_iter()
        .filter(|pointer| old.get(*pointer) != new.get(*pointer))
        .map(|pointer| format!("{what} {pointer}: planned {}, now {}", way(old.get(pointer)), way(new.get(pointer))))
        .collect();
    if was.pods < is.pods {
        lines.push(format!("{what}: planned to take up to {} pods, now {}", was.pods, is.pods));
    }
    lines
}

fn way(field: Option<&Written>) -> String {
    let show = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    field.map_or_else(|| "no change".to_owned(), |field| format!("{} → {}", show(&field.before), show(&field.after)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{ObjectId, Phase, StepId};

    fn planned(name: &str, kind: EffectKind, uid: &str, after: u32) -> PlannedStep {
        let object = ObjectId { kind: "Deployment".into(), name: "web".into(), uid: uid.into(), ..ObjectId::default() };
        let field = Written { pointer: "/spec/replicas".into(), before: Some(json!(3)), after: Some(json!(after)) };
        let effect = PlannedEffect {
            object: Some(object),
            fields: vec![field],
            ..super::super::plain_effect(kind, "replicas".into())
        };
        PlannedStep {
            step: StepId(name.into()),
            name: String::new(),
            action: "scale".into(),
            phase: Phase::Steps,
            depth: 0,
            happens: Happens::Surely,
            effects: vec![effect],
            outputs: BTreeMap::new(),
            unknown: None,
            waits: None,
            fails: None,
        }
    }

    #[test]
    fn a_field_another_object_and_a_missing_step_are_named() {
        let was = planned("grow", EffectKind::Change, "u1", 5);
        let differs = |is: PlannedStep| steps(std::slice::from_ref(&was), &[is]);
        assert_eq!(differs(was.clone()), Vec::<String>::new());
        let other = differs(planned("grow", EffectKind::Change, "u1", 6));
        assert_eq!(other, ["grow: change Deployment web /spec/replicas: planned 3 → 5, now 3 → 6"]);
        let replaced = differs(planned("grow", EffectKind::Change, "u2", 5));
        assert_eq!(replaced, ["grow: change Deployment web: it is another object of the same name"]);
        assert_eq!(steps(std::slice::from_ref(&was), &[]), ["grow: the step is no longer there"]);
        let skipped = PlannedStep { happens: Happens::Never("x".into()), ..was.clone() };
        assert_eq!(differs(skipped), ["grow: planned to run surely, now never"]);
    }

    #[test]
    fn what_changes_nothing_does_not_drift() {
        let read = planned("look", EffectKind::Read, "u1", 5);
        assert_eq!(steps(std::slice::from_ref(&read), &[]), Vec::<String>::new());
        let other = planned("look", EffectKind::Read, "u2", 9);
        assert_eq!(steps(&[read], &[other]), Vec::<String>::new());
    }
}
