//! The tree that a YAML text becomes: values that know their place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::source::Span;

use super::fill::split_holes;
use super::typing::{Plain, resolve};

/// A YAML value that knows where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it was written; for a filled template the place of the template.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing: an empty value, `null` or `~`.
    Null,
    /// A single value, kept as its text; [`Node::to_json`] types it.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values, in the order written, no key twice.
    Mapping(Vec<Entry>),
}

/// A single value: its text and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, escapes resolved.
    pub text: String,
    /// How it was written; only a plain scalar can be a number or a boolean.
    pub style: Style,
    /// The template whose filling this text is.
    pub template: Option<Arc<str>>,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Bare: `shop/web`, `3`.
    Plain,
    /// In single or double quotes: always text.
    Quoted,
    /// As a `|` or `>` block: always text.
    Block,
}

/// A key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// Its value.
    pub value: Node,
}

/// A key of a mapping: always text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The text.
    pub text: String,
    /// Where it was written.
    pub span: Span,
}

/// One turn on the way from a node to one inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// The value of this key.
    Key(String),
    /// The item at this position, counted from 0.
    Index(usize),
}

/// The way from a node to one inside it; shown as `steps[0].scale.replicas`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Route(pub Vec<Segment>);

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => write!(formatter, "{key}")?,
                Segment::Key(key) => write!(formatter, ".{key}")?,
                Segment::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Scalar {
    /// A bare scalar.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Plain, template: None }
    }

    /// A scalar that is text whatever it looks like.
    pub fn quoted(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Quoted, template: None }
    }

    /// Whether the text holds a template.
    pub fn is_template(&self) -> bool {
        self.text.contains("{{")
    }

    /// Whether the text is, spaces aside, one template and may become a value of any kind.
    pub fn is_whole_template(&self) -> bool {
        let parts = split_holes(&self.text);
        parts.holes == 1 && parts.literals.iter().all(|literal| literal.trim().is_empty())
    }

    /// The value by the rules of YAML 1.2: only a plain scalar is anything but text.
    pub(super) fn resolve(&self) -> Plain {
        if self.style == Style::Plain { resolve(&self.text) } else { Plain::Text }
    }

    fn to_json(&self) -> Value {
        match self.resolve() {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::Bool(value),
            Plain::Integer(value) => integer_json(value).unwrap_or_else(|| self.text.clone().into()),
            Plain::Float(value) => Number::from_f64(value).map_or_else(|| self.text.clone().into(), Value::Number),
            Plain::Text => self.text.clone().into(),
        }
    }
}

fn integer_json(value: i128) -> Option<Value> {
    i64::try_from(value).map(Value::from).or_else(|_| u64::try_from(value).map(Value::from)).ok()
}

impl Node {
    /// A node at a place.
    pub fn new(span: Span, kind: Kind) -> Self {
        Self { span, kind }
    }

    /// The scalar, where the node is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Null | Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// The text of a scalar, whatever its style.
    pub fn as_text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// The entries of a mapping; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            Kind::Null | Kind::Scalar(_) | Kind::Sequence(_) => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Sequence(items) => items,
            Kind::Null | Kind::Scalar(_) | Kind::Mapping(_) => &[],
        }
    }

    /// The entry of a mapping under a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.text == key)
    }

    /// The value of a mapping under a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The node at the end of a route.
    pub fn at(&self, route: &[Segment]) -> Option<&Node> {
        route.iter().try_fold(self, |node, segment| match segment {
            Segment::Key(key) => node.get(key),
            Segment::Index(index) => node.items().get(*index),
        })
    }

    /// The place of the node at the end of a route.
    pub fn span_of(&self, route: &[Segment]) -> Option<Span> {
        self.at(route).map(|node| node.span)
    }

    /// The place of a part of a scalar's text, counted in its bytes; the whole
    /// scalar where escapes or line folding blur it.
    pub fn span_in(&self, range: Range<usize>) -> Span {
        let Some(scalar) = self.scalar() else {
            return self.span;
        };
        let quotes = usize::from(scalar.style == Style::Quoted);
        let length = self.span.end.saturating_sub(self.span.start);
        if scalar.template.is_none() && length == scalar.text.len() + 2 * quotes {
            self.span.within(range.start + quotes..range.end + quotes)
        } else {
            self.span
        }
    }

    /// Whether this is a scalar that holds a template.
    pub fn is_template(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_template)
    }

    /// What the node is, for messages: `a list`, `the number 3`.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Sequence(items) if items.is_empty() => "an empty list".to_owned(),
            Kind::Sequence(_) => "a list".to_owned(),
            Kind::Mapping(entries) if entries.is_empty() => "an empty mapping".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Scalar(scalar) => describe_scalar(scalar),
        }
    }

    /// The value as JSON: plain scalars typed by the core schema of YAML 1.2,
    /// all others text.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Scalar(scalar) => scalar.to_json(),
            Kind::Sequence(items) => items.iter().map(Node::to_json).collect(),
            Kind::Mapping(entries) => {
                let members = entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// The node that a JSON value would be, all of it at one place.
    pub fn from_json(value: &Value, span: Span) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Scalar(Scalar::plain(value.to_string())),
            Value::Number(value) => Kind::Scalar(Scalar::plain(value.to_string())),
            Value::String(text) => Kind::Scalar(Scalar::quoted(text.as_str())),
            Value::Array(items) => Kind::Sequence(items.iter().map(|item| Self::from_json(item, span)).collect()),
            Value::Object(members) => {
                Kind::Mapping(members.iter().map(|(key, value)| Entry::from_json(key, value, span)).collect())
            }
        };
        Self { span, kind }
    }
}

