//! What an action is aimed at: the keys of its mapping that name an object, a
//! container or a set (runbook-format §6).

use super::decode::{Mode, decode};
use super::kinds::{KINDS, KindRow};
use super::leaf::OneOrMany;
use super::node::{Entry, Kind, Node, Scalar};
use super::selector::{FieldSelector, Selector};
use crate::source::{Diagnostic, Span, nearest};

/// What an action may be aimed at.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent permissions, written as a table row")]
pub struct TargetRule {
    /// Kinds that may be named, by their singular word.
    pub kinds: &'static [&'static str],
    /// Sets of them too.
    pub sets: bool,
    /// A container (`container: ns/pod/container`).
    pub container: bool,
    /// Any other kind (`object: {api-version, kind, namespace, name}`).
    pub object: bool,
    /// Something must be named.
    pub required: bool,
}

impl TargetRule {
    /// Nothing can be named.
    pub const NONE: Self = Self { kinds: &[], sets: false, container: false, object: false, required: false };

    /// Whether a key of the mapping names a target.
    pub fn has_key(&self, key: &str) -> bool {
        self.row(key).is_some() || (self.container && key == "container") || (self.object && key == "object")
    }

    /// The kind behind a key, and whether it names a set.
    fn row(&self, key: &str) -> Option<(&'static KindRow, bool)> {
        let allowed = |row: &&'static KindRow| self.kinds.contains(&row.singular);
        let one = KindRow::of_singular(key).filter(allowed).map(|row| (row, false));
        one.or_else(|| KindRow::of_plural(key).filter(|row| self.sets && allowed(row)).map(|row| (row, true)))
    }

    /// Every key that names a target.
    pub fn keys(&self) -> Vec<&'static str> {
        let rows = KINDS.iter().filter(|row| self.kinds.contains(&row.singular));
        let mut keys: Vec<&'static str> = rows.clone().map(|row| row.singular).collect();
        if self.sets {
            keys.extend(rows.map(|row| row.plural));
        }
        keys.extend(self.container.then_some("container"));
        keys.extend(self.object.then_some("object"));
        keys
    }
}

/// One object of a kind with a word of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectRef {
    /// The kind.
    pub kind: &'static KindRow,
    /// The namespace, where one is written.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// One object of any kind.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CustomObject {
    /// `apps/v1`, `v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Left out for cluster-scoped kinds.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// One container of a pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// The pod.
    pub pod: ObjectRef,
    /// The container's name.
    pub container: String,
}

/// The namespaces of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespaces {
    /// All of them; also for cluster-scoped kinds.
    All,
    /// These.
    Some(Vec<String>),
    /// The book's default.
    Default,
}

/// Several objects.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectSet {
    /// Their kind.
    pub kind: &'static KindRow,
    /// Where they lie.
    pub namespaces: Namespaces,
    /// By labels.
    pub selector: Option<Selector>,
    /// By fields.
    pub field_selector: Option<FieldSelector>,
    /// Expectations tested on each object: a list, kept for the floor above.
    pub conditions: Option<Node>,
    /// Only what this object owns, by UID.
    pub of: Option<ObjectRef>,
    /// Only what this book holds (`runhub.dev/held`).
    pub held_by: Option<String>,
    /// Fewer are an error.
    pub min: Option<u64>,
    /// More are an error.
    pub max: Option<u64>,
    /// How many are worked on at once.
    pub max_parallel: Option<u64>,
    /// Where it stands.
    pub span: Span,
}

/// What an action is aimed at.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One object of a kind with a word.
    One(ObjectRef),
    /// One object of any kind.
    Object(CustomObject),
    /// One container.
    Container(Container),
    /// Several objects.
    Set(Box<ObjectSet>),
}

/// Takes the target keys out of an action's mapping; the rest comes back as a mapping.
///
/// Two targets, or none where one is required, are one complaint that lists what it saw.
pub fn split(node: &Node, rule: &TargetRule, mode: Mode, out: &mut Vec<Diagnostic>) -> (Option<Target>, Node) {
    let Kind::Mapping(entries) = &node.kind else {
        return (no_mapping(node, rule, out), node.clone());
    };
    let (found, rest): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| rule.has_key(&entry.key.text));
    let mut rest: Vec<Entry> = rest.into_iter().cloned().collect();
    let target = match found.as_slice() {
        [only] => read(only, rule, mode, out),
        [] if rule.required => {
            missing(node, &mut rest, rule, out);
            None
        }
        [] => None,
        [first, others @ ..] => {
            let names: Vec<String> = found.iter().map(|entry| format!("`{}`", entry.key.text)).collect();
            let mut complaint =
                Diagnostic::error(format!("one target, not {}: {}", found.len(), names.join(" and ")), first.key.span);
            for other in others {
                complaint = complaint.also(other.key.span, "and this");
            }
            out.push(complaint);
            None
        }
    };
    (target, Node::new(node.span, Kind::Mapping(rest)))
}

