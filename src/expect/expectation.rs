//! One expectation: what it looks at, and the matchers that must hold.

use serde_json::Value;

use super::matcher::{Given, Matcher, Reading, Why, rows};
use super::{Mismatch, Operand};
use crate::document::{self, Entry, JsonPath, Kind, Mode, Node};
use crate::source::{Diagnostic, Span, nearest};
use crate::template::{Expression, Scope};

/// What should be.
#[derive(Debug, Clone)]
pub struct Expectation {
    span: Span,
    subject: Subject,
    message: Option<String>,
}

#[derive(Debug, Clone)]
enum Subject {
    /// A condition on names.
    That(Expression),
    /// Nodes of the result.
    Path(Box<Look>),
}

/// A look at nodes of the result.
#[derive(Debug, Clone)]
struct Look {
    path: JsonPath,
    default: Option<Value>,
    reading: Reading,
    allow_empty: bool,
    exists: Option<bool>,
    count: Option<Count>,
    several: Several,
    matchers: Vec<Applied>,
}

/// How several nodes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Several {
    /// There may be only one.
    One,
    /// Each must match.
    Every,
    /// One must match.
    Any,
    /// None may match.
    None,
}

#[derive(Debug, Clone)]
enum Count {
    Exactly(u64),
    Matching(Vec<Applied>),
}

/// A matcher with its argument.
#[derive(Debug, Clone)]
struct Applied {
    row: &'static Matcher,
    argument: Value,
}

/// The keys of an expectation beside the matchers.
pub const KEYS: [&str; 13] = [
    "path",
    "that",
    "default",
    "message",
    "exists",
    "count",
    "every",
    "any",
    "none",
    "allow-empty",
    "quantity",
    "time",
    "many",
];

