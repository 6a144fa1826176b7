//! Manifests: objects as Kubernetes writes them, from the book or from a file beside it.

use std::path::{Component, Path};

use serde_json::Value;

use crate::action::context::Context;
use crate::action::failure;
use crate::cluster::resource::Address;
use crate::document::{self, CustomObject, Target};
use crate::event::{Class, Failure, ObjectId};
use crate::source::{Diagnostic, Source};

/// One object that should be, and where.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    /// Where it lies.
    pub(super) address: Address,
    /// What it should be.
    pub(super) body: Value,
}

/// Finds out where objects lie; an object in a list of its own stands for itself.
///
/// # Errors
/// When one is no object, or of a kind that the server does not have: nothing was sent then.
pub(super) async fn placed(context: &Context, objects: Vec<Value>) -> Result<Vec<Manifest>, Failure> {
    let mut placed = Vec::new();
    for body in objects.into_iter().flat_map(flattened) {
        placed.push(one(context, body).await?);
    }
    if placed.is_empty() {
        return Err(Failure::new(Class::Invalid, "there is nothing to apply"));
    }
    Ok(placed)
}

fn flattened(mut object: Value) -> Vec<Value> {
    let is_list = object.get("kind").is_some_and(|kind| kind == "List");
    match object.get_mut("items").and_then(Value::as_array_mut) {
        Some(items) if is_list => std::mem::take(items),
        _ => vec![object],
    }
}

async fn one(context: &Context, mut body: Value) -> Result<Manifest, Failure> {
    let id = ObjectId::of(&body);
    if id.api_version.is_empty() || id.kind.is_empty() || id.name.is_empty() {
        let line = format!("an object needs apiVersion, kind and metadata.name: {}", beginning(&body));
        return Err(Failure::new(Class::Invalid, line));
    }
    let resource = context.client().resource(&id.api_version, &id.kind).await;
    let resource = resource.map_err(|error| failure::of_error(&error, &id.to_string()))?;
    let written = Some(id.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let namespace = written.or(context.facts().namespace.as_deref()).filter(|_| resource.namespaced).or(written);
    if let (Some(namespace), Some(metadata)) = (namespace, body.get_mut("metadata")) {
        crate::action::set(metadata, "namespace", namespace);
    }
    let address = resource.at(namespace, &id.name);
    let address = address.map_err(|error| Failure::new(Class::Invalid, format!("{id}: {error}")))?;
    Ok(Manifest { address, body })
}

fn beginning(object: &Value) -> String {
    const SHOWN: usize = 80;
    let text = object.to_string();
    if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text }
}

/// Whether a path stays inside the folder that it begins in.
pub(super) fn stays_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Where an object says that it lies.
pub(super) fn target(body: &Value) -> Option<Target> {
    let id = ObjectId::of(body);
    let namespace = Some(id.namespace).filter(|namespace| !namespace.is_empty());
    let object = CustomObject { api_version: id.api_version, kind: id.kind, namespace, name: id.name };
    Some(object).filter(|object| !object.kind.is_empty() && !object.name.is_empty()).map(Target::Object)
}

/// The objects of a file beside the book.
///
/// # Errors
/// When it cannot be read, or is no YAML.
pub(super) fn of_file(folder: &Path, name: &str) -> Result<Vec<Value>, Failure> {
    if !stays_inside(name) {
        return Err(Failure::new(Class::Invalid, format!("{name} is outside of the book's folder")));
    }
    let bytes = std::fs::read(folder.join(name))
        .map_err(|error| Failure::new(Class::Invalid, format!("the file {name} cannot be read: {error}")))?;
    let broken = |complaint: &Diagnostic, source: Option<&Source>| {
        let place = source.map(|source| format!(" at {}", source.place(complaint.span.start))).unwrap_or_default();
        Failure::new(Class::Invalid, format!("the file {name} cannot be used{place}: {}", complaint.message))
    };
    let source = document::from_bytes(name, &bytes).map_err(|complaint| broken(&complaint, None))?;
    let mut objects = Vec::new();
    for part in documents(name, source.text()) {
        let (node, complaints) = document::read(&part);
        if let Some(wrong) = complaints.iter().find(|complaint| complaint.is_error()) {
            return Err(broken(wrong, Some(&part)));
        }
        objects.extend(node.map(|node| node.to_json()).filter(|object| !object.is_null()));
    }
    Ok(objects)
}

/// The documents of a text, each on the lines where it stands.
fn documents(name: &str, text: &str) -> Vec<Source> {
    let mut parts = vec![String::new()];
    for (number, line) in text.lines().enumerate() {
        if line == "---" || line.starts_with("--- ") {
            parts.push("\n".repeat(number + 1));
        } else if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    let is_blank = |part: &String| part.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#'));
    parts.retain(|part| !is_blank(part));
    parts.iter().map(|part| Source::new(name, part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_holds_several_documents_and_places_count_from_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "# all of it\n---\nkind: A\nmetadata: {name: a}\n---\n# nothing\n---\nkind: B\ntext: |\n  {{ .Values }}\n";
        std::fs::write(folder.path().join("all.yaml"), text).unwrap();
        let objects = of_file(folder.path(), "all.yaml").unwrap();
        assert_eq!(
            objects,
            [json!({"kind": "A", "metadata": {"name": "a"}}), json!({"kind": "B", "text": "{{ .Values }}\n"})]
        );
        std::fs::write(folder.path().join("bad.yaml"), "kind: A\n---\nkind: B\nkind: C\n").unwrap();
        let failure = of_file(folder.path(), "bad.yaml").unwrap_err();
        assert!(failure.message.contains("bad.yaml:4:1"), "{failure}");
    }

    #[test]
    fn a_file_lies_in_the_folder_of_the_book() {
        for name in ["../a.yaml", "/etc/passwd", "a/../../b"] {
            assert!(of_file(Path::new("."), name).unwrap_err().message.contains("outside"), "{name}");
        }
        assert!(of_file(Path::new("."), "not-there.yaml").unwrap_err().message.contains("cannot be read"));
    }

    #[test]
    fn a_list_stands_for_its_items() {
        let list = json!({"kind": "List", "items": [{"kind": "A"}, {"kind": "B"}]});
        assert_eq!(flattened(list), [json!({"kind": "A"}), json!({"kind": "B"})]);
        assert_eq!(flattened(json!({"kind": "A", "items": [1]})).len(), 1);
    }
}
