//! What a step would touch, where its arguments are not all known yet.

use super::{Look, Seen, after_steps};
use crate::action::reach::running_pods;
use crate::action::{ActionKind, Effect};
use crate::document::{Mode, Node, Target, split};
use crate::event::{Basis, EffectKind, ObjectId, PlannedEffect, PlannedUndo};

impl Look {
    /// The objects that a step names, with an effect on each that is not known.
    ///
    /// `node` is the step's argument as far as it could be filled; `most` is how often the step runs at most.
    pub async fn aim(&self, kind: &ActionKind, node: &Node, blur: Blur<'_>) -> Vec<PlannedEffect> {
        let target = known_target(kind, node);
        let objects = match &target {
            Some(target @ Target::Set(_)) => self.objects(&open(target), 0).await.ok(),
            Some(target) => self.as_it_is(target).await,
            None => None,
        };
        let Some(seen) = objects.filter(|_| blur.times == 1) else {
            return vec![blur.effect(kind, None, most(target.as_ref(), node) * blur.times, 0)];
        };
        let mut effects = Vec::new();
        for seen in seen {
            let id = ObjectId::of(&seen.object);
            let takes = sort_of(kind) != EffectKind::Exec;
            let is_pod = id.kind == "Pod" && takes;
            let pods = if is_pod { 1 } else { u64::from(running_pods(&seen.object)) * u64::from(takes) };
            let mut effect = blur.effect(kind, Some(id), u64::from(!is_pod), pods);
            if !seen.after.is_empty() && effect.summary.is_empty() {
                effect.summary = after_steps(&seen.after);
            }
            if takes {
                self.leave(&seen.address, super::Left::Unclear);
            }
            effects.push(effect);
        }
        effects
    }
}

impl Look {
    /// The one object of a target as the server has it, whatever earlier steps leave of it.
    async fn as_it_is(&self, target: &Target) -> Option<Vec<Seen>> {
        let address = self.context().one(target).await.ok()?;
        let object = self.context().find(&address).await.ok()??;
        Some(vec![Seen { address, object, after: Vec::new() }])
    }
}

/// Why an effect is not known, and what is known of it all the same.
#[derive(Debug, Clone, Copy)]
pub struct Blur<'a> {
    /// Why it is not known.
    pub why: &'a str,
    /// What the action may change, from the document alone.
    pub effect: &'a Effect,
    /// How often the step runs at most.
    pub times: u64,
}

impl Blur<'_> {
    fn effect(&self, kind: &ActionKind, object: Option<ObjectId>, objects: u64, pods: u64) -> PlannedEffect {
        PlannedEffect {
            kind: sort_of(kind),
            object,
            summary: String::new(),
            fields: Vec::new(),
            basis: Basis::Unknown(self.why.to_owned()),
            state: String::new(),
            objects,
            pods,
            undo: match self.effect {
                Effect::Nothing => None,
                Effect::Reversible => Some(PlannedUndo::Fields),
                Effect::Passing => Some(PlannedUndo::Nothing),
                Effect::Final(reason) => Some(PlannedUndo::Cannot(reason.clone())),
            },
        }
    }
}

fn sort_of(kind: &ActionKind) -> EffectKind {
    match kind.name {
        "delete" => EffectKind::Delete,
        "restart" => EffectKind::Restart,
        "trigger" => EffectKind::Create,
        "exec" | "command" | "http" => EffectKind::Exec,
        "rerun" | "drain" | "set-password" => EffectKind::Opaque,
        _ => EffectKind::Change,
    }
}

/// The target, where every word of it is known.
fn known_target(kind: &ActionKind, node: &Node) -> Option<Target> {
    let is_hole = |key: &str| node.get(key).is_some_and(|value| !value.templates().is_empty());
    if kind.target.keys().into_iter().any(is_hole) {
        return None;
    }
    split(node, kind.target, Mode::Holes, &mut Vec::new()).0
}

/// The same target, however many it is now.
fn open(target: &Target) -> Target {
    let mut target = target.clone();
    if let Target::Set(set) = &mut target {
        set.min = Some(0);
    }
    target
}

fn most(target: Option<&Target>, node: &Node) -> u64 {
    match (target, node.get("objects")) {
        (Some(Target::Set(set)), _) => set.max.unwrap_or(1),
        (None, Some(objects)) => u64::try_from(objects.items().len()).unwrap_or(u64::MAX).max(1),
        _ => 1,
    }
}
