//! `set-image`: one container's image and pull policy.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit::Edit;
use super::reach::running_pods;
use super::rollout::Baseline;
use super::row::{aimed, schema_of};
use super::wait::{Wait, await_rollout};
use super::{Action, ActionKind, Blind, Changes, Context, Effect, Look, Need, Observed, Outlook};
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};
use crate::source::Diagnostic;

const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "daemonset", "cronjob"],
    sets: false,
    container: false,
    object: false,
    required: true,
};

/// When a node pulls an image, as Kubernetes spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
enum PullPolicy {
    /// Each time.
    Always,
    /// Where the node does not have it.
    IfNotPresent,
    /// Never.
    Never,
}

impl PullPolicy {
    fn word(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// Changes one container's image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The container, init containers included; not needed where there is only one.
    #[serde(default)]
    container: Option<String>,
    /// The image (`registry.example/web:1.9`).
    image: String,
    /// `Always`, `IfNotPresent` or `Never`; as it is where nothing is written.
    #[serde(default)]
    pull_policy: Option<PullPolicy>,
    /// Wait for the rollout: true, or for how long.
    #[serde(default)]
    wait: Option<Wait>,
}

#[derive(Debug)]
struct SetImage {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "set-image",
    help: "one container's image and pull policy",
    target: &RULE,
    changes: Changes::Yes,
    consent: true,
    repeatable: true,
    supported: true,
    shown: &["container", "image"],
    decode: |node, mode, out| {
        let (target, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        let waits = arguments.wait.as_ref().is_some_and(Wait::is_wanted);
        if let Some(key) = ["cronjob", "cj"].iter().find_map(|key| node.entry(key)).filter(|_| waits) {
            let complaint = Diagnostic::error("a CronJob has no rollout to wait for", key.key.span);
            out.push(complaint.help("its next job runs with the new image; `trigger` runs one now"));
        }
        Some(Box::new(SetImage { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for SetImage {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.one(&self.target).await?;
        let edited = context.edit(&address, |object| self.plan(object)).await?;
        let container = self.container(&edited.before)?;
        let mut info = json!({"before": container.image, "after": self.arguments.image, "container": container.name});
        let mut result = edited.object;
        if self.waits() {
            let baseline = if edited.changed { Baseline::after_write(&result) } else { Baseline::first_look(&result) };
            let waited = await_rollout(context, &address, Some(baseline)).await?;
            super::set(&mut info, "waited", waited.millis());
            result = waited.object;
        }
        Ok(Observed { result, info, changed: edited.changed, secret: false })
    }

    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        look.edits(&self.target, |object| self.plan(object)).await
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of("patch", &self.target)]
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

/// One container of a pod template.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    pointer: String,
    name: String,
    image: String,
}

impl SetImage {
    fn plan(&self, object: &Value) -> Result<Edit, Failure> {
        let found = self.container(object)?;
        let image = &self.arguments.image;
        let mut fields = vec![(format!("{}/image", found.pointer), Some(image.as_str().into()))];
        let policy = self.arguments.pull_policy.map(PullPolicy::word);
        fields.extend(policy.map(|policy| (format!("{}/imagePullPolicy", found.pointer), Some(policy.into()))));
        let policy = policy.map(|policy| format!(", pull policy {policy}")).unwrap_or_default();
        let summary = format!("image of {} {} → {image}{policy}", found.name, found.image);
        Ok(Edit { fields, summary, reversal: None, pods: running_pods(object) })
    }

    /// The container that is meant.
    fn container(&self, object: &Value) -> Result<Found, Failure> {
        let (regular, init) = (containers(object, "containers"), containers(object, "initContainers"));
        let names: Vec<&str> = regular.iter().chain(&init).map(|found| found.name.as_str()).collect();
        let id = ObjectId::of(object);
        let Some(wanted) = &self.arguments.container else {
            return match regular.as_slice() {
                [only] => Ok(only.clone()),
                several => {
                    let line = format!("{id} has {} containers: which one?", several.len());
                    Err(Failure::new(Class::Invalid, line).help(format!("say `container:` {}", names.join(", "))))
                }
            };
        };
        regular.iter().chain(&init).find(|found| found.name == *wanted).cloned().ok_or_else(|| {
            let near = crate::source::nearest(wanted, names.iter().copied());
            let help =
                near.map_or_else(|| format!("it has {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
            Failure::new(Class::NotFound, format!("{id} has no container `{wanted}`")).help(help)
        })
    }
}

fn containers(object: &Value, list: &str) -> Vec<Found> {
    let template = if object.get("kind").is_some_and(|kind| kind == "CronJob") { "/spec/jobTemplate" } else { "" };
    let at = format!("{template}/spec/template/spec/{list}");
    let found = object.pointer(&at).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    found
        .iter()
        .enumerate()
        .map(|(index, container)| {
            let text = |field: &str| container.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            Found { pointer: format!("{at}/{index}"), name: text("name"), image: text("image") }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, arrived, complaints, deployment, ready};
    use super::*;

    fn two_containers() -> Value {
        let mut web = deployment("shop", "web", 2);
        let template = &mut web["spec"]["template"]["spec"];
        template["containers"] = json!([{"name": "proxy", "image": "proxy:1"}, {"name": "web", "image": "web:1"}]);
        template["initContainers"] = json!([{"name": "migrate", "image": "web:1"}]);
        web
    }

    #[tokio::test(start_paused = true)]
    async fn the_only_container_needs_no_name_and_the_rollout_is_waited_for() {
        let stage = Stage::new([deployment("shop", "web", 2)]).on(|objects, method, path| {
            if method == "GET" && path.ends_with("/pods") {
                objects.values_mut().for_each(arrived);
            }
        });
        let set = ready(&ROW, "{deployment: shop/web, image: 'registry.example/web:1.9', wait: 5m}");
        let seen = set.act(&stage.context()).await.unwrap();
        assert_eq!(seen.info["before"], "registry.example/web:1.0");
        assert_eq!(seen.info["container"], "web");
        assert_eq!(seen.result["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example/web:1.9");
        let [made] = stage.made().try_into().unwrap();
        assert_eq!(made.change.written[0].pointer, "/spec/template/spec/containers/0/image");
        assert_eq!(made.change.summary, "image of web registry.example/web:1.0 → registry.example/web:1.9");
        assert_eq!(made.change.pods, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_named_container_alone_is_changed_and_bound_to_the_version() {
        let stage = Stage::new([two_containers()]);
        let set = ready(&ROW, "{deployment: shop/web, container: migrate, image: 'web:2', pull-policy: Always}");
        let seen = set.act(&stage.context()).await.unwrap();
        let template = &seen.result["spec"]["template"]["spec"];
        assert_eq!(
            template["initContainers"][0],
            json!({"name": "migrate", "image": "web:2", "imagePullPolicy": "Always"})
        );
        assert_eq!(template["containers"][1]["image"], "web:1");
        assert_eq!(stage.sent()[1], json!({"op": "test", "path": "/metadata/resourceVersion", "value": "7"}));
    }

    #[tokio::test(start_paused = true)]
    async fn an_equal_image_is_not_written() {
        let stage = Stage::new([two_containers()]);
        let set = ready(&ROW, "{deployment: shop/web, container: web, image: 'web:1'}");
        assert!(!set.act(&stage.context()).await.unwrap().changed);
        assert!(stage.writes().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_choice_that_is_missing_or_wrong_names_the_containers() {
        let stage = Stage::new([two_containers()]);
        let which = ready(&ROW, "{deployment: shop/web, image: 'web:2'}").act(&stage.context()).await.unwrap_err();
        assert_eq!(which.help.as_deref(), Some("say `container:` proxy, web, migrate"));
        let wrong = ready(&ROW, "{deployment: shop/web, container: wep, image: 'web:2'}");
        let wrong = wrong.act(&stage.context()).await.unwrap_err();
        assert_eq!(wrong.message, "Deployment shop/web has no container `wep`");
        assert_eq!(wrong.help.as_deref(), Some("did you mean `web`?"));
    }

    #[test]
    fn a_cron_job_has_its_template_deeper_and_no_rollout() {
        let nightly = json!({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": {
            "containers": [{"name": "job", "image": "job:1"}]}}}}}});
        assert_eq!(containers(&nightly, "containers")[0].pointer, "/spec/jobTemplate/spec/template/spec/containers/0");
        let out = complaints(&ROW, "{cronjob: shop/nightly, image: 'job:2', wait: true}");
        assert_eq!(out[0].message, "a CronJob has no rollout to wait for");
    }
}
