//! Names that do not exist, and outputs read before or without being made.

use std::collections::BTreeSet;

use super::uses::{self, Use};
use super::visible::{Seen, Visible, ids};
use crate::runbook::{Body, Branch, Control, FailureBranch, Runbook, Step, UndoPolicy, UndoWhich};
use crate::source::{Diagnostic, Span, nearest};

const ROOTS: [&str; 10] = ["inputs", "vars", "steps", "run", "target", "item", "index", "result", "info", "outputs"];
const RUN: [&str; 5] = ["id", "started_at", "book", "actor", "outcome"];
const TARGET: [&str; 4] = ["name", "provider", "url", "user"];
const FAILURE: [&str; 4] = ["step", "name", "message", "class"];
const STEP: [&str; 7] = ["status", "changed", "attempts", "outputs", "info", "error", "each"];

pub(super) fn complaints(book: &Runbook) -> Vec<Diagnostic> {
    let mut checker = Checker { book, ids: ids(book), vars: Vec::new(), out: Vec::new() };
    checker.whole();
    checker.out
}

struct Checker<'a> {
    book: &'a Runbook,
    ids: BTreeSet<&'a str>,
    /// Variables declared so far.
    vars: Vec<&'a str>,
    out: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    fn whole(&mut self) {
        let book = self.book;
        let mut visible = Visible::first();
        for variable in &book.vars {
            self.uses(uses::of_form(&variable.value, false), &visible, None);
            self.vars.push(&variable.name);
        }
        let forms = book.defaults.namespace.iter().chain(book.budget.iter().map(|budget| &budget.limits));
        for form in forms.chain(book.guards.iter().map(|guard| &guard.form)) {
            self.generators(form);
            self.uses(uses::of_form(form, false), &visible, None);
        }
        self.list(&book.steps, &mut visible);
        let mut after = visible.afterwards();
        if let Some(FailureBranch::Steps(branch)) = &book.on_failure {
            after.failure = true;
            self.list(&branch.steps, &mut after);
            after = after.afterwards();
            after.failure = false;
        }
        self.list(&book.always, &mut after);
        for output in &book.outputs {
            self.generators(&output.value);
            self.uses(uses::of_form(&output.value, false), &visible, None);
        }
    }

    fn list(&mut self, steps: &'a [Step], visible: &mut Visible<'a>) {
        for step in steps {
            self.step(step, visible);
            visible.passed(step);
        }
    }

    fn step(&mut self, step: &'a Step, visible: &Visible<'a>) {
        let mut inner = visible.clone();
        if let Some(when) = &step.when {
            let found = uses::of_expression(when, step.span, false);
            inner.vouched.extend(found.iter().filter_map(vouches));
            let place = self.place_of(step, "when");
            self.uses(found.into_iter().map(|found| Use { span: place, ..found }).collect(), visible, None);
        }
        if let Some(looped) = &step.for_each {
            self.uses(uses::of_form(&looped.items, false), &inner, None);
            inner.items.extend([looped.name.clone(), "index".into()]);
            if let Some(key) = &looped.key {
                let found = key
                    .holes()
                    .flat_map(|(_, expression)| uses::of_expression(expression, looped.key_span, false))
                    .collect();
                self.uses(found, &inner, None);
            }
        }
        self.uses(uses::of_step(step), &inner, Some(step));
        self.generators_of(step);
        self.inner_lists(step, &inner);
        if let Body::Control(Control::UndoSteps(UndoWhich::Ids(ids))) = &step.body {
            for (id, span) in ids {
                self.known_id(id, *span);
            }
        }
    }

    fn inner_lists(&mut self, step: &'a Step, visible: &Visible<'a>) {
        if let Body::Control(Control::Group { steps, guards }) = &step.body {
            for guard in guards {
                self.uses(uses::of_form(&guard.form, false), visible, None);
            }
            let mut inside = visible.inside();
            inside.sure = true;
            self.list(steps, &mut inside);
        }
        // After the step: it can be seen itself, but nothing of it is sure.
        let mut after = visible.inside();
        after.failure = true;
        after.perhaps_passed(step);
        for branch in [&step.on_failure, &step.always].into_iter().flatten() {
            let Branch { steps, .. } = branch;
            self.list(steps, &mut after.inside());
        }
        if let UndoPolicy::Steps(steps) = &step.undo {
            after.failure = true;
            self.list(steps, &mut after);
        }
    }

    fn known_id(&mut self, id: &str, span: Span) {
        if self.ids.contains(id) {
            return;
        }
        let complaint = Diagnostic::error(format!("no step has the id `{id}`"), span);
        self.out.push(match nearest(id, self.ids.iter().copied()) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")).patch(span, near),
            None => complaint,
        });
    }

    /// The place of a key of a step; the step where it cannot be found.
    fn place_of(&self, step: &Step, key: &str) -> Span {
        let text = self.book.source.slice(step.span);
        let found = text.find(&format!("{key}: ")).map(|at| step.span.start + at);
        found.map_or(step.span, |start| {
            let rest = self.book.source.text().get(start..).unwrap_or_default();
            Span::new(start, start + rest.find('\n').unwrap_or(rest.len()))
        })
    }

    fn generators_of(&mut self, step: &Step) {
        for form in uses::forms_of(step) {
            self.generators(form);
        }
    }

    /// `now`, `random_text` and `uuid` give another value each time: only `vars` may ask.
    fn generators(&mut self, form: &crate::form::Form) {
        for hole in form.holes() {
            if hole.template.holes().any(|(_, expression)| expression.uses_generators()) {
                let complaint =
                    Diagnostic::error("`now`, `random_text` and `uuid` give another value each time", hole.node.span);
                self.out
                    .push(complaint.help("call them in `vars`, where they are computed once, and use the variable"));
            }
        }
    }

    fn uses(&mut self, found: Vec<Use>, visible: &Visible<'a>, own: Option<&'a Step>) {
        for found in found {
            if let Some(complaint) = self.one(&found, visible, own) {
                self.out.push(complaint);
            }
        }
    }

    fn one(&self, found: &Use, visible: &Visible<'a>, own: Option<&'a Step>) -> Option<Diagnostic> {
        let root = found.path.first()?.as_str();
        let second = found.path.get(1).map(String::as_str);
        if visible.items.iter().any(|item| item == root) {
            return None;
        }
        match (root, second) {
            ("inputs", second) => self.input(found, second?, visible),
            ("vars", second) => self.var(found, second?),
            ("steps", second) => self.step_name(found, second?, visible, own),
            ("run", second) => member(found, "run", second?, &RUN),
            ("target", second) => member(found, "target", second?, &TARGET),
            ("failure", second) if visible.failure => member(found, "failure", second?, &FAILURE),
            ("failure", _) => {
                Some(error(found, "`failure` is known only in `on-failure`, `always` of a step and `undo`"))
            }
            ("outputs", second) if found.own => own_output(found, second?, own?),
            ("result" | "info", _) if found.own => None,
            ("result" | "info" | "outputs", _) => Some(
                error(
                    found,
                    format!("`{root}` is known only in `expect`, `outputs`, `undo` and `retry` of the step itself"),
                )
                .help("name what a later step needs in the step's `outputs`, and use `steps.<id>.outputs.<name>`"),
            ),
            _ => Some(self.stranger(found, root, visible)),
        }
    }

    fn stranger(&self, found: &Use, root: &str, visible: &Visible<'a>) -> Diagnostic {
        let complaint = error(found, format!("no name `{root}`"));
        let names = ROOTS.iter().copied().chain(visible.items.iter().map(String::as_str));
        match nearest(root, names.filter(|name| *name != root)) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")),
            None if self.ids.contains(root) => complaint.help(format!("a step is read as `steps.{root}.…`")),
            None => complaint
                .help("names are inputs.*, vars.*, steps.<id>.*, run.*, target.*; text stands in quotes: 'shop'"),
        }
    }

    fn input(&self, found: &Use, name: &str, visible: &Visible<'a>) -> Option<Diagnostic> {
        let Some(declared) = self.book.inputs.iter().find(|input| input.name == name) else {
            let names = self.book.inputs.iter().map(|input| input.name.as_str());
            return Some(missing(found, &format!("the book declares no input `{name}`"), name, names));
        };
        let covered = found.guarded || visible.vouched.contains(&found.path);
        (declared.may_be_missing() && !covered).then(|| {
            error(found, format!("the input `{name}` is optional and may be missing here"))
                .help(format!("use `inputs.{name}|default(…)`, or give the step `when: inputs.{name} is defined`"))
        })
    }

    fn var(&self, found: &Use, name: &str) -> Option<Diagnostic> {
        if self.vars.contains(&name) {
            return None;
        }
        let later = self.book.vars.iter().any(|variable| variable.name == name);
        let message =
            if later { format!("the variable `{name}` is computed later") } else { format!("no variable `{name}`") };
        Some(missing(found, &message, name, self.vars.iter().copied()))
    }

    fn step_name(&self, found: &Use, id: &str, visible: &Visible<'a>, own: Option<&'a Step>) -> Option<Diagnostic> {
        let Some(seen) = visible.find(id) else { return Some(self.unseen(found, id, visible, own)) };
        let field = found.path.get(2).map(String::as_str)?;
        if !STEP.contains(&field) {
            return member(found, &format!("steps.{id}"), field, &STEP);
        }
        match field {
            "outputs" => output(found, seen, visible),
            "each" if seen.step.for_each.is_none() => {
                Some(error(found, format!("`{id}` is no loop and has no `each`")))
            }
            "each" if !seen.certain && !found.guarded && seen.step.when.is_some() && !vouched(visible, id) => {
                Some(unsure(found, id, "each"))
            }
            _ => None,
        }
    }

    fn unseen(&self, found: &Use, id: &str, visible: &Visible<'a>, own: Option<&'a Step>) -> Diagnostic {
        if own.is_some_and(|step| step.id == id) {
            return error(found, format!("the step `{id}` reads itself before it is over"))
                .help("in its `expect` and `outputs`, `result`, `info` and `outputs` are its own");
        }
        if self.ids.contains(id) {
            let inside_loop =
                self.book.walk().any(|step| step.for_each.is_some() && step.lists().iter().any(|list| holds(list, id)));
            let complaint = error(found, format!("the step `{id}` cannot be seen from here"));
            return complaint.help(if inside_loop {
                "it is inside a loop: from outside read `steps.<loop>.each`"
            } else {
                "it stands later in the book, or in a list of its own: an output is read after it is made"
            });
        }
        missing(found, &format!("no step has the id `{id}`"), id, visible.ids())
    }
}

