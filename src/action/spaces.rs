//! `spaces`: application spaces, in the groups that the platform puts them in.
//!
//! `ControlHub` groups namespaces by their user (wire 12.4); any other target
//! by the label of the workspace, where there is one.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed, failure};
use crate::cluster::refusal::Layer;
use crate::cluster::resource::NAMESPACE;
use crate::cluster::sieve::Everything;
use crate::cluster::spaces;
use crate::document::TargetRule;
use crate::event::{Class, Failure, ObjectId};

/// The label of a namespace's workspace.
const WORKSPACE: &str = "/metadata/labels/kubesphere.io~1workspace";

/// Reads all application spaces that we may see; it takes nothing: `spaces: {}`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {}

#[derive(Debug)]
struct Spaces;

pub(super) static ROW: ActionKind = ActionKind {
    name: "spaces",
    help: "application spaces, in the groups that the platform puts them in",
    target: &TargetRule::NONE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (_, Arguments {}) = aimed(&TargetRule::NONE, node, mode, out)?;
        Some(Box::new(Spaces))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Spaces {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let has_groups = context.client().provider().has(Layer::Capi);
        let groups = if has_groups { told(context).await? } else { labelled(context).await? };
        let items: Vec<Value> =
            groups.into_iter().map(|(title, namespaces)| json!({"title": title, "namespaces": namespaces})).collect();
        let namespaces =
            items.iter().filter_map(|group| group.get("namespaces")?.as_array()).map(Vec::len).sum::<usize>();
        let (total, info) = (items.len(), json!({"namespaces": namespaces}));
        Ok(Observed { result: json!({"items": items, "total": total}), info, ..Observed::default() })
    }
}

/// A group's title, and the namespaces in it by name.
type Group = (String, Vec<Value>);

/// The groups as the platform tells them, in its order.
async fn told(context: &Context) -> Result<Vec<Group>, Failure> {
    let request = spaces::groups();
    let answer = context.read(&request).await?.json();
    let answer = answer.map_err(|error| failure::of_error(&error, request.what()))?;
    let Value::Array(groups) = answer else {
        return Err(Failure::new(Class::Server, format!("{}: a list was expected", request.what())));
    };
    let group = |mut group: Value| {
        let title = group.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut namespaces =
            group.get_mut("data").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        for namespace in &mut namespaces {
            NAMESPACE.name_kind(namespace);
        }
        sort(&mut namespaces);
        (title, namespaces)
    };
    Ok(groups.into_iter().map(group).collect())
}

/// The groups by label, by their titles; what has none comes last, without a title.
async fn labelled(context: &Context) -> Result<Vec<Group>, Failure> {
    let all = NAMESPACE.within(None).map_err(|error| failure::of_error(&error.into(), "namespaces"))?;
    let listed = context.client().list(&all, &Everything).await;
    let listed = listed.map_err(|error| failure::of_error(&error, "list namespaces"))?;
    let mut groups: Vec<Group> = Vec::new();
    for namespace in listed.items {
        let title = namespace.pointer(WORKSPACE).and_then(Value::as_str).unwrap_or_default().to_owned();
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, namespaces)) => namespaces.push(namespace),
            None => groups.push((title, vec![namespace])),
        }
    }
    groups.sort_by_cached_key(|(title, _)| (title.is_empty(), title.clone()));
    for (_, namespaces) in &mut groups {
        sort(namespaces);
    }
    Ok(groups)
}

fn sort(namespaces: &mut [Value]) {
    namespaces.sort_by_cached_key(|namespace| ObjectId::of(namespace).name);
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, ready, refusal};
    use super::*;
    use crate::cluster::testing::answer;

    #[tokio::test(start_paused = true)]
    async fn the_platforms_groups_keep_their_order() {
        let told = r#"[{"title":"mira","data":[{"metadata":{"name":"user-space-mira"}},{"metadata":{"name":"notes-mira"}}]},
            {"title":"System","data":[{"metadata":{"name":"os-platform"}}]}]"#;
        let stage = Stage::controlhub([])
            .refusing(move |_, path, _| (path == "/capi/namespaces/group").then(|| answer(200, told)));
        let seen = ready(&ROW, "{}").act(&stage.context()).await.unwrap();
        assert_eq!((&seen.result["total"], &seen.info["namespaces"]), (&json!(2), &json!(3)));
        let first = &seen.result["items"][0];
        assert_eq!(
            (&first["title"], &first["namespaces"][0]["metadata"]["name"]),
            (&json!("mira"), &json!("notes-mira"))
        );
        assert_eq!(first["namespaces"][0]["kind"], "Namespace");
    }

    #[tokio::test(start_paused = true)]
    async fn elsewhere_the_label_of_the_workspace_groups() {
        let space = |name: &str, workspace: Option<&str>| {
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": name,
            "labels": workspace.map(|workspace| json!({"kubesphere.io/workspace": workspace}))}})
        };
        let stage = Stage::new([space("default", None), space("web", Some("shop")), space("db", Some("shop"))]);
        let seen = ready(&ROW, "{}").act(&stage.context()).await.unwrap();
        let titles: Vec<&str> =
            seen.result["items"].as_array().unwrap().iter().filter_map(|group| group["title"].as_str()).collect();
        assert_eq!(titles, ["shop", ""]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_kept_and_nothing_is_taken() {
        let stage = Stage::controlhub([]).refusing(|_, _, _| Some(refusal(403, "Forbidden", "no")));
        assert_eq!(ready(&ROW, "{}").act(&stage.context()).await.unwrap_err().class, Class::Forbidden);
        assert!(!complaints(&ROW, "{in: shop}").is_empty());
    }
}