impl Entry {
    fn from_json(key: &str, value: &Value, span: Span) -> Self {
        Self { key: Key { text: key.to_owned(), span }, value: Node::from_json(value, span) }
    }
}

fn describe_scalar(scalar: &Scalar) -> String {
    let text = shorten(&scalar.text);
    match (scalar.resolve(), scalar.style) {
        (Plain::Null, _) => "nothing".to_owned(),
        (Plain::Bool(_), _) => format!("`{text}`"),
        (Plain::Integer(_) | Plain::Float(_), _) => format!("the number `{text}`"),
        (Plain::Text, Style::Quoted) => format!("the text `\"{text}\"`"),
        (Plain::Text, Style::Plain | Style::Block) => format!("the text `{text}`"),
    }
}

/// A text cut to what fits into a message.
pub(super) fn shorten(text: &str) -> String {
    const WIDTH: usize = 48;
    let line = text.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(WIDTH).collect();
    if cut.len() < text.trim_end().len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_goes_into_a_node_and_comes_back() {
        let value = json!({"a": [1, -2, 1.5, true, null, "3", "no"], "b": {"c": {}}});
        assert_eq!(Node::from_json(&value, Span::default()).to_json(), value);
    }

    #[test]
    fn a_route_leads_to_a_node_and_reads_like_a_path() {
        let node = Node::from_json(&json!({"steps": [{"id": "a"}]}), Span::new(1, 2));
        let route = Route(vec![Segment::Key("steps".into()), Segment::Index(0), Segment::Key("id".into())]);
        assert_eq!(node.at(&route.0).and_then(Node::as_text), Some("a"));
        assert_eq!(node.span_of(&route.0), Some(Span::new(1, 2)));
        assert_eq!(node.span_of(&[Segment::Index(0)]), None);
        assert_eq!(route.to_string(), "steps[0].id");
    }

    #[test]
    fn a_part_of_a_scalar_has_its_own_place_unless_escapes_blur_it() {
        let quoted = Node::new(Span::new(10, 17), Kind::Scalar(Scalar::quoted("hello")));
        assert_eq!(quoted.span_in(1..3), Span::new(12, 14));
        let escaped = Node::new(Span::new(10, 18), Kind::Scalar(Scalar::quoted("hello")));
        assert_eq!(escaped.span_in(1..3), escaped.span);
    }

    #[test]
    fn a_description_says_what_kind_of_value_was_found() {
        let of = |scalar| Node::new(Span::default(), Kind::Scalar(scalar)).describe();
        assert_eq!(of(Scalar::plain("3")), "the number `3`");
        assert_eq!(of(Scalar::quoted("3")), "the text `\"3\"`");
        assert_eq!(of(Scalar::plain("no")), "the text `no`");
        assert_eq!(of(Scalar::plain("x".repeat(60))), format!("the text `{}…`", "x".repeat(48)));
    }
}
