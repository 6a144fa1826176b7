//! Filling: a tree with templates becomes a tree with values.

use serde_json::Value;

use super::node::{Entry, Kind, Node, Route, Scalar, Segment};
use crate::source::Span;

impl Node {
    /// The same tree with each scalar that holds a template replaced by what
    /// `value` gives for it; the new nodes stand at the template's place and
    /// remember its text.
    ///
    /// # Errors
    /// Everything that `value` refused.
    pub fn fill<E>(&self, value: &mut impl FnMut(&Scalar, Span, &Route) -> Result<Value, E>) -> Result<Self, Vec<E>> {
        let mut errors = Vec::new();
        let filled = filled(self, &mut Route::default(), value, &mut errors);
        if errors.is_empty() { Ok(filled) } else { Err(errors) }
    }
}

fn filled<E>(
    node: &Node,
    route: &mut Route,
    value: &mut impl FnMut(&Scalar, Span, &Route) -> Result<Value, E>,
    errors: &mut Vec<E>,
) -> Node {
    let kind = match &node.kind {
        Kind::Null => Kind::Null,
        Kind::Scalar(scalar) if scalar.is_template() => match value(scalar, node.span, route) {
            Ok(value) => return from_template(&value, node.span, scalar),
            Err(error) => {
                errors.push(error);
                Kind::Null
            }
        },
        Kind::Scalar(scalar) => Kind::Scalar(scalar.clone()),
        Kind::Sequence(items) => {
            let items = items.iter().enumerate().map(|(index, item)| {
                route.0.push(Segment::Index(index));
                let item = filled(item, route, value, errors);
                route.0.pop();
                item
            });
            Kind::Sequence(items.collect())
        }
        Kind::Mapping(entries) => {
            let entries = entries.iter().map(|entry| {
                route.0.push(Segment::Key(entry.key.text.clone()));
                let value = filled(&entry.value, route, value, errors);
                route.0.pop();
                Entry { key: entry.key.clone(), value }
            });
            Kind::Mapping(entries.collect())
        }
    };
    Node { span: node.span, kind }
}

fn from_template(value: &Value, span: Span, template: &Scalar) -> Node {
    let mut node = Node::from_json(value, span);
    if let Kind::Scalar(scalar) = &mut node.kind {
        scalar.template = Some(template.text.as_str().into());
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use serde_json::json;

    #[test]
    fn values_stand_where_their_template_stood() {
        let source = Source::new("t.yaml", "a: \"{{ x }}\"\nb: [1, \"{{ y }}\"]\n");
        let node = super::super::read(&source).0.unwrap();
        let filled = node
            .fill(&mut |scalar, _, route| Ok::<_, ()>(json!({"was": scalar.text, "at": route.to_string()})))
            .unwrap();
        assert_eq!(
            filled.to_json(),
            json!({"a": {"was": "{{ x }}", "at": "a"}, "b": [1, {"was": "{{ y }}", "at": "b[1]"}]})
        );
        assert_eq!(source.slice(filled.get("a").unwrap().span), "\"{{ x }}\"");
    }

    #[test]
    fn everything_that_cannot_be_filled_is_named() {
        let source = Source::new("t.yaml", "a: \"{{ x }}\"\nb: \"{{ y }}\"\n");
        let node = super::super::read(&source).0.unwrap();
        assert_eq!(
            node.fill(&mut |scalar, _, _| Err::<Value, _>(scalar.text.clone())),
            Err(vec!["{{ x }}".into(), "{{ y }}".into()])
        );
    }
}
