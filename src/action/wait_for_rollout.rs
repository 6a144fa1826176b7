//! `wait-for-rollout`: until a workload has arrived where its spec wants it.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::many::with_target;
use super::row::{aimed, schema_of};
use super::wait::{FAIL_FAST, await_rollout_for};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::cluster::resource::Address;
use crate::document::{DurationText, Target, TargetRule};
use crate::event::Failure;

const RULE: TargetRule = TargetRule {
    kinds: &["deployment", "statefulset", "daemonset", "replicaset"],
    sets: true,
    container: false,
    object: false,
    required: true,
};

/// Waits until workloads have arrived where their specs want them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// How long it may take; 10m where none is written.
    #[serde(default)]
    timeout: Option<DurationText>,
    /// How long a cause that waiting does not mend (image pull, crash loop, no node) may stay; 30s where none is written.
    #[serde(default)]
    fail_fast: Option<DurationText>,
}

#[derive(Debug)]
struct WaitForRollout {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "wait-for-rollout",
    help: "until a workload, or each of a set, has arrived where its spec wants it",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(WaitForRollout { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for WaitForRollout {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        with_target(context, &self.target, |address| self.one(context, address)).await
    }

    fn timeout(&self) -> Option<Duration> {
        self.arguments.timeout.as_ref().map(DurationText::duration)
    }

    fn waits(&self) -> bool {
        true
    }
}

impl WaitForRollout {
    async fn one(&self, context: &Context, address: Address) -> Result<Observed, Failure> {
        let fail_fast = self.arguments.fail_fast.as_ref().map_or(FAIL_FAST, DurationText::duration);
        let waited = await_rollout_for(context, &address, None, fail_fast).await?;
        let info = json!({"waited": waited.millis(), "observations": waited.observations});
        Ok(Observed { result: waited.object, info, ..Observed::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Stage, arrived, deployment, pod_of, ready};
    use super::*;
    use crate::event::Class;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_last_pod_is_available() {
        let mut web = deployment("shop", "web", 3);
        web["status"]["availableReplicas"] = json!(2);
        let stage = Stage::new([web]).on(|objects, method, path| {
            if method == "GET" && path.ends_with("/pods") {
                objects.values_mut().filter(|object| object["kind"] == "Deployment").for_each(arrived);
            }
        });
        let seen = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap();
        assert_eq!(seen.result["status"]["availableReplicas"], 3);
        assert!(seen.info["observations"].as_u64() >= Some(2));
        assert!(!seen.changed && stage.writes().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hopeless_cause_ends_it_and_is_named() {
        let mut web = deployment("shop", "web", 1);
        web["status"]["availableReplicas"] = json!(0);
        let mut sick = pod_of(&web, "web-1", "p1");
        sick["status"] = json!({"phase": "Pending", "containerStatuses": [{"name": "web", "ready": false,
            "image": "registry.example/web:1.9", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]});
        let stage = Stage::new([web, sick]);
        let wait = ready(&ROW, "{deployment: shop/web, fail-fast: 5s}");
        let failure = wait.act(&stage.context()).await.unwrap_err();
        assert_eq!(failure.class, Class::Hopeless);
        assert!(failure.message.contains("ImagePullBackOff registry.example/web:1.9"), "{failure}");
        assert!(!failure.cause.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_set_and_a_missing_object_are_failures() {
        let stage = Stage::new([]);
        let set = ready(&ROW, "deployments: {in: shop, selector: {tier: app}}");
        assert_eq!(set.act(&stage.context()).await.unwrap_err().class, Class::Expectation);
        let one = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap_err();
        assert_eq!(one.class, Class::NotFound);
    }

    #[test]
    fn its_clock_is_written_inside() {
        assert_eq!(ready(&ROW, "{deployment: shop/web, timeout: 10m}").timeout(), Some(Duration::from_mins(10)));
        assert_eq!(ready(&ROW, "deployment: shop/web").timeout(), None);
    }
}
