//! How much of one workload a change leaves unavailable at one time, at worst (`budget.unavailable`).
//!
//! A rollout keeps to the workload's own strategy; scaling down and deleting
//! take what they take; a pod that is sent away counts with those of its
//! workload that are missing already.

use serde_json::Value;

use super::change::Proposal;
use super::context::Context;
use super::reach::{is_active, running_pods};
use super::rollout::{condition, replicas, status};
use super::target::is_owned;
use crate::cluster::resource::Resource;
use crate::document::KindRow;
use crate::event::{Failure, ObjectId, Verb};

/// How many pods of a workload are away at worst, of how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// The workload.
    pub workload: ObjectId,
    /// Pods that are away at worst.
    pub pods: u32,
    /// Pods that it wants.
    pub of: u32,
}

/// What a change leaves away of its workload; nothing where it takes no pods away.
///
/// `taken` are the UIDs of pods that this run has sent away, or is about to.
///
/// # Errors
/// When the workload of a pod cannot be read.
pub async fn away(context: &Context, proposal: &Proposal, taken: &[String]) -> Result<Option<Away>, Failure> {
    let Some(before) = proposal.before.as_deref() else { return Ok(None) };
    if ObjectId::of(before).kind == "Pod" {
        return match proposal.verb {
            Verb::Delete | Verb::Evict => of_pod(context, before, taken).await,
            Verb::Create | Verb::Patch | Verb::Execute => Ok(None),
        };
    }
    let of = running_pods(before);
    let pods = match proposal.verb {
        Verb::Delete => proposal.pods,
        Verb::Patch => by_fields(before, proposal).min(of),
        Verb::Create | Verb::Evict | Verb::Execute => 0,
    };
    Ok((pods > 0 && of > 0).then(|| Away { workload: ObjectId::of(before), pods, of }))
}

/// Fewer replicas take pods away at once; another template as many as the strategy lets it.
fn by_fields(before: &Value, proposal: &Proposal) -> u32 {
    let missing = missing(before);
    let mut pods = 0;
    for field in &proposal.written {
        if field.pointer == "/spec/replicas" {
            let wanted = field.after.as_ref().and_then(Value::as_i64).unwrap_or(1);
            pods += u32::try_from(replicas(before) - wanted).unwrap_or(0);
        }
        if field.pointer == "/spec/suspend" && field.after == Some(true.into()) {
            pods += proposal.pods;
        }
    }
    let rolls = proposal.written.iter().any(|field| field.pointer.starts_with("/spec/template"));
    let rolling = if rolls { by_strategy(before) } else { 0 };
    // What is missing already counts within what a rollout may leave away, and beside what is taken.
    if pods > 0 { pods + missing.max(rolling) } else { rolling.max(if rolls { missing } else { 0 }) }
}

/// Pods that the workload wants and does not have.
fn missing(workload: &Value) -> u32 {
    let ready = match ObjectId::of(workload).kind.as_str() {
        "DaemonSet" => status(workload, "numberAvailable"),
        "Deployment" => status(workload, "availableReplicas"),
        "StatefulSet" | "ReplicaSet" => status(workload, "readyReplicas"),
        _ => return 0,
    };
    running_pods(workload).saturating_sub(u32::try_from(ready.max(0)).unwrap_or(0))
}

/// How many pods a rollout takes away at one time, by the workload's own strategy.
fn by_strategy(workload: &Value) -> u32 {
    let of = running_pods(workload);
    let at = |pointer: &str| workload.pointer(pointer);
    match ObjectId::of(workload).kind.as_str() {
        "Deployment" if at("/spec/strategy/type").and_then(Value::as_str) == Some("Recreate") => of,
        "Deployment" => {
            let written = at("/spec/strategy/rollingUpdate/maxUnavailable");
            let surge = at("/spec/strategy/rollingUpdate/maxSurge").map_or(1, |surge| part(surge, of, true));
            let pods = written.map_or_else(|| of / 4, |most| part(most, of, false));
            // The server takes both at zero for one that may be away.
            if pods == 0 && surge == 0 { 1 } else { pods }
        }
        "DaemonSet" => at("/spec/updateStrategy/rollingUpdate/maxUnavailable").map_or(1, |most| part(most, of, true)),
        "StatefulSet" => at("/spec/updateStrategy/rollingUpdate/maxUnavailable").map_or(1, |most| part(most, of, true)),
        _ => 0,
    }
}

