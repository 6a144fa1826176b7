//! A run that is bound to a plan: no change goes out that the plan does not hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::action::{GENERATED, Made};
use crate::event::{Basis, Change, Class, EffectKind, Failure, ObjectId, Plan, PlannedEffect, PlannedStep, Verb};
use crate::secret::Redactor;

/// Fields whose value names the run or its moment: planned as such, different each time.
const OF_THE_RUN: [&str; 3] = [
    "/metadata/annotations/runhub.dev~1held",
    "/metadata/annotations/runhub.dev~1run",
    "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt",
];

/// The plan that a run may not leave.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Bound {
    plan: Arc<Plan>,
    redactor: Redactor,
}

impl Bound {
    /// A run bound to this plan; values are compared as they are shown.
    pub(in crate::engine) fn new(plan: Arc<Plan>, redactor: Redactor) -> Self {
        Self { plan, redactor }
    }

    /// Lets a change pass that the plan holds.
    ///
    /// # Errors
    /// What is not planned.
    pub(in crate::engine) fn admit(&self, change: &Change, made: &Made) -> Result<(), Failure> {
        // The way back is never refused.
        if without_keys(&change.step.0).split('.').any(|part| part == "undo") {
            return Ok(());
        }
        let what = format!("{} {}", change.object, change.summary);
        let refuse = |why: String| {
            let failure = Failure::new(Class::Drift, format!("{what}: {why}"));
            Err(failure.help("look at it, and plan again"))
        };
        let Some(step) = self.step(change) else { return refuse(format!("{} is not planned to change", change.step)) };
        let meant: Vec<&PlannedEffect> = step.effects.iter().filter(|effect| fits(effect, change)).collect();
        if let Some(effect) =
            meant.iter().find(|effect| effect.object.as_ref().is_some_and(|object| is(object, &change.object)))
        {
            return match self.unplanned(effect, change) {
                None => Ok(()),
                Some(field) => refuse(format!("the plan does not hold {field}")),
            };
        }
        let open: u64 = meant.iter().filter(|effect| effect.object.is_none()).map(|effect| effect.objects).sum();
        if open == 0 {
            return refuse("the plan does not hold this object".into());
        }
        let used = others(step, change, made);
        if used < open { Ok(()) } else { refuse(format!("the plan allows {open} objects here")) }
    }

    /// The planned step of a change: itself, or the one that stands for all items of its loop.
    fn step(&self, change: &Change) -> Option<&PlannedStep> {
        let plain = |name: &str| without_keys(name);
        let exact = self.plan.steps.iter().find(|planned| planned.step == change.step);
        exact.or_else(|| {
            let any = |planned: &&PlannedStep| {
                planned.step.0.contains("[?]") && plain(&planned.step.0) == plain(&change.step.0)
            };
            self.plan.steps.iter().find(any)
        })
    }

    /// A field that the change writes and the plan does not hold.
    fn unplanned(&self, effect: &PlannedEffect, change: &Change) -> Option<String> {
        if matches!(effect.basis, Basis::Unknown(_)) || change.verb != Verb::Patch {
            return None;
        }
        let mut planned = BTreeMap::new();
        for field in &effect.fields {
            leaves(&field.pointer, field.after.as_ref(), &mut planned);
        }
        let gone = |pointer: &str| {
            effect.fields.iter().any(|field| field.after.is_none() && field.pointer.starts_with(pointer))
        };
        for field in &change.written {
            let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
            leaves(&field.pointer, field.before.as_ref(), &mut before);
            leaves(&field.pointer, field.after.as_ref(), &mut after);
            if field.after.is_none() && !gone(&field.pointer) {
                return Some(format!("the removal of {}", field.pointer));
            }
            for (pointer, value) in after.into_iter().filter(|(pointer, value)| before.get(pointer) != Some(value)) {
                if !self.is_planned(&pointer, &value, &planned) {
                    return Some(format!("{pointer} = {}", self.shown(&value)));
                }
            }
        }
        None
    }

    fn is_planned(&self, pointer: &str, value: &Value, planned: &BTreeMap<String, Value>) -> bool {
        match planned.get(pointer) {
            Some(_) if OF_THE_RUN.contains(&pointer) => true,
            Some(held) => *held == self.shown(value) || held == crate::secret::MASK,
            None => false,
        }
    }

    /// A value as plans show it.
    fn shown(&self, value: &Value) -> Value {
        let mut shown = value.clone();
        self.redactor.value(&mut shown);
        shown
    }
}

/// Objects beside this one that the step has changed already.
fn others(step: &PlannedStep, change: &Change, made: &Made) -> u64 {
    let mut names: Vec<String> = Vec::new();
    for other in made.all() {
        let same_step = without_keys(&other.change.step.0) == without_keys(&step.step.0);
        let name = other.change.object.to_string();
        if same_step && !other.change.object.same_name(&change.object) && !names.contains(&name) {
            names.push(name);
        }
    }
    u64::try_from(names.len()).unwrap_or(u64::MAX)
}