fn no_mapping(node: &Node, rule: &TargetRule, out: &mut Vec<Diagnostic>) -> Option<Target> {
    if rule.required {
        let complaint =
            Diagnostic::error(format!("this takes a mapping with a target, not {}", node.describe()), node.span);
        let example = rule.keys().first().copied().unwrap_or("deployment");
        out.push(complaint.help(format!("write {{{example}: namespace/name}}")));
    }
    None
}

/// A key that nothing knows is probably the target, misspelt: it is taken out so that one complaint says so.
fn missing(node: &Node, rest: &mut Vec<Entry>, rule: &TargetRule, out: &mut Vec<Diagnostic>) {
    let keys = rule.keys();
    let near = rest.iter().position(|entry| nearest(&entry.key.text, keys.iter().copied()).is_some());
    if let Some(entry) = near.map(|at| rest.remove(at)) {
        let complaint = Diagnostic::error(format!("unknown target `{}`", entry.key.text), entry.key.span);
        let word = nearest(&entry.key.text, keys.iter().copied()).unwrap_or_default();
        out.push(complaint.help(format!("did you mean `{word}`?")).patch(entry.key.span, word));
        return;
    }
    let seen: Vec<&str> = rest.iter().map(|entry| entry.key.text.as_str()).collect();
    let saw = if seen.is_empty() { String::new() } else { format!(" (it has {})", seen.join(", ")) };
    out.push(
        Diagnostic::error(format!("no target here{saw}"), node.span).help(format!("add one of: {}", keys.join(", "))),
    );
}

fn read(entry: &Entry, rule: &TargetRule, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Target> {
    match (entry.key.text.as_str(), rule.row(&entry.key.text)) {
        ("container", _) => container(&entry.value, mode, out).map(Target::Container),
        ("object", _) => decode(&entry.value, mode, out).map(Target::Object),
        (_, Some((kind, false))) => reference(kind, &entry.value, mode, out).map(Target::One),
        (_, Some((kind, true))) => set(kind, &entry.value, mode, out).map(|set| Target::Set(Box::new(set))),
        (_, None) => None,
    }
}

/// `namespace/name`, or `name`.
fn reference(kind: &'static KindRow, node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<ObjectRef> {
    let parts = segments(node, mode, if kind.namespaced { 2 } else { 1 }, out)?;
    let (name, namespace) = parts.split_last()?;
    Some(ObjectRef { kind, namespace: namespace.first().cloned(), name: name.clone(), span: node.span })
}

/// The parts between slashes, at most `most`; each a legal name, unless templates still stand in it.
fn segments(node: &Node, mode: Mode, most: usize, out: &mut Vec<Diagnostic>) -> Option<Vec<String>> {
    let example = if most == 1 { "name" } else { "namespace/name" };
    let Some(scalar) = node.scalar() else {
        out.push(Diagnostic::error(format!("this takes {example}, not {}", node.describe()), node.span));
        return None;
    };
    if mode == Mode::Holes && scalar.is_template() {
        return Some(vec![scalar.text.clone()]);
    }
    if let Some(complaint) = broken_segment(scalar, node) {
        out.push(complaint);
        return None;
    }
    let parts: Vec<String> = scalar.text.split('/').map(ToOwned::to_owned).collect();
    let fits = parts.len() <= most && parts.iter().all(|part| is_name(part));
    if !fits {
        let mut complaint = Diagnostic::error(format!("{} is no {example}", node.describe()), node.span);
        if let Some(template) = &scalar.template {
            complaint = complaint.label(format!("from `{template}`"));
        }
        out.push(complaint.help("names are lower-case letters, digits, `-` and `.`"));
        return None;
    }
    Some(parts)
}

/// A template fills a whole segment: a value that brings a slash of its own would move the name.
fn broken_segment(scalar: &Scalar, node: &Node) -> Option<Diagnostic> {
    let template = scalar.template.as_deref()?;
    let whole = Scalar::quoted(template).is_whole_template();
    (!whole && !scalar.holes_gave_only(|letter| letter != '/')).then(|| {
        Diagnostic::error(
            format!("the template `{template}` gave `{}`: a value may not bring a `/` of its own", scalar.text),
            node.span,
        )
    })
}

fn is_name(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    // RBAC names hold colons; nothing else of Kubernetes' own does.
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':');
    text.len() <= 253 && text.bytes().all(inner) && edge(text.bytes().next()) && edge(text.bytes().next_back())
}

const POD: &str = "pod";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ContainerKeys {
    pod: String,
    container: String,
}

