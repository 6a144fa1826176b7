//! The events of the YAML library become a [`Node`] tree.
//!
//! Whatever is wrong but does not stop the reading is reported and stepped
//! over, so that the tree can be looked at further.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle};

use crate::source::{Diagnostic, Span};

use super::anchors::Anchors;
use super::halt::{Cause, Context, Halt, Last, MAX_DEPTH, Open, Place};
use super::keys::Keys;
use super::node::{Entry, Key, Kind, Node, Scalar, Style};
use super::slips;

/// One reading of one text.
pub(super) struct Builder<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    anchors: Anchors,
    context: Context,
    /// What was found wrong so far.
    pub(super) found: Vec<Diagnostic>,
}

type Built<T> = Result<T, Cause>;

impl<'t> Builder<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            emit_comments: false,
            disallow_directives: true,
        };
        let parser = Parser::new_from_str_with_options(text, options);
        Self { text, parser, anchors: Anchors::default(), context: Context::default(), found: Vec::new() }
    }

    /// Reads the first document; an empty text is [`Kind::Null`].
    pub(super) fn read(&mut self) -> Result<Node, Box<Halt>> {
        self.document().map_err(|cause| Box::new(Halt { cause, context: std::mem::take(&mut self.context) }))
    }

    fn document(&mut self) -> Built<Node> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(..) if root.is_some() => {
                    self.found.push(second_document(span));
                    break;
                }
                _ if is_node(&event) => root = Some(self.node(event, span, 0)?),
                _ => {}
            }
        }
        Ok(root.unwrap_or_else(|| Node::new(Span::default(), Kind::Null)))
    }

    fn next(&mut self) -> Built<Option<(Event<'t>, Place)>> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Err(error)) => Err(Cause::Syntax(error)),
            Some(Ok((event, span))) => Ok(Some((event, Place::of(&span)))),
        }
    }

    fn node(&mut self, event: Event<'t>, place: Place, depth: usize) -> Built<Node> {
        if depth > MAX_DEPTH {
            return Err(Cause::TooDeep(place.span));
        }
        if let Some(tag) = event.tag() {
            self.found.push(slips::tag(self.text, place.tag.unwrap_or(place.span), &tag.original()));
        }
        let anchor = event.anchor_id();
        let node = match event {
            Event::Scalar(text, style, ..) => self.scalar(text, style, place.span),
            Event::SequenceStart(style, ..) => {
                self.inside(place, style, true, |builder| builder.sequence(place, depth))?
            }
            Event::MappingStart(style, ..) => {
                self.inside(place, style, false, |builder| builder.mapping(place, style, depth))?
            }
            Event::Alias(id) => return self.alias(id, place.span, depth),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, place.span),
            _ => Node::new(place.span, Kind::Null),
        };
        if let Some(id) = anchor.filter(|id| *id > 0) {
            self.anchors.keep(id, &node);
        }
        Ok(node)
    }

    fn inside(
        &mut self,
        place: Place,
        style: StructureStyle,
        list: bool,
        read: impl FnOnce(&mut Self) -> Built<Node>,
    ) -> Built<Node> {
        self.context.open.push(Open { start: place.span.start, flow: style == StructureStyle::Flow, list });
        let node = read(self)?;
        self.context.open.pop();
        Ok(node)
    }

    fn scalar(&mut self, text: Cow<'t, str>, style: ScalarStyle, span: Span) -> Node {
        let plain = style == ScalarStyle::Plain;
        if span.start < span.end {
            self.context.last = Some(Last { span, plain });
        }
        if plain && (span.start == span.end || matches!(&*text, "~" | "null" | "Null" | "NULL")) {
            return Node::new(span, Kind::Null);
        }
        if plain {
            self.found.extend(slips::hash(self.text, span));
        }
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        Node::new(span, Kind::Scalar(Scalar { text: text.into_owned(), style, template: None }))
    }

    fn sequence(&mut self, place: Place, depth: usize) -> Built<Node> {
        let mut items: Vec<Node> = Vec::new();
        while let Some((event, at)) = self.next()? {
            if event == Event::SequenceEnd {
                let end = items.last().map_or(place.span.end, |item| item.span.end).max(at.span.end.min(at.closing()));
                return Ok(Node::new(Span::new(place.span.start, end), Kind::Sequence(items)));
            }
            if is_node(&event) {
                items.push(self.node(event, at, depth + 1)?);
            }
        }
        Ok(Node::new(place.span, Kind::Sequence(items)))
    }

    fn mapping(&mut self, place: Place, style: StructureStyle, depth: usize) -> Built<Node> {
        let flow = style == StructureStyle::Flow;
        let before = self.found.len();
        let mut keys = Keys::default();
        let mut template = false;
        while let Some((event, at)) = self.next()? {
            if event == Event::MappingEnd {
                let end = keys.end().unwrap_or(place.span.end).max(at.span.end.min(at.closing()));
                return Ok(self.close(keys, Span::new(place.span.start, end), template.then_some(before)));
            }
            if !is_node(&event) {
                continue;
            }
            template |= flow
                && matches!(event, Event::MappingStart(StructureStyle::Flow, ..))
                && at.span.start == place.span.start + 1;
            let entry = self.entry(event, at, depth)?;
            if let Some((key, merge, value)) = entry {
                let alone = flow && matches!(value.kind, Kind::Null) && !self.has_colon(&key);
                keys.add(Entry { key, value }, merge, alone, &mut self.found);
            }
        }
        Ok(Node::new(place.span, Kind::Null))
    }

    /// A finished mapping; `template` says how many complaints there were
    /// before it turned out to be an unquoted template.
    fn close(&mut self, keys: Keys, span: Span, template: Option<usize>) -> Node {
        if let Some(before) = template {
            self.found.truncate(before);
            let (complaint, node) = slips::template(self.text, span);
            self.found.push(complaint);
            return node;
        }
        if let Some((complaint, node)) = keys.only_alone().and_then(|key| slips::kubectl(self.text, key, span)) {
            self.found.push(complaint);
            return node;
        }
        Node::new(span, Kind::Mapping(keys.finish(self.text, &mut self.found)))
    }

    /// A key and its value; none where the key is no text.
    fn entry(&mut self, event: Event<'t>, at: Place, depth: usize) -> Built<Option<(Key, bool, Node)>> {
        let alias = event.is_alias() || matches!(event, Event::UnresolvedAlias(_));
        let plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..));
        let before = self.found.len();
        let key = self.node(event, at, depth + 1)?;
        let refusal = Keys::refusal(&key, alias);
        if let Some(refusal) = &refusal {
            self.found.truncate(before);
            self.found.push(refusal.clone());
        }
        let value = match self.next()? {
            Some((event, at)) => self.node(event, at, depth + 1)?,
            None => Node::new(key.span, Kind::Null),
        };
        if refusal.is_some() {
            return Ok(None);
        }
        let text = key.as_text().unwrap_or_default().to_owned();
        let merge = plain && text == "<<";
        Ok(Some((Key { text, span: key.span }, merge, value)))
    }

    fn has_colon(&self, key: &Key) -> bool {
        self.text.get(key.span.end..).is_some_and(|rest| rest.trim_start().starts_with(':'))
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Built<Node> {
        self.context.last = Some(Last { span, plain: false });
        let node = self.anchors.copy(id, span, depth)?;
        Ok(node.unwrap_or_else(|| {
            self.found.push(Diagnostic::error("this alias stands inside of what it names", span));
            Node::new(span, Kind::Null)
        }))
    }

    fn unknown_alias(&mut self, name: &str, span: Span) -> Node {
        self.context.last = Some(Last { span, plain: false });
        self.found.push(slips::unknown_alias(name, span));
        Node::new(span, Kind::Scalar(Scalar::quoted(format!("*{name}"))))
    }
}

fn is_node(event: &Event<'_>) -> bool {
    event.is_node() || event.is_alias() || matches!(event, Event::UnresolvedAlias(_))
}

fn second_document(place: Place) -> Diagnostic {
    Diagnostic::error("a second document starts here", place.span)
        .help("put it into a file of its own: one document a file")
}
