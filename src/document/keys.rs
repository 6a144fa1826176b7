//! The keys of one mapping while it is read: text only, none twice, `<<` merged.

use std::collections::HashMap;

use crate::source::{Diagnostic, Span};

use super::node::{Entry, Key, Kind, Node, Scalar, Style, shorten};
use super::slips;
use super::typing::Plain;

/// From this size on keys are looked up in a map instead of one by one.
const LARGE: usize = 16;

/// The entries of a mapping that is being read.
#[derive(Default)]
pub(super) struct Keys {
    entries: Vec<Entry>,
    index: HashMap<String, Span>,
    merged: Vec<Node>,
    alone: Vec<Key>,
    last_end: Option<usize>,
}

impl Keys {
    /// Why a node cannot be a key; nothing where it is plain text.
    pub(super) fn refusal(key: &Node, alias: bool) -> Option<Diagnostic> {
        if alias {
            return Some(Diagnostic::error("an alias cannot be a key", key.span).help("write the key out"));
        }
        match &key.kind {
            Kind::Scalar(scalar) => scalar_refusal(scalar, key.span),
            Kind::Null => Some(
                Diagnostic::error("the key is missing", key.span)
                    .help("a key is text before the colon; `null` as text takes quotes"),
            ),
            Kind::Sequence(_) | Kind::Mapping(_) => {
                Some(Diagnostic::error("a key must be text", key.span).help("lists and mappings cannot be keys"))
            }
        }
    }

    /// Takes in an entry; `alone` is a flow key without a colon.
    pub(super) fn add(&mut self, entry: Entry, merge: bool, alone: bool, found: &mut Vec<Diagnostic>) {
        self.last_end = Some(entry.value.span.end.max(entry.key.span.end));
        if merge {
            self.merge(entry, found);
            return;
        }
        if let Some(first) = self.find(&entry.key.text) {
            found.push(duplicate(&entry.key, first));
            return;
        }
        if self.entries.len() >= LARGE {
            self.index.insert(entry.key.text.clone(), entry.key.span);
        }
        if alone {
            self.alone.push(entry.key.clone());
        }
        self.entries.push(entry);
    }

    fn find(&self, key: &str) -> Option<Span> {
        let near = self.entries.iter().take(LARGE).find(|entry| entry.key.text == key).map(|entry| entry.key.span);
        near.or_else(|| self.index.get(key).copied())
    }

    fn merge(&mut self, entry: Entry, found: &mut Vec<Diagnostic>) {
        match entry.value.kind {
            Kind::Mapping(_) => self.merged.push(entry.value),
            Kind::Sequence(items) if items.iter().all(|item| matches!(item.kind, Kind::Mapping(_))) => {
                self.merged.extend(items);
            }
            _ => found.push(
                Diagnostic::error("`<<` takes a mapping or a list of mappings", entry.value.span)
                    .label(format!("this is {}", entry.value.describe())),
            ),
        }
    }

    /// Where the last entry ends.
    pub(super) fn end(&self) -> Option<usize> {
        self.last_end
    }

    /// The key, where it is the only one and has no colon.
    pub(super) fn only_alone(&self) -> Option<&Key> {
        match (self.entries.as_slice(), self.alone.as_slice()) {
            ([_], [key]) => Some(key),
            _ => None,
        }
    }

    /// The entries, what was merged behind what was written.
    pub(super) fn finish(mut self, text: &str, found: &mut Vec<Diagnostic>) -> Vec<Entry> {
        for key in &self.alone {
            found.push(slips::alone(text, key, &self.entries));
        }
        for source in std::mem::take(&mut self.merged) {
            let Kind::Mapping(entries) = source.kind else {
                continue;
            };
            for entry in entries {
                if self.find(&entry.key.text).is_none() {
                    self.add(entry, false, false, found);
                }
            }
        }
        let alone = self.alone;
        self.entries.retain(|entry| !alone.contains(&entry.key));
        self.entries
    }
}

fn duplicate(key: &Key, first: Span) -> Diagnostic {
    Diagnostic::error(format!("the key `{}` is given twice", shorten(&key.text)), key.span)
        .label("given again here")
        .also(first, "first given here")
        .help("keep one of them")
}

fn scalar_refusal(scalar: &Scalar, span: Span) -> Option<Diagnostic> {
    if scalar.is_template() {
        return Some(
            Diagnostic::error("a template cannot stand in a key", span)
                .help("write the key out, and use templates in its value"),
        );
    }
    if scalar.style == Style::Block {
        return Some(Diagnostic::error("a block of text cannot be a key", span));
    }
    if matches!(scalar.resolve(), Plain::Text) {
        return None;
    }
    let quoted = format!("\"{}\"", scalar.text);
    Some(
        Diagnostic::error(format!("the key `{}` is not text", scalar.text), span)
            .help(format!("write `{quoted}`"))
            .patch(span, quoted),
    )
}
