//! `images`: which workloads, jobs and schedules use which images.
//!
//! Pod templates are read, not pods: what is scaled to nothing uses its image
//! all the same. An image that is asked for is found under all its spellings:
//! as it is written, with Docker's registry and `latest` filled in, by digest.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::schema_of;
use super::several::{SetKeys, select, sets};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{self, Entry, Kind, Node, ObjectSet, TargetRule};
use crate::event::{Failure, ObjectId};

/// The kinds that hold a pod template.
const KINDS: [&str; 5] = ["deployment", "statefulset", "daemonset", "job", "cronjob"];

/// Where images are looked for, and which; the keys of a set beside it say where.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// Only this image: `nginx`, `registry.example/web:1.4` or `web@sha256:…`; all where nothing is written.
    #[serde(default)]
    image: Option<String>,
}

/// Which image is looked for, and where.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used; the parts are read by their own rules")]
struct Keys {
    #[schemars(flatten)]
    own: Arguments,
    #[schemars(flatten)]
    set: SetKeys,
}

#[derive(Debug)]
struct Images {
    sets: Vec<ObjectSet>,
    image: Option<String>,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "images",
    help: "which workloads, jobs and schedules use which images",
    target: &TargetRule::NONE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &["image", "selector", "field-selector"],
    decode: |node, mode, out| {
        let sets = sets(&KINDS, node, &["image"], mode, out);
        let own: Vec<Entry> = node.entry("image").cloned().into_iter().collect();
        let arguments: Option<Arguments> = document::decode(&Node::new(node.span, Kind::Mapping(own)), mode, out);
        Some(Box::new(Images { sets: sets?, image: arguments?.image }))
    },
    schema: schema_of::<Keys>,
};

#[async_trait]
impl Action for Images {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let selection = select(context, &self.sets).await?;
        let wanted = self.image.as_deref().map(Reference::of);
        let mut items: Vec<Value> = selection.items.iter().flat_map(uses).collect();
        items.retain(|item| wanted.as_ref().is_none_or(|wanted| wanted.is(text(item, "image"))));
        let mut images: Vec<&str> = items.iter().map(|item| text(item, "image")).collect();
        images.sort_unstable();
        images.dedup();
        let info = json!({"complete": selection.complete, "images": images});
        let total = items.len();
        Ok(Observed { result: json!({"items": items, "total": total}), info, ..Observed::default() })
    }
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A row for each container of an object's pod template.
fn uses(object: &Value) -> Vec<Value> {
    let id = ObjectId::of(object);
    let spec = if id.kind == "CronJob" { "/spec/jobTemplate/spec/template/spec" } else { "/spec/template/spec" };
    [("initContainers", "init"), ("containers", "container")]
        .into_iter()
        .flat_map(|(field, kind)| {
            let list = object.pointer(&format!("{spec}/{field}")).and_then(Value::as_array);
            list.into_iter().flatten().map(move |container| (kind, container))
        })
        .map(|(kind, container)| {
            json!({"image": text(container, "image"), "kind": id.kind, "namespace": id.namespace, "name": id.name,
                "container": text(container, "name"), "container-kind": kind})
        })
        .collect()
}

/// An image's name, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    fn of(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match rest.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Self { repository: whole(repository), tag, digest }
    }

    /// Whether a container's image is this one; a digest decides where both have one.
    fn is(&self, image: &str) -> bool {
        let other = Self::of(image);
        let same_repository = self.repository == other.repository;
        match (&self.digest, &other.digest) {
            (Some(digest), Some(found)) => same_repository && digest == found,
            (Some(_), None) => false,
            (None, _) => same_repository && self.tag == other.tag,
        }
    }
}

/// A repository with the registry that Docker fills in.
fn whole(repository: &str) -> String {
    match repository.split_once('/') {
        None => format!("docker.io/library/{repository}"),
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => {
            repository.replacen("index.docker.io/", "docker.io/", 1)
        }
        Some(_) => format!("docker.io/{repository}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, complaints, deployment, ready};
    use super::*;

    fn stage() -> Stage {
        let template = |image: &str| json!({"spec": {"containers": [{"name": "job", "image": image}], "initContainers": [{"name": "init", "image": "busybox"}]}});
        let nightly = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"namespace": "shop", "name": "nightly", "uid": "c"},
            "spec": {"jobTemplate": {"spec": {"template": template("registry.example/web:1.0")}}}});
        Stage::new([deployment("shop", "web", 0), nightly])
    }

    #[tokio::test(start_paused = true)]
    async fn every_template_is_looked_at_also_of_what_does_not_run() {
        let seen = ready(&ROW, "{in: shop, image: 'registry.example/web:1.0'}").act(&stage().context()).await.unwrap();
        assert_eq!(seen.result["total"], 2);
        assert_eq!(
            seen.result["items"][0],
            json!({"image": "registry.example/web:1.0", "kind": "CronJob", "namespace": "shop",
            "name": "nightly", "container": "job", "container-kind": "container"})
        );
        let all = ready(&ROW, "in: shop").act(&stage().context()).await.unwrap();
        assert_eq!(all.info["images"], json!(["busybox", "registry.example/web:1.0"]));
    }

    #[test]
    fn an_image_is_found_under_all_its_spellings() {
        for (asked, image, same) in [
            ("nginx", "docker.io/library/nginx:latest", true),
            ("acme/web:1", "index.docker.io/acme/web:1", true),
            ("localhost:5000/web", "localhost:5000/web:latest", true),
            ("nginx", "nginx:1.25", false),
            ("web@sha256:aa", "web:1@sha256:aa", true),
            ("web@sha256:aa", "web:1", false),
            ("web:1", "web:1@sha256:aa", true),
        ] {
            assert_eq!(Reference::of(asked).is(image), same, "{asked} {image}");
        }
    }

    #[test]
    fn it_takes_the_keys_of_a_set_and_an_image() {
        assert!(complaints(&ROW, "{in: all, image: nginx}").is_empty());
        assert!(complaints(&ROW, "{in: shop, pod: x}")[0].message.contains("pod"));
    }
}
