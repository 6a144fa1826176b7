//! A single pod anew: sent away, and replaced by whatever controls it.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::follow::Follow;
use super::super::pods::{Sent, ask_again, proposal, send_away};
use super::super::{Blind, Context, Look, Observed, Outlook, failure, set};
use super::pods::{Pace, replace};
use crate::cluster::resource::Address;
use crate::document::Target;
use crate::event::{Class, EffectKind, Failure, ObjectId};

/// Controllers whose pods can be counted.
const COUNTED: [&str; 3] = ["ReplicaSet", "StatefulSet", "DaemonSet"];

/// Sends one pod away and waits for its replacement.
pub(super) async fn restart(context: &Context, address: &Address, pace: Pace) -> Result<Observed, Failure> {
    let pod = context.get(address).await?;
    let id = ObjectId::of(&pod);
    let (owner, kind) = controller(context, &pod).await?;
    let started = Instant::now();
    let changed = if COUNTED.contains(&kind.as_str()) {
        let only = Pace { only: Some(id.uid.clone()), at_once: 1, ..pace };
        replace(context, &owner, only).await?.changed
    } else {
        alone(context, address, &pod, &pace).await?
    };
    let mut info = json!({"pods": u8::from(changed), "owner": owner.to_string()});
    if pace.wait {
        set(&mut info, "waited", u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
    Ok(Observed { result: pod, info, changed, secret: false })
}

/// What sending single pods away would do.
pub(super) async fn look(look: &Look, target: &Target, pace: &Pace) -> Result<Outlook, Blind> {
    let mut outlook = Outlook::default();
    for seen in look.objects(target, 1).await? {
        controller(look.context(), &seen.object).await?;
        let proposal = proposal(look.context(), &seen.object, pace.going).await?;
        outlook.effects.push(look.rehearse(&seen, proposal).await?);
    }
    Ok(outlook.named(EffectKind::Restart))
}

/// What replaces the pod; without that it would be a deletion by another name.
async fn controller(context: &Context, pod: &Value) -> Result<(Address, String), Failure> {
    let id = ObjectId::of(pod);
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner = owners.into_iter().flatten().find(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    let text = |field: &str| owner.and_then(|owner| owner.get(field)?.as_str()).unwrap_or_default().to_owned();
    let (version, kind, name) = (text("apiVersion"), text("kind"), text("name"));
    if kind.is_empty() || kind == "Node" {
        let failure = Failure::new(Class::Invalid, format!("{id} has no controller: nothing would replace it"));
        return Err(failure.help("say `delete` if it is to go"));
    }
    let resource = context.client().resource(&version, &kind).await;
    let resource = resource.map_err(|error| failure::of_error(&error, &format!("the controller of {id}")))?;
    let owner = resource.at(Some(&id.namespace), &name);
    Ok((owner.map_err(|error| failure::of_error(&error.into(), &id.to_string()))?, kind))
}

/// A pod whose controller counts in a way of its own: only its going is waited for.
async fn alone(context: &Context, address: &Address, pod: &Value, pace: &Pace) -> Result<bool, Failure> {
    let mut sent = send_away(context, pod, pace.going).await?;
    while let Sent::Protected(words) = sent {
        context.waiting(&words, Vec::new());
        tokio::time::sleep(super::pods::PROTECTED).await;
        sent = ask_again(context, pod, pace.going).await?;
    }
    let uid = ObjectId::of(pod).uid;
    let mut follow = Follow::object(context, address);
    if !pace.wait {
        return Ok(true);
    }
    loop {
        match follow.next().await? {
            Some(now) if ObjectId::of(&now).uid == uid => context.waiting(&format!("{address} is going"), Vec::new()),
            _ => break,
        }
    }
    Ok(true)
}
