//! `apply`: server-side apply of objects.
//!
//! Only checked in this version.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::row::{aimed, schema_of};
use super::wait::Wait;
use super::{Action, ActionKind, Changes, Context, Effect, Observed, failure};
use crate::document::{Mode, Node, TargetRule};
use crate::event::Failure;
use crate::source::Diagnostic;

/// Creates objects, or makes their fields what is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The objects, as manifests.
    #[serde(default)]
    objects: Option<Vec<Value>>,
    /// A file of manifests, beside the book.
    #[serde(default)]
    file: Option<String>,
    /// Take fields over from other managers.
    #[serde(default)]
    #[expect(dead_code, reason = "this version only checks it")]
    force: bool,
    /// Wait for the rollouts: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Apply {
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "apply",
    help: "objects as manifests say, by server-side apply",
    target: &TargetRule::NONE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: false,
    shown: &["file"],
    decode: |node, mode, out| {
        let (_, arguments): (_, Arguments) = aimed(&TargetRule::NONE, node, mode, out)?;
        if arguments.objects.is_some() == arguments.file.is_some() {
            out.push(Diagnostic::error("`apply` takes `objects` or `file`, one of them", node.span));
        }
        if let Some(objects) = node.get("objects").filter(|objects| !(mode == Mode::Holes && objects.is_template())) {
            check(objects, mode, out);
        }
        Some(Box::new(Apply { arguments }))
    },
    schema: schema_of::<Arguments>,
};

fn check(objects: &Node, mode: Mode, out: &mut Vec<Diagnostic>) {
    if objects.items().is_empty() {
        out.push(Diagnostic::error("`objects` is empty: there is nothing to apply", objects.span));
    }
    for object in objects.items().iter().filter(|object| !(mode == Mode::Holes && object.is_template())) {
        let named = object.get("metadata").and_then(|metadata| metadata.get("name")).is_some();
        let missing: Vec<&str> = [
            ("apiVersion", object.get("apiVersion").is_some()),
            ("kind", object.get("kind").is_some()),
            ("metadata.name", named),
        ]
        .into_iter()
        .filter_map(|(key, there)| (!there).then_some(key))
        .collect();
        if !missing.is_empty() {
            let complaint = Diagnostic::error(format!("this object has no {}", missing.join(", no ")), object.span);
            out.push(complaint.help("manifests keep the spelling of Kubernetes: apiVersion, not api-version"));
        }
    }
}

#[async_trait]
impl Action for Apply {
    async fn act(&self, _: &Context) -> Result<Observed, Failure> {
        Err(failure::unsupported(ROW.name))
    }

    fn effect(&self) -> Effect {
        Effect::Reversible
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.wait.as_ref().and_then(Wait::limit)
    }

    fn waits(&self) -> bool {
        self.arguments.wait.as_ref().is_some_and(Wait::is_wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{complaints, decoded};
    use super::*;

    #[test]
    fn objects_or_a_file_and_not_both() {
        let first = |yaml: &str| complaints(&ROW, yaml)[0].message.clone();
        assert!(first("{}").contains("one of them"));
        assert!(
            first("{file: a.yaml, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]}")
                .contains("one of them")
        );
        assert!(complaints(&ROW, "{file: a.yaml, wait: 5m}").is_empty());
    }

    #[test]
    fn what_an_object_lacks_is_named() {
        let out = complaints(&ROW, "objects: [{api-version: v1, kind: ConfigMap}]");
        assert_eq!(out[0].message, "this object has no apiVersion, no metadata.name");
        assert!(complaints(&ROW, "objects: []")[0].message.contains("empty"));
        assert!(decoded(&ROW, "objects: ['{{ vars.map }}']", Mode::Holes).1.is_empty());
    }
}
