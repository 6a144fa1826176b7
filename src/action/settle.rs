//! Waiting for the rollouts that taking things back has caused.

use super::back::address_of;
use super::context::Context;
use super::rollout::Baseline;
use super::wait::await_rollout;
use crate::event::{Failure, ObjectId};

/// Waits until every touched workload has arrived where its spec wants it.
///
/// # Errors
/// The first rollout that does not arrive.
pub async fn settle_rollouts(context: &Context, touched: &[ObjectId]) -> Result<(), Failure> {
    for object in touched
        .iter()
        .filter(|object| matches!(object.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"))
    {
        let address = address_of(context, object).await?;
        // What this run created is gone when it is taken back: there is nothing to roll out.
        let there = context.find(&address).await?.filter(|now| now.pointer("/metadata/deletionTimestamp").is_none());
        if let Some(now) = there {
            await_rollout(context, &address, Some(Baseline::first_look(&now).counting())).await?;
        }
    }
    Ok(())
}