/// `ns/pod/container`, or `{pod: ns/pod, container}`.
fn container(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Container> {
    let kind = KindRow::of_singular(POD)?;
    if matches!(node.kind, Kind::Mapping(_)) {
        let keys: ContainerKeys = decode(node, mode, out)?;
        let pod = reference(kind, node.get("pod")?, mode, out)?;
        let _ = keys.pod;
        return Some(Container { pod, container: keys.container });
    }
    let parts = segments(node, mode, 3, out)?;
    match parts.as_slice() {
        [namespace, pod, container] => Some(Container {
            pod: ObjectRef { kind, namespace: Some(namespace.clone()), name: pod.clone(), span: node.span },
            container: container.clone(),
        }),
        [pod, container] => Some(Container {
            pod: ObjectRef { kind, namespace: None, name: pod.clone(), span: node.span },
            container: container.clone(),
        }),
        [hole] if mode == Mode::Holes && node.is_template() => Some(Container {
            pod: ObjectRef { kind, namespace: None, name: hole.clone(), span: node.span },
            container: hole.clone(),
        }),
        _ => {
            out.push(Diagnostic::error(
                format!("a container is namespace/pod/container, not {}", node.describe()),
                node.span,
            ));
            None
        }
    }
}

const SET_KEYS: [&str; 9] =
    ["in", "selector", "field-selector", "where", "of", "held-by", "min", "max", "max-parallel"];

fn set(kind: &'static KindRow, node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<ObjectSet> {
    let mut set = ObjectSet {
        kind,
        namespaces: if kind.namespaced { Namespaces::Default } else { Namespaces::All },
        selector: None,
        field_selector: None,
        conditions: None,
        of: None,
        held_by: None,
        min: None,
        max: None,
        max_parallel: None,
        span: node.span,
    };
    let Kind::Mapping(entries) = &node.kind else {
        if node.as_text() == Some("all") {
            return Some(ObjectSet { namespaces: Namespaces::All, ..set });
        }
        let complaint =
            Diagnostic::error(format!("a set is a mapping or the word `all`, not {}", node.describe()), node.span);
        let (one, many) = (kind.singular, kind.plural);
        out.push(complaint.help(format!(
            "one object: {one}: namespace/name; a set: {many}: {{in: namespace, selector: {{app: web}}}}"
        )));
        return None;
    };
    let before = out.len();
    for entry in entries {
        set_key(&mut set, entry, mode, out);
    }
    (out.len() == before).then_some(set)
}

fn set_key(set: &mut ObjectSet, entry: &Entry, mode: Mode, out: &mut Vec<Diagnostic>) {
    let value = &entry.value;
    match entry.key.text.as_str() {
        "in" => set.namespaces = namespaces(value, mode, out),
        "selector" => set.selector = selector(value, mode, out),
        "field-selector" => {
            hole_text(value, out);
            set.field_selector = decode(value, mode, out);
        }
        "where" => set.conditions = Some(value.clone()),
        "of" => set.of = owner(value, mode, out),
        "held-by" => set.held_by = decode(value, mode, out),
        "min" => set.min = decode(value, mode, out),
        "max" => set.max = decode(value, mode, out),
        "max-parallel" => {
            set.max_parallel = decode(value, mode, out);
            if set.max_parallel == Some(0) && !(mode == Mode::Holes && value.is_template()) {
                out.push(Diagnostic::error("`max-parallel` is at least 1", value.span));
            }
        }
        _ => {
            let complaint = Diagnostic::error(format!("unknown key `{}` in a set", entry.key.text), entry.key.span);
            out.push(match nearest(&entry.key.text, SET_KEYS) {
                Some(near) => complaint.help(format!("did you mean `{near}`?")).patch(entry.key.span, near),
                None => complaint.help(format!("a set knows: {}", SET_KEYS.join(", "))),
            });
        }
    }
}

fn namespaces(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Namespaces {
    if node.as_text() == Some("all") {
        return Namespaces::All;
    }
    Namespaces::Some(decode::<OneOrMany<String>>(node, mode, out).unwrap_or_default().0)
}

fn selector(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<Selector> {
    let hole = node.is_template() || node.entries().iter().any(|entry| entry.value.is_template());
    if mode == Mode::Holes && hole {
        return Some(Selector::default());
    }
    hole_text(node, out);
    node.entries().iter().for_each(|entry| hole_text(&entry.value, out));
    Selector::from_node(node).map_err(|reason| out.push(Diagnostic::error(reason, node.span))).ok()
}

/// In selector text a template may only yield what cannot change the selector's meaning.
fn hole_text(node: &Node, out: &mut Vec<Diagnostic>) {
    let Some(scalar) = node.scalar() else { return };
    let Some(template) = scalar.template.as_deref() else { return };
    if !scalar.holes_gave_only(|letter| letter.is_ascii_alphanumeric() || "._/-".contains(letter)) {
        let message = format!(
            "the template `{template}` gave `{}`: in a selector a value is letters, digits, `.`, `_`, `/` and `-`",
            scalar.text
        );
        out.push(Diagnostic::error(message, node.span));
    }
}

fn owner(node: &Node, mode: Mode, out: &mut Vec<Diagnostic>) -> Option<ObjectRef> {
    let [entry] = node.entries() else {
        out.push(Diagnostic::error("`of` takes one owner: {deployment: shop/web}", node.span));
        return None;
    };
    let Some(kind) = KindRow::of_singular(&entry.key.text) else {
        let complaint = Diagnostic::error(format!("unknown kind `{}`", entry.key.text), entry.key.span);
        let words = KINDS.iter().map(|row| row.singular);
        out.push(match nearest(&entry.key.text, words) {
            Some(near) => complaint.help(format!("did you mean `{near}`?")),
            None => complaint,
        });
        return None;
    };
    reference(kind, &entry.value, mode, out)
}
