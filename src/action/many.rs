//! One object or a set: the same verb on each, one result.

use std::future::Future;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::{Value, json};

use super::back::address_of;
use super::{Context, Observed};
use crate::cluster::resource::Address;
use crate::document::{ObjectSet, Target};
use crate::event::{Class, Failure, ObjectId};

/// Objects of a set that are worked on at once, where nothing is written.
const AT_ONCE: usize = 8;

/// Does `work` to the target: to one object, or to each of a set.
///
/// # Errors
/// The object's own; of a set one failure that names every object that failed.
pub(super) async fn with_target<'a, F>(
    context: &'a Context,
    target: &Target,
    work: impl Fn(Address) -> F + Sync,
) -> Result<Observed, Failure>
where
    F: Future<Output = Result<Observed, Failure>> + Send + 'a,
{
    let Target::Set(set) = target else { return work(context.one(target).await?).await };
    let selection = context.select(set, 1).await?;
    if !selection.complete {
        let message = format!("the list of {} may be incomplete, and a change may not depend on it", set.kind.plural);
        return Err(Failure::new(Class::Forbidden, message)
            .help("the native list is refused: name the namespaces you may list with `in`"));
    }
    each_of(context, set, &selection.items, work).await
}

/// Does `work` to each of a set's objects, `max-parallel` at once; all are tried.
///
/// # Errors
/// One failure that names every object that failed.
pub(super) async fn each_of<'a, F>(
    context: &'a Context,
    set: &ObjectSet,
    items: &[Value],
    work: impl Fn(Address) -> F + Sync,
) -> Result<Observed, Failure>
where
    F: Future<Output = Result<Observed, Failure>> + Send + 'a,
{
    let at_once = set.max_parallel.map_or(AT_ONCE, |most| usize::try_from(most.max(1)).unwrap_or(usize::MAX));
    let mut waiting = items.iter().map(ObjectId::of).enumerate();
    let mut running = FuturesUnordered::new();
    let mut ends: Vec<(usize, ObjectId, Result<Observed, Failure>)> = Vec::new();
    loop {
        while running.len() < at_once {
            let Some((index, object)) = waiting.next() else { break };
            let address = address_of(context, &object).await?;
            let done = work(address);
            running.push(async move { (index, object, done.await) });
        }
        let Some(end) = running.next().await else { break };
        ends.push(end);
    }
    ends.sort_by_key(|(index, ..)| *index);
    gathered(ends)
}

fn gathered(ends: Vec<(usize, ObjectId, Result<Observed, Failure>)>) -> Result<Observed, Failure> {
    let (mut items, mut changed, mut unchanged, mut failed) = (Vec::new(), 0_u64, 0_u64, Vec::new());
    let mut waited = 0;
    for (_, object, end) in ends {
        match end {
            Ok(observed) => {
                if observed.changed {
                    changed += 1;
                } else {
                    unchanged += 1;
                }
                waited = waited.max(observed.info.get("waited").and_then(Value::as_u64).unwrap_or(0));
                items.push(observed.result);
            }
            Err(failure) => failed.push((object, failure)),
        }
    }
    if let [(_, first), ..] = failed.as_slice() {
        let class =
            if failed.iter().all(|(_, failure)| failure.class == first.class) { first.class } else { Class::Hopeless };
        let lines: Vec<String> = failed.iter().map(|(object, failure)| format!("{object}: {failure}")).collect();
        let total = failed.len() + items.len();
        let message = format!("{} of {total} failed: {}", failed.len(), lines.join("; "));
        return Err(Failure { class, message, ..first.clone() });
    }
    let total = items.len();
    let info = json!({"changed": changed, "unchanged": unchanged, "failed": 0, "complete": true, "waited": waited});
    Ok(Observed { result: json!({"items": items, "total": total}), info, changed: changed > 0, secret: false })
}
