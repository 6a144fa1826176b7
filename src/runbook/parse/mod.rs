//! [`Source`] → a draft of a [`Runbook`], all mistakes at once.
//!
//! A step's action is the one key that is a row of `ACTIONS` or one of the
//! controls; everything else is told by [`STEP_KEYS`]. A bad step becomes
//! diagnostics and the walk goes on. To add a key to a step or to the book:
//! its row in the table here, its arm in `step.rs` or `book.rs`.

mod body;
mod book;
mod branch;
mod control;
mod outputs;
mod policy;
mod step;

use std::collections::HashMap;
use std::time::Duration;

pub(super) use policy::RetryArguments;

use super::Runbook;
use crate::document::{self, DurationText, Entry, Literal, Mode, Node};
use crate::source::{Diagnostic, Source, Span, nearest};

/// The keys of a book, with what each is for.
pub const TOP_KEYS: &[(&str, &str)] = &[
    ("runbook", "the version of the format: v1"),
    ("name", "its name: lower-case letters, digits and hyphens"),
    ("description", "what it is for"),
    ("labels", "labels for people and reports"),
    ("owner", "who answers for it"),
    ("links", "addresses for people, by name"),
    ("requires", "what must be so before step 1: target, role, version"),
    ("inputs", "what it must be given, typed"),
    ("vars", "values computed once, top to bottom"),
    ("defaults", "what every step inherits: namespace, attempt-timeout, retry, every"),
    ("timeout", "the clock of steps with on-failure"),
    ("always-timeout", "the clock of always with undo; 10m if not given"),
    ("budget", "how much it may touch"),
    ("guards", "what must hold while steps run"),
    ("steps", "the list, in order"),
    ("on-failure", "what is done after a failure: a list of steps, or pause, or {handles: true, steps}"),
    ("always", "what is done whatever happens"),
    ("outputs", "what it hands on"),
];

/// The keys of a step beside its action, with what each is for.
pub const STEP_KEYS: &[(&str, &str)] = &[
    ("id", "the name by which later steps know it: letters, digits and _"),
    ("name", "one line for people"),
    ("when", "runs only when this condition is true"),
    ("for-each", "runs once for each item of a list"),
    ("expect", "what must hold afterwards"),
    ("outputs", "what it keeps for later steps"),
    ("retry", "when it is tried again"),
    ("timeout", "its one clock"),
    ("attempt-timeout", "the clock of one try"),
    ("continue-on-error", "the run goes on after it went badly"),
    ("on-failure", "what is done when it went badly"),
    ("always", "what is done however it went"),
    ("undo", "how it is taken back: auto, a list of steps, or {none: reason}"),
    ("confirm", "a question of its own before it"),
    ("tags", "words by which it is picked"),
];

/// Reads a draft of a runbook: also where there are errors, so that the rest can be checked with it.
///
/// What is wrong keeps its name: an input of an unknown type, an output without a path, a step
/// without an action are there, so that nobody complains of names that are only badly declared.
pub(super) fn draft(source: &Source) -> (Option<Runbook>, Vec<Diagnostic>) {
    let (node, mut out) = document::read(source);
    let Some(node) = node else { return (None, out) };
    let mut parser = Parser { out: Vec::new(), ids: HashMap::new() };
    let book = parser.book(source, &node);
    out.append(&mut parser.out);
    (Some(book), out)
}

/// What the walk carries along.
struct Parser {
    out: Vec<Diagnostic>,
    ids: HashMap<String, Span>,
}

impl Parser {
    fn error(&mut self, message: impl Into<String>, span: Span) {
        self.out.push(Diagnostic::error(message, span));
    }

    /// Decodes a leaf that may not be a template.
    fn literal<T: serde::de::DeserializeOwned>(&mut self, node: &Node) -> Option<T> {
        document::decode::<Literal<T>>(node, Mode::Holes, &mut self.out).map(|literal| literal.0)
    }

    fn duration(&mut self, node: &Node) -> Option<Duration> {
        self.literal::<DurationText>(node).map(|text| text.duration())
    }

    /// The items of a list; a complaint where it is none.
    fn list<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        if !matches!(node.kind, document::Kind::Sequence(_)) {
            self.error(format!("{what} is a list, not {}", node.describe()), node.span);
        }
        node.items()
    }

    /// The entries of a mapping; a complaint where it is none.
    fn mapping<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Entry] {
        if !matches!(node.kind, document::Kind::Mapping(_)) {
            self.error(format!("{what} is a mapping, not {}", node.describe()), node.span);
        }
        node.entries()
    }

    /// Says that a key is unknown, with a near miss.
    fn unknown_key(&mut self, key: &document::Key, known: &[&str], what: &str) {
        let complaint = Diagnostic::error(format!("unknown key `{}` in {what}", key.text), key.span);
        let complaint = match nearest(&key.text, known.iter().copied()) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")).patch(key.span, near),
            None => complaint.help(format!("{what} knows: {}", known.join(", "))),
        };
        self.out.push(complaint);
    }
}
