//! Templates give way to values: the tree with holes becomes the whole one.

use std::sync::Arc;

use serde_json::Value;

use crate::source::Span;

use super::node::{Entry, Kind, Node, Route, Scalar, Segment};

/// A scalar that holds a template, where it stands and how to get there.
#[derive(Debug, Clone)]
pub struct TemplateScalar<'n> {
    /// The scalar.
    pub scalar: &'n Scalar,
    /// Its place in the text.
    pub span: Span,
    /// Its place in the tree.
    pub route: Route,
}

impl Node {
    /// The tree with every scalar that holds a template replaced by the value
    /// that `with` makes of it. The new nodes stand at the place of their
    /// template, and their scalars remember it. All failures are returned.
    pub fn fill<E>(&self, with: &mut impl FnMut(&Scalar, Span, &Route) -> Result<Value, E>) -> Result<Self, Vec<E>> {
        let mut filling = Filling { with, way: Vec::new(), failures: Vec::new() };
        let node = filling.node(self);
        if filling.failures.is_empty() { Ok(node) } else { Err(filling.failures) }
    }

    /// All scalars that hold a template, in order.
    pub fn templates(&self) -> Vec<TemplateScalar<'_>> {
        let mut found = Vec::new();
        collect(self, &mut Vec::new(), &mut found);
        found
    }

    fn from_filled(value: &Value, span: Span, template: &Arc<str>) -> Self {
        let mut node = Self::from_json(value, span);
        node.remember(template);
        node
    }

    fn remember(&mut self, template: &Arc<str>) {
        match &mut self.kind {
            Kind::Null => {}
            Kind::Scalar(scalar) => scalar.template = Some(Arc::clone(template)),
            Kind::Sequence(items) => items.iter_mut().for_each(|item| item.remember(template)),
            Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| entry.value.remember(template)),
        }
    }
}

/// A turn that is only written out where a template stands.
#[derive(Clone, Copy)]
enum Turn<'n> {
    Key(&'n str),
    Index(usize),
}

fn route(way: &[Turn<'_>]) -> Route {
    let segment = |turn: &Turn<'_>| match turn {
        Turn::Key(key) => Segment::Key((*key).to_owned()),
        Turn::Index(index) => Segment::Index(*index),
    };
    Route(way.iter().map(segment).collect())
}

struct Filling<'n, 'f, F, E> {
    with: &'f mut F,
    way: Vec<Turn<'n>>,
    failures: Vec<E>,
}

impl<'n, E, F: FnMut(&Scalar, Span, &Route) -> Result<Value, E>> Filling<'n, '_, F, E> {
    fn node(&mut self, node: &'n Node) -> Node {
        let kind = match &node.kind {
            Kind::Null => Kind::Null,
            Kind::Scalar(scalar) if scalar.is_template() => return self.scalar(scalar, node.span),
            Kind::Scalar(scalar) => Kind::Scalar(scalar.clone()),
            Kind::Sequence(items) => Kind::Sequence(
                items.iter().enumerate().map(|(index, item)| self.step(Turn::Index(index), item)).collect(),
            ),
            Kind::Mapping(entries) => Kind::Mapping(entries.iter().map(|entry| self.entry(entry)).collect()),
        };
        Node::new(node.span, kind)
    }

    fn entry(&mut self, entry: &'n Entry) -> Entry {
        Entry { key: entry.key.clone(), value: self.step(Turn::Key(&entry.key.text), &entry.value) }
    }

    fn step(&mut self, turn: Turn<'n>, node: &'n Node) -> Node {
        self.way.push(turn);
        let filled = self.node(node);
        self.way.pop();
        filled
    }

    fn scalar(&mut self, scalar: &Scalar, span: Span) -> Node {
        match (self.with)(scalar, span, &route(&self.way)) {
            Ok(value) => Node::from_filled(&value, span, &Arc::from(scalar.text.as_str())),
            Err(failure) => {
                self.failures.push(failure);
                Node::new(span, Kind::Null)
            }
        }
    }
}

fn collect<'n>(node: &'n Node, way: &mut Vec<Turn<'n>>, found: &mut Vec<TemplateScalar<'n>>) {
    let mut step = |turn, inner, way: &mut Vec<Turn<'n>>| {
        way.push(turn);
        collect(inner, way, found);
        way.pop();
    };
    match &node.kind {
        Kind::Scalar(scalar) if scalar.is_template() => {
            found.push(TemplateScalar { scalar, span: node.span, route: route(way) });
        }
        Kind::Null | Kind::Scalar(_) => {}
        Kind::Sequence(items) => items.iter().enumerate().for_each(|(index, item)| step(Turn::Index(index), item, way)),
        Kind::Mapping(entries) => entries.iter().for_each(|entry| step(Turn::Key(&entry.key.text), &entry.value, way)),
    }
}