impl Expectation {
    /// Reads a list of expectations; with holes, templates stand for any argument.
    pub fn list(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Vec<Self>> {
        let Kind::Sequence(items) = &node.kind else {
            let complaint =
                Diagnostic::error(format!("this takes a list of expectations, not {}", node.describe()), node.span);
            out.push(complaint.help("write `- {path: $.status.phase, equals: Running}`"));
            return None;
        };
        Some(items.iter().filter_map(|item| Self::read(item, mode, out)).collect())
    }

    /// Reads one expectation.
    pub fn read(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Self> {
        if !matches!(node.kind, Kind::Mapping(_)) {
            out.push(Diagnostic::error(format!("an expectation is a mapping, not {}", node.describe()), node.span));
            return None;
        }
        let message = node.get("message").and_then(Node::as_text).map(ToOwned::to_owned);
        let subject = match (node.get("that"), node.get("path")) {
            (Some(that), None) => that_subject(node, that, out)?,
            (None, Some(path)) => path_subject(node, path, mode, out)?,
            (Some(_), Some(path)) => {
                out.push(Diagnostic::error("an expectation has a `path` or a `that`, not both", path.span));
                return None;
            }
            (None, None) => {
                unknown_keys(node.entries(), &["path", "that"], out);
                out.push(Diagnostic::error(
                    "an expectation needs `path` with a matcher, or `that` with a condition",
                    node.span,
                ));
                return None;
            }
        };
        Some(Self { span: node.span, subject, message })
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Its condition, where it has one.
    pub fn condition(&self) -> Option<&Expression> {
        match &self.subject {
            Subject::That(condition) => Some(condition),
            Subject::Path(_) => None,
        }
    }

    /// Whether it says something about absence or number, which an incomplete list cannot prove.
    pub fn is_about_absence(&self) -> bool {
        match &self.subject {
            Subject::That(_) => false,
            Subject::Path(look) => {
                look.count.is_some()
                    || look.exists == Some(false)
                    || matches!(look.several, Several::Every | Several::None)
                    || look.matchers.iter().any(|applied| matches!(applied.row.name, "length" | "empty"))
            }
        }
    }

    /// Looks at a result; comes back with what does not hold.
    ///
    /// # Errors
    /// When a condition cannot be evaluated.
    pub fn check(&self, result: &Value, scope: &Scope) -> Result<Option<Mismatch>, String> {
        let found = match &self.subject {
            Subject::That(condition) => condition_mismatch(condition, scope)?,
            Subject::Path(look) => look.mismatch(result),
        };
        Ok(found.map(|mismatch| Mismatch { message: self.message.clone(), ..mismatch }))
    }
}

fn that_subject(node: &Node, that: &Node, out: &mut Vec<Diagnostic>) -> Option<Subject> {
    for entry in node.entries().iter().filter(|entry| !matches!(entry.key.text.as_str(), "that" | "message")) {
        out.push(Diagnostic::error(format!("`{}` does not go with `that`", entry.key.text), entry.key.span));
    }
    let Some(text) = that.as_text() else {
        out.push(Diagnostic::error(format!("`that` takes an expression, not {}", that.describe()), that.span));
        return None;
    };
    match Expression::parse(text) {
        Ok(condition) => Some(Subject::That(condition)),
        Err(mistake) => {
            let mut complaint = Diagnostic::error(mistake.message, that.span_in(mistake.range));
            complaint.helps.extend(mistake.help);
            out.push(complaint);
            None
        }
    }
}

fn path_subject(node: &Node, path: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Subject> {
    let path = document::decode::<JsonPath>(path, mode, out);
    let flag = |key: &str| node.get(key).and_then(Node::as_text) == Some("true");
    let before = out.len();
    let (several, inner) = several(node, out);
    let mut look = Look {
        path: path?,
        default: node.get("default").map(Node::to_json),
        reading: match (flag("quantity"), flag("time")) {
            (true, _) => Reading::Quantity,
            (_, true) => Reading::Time,
            _ => Reading::Plain,
        },
        allow_empty: flag("allow-empty"),
        exists: node.get("exists").and_then(|value| boolean(value, mode, out)),
        count: node.get("count").map(|value| count(value, mode, out)),
        several,
        matchers: inner.map_or_else(Vec::new, |inner| matchers(inner.entries(), &[], mode, out)),
    };
    look.matchers.extend(matchers(node.entries(), &KEYS, mode, out));
    let says_nothing = look.matchers.is_empty() && look.exists.is_none() && look.count.is_none();
    if says_nothing && out.len() == before {
        let names: Vec<&str> = rows().map(|row| row.name).collect();
        out.push(
            Diagnostic::error("this expectation expects nothing", node.span)
                .help(format!("add a matcher: exists, count, {}", names.join(", "))),
        );
    }
    Some(Subject::Path(Box::new(look)))
}

fn several<'n>(node: &'n Node, out: &mut Vec<Diagnostic>) -> (Several, Option<&'n Node>) {
    let given: Vec<(Several, &Entry)> = [("every", Several::Every), ("any", Several::Any), ("none", Several::None)]
        .into_iter()
        .filter_map(|(key, several)| Some((several, node.entry(key)?)))
        .collect();
    match given.as_slice() {
        [] => (Several::One, None),
        [(several, entry)] => (*several, Some(&entry.value)),
        [_, (_, entry), ..] => {
            out.push(Diagnostic::error("only one of `every`, `any` and `none`", entry.key.span));
            (Several::One, None)
        }
    }
}

fn boolean(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<bool> {
    document::decode(node, mode, out)
}

fn count(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Count {
    match &node.kind {
        Kind::Mapping(entries) => Count::Matching(matchers(entries, &[], mode, out)),
        _ => Count::Exactly(document::decode(node, mode, out).unwrap_or_default()),
    }
}

/// The matchers among some keys; `others` are keys that are none.
fn matchers(entries: &[Entry], others: &[&str], mode: Mode, out: &mut Vec<Diagnostic>) -> Vec<Applied> {
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| !others.contains(&entry.key.text.as_str())) {
        let Some(row) = rows().find(|row| row.name == entry.key.text) else {
            unknown_keys(std::slice::from_ref(entry), others, out);
            continue;
        };
        let argument = entry.value.to_json();
        let hole = mode == Mode::Holes && holds_template(&entry.value);
        match (row.accepts)(&argument) {
            Err(reason) if !hole => out.push(Diagnostic::error(format!("`{}` {reason}", row.name), entry.value.span)),
            _ => found.push(Applied { row, argument }),
        }
    }
    found
}

fn holds_template(node: &Node) -> bool {
    node.is_template()
        || node.items().iter().any(holds_template)
        || node.entries().iter().any(|entry| holds_template(&entry.value))
}

fn unknown_keys(entries: &[Entry], others: &[&str], out: &mut Vec<Diagnostic>) {
    let known: Vec<&str> = others.iter().copied().chain(rows().map(|row| row.name)).collect();
    for entry in entries.iter().filter(|entry| !known.contains(&entry.key.text.as_str())) {
        let complaint = Diagnostic::error(format!("unknown matcher `{}`", entry.key.text), entry.key.span);
        out.push(match nearest(&entry.key.text, known.iter().copied()) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")).patch(entry.key.span, near),
            None => complaint.help(format!("the matchers are: {}", known.join(", "))),
        });
    }
}

fn condition_mismatch(condition: &Expression, scope: &Scope) -> Result<Option<Mismatch>, String> {
    let truth = condition.test(scope).map_err(|error| format!("`{}`: {error}", condition.text()))?;
    let operands =
        truth.trace.into_iter().map(|operand| Operand { text: operand.text, value: operand.value }).collect();
    Ok((!truth.holds).then(|| Mismatch {
        subject: condition.text().to_owned(),
        expected: "true".into(),
        operands,
        ..Mismatch::default()
    }))
}

impl Look {
    fn mismatch(&self, result: &Value) -> Option<Mismatch> {
        let mut nodes = self.path.select(result);
        if nodes.is_empty()
            && let Some(default) = &self.default
        {
            nodes.push(default);
        }
        self.existence(&nodes).or_else(|| self.number(&nodes)).or_else(|| self.values(&nodes))
    }

    fn report(&self, expected: impl Into<String>, found: Option<Value>, why: Why) -> Mismatch {
        Mismatch {
            subject: self.path.to_string(),
            expected: expected.into(),
            found,
            reason: why.reason,
            diff: why.diff,
            ..Mismatch::default()
        }
    }

    fn existence(&self, nodes: &[&Value]) -> Option<Mismatch> {
        match (self.exists, nodes) {
            (Some(true), []) => Some(self.report("exists", None, Why::plain())),
            (Some(false), [first, ..]) => Some(self.report("does not exist", Some((*first).clone()), Why::plain())),
            _ => None,
        }
    }

    fn number(&self, nodes: &[&Value]) -> Option<Mismatch> {
        let found = Value::from(nodes.len());
        let reason = |words: &str| format!("number of nodes {words}");
        match self.count.as_ref()? {
            Count::Exactly(wanted) => (found.as_u64() != Some(*wanted))
                .then(|| self.report(reason(&format!("is {wanted}")), Some(found.clone()), Why::plain())),
            Count::Matching(matchers) => matchers.iter().find_map(|applied| {
                let why = applied.check(&found, Reading::Plain).err()?;
                Some(self.report(reason(&(applied.row.words)(&applied.argument)), Some(found.clone()), why))
            }),
        }
    }

    fn values(&self, nodes: &[&Value]) -> Option<Mismatch> {
        if self.matchers.is_empty() {
            return None;
        }
        match (self.several, nodes) {
            (Several::One, [only]) => {
                self.first_miss(only).map(|(applied, why)| self.report(applied.words(), Some((*only).clone()), why))
            }
            (Several::One, []) if self.exists == Some(false) => None,
            (Several::One, []) => Some(self.report(self.words(), None, Why::because("the path selects nothing"))),
            (Several::One, several) => Some(self.report(
                self.words(),
                Some(several.len().into()),
                Why::because(format!(
                    "the path selects {} nodes: say `every`, `any`, `none` or `count`",
                    several.len()
                )),
            )),
            (_, []) if self.allow_empty => None,
            (_, []) => Some(self.report(
                self.words(),
                None,
                Why::because("the path selects nothing; `allow-empty: true` would let that pass"),
            )),
            (Several::Every, nodes) => nodes.iter().enumerate().find_map(|(index, node)| {
                let (applied, mut why) = self.first_miss(node)?;
                why.reason = format!(
                    "node {} of {}{}{}",
                    index + 1,
                    nodes.len(),
                    if why.reason.is_empty() { "" } else { ": " },
                    why.reason
                );
                Some(self.report(format!("every node {}", applied.words()), Some((*node).clone()), why))
            }),
            (Several::Any, nodes) => nodes.iter().all(|node| self.first_miss(node).is_some()).then(|| {
                self.report(
                    format!("any node {}", self.words()),
                    Some(nodes.iter().map(|node| (*node).clone()).collect()),
                    Why::plain(),
                )
            }),
            (Several::None, nodes) => nodes
                .iter()
                .find(|node| self.first_miss(node).is_none())
                .map(|node| self.report(format!("no node {}", self.words()), Some((*node).clone()), Why::plain())),
        }
    }

    fn first_miss(&self, node: &Value) -> Option<(&Applied, Why)> {
        self.matchers.iter().find_map(|applied| Some((applied, applied.check(node, self.reading).err()?)))
    }

    fn words(&self) -> String {
        self.matchers.iter().map(Applied::words).collect::<Vec<_>>().join(" and ")
    }
}

impl Applied {
    fn words(&self) -> String {
        (self.row.words)(&self.argument)
    }

    fn check(&self, found: &Value, reading: Reading) -> Result<(), Why> {
        (self.row.check)(Given { argument: &self.argument, found, reading })
    }
}
