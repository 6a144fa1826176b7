//! `logs`: of a pod, a container, or the pods of a job or workload.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::wait::pods_of;
use super::{Action, ActionKind, Changes, Context, Observed, failure};
use crate::cluster::logs::LogFollower;
use crate::cluster::resource::{Address, POD};
use crate::cluster::verbs::LogPart;
use crate::document::{Container, DurationText, Pattern, Target, TargetRule};
use crate::event::{Class, Failure, ObjectId};

const RULE: TargetRule = TargetRule {
    kinds: &["pod", "job", "deployment", "statefulset", "daemonset", "replicaset"],
    sets: false,
    container: true,
    object: false,
    required: true,
};

/// Which part of the logs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// The last lines of each container only.
    #[serde(default)]
    tail: Option<u32>,
    /// Lines not older than this.
    #[serde(default)]
    since: Option<DurationText>,
    /// Of the container's instance before the present one.
    #[serde(default)]
    previous: bool,
    /// Of every container of a pod, init containers too.
    #[serde(default)]
    all_containers: bool,
    /// Keeps the text as a file of this name beside the journal.
    #[serde(default)]
    artifact: Option<String>,
    /// Goes on until a line matches.
    #[serde(default)]
    follow: Option<FollowArguments>,
}

/// Until when logs are followed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FollowArguments {
    /// A regular expression that a line must match somewhere.
    until_line: Pattern,
}

