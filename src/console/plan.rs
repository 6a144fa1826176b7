//! A plan, drawn for people: each step with what it would do, then what it costs.

use super::page::Page;
use super::style::{Mark, Style, Tone};
use super::text::count;
use crate::event::{
    Basis, BudgetRow, EffectKind, Happens, Phase, Plan, PlannedEffect, PlannedStep, PlannedUndo, Written,
};

/// The plan as a page of text.
pub fn draw(plan: &Plan, style: &Style) -> String {
    let mut page = Page::new(style);
    let target = &plan.target;
    let where_to = format!("{} on {} ({}) as {}", plan.book.file, target.name, target.provider, target.user);
    page.headline(0, Mark::Heading, [&format!("plan of {}", plan.book.name), &where_to, ""]);
    let mut phase = Phase::Steps;
    for step in &plan.steps {
        if step.depth == 0 && step.phase != phase {
            phase = step.phase;
            page.line(0, Tone::Strong, title(phase));
        }
        draw_step(&mut page, step);
    }
    end(&mut page, plan);
    page.into_text()
}

/// The changes of a plan alone, a line each, as consent asks about them.
pub(super) fn changes(page: &mut Page<'_>, plan: &Plan) {
    for step in plan.steps.iter().filter(|step| step.effects.iter().any(PlannedEffect::changes)) {
        draw_step(page, step);
    }
}

fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Steps => "steps",
        Phase::OnFailure => "if it fails",
        Phase::Always => "however it ends",
        Phase::Undo => "taking back",
    }
}

fn draw_step(page: &mut Page<'_>, step: &PlannedStep) {
    let level = step.depth + 1;
    page.headline(level, mark(step), [&step.step.0, &step.name, &tail(step)]);
    if let Happens::Perhaps(doubt) = &step.happens {
        page.labelled(level + 1, (Tone::Odd, "perhaps:"), doubt);
    }
    if let Some(trouble) = &step.fails {
        page.labelled(level + 1, (Tone::Bad, "fails as it is now:"), trouble);
    }
    for effect in &step.effects {
        draw_effect(page, level + 1, effect);
    }
    if let Some(why) = step.unknown.as_ref().filter(|_| !step.effects.iter().any(PlannedEffect::changes)) {
        page.labelled(level + 1, (Tone::Dim, "not known:"), why);
    }
    for (name, value) in &step.outputs {
        page.labelled(level + 1, (Tone::Dim, name), &format!("= {}", short(page, Some(value))));
    }
}

fn mark(step: &PlannedStep) -> Mark {
    match &step.happens {
        Happens::Never(_) => Mark::Skipped,
        _ if step.fails.is_some() => Mark::Bad,
        _ if step.effects.iter().any(PlannedEffect::changes) => Mark::Again,
        _ if step.unknown.is_some() || step.waits.is_some() => Mark::Waiting,
        Happens::Surely | Happens::Perhaps(_) => Mark::Passed,
    }
}

fn tail(step: &PlannedStep) -> String {
    match (&step.happens, &step.waits) {
        (Happens::Never(why), _) => format!("skipped: {why}"),
        (_, Some(limit)) => format!("waits up to {limit}"),
        (_, None) => String::new(),
    }
}

fn draw_effect(page: &mut Page<'_>, level: usize, effect: &PlannedEffect) {
    let (tone, sign) = sign(effect.kind);
    let object = match &effect.object {
        Some(object) => object.to_string(),
        None if effect.objects > 0 => format!("up to {}", count(effect.objects, "object")),
        None => String::new(),
    };
    let mut parts: Vec<String> = [object, effect.summary.clone()].into_iter().filter(|part| !part.is_empty()).collect();
    match &effect.basis {
        Basis::Unknown(why) => parts.push(format!("not known: {why}")),
        Basis::Computed(why) => parts.push(format!("({why})")),
        Basis::Server => {}
    }
    if effect.pods > 0 {
        parts.push(format!("takes up to {}", count(effect.pods, "pod")));
    }
    page.labelled(level, (tone, sign), &parts.join("  "));
    for field in &effect.fields {
        draw_field(page, level + 1, field);
    }
    match &effect.undo {
        Some(PlannedUndo::Cannot(why)) => page.labelled(level + 1, (Tone::Bad, "cannot be taken back:"), why),
        Some(PlannedUndo::Steps) => page.line(level + 1, Tone::Dim, "taken back by steps of its own"),
        Some(PlannedUndo::Fields | PlannedUndo::DeleteCreated | PlannedUndo::Nothing) | None => {}
    }
}

fn sign(kind: EffectKind) -> (Tone, &'static str) {
    match kind {
        EffectKind::Read => (Tone::Dim, "reads"),
        EffectKind::Create => (Tone::Good, "+"),
        EffectKind::Change => (Tone::Odd, "~"),
        EffectKind::Delete => (Tone::Bad, "-"),
        EffectKind::Restart => (Tone::Odd, "*"),
        EffectKind::Exec | EffectKind::Opaque => (Tone::Odd, "!"),
        EffectKind::Undo => (Tone::Odd, "<"),
    }
}

fn draw_field(page: &mut Page<'_>, level: usize, field: &Written) {
    let arrow = page.style().arrow();
    let (before, after) = (short(page, field.before.as_ref()), short(page, field.after.as_ref()));
    page.labelled(level, (Tone::Dim, &field.pointer), &format!("{before} {arrow} {after}"));
}

/// A value in one line; a long one is cut, and the JSON of the plan has it whole.
fn short(page: &Page<'_>, value: Option<&serde_json::Value>) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        None => "nothing".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    super::text::cut(&text, LONGEST, page.style().ellipsis())
}

fn end(page: &mut Page<'_>, plan: &Plan) {
    page.gap();
    budget(page, plan);
    for want in &plan.wants {
        page.labelled(0, (Tone::Odd, "wants"), &format!("{want}: a run needs --allow {want}"));
    }
    for warning in &plan.warnings {
        page.labelled(0, (Tone::Odd, "warning:"), warning);
    }
    for problem in &plan.problems {
        page.labelled(0, (Tone::Bad, "refused:"), &problem.message);
    }
    let is_new = |effect: &&PlannedEffect| effect.changes() && effect.kind != EffectKind::Undo;
    let changes = plan.steps.iter().flat_map(|step| &step.effects).filter(is_new).count();
    let effects = count(u64::try_from(changes).unwrap_or(u64::MAX), "change");
    page.line(0, Tone::Dim, &format!("{effects}, found out with {}", count(plan.requests, "request")));
    page.line(0, Tone::Dim, &format!("hash {}", plan.hash));
}

/// The budget's account.
pub(super) fn budget(page: &mut Page<'_>, plan: &Plan) {
    if !plan.budget.is_empty() {
        page.line(0, Tone::Strong, "budget, at most");
        plan.budget.iter().for_each(|row| draw_row(page, row));
    }
}

fn draw_row(page: &mut Page<'_>, row: &BudgetRow) {
    let limit = row.limit.map_or_else(|| "no limit".to_owned(), |limit| format!("of {limit}"));
    let unsure = match row.unsure.as_slice() {
        [] => String::new(),
        steps => format!("  (more is asked for at run time by {})", steps.join(", ")),
    };
    let tone = if row.is_over() { Tone::Bad } else { Tone::Plain };
    page.labelled(1, (tone, &row.what), &format!("{} {limit}{unsure}", row.used));
}
