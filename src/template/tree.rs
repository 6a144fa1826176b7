//! Our own tree of an expression: owned, with honest places, and nothing in it that we do not allow.

use std::ops::Range;

use minijinja::Value as Raw;

use super::filters::Filter;
use super::functions::Function;
use super::predicates::Predicate;

/// A part of an expression and its place in the text that was parsed.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Form,
    pub(super) range: Range<usize>,
}

/// The forms of a part.
#[derive(Debug, Clone)]
pub(super) enum Form {
    Constant(Raw),
    Name(String),
    Field(Box<Node>, String),
    Item(Box<Node>, Box<Node>),
    Slice(Box<Node>, [Option<Box<Node>>; 3]),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Arithmetic(Sign, Box<Node>, Box<Node>),
    Concat(Box<Node>, Box<Node>),
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    If { test: Box<Node>, then: Box<Node>, otherwise: Box<Node> },
    Default(Box<Node>, Given),
    Defined { subject: Box<Node>, wanted: bool },
    Filter(&'static Filter, Box<Node>, Given),
    Test(&'static Predicate, Box<Node>, Given),
    Call(&'static Function, Given),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// The arguments of a filter, test or function.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) positional: Vec<Node>,
    pub(super) named: Vec<(String, Node)>,
}

/// An arithmetic sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
    Times,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

/// A comparing sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
}

impl Node {
    /// Visits this part and all parts inside it.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        for part in self.parts() {
            part.walk(visit);
        }
    }

    /// The parts directly inside, in the order they are written.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match &self.kind {
            Form::Constant(_) | Form::Name(_) => Vec::new(),
            Form::Field(of, _) | Form::Not(of) | Form::Negate(of) | Form::Defined { subject: of, .. } => vec![of],
            Form::Item(a, b) | Form::And(a, b) | Form::Or(a, b) | Form::Arithmetic(_, a, b) | Form::Concat(a, b) => {
                vec![a, b]
            }
            Form::Slice(of, bounds) => std::iter::once(of).chain(bounds.iter().flatten()).map(|part| &**part).collect(),
            Form::Compare(first, rest) => std::iter::once(&**first).chain(rest.iter().map(|(_, part)| part)).collect(),
            Form::If { test, then, otherwise } => vec![then, test, otherwise],
            Form::Default(of, given) | Form::Filter(_, of, given) | Form::Test(_, of, given) => {
                std::iter::once(&**of).chain(given.parts()).collect()
            }
            Form::Call(_, given) => given.parts().collect(),
            Form::List(items) => items.iter().collect(),
            Form::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        }
    }
}

impl Given {
    fn parts(&self) -> impl Iterator<Item = &Node> {
        self.positional.iter().chain(self.named.iter().map(|(_, part)| part))
    }
}