#[derive(Debug)]
struct Logs {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "logs",
    help: "of a pod, container, or the pods of a job or workload",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &["artifact"],
    decode: |node, mode, out| {
        let (target, arguments): (_, Arguments) = aimed(&RULE, node, mode, out)?;
        if arguments.previous && arguments.follow.is_some() {
            out.push(crate::source::Diagnostic::error(
                "a previous instance has ended and cannot be followed",
                node.span,
            ));
        }
        Some(Box::new(Logs { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Logs {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let wells = self.wells(context).await?;
        if let Some(follow) = &self.arguments.follow {
            return self.follow(context, &wells, &follow.until_line).await;
        }
        let named = wells.len() > 1;
        let mut text = String::new();
        for well in &wells {
            let log = context.client().log(&well.pod, &self.part(well)).await;
            let log = log.map_err(|error| failure::of_error(&error, &format!("logs of {}", well.name())))?;
            for line in log.lines() {
                if named {
                    text.push_str(&well.name());
                    text.push_str(": ");
                }
                text.push_str(line);
                text.push('\n');
            }
        }
        self.observed(context, &text)
    }

    fn waits(&self) -> bool {
        self.arguments.follow.is_some()
    }
}

/// A container whose log is read.
struct Well {
    pod: Address,
    container: String,
}

impl Well {
    fn name(&self) -> String {
        format!("{}/{}", self.pod.name(), self.container)
    }
}

impl Logs {
    async fn wells(&self, context: &Context) -> Result<Vec<Well>, Failure> {
        let object = context.get(&context.one(&self.target).await?).await?;
        let id = ObjectId::of(&object);
        if id.kind == "Pod" {
            let chosen = match &self.target {
                Target::Container(Container { container, .. }) => Some(container.as_str()),
                _ => None,
            };
            return self.wells_of(&object, chosen);
        }
        let mut wells = Vec::new();
        for pod in pods_of(context, &object).await? {
            wells.extend(self.wells_of(&pod, None)?);
        }
        if wells.is_empty() {
            let failure = Failure::new(Class::NotFound, format!("{id} has no pods, and so no logs"));
            return Err(failure.help("pods of a finished Job may be gone already; `events` may say more"));
        }
        Ok(wells)
    }

    fn wells_of(&self, pod: &Value, chosen: Option<&str>) -> Result<Vec<Well>, Failure> {
        let id = ObjectId::of(pod);
        let address =
            POD.at(Some(&id.namespace), &id.name).map_err(|error| failure::of_error(&error.into(), &id.to_string()))?;
        let names = |field: &str| -> Vec<String> {
            let containers = pod.pointer(&format!("/spec/{field}")).and_then(Value::as_array);
            containers
                .into_iter()
                .flatten()
                .filter_map(|container| container.get("name")?.as_str().map(ToOwned::to_owned))
                .collect()
        };
        let (init, main) = (names("initContainers"), names("containers"));
        let chosen: Vec<String> = match chosen {
            Some(name) if init.iter().chain(&main).any(|known| known == name) => vec![name.to_owned()],
            Some(name) => {
                let known = init.iter().chain(&main).cloned().collect::<Vec<_>>().join(", ");
                return Err(Failure::new(Class::NotFound, format!("{id} has no container `{name}`"))
                    .help(format!("it has: {known}")));
            }
            None if self.arguments.all_containers => init.into_iter().chain(main).collect(),
            None => main,
        };
        Ok(chosen.into_iter().map(|container| Well { pod: address.clone(), container }).collect())
    }

    fn part(&self, well: &Well) -> LogPart {
        LogPart {
            container: Some(well.container.clone()),
            previous: self.arguments.previous,
            tail: self.arguments.tail,
            since_seconds: self.arguments.since.as_ref().map(|since| since.duration().as_secs().max(1)),
            ..LogPart::default()
        }
    }

    /// Reads on until a line matches; the step's clock ends it otherwise.
    async fn follow(&self, context: &Context, wells: &[Well], until: &Pattern) -> Result<Observed, Failure> {
        let [well] = wells else {
            return Err(Failure::new(Class::Invalid, format!("{} containers cannot be followed at once", wells.len()))
                .help("choose one: container: namespace/pod/container"));
        };
        let mut follower = LogFollower::new(context.client(), &well.pod, self.part(well));
        let mut text = String::new();
        loop {
            let lines = follower.next().await;
            for line in lines.map_err(|error| failure::of_error(&error, &format!("logs of {}", well.name())))? {
                let line = line.text.as_str();
                text.push_str(line);
                text.push('\n');
                if until.is_match(line) {
                    return self.observed(context, &text);
                }
            }
            context.waiting(&format!("no line matches `{}` yet", until.as_str()), Vec::new());
            if has_ended(context, well).await? {
                let message = format!("{} ended and no line matched `{}`", well.name(), until.as_str());
                return Err(Failure::new(Class::Expectation, message));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn observed(&self, context: &Context, text: &str) -> Result<Observed, Failure> {
        let lines: Vec<&str> = text.lines().collect();
        let mut info = json!({"lines": lines.len()});
        if let Some(name) = &self.arguments.artifact {
            let path = context.artifact(name, text)?;
            super::set(&mut info, "artifact", path);
        }
        Ok(Observed { result: json!({"lines": lines, "text": text}), info, ..Observed::default() })
    }
}

async fn has_ended(context: &Context, well: &Well) -> Result<bool, Failure> {
    let pod = context.find(&well.pod).await?;
    let phase = pod.as_ref().and_then(|pod| pod.pointer("/status/phase")).and_then(Value::as_str);
    Ok(pod.is_none() || matches!(phase, Some("Succeeded" | "Failed")))
}

#[cfg(test)]
mod tests {
    use super::super::stage::complaints;
    use super::*;

    #[test]
    fn a_previous_instance_is_not_followed() {
        assert!(complaints(&ROW, "{pod: shop/web-1, tail: 5, since: 5m, all-containers: true}").is_empty());
        assert_eq!(complaints(&ROW, "{pod: shop/web-1, previous: true, follow: {until-line: ready}}").len(), 1);
    }

    #[test]
    fn containers_are_chosen_by_name_or_all() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "n"},
            "spec": {"initContainers": [{"name": "init"}], "containers": [{"name": "main"}, {"name": "side"}]}});
        let logs = |all_containers| Logs {
            target: Target::Object(crate::document::CustomObject {
                api_version: "v1".into(),
                kind: "Pod".into(),
                namespace: None,
                name: "a".into(),
            }),
            arguments: Arguments { all_containers, ..Arguments::default() },
        };
        let names = |wells: Vec<Well>| wells.iter().map(Well::name).collect::<Vec<_>>();
        assert_eq!(names(logs(false).wells_of(&pod, None).unwrap()), ["a/main", "a/side"]);
        assert_eq!(names(logs(true).wells_of(&pod, None).unwrap()), ["a/init", "a/main", "a/side"]);
        assert_eq!(names(logs(false).wells_of(&pod, Some("side")).unwrap()), ["a/side"]);
        assert!(logs(false).wells_of(&pod, Some("nope")).is_err());
    }
}
