//! Every use of a name in a book, with its place and what may be bound there.

use crate::document::{Mode, Node};
use crate::expect::Expectation;
use crate::form::Form;
use crate::runbook::step::OutputSource;
use crate::runbook::{Body, Control, Step};
use crate::source::Span;
use crate::template::{Expression, NameUse, Template};

/// One use of a name.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) path: Vec<String>,
    pub(super) span: Span,
    /// It may be undefined there.
    pub(super) guarded: bool,
    /// `result`, `info` and `outputs` of the step itself are bound there.
    pub(super) own: bool,
}

/// The uses of names in a form.
pub(super) fn of_form(form: &Form, own: bool) -> Vec<Use> {
    form.holes().iter().flat_map(|hole| of_template(hole.template, hole.node, own)).collect()
}

fn of_template(template: &Template, node: &Node, own: bool) -> Vec<Use> {
    let mut uses = Vec::new();
    for (_, expression) in template.holes() {
        uses.extend(expression.names().iter().map(|name| named(name, node.span_in(name.range.clone()), own)));
    }
    uses
}

/// The uses of names in a bare expression that stands at a span.
pub(super) fn of_expression(expression: &Expression, span: Span, own: bool) -> Vec<Use> {
    expression.names().iter().map(|name| named(name, span, own)).collect()
}

fn named(name: &NameUse, span: Span, own: bool) -> Use {
    Use { path: name.path.clone(), span, guarded: name.guarded, own }
}

/// The uses in a list of expectations: its templates, and the conditions of `that`.
pub(super) fn of_expectations(form: &Form) -> Vec<Use> {
    let mut uses = of_form(form, true);
    let list = Expectation::list(form.node(), Mode::Holes, &mut Vec::new()).unwrap_or_default();
    for expectation in &list {
        uses.extend(
            expectation
                .condition()
                .into_iter()
                .flat_map(|condition| of_expression(condition, expectation.span(), true)),
        );
    }
    uses
}

/// The uses in what a step does and asks of itself, lists of steps inside it left out.
pub(super) fn of_step(step: &Step) -> Vec<Use> {
    let mut uses = of_body(step);
    for form in [&step.name, &step.confirm].into_iter().flatten() {
        uses.extend(of_form(form, false));
    }
    if let Some(expect) = &step.expect {
        uses.extend(of_expectations(expect));
    }
    for output in &step.outputs {
        if let OutputSource::Value(form) = &output.from {
            uses.extend(of_form(form, true));
        }
        uses.extend(output.default.iter().flat_map(|form| of_form(form, true)));
    }
    uses
}

/// Everything in a step that holds templates, lists of steps inside it left out.
pub(super) fn forms_of(step: &Step) -> Vec<&Form> {
    let mut forms: Vec<&Form> = [&step.name, &step.confirm, &step.expect].into_iter().flatten().collect();
    match &step.body {
        Body::Act(act) => forms.push(&act.arguments),
        Body::Control(
            Control::Assert(form)
            | Control::Note(form)
            | Control::Pause(form)
            | Control::Fail(form)
            | Control::Use(form)
            | Control::Approve(form),
        ) => forms.push(form),
        Body::Control(Control::Group { .. } | Control::UndoSteps(_)) => {}
    }
    forms.extend(step.for_each.iter().map(|looped| &looped.items));
    for output in &step.outputs {
        forms.extend(match &output.from {
            OutputSource::Value(form) => Some(form),
            OutputSource::Path(_) => None,
        });
        forms.extend(&output.default);
    }
    forms
}

fn of_body(step: &Step) -> Vec<Use> {
    match &step.body {
        Body::Act(act) => {
            let mut uses = of_form(&act.arguments, false);
            // Conditions inside an action look at what it sees: `result` and `info` are bound.
            uses.extend(
                act.outline
                    .conditions()
                    .into_iter()
                    .flat_map(|condition| of_expression(condition, act.arguments.span(), true)),
            );
            uses
        }
        Body::Control(Control::Assert(form)) => of_expectations(form),
        Body::Control(
            Control::Note(form)
            | Control::Pause(form)
            | Control::Fail(form)
            | Control::Use(form)
            | Control::Approve(form),
        ) => of_form(form, false),
        Body::Control(Control::Group { .. } | Control::UndoSteps(_)) => Vec::new(),
    }
}

/// The ids of steps that a step, or one inside it, reads.
pub fn steps_read_by(step: &Step) -> Vec<String> {
    let mut uses = of_step(step);
    uses.extend(step.when.iter().flat_map(|when| of_expression(when, step.span, false)));
    uses.extend(step.for_each.iter().flat_map(|looped| of_form(&looped.items, false)));
    let mut ids: Vec<String> = uses
        .into_iter()
        .filter(|found| found.path.first().is_some_and(|root| root == "steps"))
        .filter_map(|found| found.path.get(1).cloned())
        .collect();
    ids.extend(step.lists().into_iter().flatten().flat_map(steps_read_by));
    ids
}
