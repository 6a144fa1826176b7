//! Whose logs are meant: the containers of one pod, or of all pods of a workload.

use std::fmt;

use serde_json::Value;

use crate::action::context::Context;
use crate::action::failure;
use crate::action::rollout::text;
use crate::action::wait::pods_of;
use crate::cluster::resource::{Address, POD};
use crate::cluster::verbs::LogPart;
use crate::document::Target;
use crate::event::{Class, Failure, ObjectId};

/// The annotation by which a pod says which container people mean.
const DEFAULT: &str = "/metadata/annotations/kubectl.kubernetes.io~1default-container";

/// One container of one pod.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) pod: Address,
    pub(super) uid: String,
    pub(super) container: String,
    prefix: String,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.pod.name(), self.container)
    }
}

impl Source {
    /// A line, told apart from those of other containers.
    pub(super) fn prefixed(&self, line: &str) -> String {
        format!("{}{line}", self.prefix)
    }

    /// Reads a part of the log.
    pub(super) async fn read(&self, context: &Context, part: LogPart) -> Result<String, Failure> {
        let part = LogPart { container: Some(self.container.clone()), ..part };
        match context.read(&self.pod.logs(&part)).await {
            Ok(response) => Ok(response.text().into_owned()),
            Err(failure) => Err(explained(failure, part.previous)),
        }
    }
}

/// Whether a container has no log because it has not started.
pub(super) fn is_not_started(failure: &Failure) -> bool {
    failure.http_status == Some(400) && !failure.message.contains("previous")
}

fn explained(failure: Failure, previous: bool) -> Failure {
    match failure.http_status {
        Some(400) if previous => failure.help("there is no instance before the present one: leave `previous` out"),
        Some(400) => failure.help("a container has no log before it starts: `wait` for it, or look at its `events`"),
        _ => failure,
    }
}

/// The containers that a target means.
///
/// # Errors
/// When there is none.
pub(super) async fn of(context: &Context, target: &Target, all: bool) -> Result<Vec<Source>, Failure> {
    let object = context.get(&context.one(target).await?).await?;
    let mut pods =
        if ObjectId::of(&object).kind == "Pod" { vec![object.clone()] } else { pods_of(context, &object).await? };
    pods.sort_by_cached_key(|pod| {
        (pod.pointer("/metadata/creationTimestamp").map(Value::to_string), ObjectId::of(pod).name)
    });
    if pods.is_empty() {
        let message = format!("{} has no pods, and so no logs", ObjectId::of(&object));
        return Err(Failure::new(Class::NotFound, message).help("its `events` may say why"));
    }
    let named = if let Target::Container(container) = target { Some(container.container.as_str()) } else { None };
    let mut sources = Vec::new();
    for pod in &pods {
        let id = ObjectId::of(pod);
        let address = POD.at(Some(&id.namespace), &id.name);
        let address = address.map_err(|error| failure::of_error(&error.into(), &id.to_string()))?;
        for container in containers(pod, named, all)? {
            sources.push(Source { pod: address.clone(), uid: id.uid.clone(), container, prefix: String::new() });
        }
    }
    prefix(&mut sources, pods.len());
    Ok(sources)
}

fn prefix(sources: &mut [Source], pods: usize) {
    if sources.len() < 2 {
        return;
    }
    for source in sources {
        source.prefix = if pods > 1 { format!("{source}: ") } else { format!("{}: ", source.container) };
    }
}

/// The names of the containers of a pod that are meant.
fn containers(pod: &Value, named: Option<&str>, all: bool) -> Result<Vec<String>, Failure> {
    let of = |field: &str| -> Vec<String> {
        let list = pod.get("spec").and_then(|spec| spec.get(field)).and_then(Value::as_array);
        list.into_iter().flatten().map(|container| text(container, "name").to_owned()).collect()
    };
    let whole = || [of("initContainers"), of("containers"), of("ephemeralContainers")].concat();
    if let Some(name) = named {
        let known = whole();
        if known.iter().any(|container| container == name) {
            return Ok(vec![name.to_owned()]);
        }
        let message = format!("{} has no container `{name}`", ObjectId::of(pod));
        return Err(Failure::new(Class::NotFound, message).help(format!("it has: {}", known.join(", "))));
    }
    if all {
        return Ok(whole());
    }
    let regular = of("containers");
    let default = pod.pointer(DEFAULT).and_then(Value::as_str);
    let meant = default.filter(|name| regular.iter().any(|container| container == name));
    Ok(meant.map_or(regular, |name| vec![name.to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Value {
        json!({"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}, "spec": {
            "initContainers": [{"name": "init"}], "containers": [{"name": "web"}, {"name": "proxy"}]}})
    }

    #[test]
    fn without_a_choice_all_regular_containers_are_meant() {
        assert_eq!(containers(&pod(), None, false).unwrap(), ["web", "proxy"]);
        assert_eq!(containers(&pod(), None, true).unwrap(), ["init", "web", "proxy"]);
    }

    #[test]
    fn the_pods_own_default_is_believed() {
        let mut pod = pod();
        pod["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/default-container": "web"});
        assert_eq!(containers(&pod, None, false).unwrap(), ["web"]);
        assert_eq!(containers(&pod, None, true).unwrap().len(), 3);
    }

    #[test]
    fn a_container_that_is_not_there_is_answered_with_those_that_are() {
        assert_eq!(containers(&pod(), Some("init"), false).unwrap(), ["init"]);
        let failure = containers(&pod(), Some("wbe"), false).unwrap_err();
        assert_eq!(failure.help.unwrap(), "it has: init, web, proxy");
    }
}