fn output(found: &Use, seen: Seen<'_>, visible: &Visible<'_>) -> Option<Diagnostic> {
    let step = seen.step;
    let name = found.path.get(3)?;
    if step.for_each.is_some() {
        return Some(
            error(found, format!("`{}` is a loop and has no outputs of its own", step.id))
                .help(format!("read `steps.{}.each`", step.id)),
        );
    }
    let fields = fields(step);
    if let Some(fields) = &fields
        && !fields.contains(&name.as_str())
    {
        return Some(missing(
            found,
            &format!("the step `{}` has no output `{name}`", step.id),
            name,
            fields.iter().copied(),
        ));
    }
    let optional =
        step.outputs.iter().any(|output| output.name == *name && output.optional && output.default.is_none());
    let covered = found.guarded || vouched(visible, &step.id) || visible.vouched.contains(&found.path);
    ((optional || !seen.certain) && !covered).then(|| unsure(found, &step.id, name))
}

/// The outputs that a step declares; nothing where only the run can tell (`use`).
fn fields(step: &Step) -> Option<Vec<&str>> {
    let mut fields: Vec<&str> = step.outputs.iter().map(|output| output.name.as_str()).collect();
    match &step.body {
        Body::Control(Control::Use(_)) => return None,
        Body::Control(Control::Approve(form)) => {
            fields.extend(
                form.node()
                    .get("fields")
                    .map(crate::document::Node::entries)
                    .unwrap_or_default()
                    .iter()
                    .map(|entry| entry.key.text.as_str()),
            );
        }
        _ => {}
    }
    Some(fields)
}