impl Scalar {
    /// Whether the holes of the template behind this text gave nothing but
    /// `allowed` characters, and no hole nothing. True of a text that was
    /// written down.
    ///
    /// What the template says outside of its holes is in the text unchanged,
    /// so it is enough to count.
    pub fn holes_gave_only(&self, allowed: impl Fn(char) -> bool) -> bool {
        let Some(template) = &self.template else {
            return true;
        };
        let parts = split_holes(template);
        let count = |text: &str| text.chars().filter(|mark| !allowed(*mark)).count();
        let written: usize = parts.literals.iter().map(|literal| count(literal)).sum();
        let length: usize = parts.literals.iter().map(|literal| literal.len()).sum();
        written == count(&self.text) && self.text.len() >= length + parts.holes
    }
}

/// A template taken apart.
pub(super) struct Parts<'t> {
    /// What stands outside of the holes, at least one text, perhaps empty.
    pub(super) literals: Vec<&'t str>,
    /// How many holes there are.
    pub(super) holes: usize,
}

/// Takes a template apart at its `{{ }}`, quoted braces inside of them aside.
pub(super) fn split_holes(template: &str) -> Parts<'_> {
    let mut parts = Parts { literals: Vec::new(), holes: 0 };
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let (literal, hole) = rest.split_at(start);
        parts.literals.push(literal);
        parts.holes += 1;
        rest = hole.get(hole_length(hole)..).unwrap_or_default();
    }
    parts.literals.push(rest);
    parts
}

/// The length of the hole at the start of a text, both pairs of braces included.
pub(super) fn hole_length(text: &str) -> usize {
    let (mut quote, mut escaped, mut depth) = (None, false, 0_usize);
    for (at, mark) in text.char_indices() {
        match (quote, mark) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == mark => quote = None,
            (None, '\'' | '"') => quote = Some(mark),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (Some(_) | None, _) => {}
        }
        if depth == 0 {
            return at + mark.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::source::Source;
    use serde_json::json;

    fn tree(text: &str) -> Node {
        read(&Source::new("t.yaml", text)).0.unwrap()
    }

    #[test]
    fn templates_give_way_to_values_at_their_place() {
        let node = tree("a: '{{ n }}'\nb: [x, 'y{{ s }}']\nc: '{{ list }}'\n");
        let filled = node
            .fill(&mut |scalar, _, route| match route.to_string().as_str() {
                "a" => Ok(json!(3)),
                "b[1]" => Ok(json!(scalar.text.replace("{{ s }}", "-z"))),
                "c" => Ok(json!([1, {"k": "v"}])),
                other => Err(other.to_owned()),
            })
            .unwrap();
        assert_eq!(filled.to_json(), json!({"a": 3, "b": ["x", "y-z"], "c": [1, {"k": "v"}]}));
        assert_eq!(filled.get("c").unwrap().items()[0].span, node.get("c").unwrap().span);
    }

    #[test]
    fn all_failures_come_back() {
        let failures = tree("a: '{{ n }}'\nb: ['{{ m }}', x]\n")
            .fill(&mut |scalar, _, route| Err::<Value, _>(format!("{route} {}", scalar.text)));
        assert_eq!(failures.unwrap_err(), ["a {{ n }}", "b[0] {{ m }}"]);
    }

    #[test]
    fn a_template_is_taken_apart_at_its_real_ends() {
        let literals = |template| split_holes(template).literals.join("|");
        assert_eq!(literals("a/{{ b }}/c"), "a/|/c");
        assert_eq!(literals("{{ '}}/' }}/{{ {'a': {}} }}x"), "|/|x");
        assert_eq!(literals("{{ open"), "|");
    }

    #[test]
    fn what_holes_gave_is_known_from_text_and_template() {
        let scalar = |template: &str, text: &str| Scalar { template: Some(template.into()), ..Scalar::quoted(text) };
        let no_slash = |mark| mark != '/';
        assert!(scalar("{{ ns }}/{{ name }}", "shop/web").holes_gave_only(no_slash));
        assert!(!scalar("{{ ns }}/web", "shop/x/web").holes_gave_only(no_slash));
        assert!(!scalar("{{ ns }}/web", "/web").holes_gave_only(no_slash));
        assert!(Scalar::plain("a/b/c").holes_gave_only(no_slash));
    }
}
