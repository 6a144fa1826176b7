//! `KubeSphere` runs the Job again: it deletes and creates by itself.
//!
//! Its handler deletes first and may fail to create (wire §12.6), so the Job
//! is looked for afterwards, and made by us where it is gone.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::{Again, recreate};
use crate::action::change::{Proposal, resource_version};
use crate::action::context::Context;
use crate::action::failure;
use crate::action::job::NO_WAY_BACK;
use crate::cluster::path::Path;
use crate::cluster::refusal::Layer;
use crate::cluster::resource::Address;
use crate::cluster::{Request, Write};
use crate::event::{Class, Failure, ObjectId, Reversal, Verb};

/// How often, a second apart, the Job is looked for before it is taken for gone.
const LOOKS: u32 = 5;

/// Asks for it, and makes sure that the Job is there afterwards.
pub(super) async fn ask(context: &Context, address: Address, job: Value) -> Result<Again, Failure> {
    let provider = context.client().provider();
    if !provider.has(Layer::Kapis) {
        let message = format!("`strategy: operations-api` needs KubeSphere, and {} is none", provider.about());
        return Err(Failure::new(Class::Unsupported, message).help("leave `strategy` out"));
    }
    let manifest = recreate::rehearsed(context, &job).await?;
    let old = ObjectId::of(&job).uid;
    let (place, uid) = (address.clone(), old.clone());
    let again = context.unbroken(move |context| async move {
        let asked = context.change(proposal(&place, &job)?).await;
        settled(&context, &place, &uid, asked, manifest).await
    });
    Ok(Again { job: again.await?, address, pods: Vec::new(), replaced: Some(old) })
}

/// The Job as it is afterwards: the new one, or one made by us where there is none.
async fn settled(
    context: &Context,
    address: &Address,
    old: &str,
    asked: Result<Value, Failure>,
    manifest: Value,
) -> Result<Value, Failure> {
    for _ in 0..LOOKS {
        // A server that cannot be read now says nothing about the Job.
        match (context.find(address).await.unwrap_or_default(), &asked) {
            (Some(found), _) if ObjectId::of(&found).uid != old => return Ok(found),
            (Some(found), Err(failure)) if !is_going(&found) => return Err(failure.clone()),
            _ => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
    match context.find(address).await {
        Ok(Some(found)) if !is_going(&found) => {
            let message = format!("KubeSphere said that {address} runs again, and it is still the same Job");
            Err(Failure::new(Class::Server, message).help("leave `strategy` out"))
        }
        _ => {
            let why = asked.err().map_or_else(|| "it said that it did".to_owned(), |failure| failure.message);
            context.warn(format!("KubeSphere did not create {address} again ({why}): this run does"));
            recreate::restored(context, address, old, manifest).await
        }
    }
}

fn is_going(job: &Value) -> bool {
    job.pointer("/metadata/deletionTimestamp").is_some()
}

fn proposal(address: &Address, job: &Value) -> Result<Proposal, Failure> {
    Ok(Proposal {
        verb: Verb::Execute,
        // What came of a lost answer is seen from the Job itself, afterwards.
        address: None,
        object: ObjectId::of(job),
        summary: "run again by KubeSphere".into(),
        request: request(address, job).map_err(|error| failure::of_error(&error.into(), "the operations API"))?,
        before: Some(Arc::new(job.clone())),
        written: Vec::new(),
        reversal: Reversal::Cannot(NO_WAY_BACK.into()),
        pods: recreate::running(job),
    })
}

fn request(address: &Address, job: &Value) -> Result<Request<Write>, crate::cluster::path::PathError> {
    let path = Path::of("/kapis/operations.kubesphere.io/v1alpha2/namespaces")
        .push(address.namespace().unwrap_or_default())?
        .push("jobs")?
        .push(address.name())?;
    let request = Request::change(Method::POST, path).with("action", "rerun");
    Ok(request.with("resourceVersion", resource_version(job)).label(format!("run {address} again")))
}
