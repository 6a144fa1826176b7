//! The keys of a book.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use super::{Parser, TOP_KEYS};
use crate::document::{self, Entry, Mode, Node};
use crate::form::Form;
use crate::runbook::inputs::Declared;
use crate::runbook::{Budget, BudgetLimits, Defaults, Guard, InputDeclaration, NamedForm, Runbook, Variable};
use crate::source::{Diagnostic, Source};

static BOOK_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[a-z0-9][a-z0-9-]*$").ok());
static IDENTIFIER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[a-z][a-z0-9_]*$").ok());

/// Whether a text can be an id or the name of an input, a variable or an output.
pub(super) fn is_identifier(text: &str) -> bool {
    IDENTIFIER.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// The time that `always` has when the book does not say.
const ALWAYS_TIMEOUT: Duration = Duration::from_mins(10);

impl Parser {
    pub(super) fn book(&mut self, source: &Source, node: &Node) -> Runbook {
        let entries = self.mapping(node, "a runbook");
        self.version(node);
        let mut book = empty(source);
        for entry in entries {
            self.top_key(&mut book, entry);
        }
        if !entries.is_empty() {
            self.required(node);
        }
        book
    }

    fn version(&mut self, node: &Node) {
        match node.get("runbook") {
            Some(version) if version.as_text() == Some("v1") => {}
            Some(version) => self.error(format!("the format is `v1`, not {}", version.describe()), version.span),
            None => {}
        }
    }

    fn required(&mut self, node: &Node) {
        let place = node.entries().first().map_or(node.span, |entry| entry.key.span);
        for (key, example) in
            [("runbook", "runbook: v1"), ("name", "name: restart-app"), ("steps", "steps: [{note: hello}]")]
        {
            if node.get(key).is_none() {
                let complaint = Diagnostic::error(format!("a runbook needs `{key}`"), place);
                self.out.push(complaint.help(format!("write `{example}`")));
            }
        }
    }

    fn top_key(&mut self, book: &mut Runbook, entry: &Entry) {
        let value = &entry.value;
        match entry.key.text.as_str() {
            "runbook" => {}
            "name" => book.name = self.book_name(value),
            "description" => book.description = self.literal(value),
            "labels" => book.labels = self.texts(value),
            "owner" => book.owner = self.literal(value),
            "links" => book.links = self.texts(value),
            "requires" => book.requires = document::decode(value, Mode::Whole, &mut self.out),
            "inputs" => book.inputs = self.inputs(value),
            "vars" => book.vars = self.vars(value),
            "defaults" => book.defaults = self.defaults(value),
            "timeout" => book.timeout = self.duration(value),
            "always-timeout" => book.always_timeout = self.duration(value).unwrap_or(ALWAYS_TIMEOUT),
            "budget" => book.budget = Some(self.budget(value)),
            "guards" => book.guards = self.guards(value),
            "steps" => {
                book.steps = self.steps(value, "step");
                if book.steps.is_empty() && !matches!(&value.kind, document::Kind::Sequence(items) if !items.is_empty())
                {
                    self.error("a runbook has at least one step", value.span);
                }
            }
            "on-failure" => book.on_failure = self.failure_branch(value),
            "always" => book.always = self.steps(value, "always"),
            "outputs" => book.outputs = self.book_outputs(value),
            _ => self.unknown_key(&entry.key, &TOP_KEYS.iter().map(|(key, _)| *key).collect::<Vec<_>>(), "a runbook"),
        }
    }

    /// The limits, read once with holes.
    fn budget(&mut self, value: &Node) -> Budget {
        document::decode::<BudgetLimits>(value, Mode::Holes, &mut self.out);
        Budget { limits: Form::new(value.clone(), &mut self.out) }
    }

    fn book_name(&mut self, value: &Node) -> String {
        let name: String = self.literal(value).unwrap_or_default();
        if !name.is_empty() && !BOOK_NAME.as_ref().is_some_and(|pattern| pattern.is_match(&name)) {
            let fixed = name.to_lowercase().replace([' ', '_', '.', '/'], "-");
            let complaint = Diagnostic::error(
                format!("`{name}` is no name for a runbook: lower-case letters, digits and hyphens"),
                value.span,
            );
            self.out.push(complaint.patch(value.span, fixed));
        }
        name
    }

    fn texts(&mut self, value: &Node) -> BTreeMap<String, String> {
        self.literal(value).unwrap_or_default()
    }

    fn inputs(&mut self, value: &Node) -> Vec<InputDeclaration> {
        let mut inputs = Vec::new();
        for entry in self.mapping(value, "`inputs`") {
            self.identifier(entry, "an input");
            let declared = document::decode::<Declared>(&entry.value, Mode::Whole, &mut self.out).unwrap_or_default();
            inputs.push(InputDeclaration::new(&entry.key.text, entry.key.span, declared, &mut self.out));
        }
        inputs
    }

    /// Complains about a name that expressions could not use.
    pub(super) fn identifier(&mut self, entry: &Entry, what: &str) {
        let name = &entry.key.text;
        if is_identifier(name) {
            return;
        }
        let complaint = Diagnostic::error(
            format!("`{name}` is no name for {what}: a lower-case letter, then letters, digits and _"),
            entry.key.span,
        );
        let fixed = name.to_lowercase().replace(['-', '.', ' '], "_");
        self.out.push(if is_identifier(&fixed) { complaint.patch(entry.key.span, fixed) } else { complaint });
    }

    fn vars(&mut self, value: &Node) -> Vec<Variable> {
        let mut vars = Vec::new();
        for entry in self.mapping(value, "`vars`") {
            self.identifier(entry, "a variable");
            let (node, secret) = self.variable(&entry.value);
            let value = Form::new(node, &mut self.out);
            vars.push(Variable { name: entry.key.text.clone(), span: entry.key.span, value, secret });
        }
        vars
    }

    /// `{value, secret}` is the long form; any other mapping is a value.
    fn variable(&mut self, node: &Node) -> (Node, bool) {
        let keys: Vec<&str> = node.entries().iter().map(|entry| entry.key.text.as_str()).collect();
        let long = keys.contains(&"value") && keys.iter().all(|key| matches!(*key, "value" | "secret"));
        match node.get("value").filter(|_| long) {
            Some(value) => (value.clone(), node.get("secret").and_then(|secret| self.literal(secret)).unwrap_or(false)),
            None => (node.clone(), false),
        }
    }

    fn defaults(&mut self, value: &Node) -> Defaults {
        let mut defaults = Defaults::default();
        for entry in self.mapping(value, "`defaults`") {
            match entry.key.text.as_str() {
                "namespace" => defaults.namespace = Some(Form::new(entry.value.clone(), &mut self.out)),
                "attempt-timeout" => defaults.attempt_timeout = self.duration(&entry.value),
                "retry" => defaults.retry = self.retry(&entry.value),
                "every" => defaults.every = self.duration(&entry.value),
                _ => self.unknown_key(&entry.key, &["namespace", "attempt-timeout", "retry", "every"], "`defaults`"),
            }
        }
        defaults
    }

    pub(super) fn guards(&mut self, value: &Node) -> Vec<Guard> {
        let items = self.list(value, "`guards`").to_vec();
        items.into_iter().map(|item| self.guard(item)).collect()
    }

    fn book_outputs(&mut self, value: &Node) -> Vec<NamedForm> {
        let mut outputs = Vec::new();
        for entry in self.mapping(value, "`outputs`") {
            self.identifier(entry, "an output");
            let value = Form::new(entry.value.clone(), &mut self.out);
            outputs.push(NamedForm { name: entry.key.text.clone(), span: entry.key.span, value });
        }
        outputs
    }
}

fn empty(source: &Source) -> Runbook {
    Runbook {
        source: source.clone(),
        name: String::new(),
        description: None,
        labels: BTreeMap::new(),
        owner: None,
        links: BTreeMap::new(),
        requires: None,
        inputs: Vec::new(),
        vars: Vec::new(),
        defaults: Defaults::default(),
        timeout: None,
        always_timeout: ALWAYS_TIMEOUT,
        budget: None,
        guards: Vec::new(),
        steps: Vec::new(),
        on_failure: None,
        always: Vec::new(),
        outputs: Vec::new(),
    }
}