fn holds(steps: &[Step], id: &str) -> bool {
    steps.iter().any(|step| step.id == id || step.lists().iter().any(|list| holds(list, id)))
}

/// A `when` vouches for what it asks `is defined` of, and for a step whose status it looks at.
fn vouches(found: &Use) -> Option<Vec<String>> {
    let status = found.path.first().is_some_and(|root| root == "steps")
        && found.path.get(2).is_some_and(|field| field == "status");
    if status {
        return Some(found.path.iter().take(2).cloned().collect());
    }
    found.guarded.then(|| found.path.clone())
}

fn vouched(visible: &Visible<'_>, id: &str) -> bool {
    visible.vouched.iter().any(|path| matches!(path.as_slice(), [root, step] if root == "steps" && step == id))
}

fn own_output(found: &Use, name: &str, step: &Step) -> Option<Diagnostic> {
    let names: Vec<&str> = step.outputs.iter().map(|output| output.name.as_str()).collect();
    (!names.contains(&name))
        .then(|| missing(found, &format!("this step has no output `{name}`"), name, names.iter().copied()))
}

fn unsure(found: &Use, id: &str, name: &str) -> Diagnostic {
    error(found, format!("the step `{id}` may not have made `{name}` when this is read"))
        .help(format!("use `|default(…)`, or give this step `when: steps.{id}.status == 'passed'`"))
}

fn member(found: &Use, what: &str, name: &str, known: &[&str]) -> Option<Diagnostic> {
    (!known.contains(&name)).then(|| missing(found, &format!("`{what}` has no `{name}`"), name, known.iter().copied()))
}

fn missing<'n>(found: &Use, message: &str, name: &str, names: impl Iterator<Item = &'n str> + Clone) -> Diagnostic {
    let complaint = error(found, message);
    if let Some(near) = nearest(name, names.clone()) {
        return complaint.help(format!("did you mean `{near}`?"));
    }
    let names: Vec<&str> = names.collect();
    if names.is_empty() { complaint } else { complaint.help(format!("there is: {}", names.join(", "))) }
}

fn error(found: &Use, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(message, found.span)
}
