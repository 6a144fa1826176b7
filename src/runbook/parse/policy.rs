//! Loops and retries.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Parser;
use super::book::is_identifier;
use crate::document::{self, DurationText, Entry, Kind, Mode, Node};
use crate::form::Form;
use crate::runbook::{ForEach, OnError, Retry, RetryOn};
use crate::source::Diagnostic;
use crate::template::Template;

const LOOP_KEYS: [&str; 6] = ["items", "as", "key", "max-parallel", "max-items", "on-error"];

/// When a step is tried again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::runbook) struct RetryArguments {
    /// Tries in all.
    attempts: u32,
    /// The pause after the first try; it doubles. 1s if not given.
    #[serde(default)]
    backoff: Option<DurationText>,
    /// The longest pause. 30s if not given.
    #[serde(default)]
    max_backoff: Option<DurationText>,
    /// The part of a pause that is random, from 0 to 1.
    #[serde(default)]
    jitter: f64,
    /// After which troubles; all of them if not given.
    #[serde(default)]
    on: Option<Vec<RetryOn>>,
}

const ALL_TROUBLES: [RetryOn; 5] =
    [RetryOn::Transport, RetryOn::Throttle, RetryOn::Conflict, RetryOn::Server, RetryOn::Expectation];

impl Parser {
    pub(super) fn retry(&mut self, node: &Node) -> Option<Retry> {
        let arguments: RetryArguments = document::decode(node, Mode::Whole, &mut self.out)?;
        if arguments.attempts == 0 {
            self.error(
                "`attempts` counts the tries and is at least 1",
                node.get("attempts").map_or(node.span, |found| found.span),
            );
        }
        if !(0.0..=1.0).contains(&arguments.jitter) {
            self.error("`jitter` is a part, from 0 to 1", node.get("jitter").map_or(node.span, |found| found.span));
        }
        Some(Retry {
            attempts: arguments.attempts.max(1),
            backoff: arguments.backoff.map_or(Duration::from_secs(1), |text| text.duration()),
            max_backoff: arguments.max_backoff.map_or(Duration::from_secs(30), |text| text.duration()),
            jitter: arguments.jitter.clamp(0.0, 1.0),
            on: arguments.on.unwrap_or_else(|| ALL_TROUBLES.to_vec()),
            span: node.span,
        })
    }

    /// A list, a template that gives one, or the long form.
    pub(super) fn for_each(&mut self, node: &Node) -> ForEach {
        let mut looped = ForEach {
            items: Form::empty(),
            name: "item".into(),
            key: None,
            key_span: node.span,
            max_parallel: 1,
            max_items: None,
            on_error: OnError::Stop,
        };
        match &node.kind {
            Kind::Mapping(entries) => {
                for entry in entries {
                    self.loop_key(&mut looped, entry);
                }
                if node.get("items").is_none() {
                    self.error("`for-each` needs `items`", node.span);
                }
            }
            Kind::Null | Kind::Scalar(_) | Kind::Sequence(_) => looped.items = self.items(node),
        }
        looped
    }

    fn items(&mut self, node: &Node) -> Form {
        let whole = node.scalar().is_some_and(document::Scalar::is_whole_template);
        if !whole && !matches!(node.kind, Kind::Sequence(_)) {
            let complaint = Diagnostic::error(
                format!("`for-each` takes a list or one template that gives a list, not {}", node.describe()),
                node.span,
            );
            self.out.push(complaint);
        }
        Form::new(node.clone(), &mut self.out)
    }

    fn loop_key(&mut self, looped: &mut ForEach, entry: &Entry) {
        let value = &entry.value;
        match entry.key.text.as_str() {
            "items" => looped.items = self.items(value),
            "as" => looped.name = self.item_name(value).unwrap_or_default(),
            "key" => {
                looped.key_span = value.span;
                looped.key = self.template(value);
            }
            "max-parallel" => looped.max_parallel = self.positive(value).unwrap_or(1),
            "max-items" => looped.max_items = self.literal(value),
            "on-error" => looped.on_error = self.on_error(value),
            _ => self.unknown_key(&entry.key, &LOOP_KEYS, "`for-each`"),
        }
    }

    fn item_name(&mut self, value: &Node) -> Option<String> {
        let name: String = self.literal(value)?;
        let taken = ["inputs", "vars", "steps", "run", "target", "result", "info", "outputs", "failure", "index"];
        if !is_identifier(&name) || taken.contains(&name.as_str()) {
            self.error(format!("`{name}` cannot name the item: a lower-case letter, then letters, digits and _, and no name of the format"), value.span);
        }
        Some(name)
    }

    fn template(&mut self, value: &Node) -> Option<Template> {
        let text = value.as_text().unwrap_or_default();
        Template::parse(text)
            .map_err(|mistake| {
                let mut complaint = Diagnostic::error(mistake.message, value.span_in(mistake.range));
                complaint.helps.extend(mistake.help);
                self.out.push(complaint);
            })
            .ok()
    }

    fn positive(&mut self, value: &Node) -> Option<usize> {
        let number: usize = self.literal(value)?;
        if number == 0 {
            self.error("`max-parallel` is at least 1", value.span);
        }
        Some(number.max(1))
    }

    fn on_error(&mut self, value: &Node) -> OnError {
        match value.as_text() {
            Some("stop") => OnError::Stop,
            Some("finish") => OnError::Finish,
            _ => {
                self.error(format!("`on-error` is stop or finish, not {}", value.describe()), value.span);
                OnError::Stop
            }
        }
    }
}