/// `2`, or `25%` of a number.
fn part(written: &Value, of: u32, upwards: bool) -> u32 {
    let percent = written.as_str().and_then(|text| text.strip_suffix('%')?.parse::<u32>().ok());
    match (percent, written.as_u64()) {
        (Some(percent), _) if upwards => (of * percent).div_ceil(100),
        (Some(percent), _) => of * percent / 100,
        (None, Some(number)) => u32::try_from(number).unwrap_or(u32::MAX),
        (None, None) => 0,
    }
}

/// The pod's workload once the pod is gone: what is missing now, what this run has sent away, and this one.
async fn of_pod(context: &Context, pod: &Value, taken: &[String]) -> Result<Option<Away>, Failure> {
    let Some(owner) = owner_of(pod) else { return Ok(None) };
    let Some(resource) = Resource::of(&owner.api_version, &owner.kind) else { return Ok(None) };
    let Ok(address) = resource.at(Some(&owner.namespace), &owner.name) else { return Ok(None) };
    let Some(workload) = context.find(&address).await? else { return Ok(None) };
    let of = match owner.kind.as_str() {
        "ReplicaSet" | "StatefulSet" | "DaemonSet" => running_pods(&workload),
        _ => return Ok(None),
    };
    let Some(kind) = KindRow::of_singular("pod") else { return Ok(None) };
    let own = [ObjectId::of(&workload).uid];
    let uid = ObjectId::of(pod).uid;
    let serves = |pod: &&Value| {
        let id = ObjectId::of(pod);
        let ready = condition(pod, "Ready").is_some_and(|found| found.get("status").is_some_and(|is| is == "True"));
        let stays = pod.pointer("/metadata/deletionTimestamp").is_none() && id.uid != uid && !taken.contains(&id.uid);
        is_owned(pod, &own) && is_active(pod) && ready && stays
    };
    let pods = context.list_all(kind, &owner.namespace).await?;
    let left = u32::try_from(pods.iter().filter(serves).count()).unwrap_or(u32::MAX);
    Ok((of > 0).then(|| Away { workload: ObjectId::of(&workload), pods: of.saturating_sub(left), of }))
}

/// The controller of a pod.
fn owner_of(pod: &Value) -> Option<ObjectId> {
    let owners = pod.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller").is_none_or(|is| *is == Value::Bool(true)))?;
    let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let api_version = if api_version.is_empty() { "apps/v1".to_owned() } else { api_version };
    let namespace = ObjectId::of(pod).namespace;
    Some(ObjectId { api_version, kind, namespace, name: text("name"), uid: text("uid") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::edit::{Edit, proposed};
    use super::super::stage::{Stage, deployment};
    use super::*;
    use crate::cluster::resource::DEPLOYMENT;

    fn web(replicas: u32, strategy: &Value) -> Value {
        let mut web = deployment("shop", "web", replicas);
        web["spec"]["strategy"] = strategy.clone();
        web["status"] = json!({"replicas": replicas, "availableReplicas": replicas});
        web
    }

    async fn measured(web: &Value, pointer: &str, value: Value) -> Option<(u32, u32)> {
        let edit = Edit { fields: vec![(pointer.into(), Some(value))], ..Edit::default() };
        let proposal = proposed(&DEPLOYMENT.at(Some("shop"), "web").unwrap(), web, edit).unwrap();
        let stage = Stage::new([web.clone()]);
        let away = away(&stage.context(), &proposal, &[]).await.unwrap();
        away.map(|away| (away.pods, away.of))
    }

    const IMAGE: &str = "/spec/template/metadata/labels/x";

    #[tokio::test(start_paused = true)]
    async fn fewer_replicas_are_away_at_once_and_more_are_not() {
        assert_eq!(measured(&web(4, &json!({})), "/spec/replicas", json!(1)).await, Some((3, 4)));
        assert_eq!(measured(&web(4, &json!({})), "/spec/replicas", json!(9)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rollout_takes_what_its_strategy_lets_it() {
        assert_eq!(measured(&web(8, &json!({})), IMAGE, json!("1")).await, Some((2, 8)));
        assert_eq!(measured(&web(3, &json!({})), IMAGE, json!("1")).await, None);
        assert_eq!(measured(&web(3, &json!({"type": "Recreate"})), IMAGE, json!("1")).await, Some((3, 3)));
        let most = json!({"rollingUpdate": {"maxUnavailable": "50%"}});
        assert_eq!(measured(&web(5, &most), IMAGE, json!("1")).await, Some((2, 5)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_missing_already_counts() {
        let mut web = web(4, &json!({}));
        web["status"]["availableReplicas"] = json!(2);
        assert_eq!(measured(&web, "/spec/replicas", json!(3)).await, Some((3, 4)));
        assert_eq!(measured(&web, "/metadata/labels/x", json!("1")).await, None);
    }
}
