//! Sets of several kinds at once: read side by side, one list.

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde_json::Value;

use super::context::Context;
use super::target::Selection;
use crate::document::{self, Entry, Key, Kind, KindRow, Mode, Node, ObjectSet, Target, TargetRule};
use crate::event::{Failure, ObjectId};
use crate::source::Diagnostic;

/// Workloads as people mean them.
pub(super) const WORKLOADS: [&str; 3] = ["deployment", "statefulset", "daemonset"];

/// How such a set is read: as a set of deployments, whose kind is then exchanged.
const RULE: TargetRule =
    TargetRule { kinds: &["deployment"], sets: true, container: false, object: false, required: true };

/// The keys of a set, as they stand beside an action's own.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used; the set is read by its own rules")]
pub(super) struct SetKeys {
    /// A namespace, a list of them, or `all`; the book's default where nothing is written.
    #[schemars(default, with = "Value")]
    r#in: Value,
    /// By labels: a mapping, or text as Kubernetes writes it.
    #[schemars(default, with = "Value")]
    selector: Value,
    /// By fields: text as Kubernetes writes it.
    #[schemars(default, with = "Value")]
    field_selector: Value,
    /// Expectations that are tested on each object.
    #[schemars(default, with = "Value", rename = "where")]
    conditions: Value,
    /// Only what this book holds.
    #[schemars(default, with = "Value")]
    held_by: Value,
    /// Fewer are an error; 0 where nothing is written.
    #[schemars(default, with = "Value")]
    min: Value,
    /// More are an error.
    #[schemars(default, with = "Value")]
    max: Value,
}

/// The set that a book writes, as one of each kind; `own` are the action's own keys in its mapping.
pub(super) fn sets(
    kinds: &[&str],
    node: &Node,
    own: &[&str],
    mode: Mode,
    out: &mut Vec<Diagnostic>,
) -> Option<Vec<ObjectSet>> {
    let Kind::Mapping(entries) = &node.kind else {
        out.push(Diagnostic::error(format!("this takes a mapping, not {}", node.describe()), node.span));
        return None;
    };
    let entries = entries.iter().filter(|entry| !own.contains(&entry.key.text.as_str())).cloned().collect();
    let key = Key { text: "deployments".to_owned(), span: node.span };
    let value = Node::new(node.span, Kind::Mapping(entries));
    let aimed = Node::new(node.span, Kind::Mapping(vec![Entry { key, value }]));
    let (Some(Target::Set(set)), _) = document::split(&aimed, &RULE, mode, out) else { return None };
    let of = |kind: &&str| Some(ObjectSet { kind: KindRow::of_singular(kind)?, ..set.as_ref().clone() });
    kinds.iter().map(of).collect()
}

/// The objects of all the sets, by namespace, kind and name; read side by side.
///
/// The numbers `min` and `max` are of all of them together.
///
/// # Errors
/// The first set that cannot be read, or a number that is not met.
pub(super) async fn select(context: &Context, sets: &[ObjectSet]) -> Result<Selection, Failure> {
    let open: Vec<ObjectSet> = sets.iter().map(|set| ObjectSet { min: Some(0), max: None, ..set.clone() }).collect();
    let read = join_all(open.iter().map(|set| context.select(set, 0))).await;
    let (mut items, mut complete) = (Vec::new(), true);
    for selection in read {
        let selection = selection?;
        complete &= selection.complete;
        items.extend(selection.items);
    }
    items.sort_by_cached_key(|item| {
        let id = ObjectId::of(item);
        (id.namespace, id.kind, id.name)
    });
    if let Some(set) = sets.first() {
        super::target::counted(set, items.len(), 0).map_err(|failure| {
            let message = failure.message.replacen(set.kind.plural, "objects", 1);
            Failure { message, ..failure }
        })?;
    }
    Ok(Selection { items, complete })
}
