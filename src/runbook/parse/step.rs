//! The keys of a step.

use super::book::is_identifier;
use super::{Parser, STEP_KEYS};
use crate::action;
use crate::document::{Entry, Node};
use crate::form::Form;
use crate::runbook::{Body, Control, Step, UndoPolicy};
use crate::source::{Diagnostic, nearest};
use crate::template::Expression;

impl Parser {
    /// A list of steps; `stem` names those without an id (`step-3`).
    pub(super) fn steps(&mut self, node: &Node, stem: &str) -> Vec<Step> {
        let items = self.list(node, "a list of steps");
        items.iter().enumerate().map(|(index, item)| self.step(item, &format!("{stem}-{}", index + 1))).collect()
    }

    fn step(&mut self, node: &Node, position: &str) -> Step {
        let entries = self.mapping(node, "a step");
        let (actions, keys): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| action::is_action(&entry.key.text));
        let id = self.id(&keys, position);
        let action = self.one_action(node, &actions, &keys);
        let body = action.and_then(|entry| self.body(entry, &id));
        let mut step = Step {
            named: id != position,
            id,
            name: None,
            when: None,
            for_each: None,
            body: body.unwrap_or(Body::Control(Control::Note(Form::empty()))),
            expect: None,
            outputs: Vec::new(),
            retry: None,
            timeout: None,
            attempt_timeout: None,
            continue_on_error: false,
            on_failure: None,
            always: None,
            undo: UndoPolicy::Auto,
            confirm: None,
            tags: Vec::new(),
            span: node.span,
            action_span: action.map_or(node.span, |entry| entry.key.span),
        };
        for entry in keys {
            self.step_key(&mut step, entry);
        }
        self.one_clock(&step);
        step
    }

    fn id(&mut self, keys: &[&Entry], position: &str) -> String {
        let Some(entry) = keys.iter().find(|entry| entry.key.text == "id") else { return position.to_owned() };
        let Some(id) = self.literal::<String>(&entry.value) else { return position.to_owned() };
        if !is_identifier(&id) {
            let complaint = Diagnostic::error(
                format!("`{id}` is no id: a lower-case letter, then letters, digits and _"),
                entry.value.span,
            );
            let fixed = id.to_lowercase().replace(['-', '.', ' '], "_");
            self.out.push(if is_identifier(&fixed) { complaint.patch(entry.value.span, fixed) } else { complaint });
        }
        if let Some(first) = self.ids.insert(id.clone(), entry.value.span) {
            self.out.push(
                Diagnostic::error(format!("the id `{id}` stands twice"), entry.value.span)
                    .label("again here")
                    .also(first, "first here")
                    .help("ids are unique in the whole book"),
            );
        }
        id
    }

    /// The one key that says what the step does; two or none is one error.
    fn one_action<'a>(&mut self, node: &Node, actions: &[&'a Entry], keys: &[&Entry]) -> Option<&'a Entry> {
        match actions {
            [only] => Some(only),
            [] => {
                self.no_action(node, keys);
                None
            }
            [first, rest @ ..] => {
                let names: Vec<String> = actions.iter().map(|entry| format!("`{}`", entry.key.text)).collect();
                let mut complaint = Diagnostic::error(
                    format!("a step does one thing, this one has {}", names.join(" and ")),
                    first.key.span,
                )
                .help("make a step of each, or put them into a `group`");
                for entry in rest {
                    complaint = complaint.also(entry.key.span, "and this");
                }
                self.out.push(complaint);
                Some(first)
            }
        }
    }

    fn no_action(&mut self, node: &Node, keys: &[&Entry]) {
        let strangers: Vec<&&Entry> = keys.iter().filter(|entry| !is_step_key(&entry.key.text)).collect();
        if let [stranger] = strangers.as_slice() {
            // The unknown key is probably the action, misspelt: one complaint says both.
            let names = action::names();
            let complaint = Diagnostic::error(format!("unknown action `{}`", stranger.key.text), stranger.key.span);
            let candidates = names.iter().copied().chain(STEP_KEYS.iter().map(|(key, _)| *key));
            self.out.push(match nearest(&stranger.key.text, candidates) {
                Some(near) => complaint.help(format!("did you mean `{near}`?")).patch(stranger.key.span, near),
                None => complaint.help(format!("the actions are: {}", names.join(", "))),
            });
            return;
        }
        let place = keys.first().map_or(node.span, |entry| entry.key.span);
        let seen: Vec<String> = keys.iter().map(|entry| format!("`{}`", entry.key.text)).collect();
        let message = if seen.is_empty() {
            "this step is empty".to_owned()
        } else {
            format!("this step does nothing: it has only {}", seen.join(", "))
        };
        self.out.push(Diagnostic::error(message, place).help(format!("add one of: {}", action::names().join(", "))));
    }

    fn step_key(&mut self, step: &mut Step, entry: &Entry) {
        let value = &entry.value;
        match entry.key.text.as_str() {
            "id" => {}
            "name" => step.name = Some(Form::new(value.clone(), &mut self.out)),
            "when" => step.when = self.condition(value),
            "for-each" => step.for_each = Some(self.for_each(value)),
            "expect" => step.expect = self.expectations(value),
            "outputs" => step.outputs = self.outputs(value),
            "retry" => step.retry = self.retry(value),
            "timeout" => step.timeout = self.duration(value),
            "attempt-timeout" => step.attempt_timeout = self.duration(value),
            "continue-on-error" => step.continue_on_error = self.literal(value).unwrap_or(false),
            "on-failure" => step.on_failure = self.branch(value, &format!("{}-on-failure", step.id)),
            "always" => step.always = self.branch(value, &format!("{}-always", step.id)),
            "undo" => step.undo = self.undo(value, &step.id),
            "confirm" => step.confirm = Some(Form::new(value.clone(), &mut self.out)),
            "tags" => step.tags = self.tags(value),
            key if self.is_reported(entry, key) => {}
            _ => {
                let known: Vec<&str> = STEP_KEYS.iter().map(|(key, _)| *key).chain(action::names()).collect();
                self.unknown_key(&entry.key, &known, "a step");
            }
        }
    }

    /// Whether `no_action` already spoke of this key.
    fn is_reported(&self, entry: &Entry, key: &str) -> bool {
        !is_step_key(key) && self.out.iter().any(|complaint| complaint.span == entry.key.span)
    }

    /// A bare expression that must be true or false.
    pub(super) fn condition(&mut self, node: &Node) -> Option<Expression> {
        let Some(text) = node.as_text() else {
            self.error(format!("a condition is an expression, not {}", node.describe()), node.span);
            return None;
        };
        match Expression::parse(text) {
            Ok(expression) => Some(expression),
            Err(mistake) => {
                let mut complaint = Diagnostic::error(mistake.message, node.span_in(mistake.range));
                complaint.helps.extend(mistake.help);
                self.out.push(complaint);
                None
            }
        }
    }

    fn tags(&mut self, node: &Node) -> Vec<String> {
        let items = self.list(node, "`tags`").to_vec();
        items.iter().filter_map(|item| self.literal(item)).collect()
    }

    /// `timeout` inside the action is another spelling of the step's: both is an error.
    fn one_clock(&mut self, step: &Step) {
        if let Body::Act(act) = &step.body
            && act.outline.timeout().is_some()
            && step.timeout.is_some()
        {
            let complaint =
                Diagnostic::error("this step has two clocks: `timeout` here and in its action", step.action_span);
            self.out.push(complaint.help("they are two spellings of one clock: keep one"));
        }
    }
}

fn is_step_key(key: &str) -> bool {
    STEP_KEYS.iter().any(|(known, _)| *known == key)
}