fn fits(effect: &PlannedEffect, change: &Change) -> bool {
    match (effect.kind, change.verb) {
        (EffectKind::Opaque, _) => true,
        (EffectKind::Create, verb) => verb == Verb::Create,
        (EffectKind::Change, verb) => matches!(verb, Verb::Patch | Verb::Create),
        (EffectKind::Delete, verb) => matches!(verb, Verb::Delete | Verb::Evict),
        (EffectKind::Restart, verb) => matches!(verb, Verb::Patch | Verb::Delete | Verb::Evict),
        (EffectKind::Exec, verb) => verb == Verb::Execute,
        (EffectKind::Read | EffectKind::Undo, _) => false,
    }
}

fn is(planned: &ObjectId, object: &ObjectId) -> bool {
    let name = match planned.name.strip_suffix(GENERATED) {
        Some(stem) => object.name.starts_with(stem),
        None => planned.name == object.name,
    };
    let uid = planned.uid.is_empty() || object.uid.is_empty() || planned.uid == object.uid;
    name && uid && planned.kind == object.kind && planned.namespace == object.namespace
}

/// `pause[shop].apps` → `pause.apps`: the step as it is written.
fn without_keys(step: &str) -> String {
    let mut depth = 0_usize;
    step.chars()
        .filter(|letter| {
            match letter {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

/// Every leaf of a value, by pointer.
fn leaves(at: &str, value: Option<&Value>, out: &mut BTreeMap<String, Value>) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(fields)) if !fields.is_empty() => {
            for (key, value) in fields {
                leaves(&format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), Some(value), out);
            }
        }
        Some(Value::Array(items)) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                leaves(&format!("{at}/{index}"), Some(value), out);
            }
        }
        Some(leaf) => drop(out.insert(at.to_owned(), leaf.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Fan, Happens, Phase, Reversal, RunId, StepId, TargetHead, Written};

    fn object(name: &str) -> ObjectId {
        ObjectId { kind: "Deployment".into(), namespace: "shop".into(), name: name.into(), ..ObjectId::default() }
    }

    fn effect(object: Option<ObjectId>, after: Value) -> PlannedEffect {
        let fields = vec![Written { pointer: "/spec/replicas".into(), before: Some(json!(3)), after: Some(after) }];
        PlannedEffect { object, fields, objects: 2, ..super::super::plain_effect(EffectKind::Change, String::new()) }
    }

    fn bound(step: &str, effect: PlannedEffect) -> Bound {
        let planned = PlannedStep {
            step: StepId(step.into()),
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
        };
        let clock = crate::clock::Clock::system();
        let fan = Fan::new(RunId("r".into()), "t", clock, Redactor::default(), Vec::new());
        let plan = super::super::empty(TargetHead::default(), fan.clock().now(), vec![planned]);
        Bound::new(Arc::new(plan), Redactor::default())
    }

    fn change(step: &str, name: &str, after: Value) -> Change {
        Change {
            step: StepId(step.into()),
            verb: Verb::Patch,
            object: object(name),
            summary: "replicas".into(),
            resource_version: String::new(),
            body_digest: String::new(),
            written: vec![Written { pointer: "/spec/replicas".into(), before: Some(json!(3)), after: Some(after) }],
            reversal: Reversal::Fields,
            pods: 0,
        }
    }

    #[tokio::test]
    async fn a_change_that_is_planned_passes_and_another_value_does_not() {
        let bound = bound("grow", effect(Some(object("web")), json!(5)));
        let made = Made::default();
        assert_eq!(bound.admit(&change("grow", "web", json!(5)), &made), Ok(()));
        let other = bound.admit(&change("grow", "web", json!(6)), &made).unwrap_err();
        assert_eq!(other.class, Class::Drift);
        assert!(other.message.contains("/spec/replicas = 6"), "{other}");
        assert!(bound.admit(&change("grow", "db", json!(5)), &made).is_err());
        assert!(bound.admit(&change("shrink", "web", json!(5)), &made).is_err());
    }

    #[tokio::test]
    async fn an_unknown_that_needs_more_than_was_planned_is_stopped_before_the_change() {
        let unknown = PlannedEffect { basis: Basis::Unknown("after list".into()), ..effect(None, json!(0)) };
        let bound = bound("away[?]", unknown);
        let made = Made::default();
        for name in ["a", "b"] {
            let change = change(&format!("away[{name}]"), name, json!(1));
            assert_eq!(bound.admit(&change, &made), Ok(()));
            made.begin(change, None, 0);
        }
        let third = bound.admit(&change("away[c]", "c", json!(1)), &made).unwrap_err();
        assert!(third.message.contains("the plan allows 2 objects here"), "{third}");
        assert_eq!(bound.admit(&change("away[b]", "b", json!(7)), &made), Ok(()));
    }

    #[tokio::test]
    async fn the_way_back_is_never_refused() {
        let bound = bound("grow", effect(Some(object("web")), json!(5)));
        assert_eq!(bound.admit(&change("grow.undo.step-1", "db", json!(1)), &Made::default()), Ok(()));
    }

    #[test]
    fn a_generated_name_is_known_by_its_stem() {
        assert!(is(&object("nightly-*"), &object("nightly-x7k2p")));
        assert!(!is(&object("nightly-*"), &object("weekly-x7k2p")));
    }
}
