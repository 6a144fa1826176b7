//! The lane that looks again and again.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::time::{Instant, sleep};

use super::super::{Error, Read, Refusal, Request};
use super::{Sight, Subject};

/// The first pause, and each while the stream is held back; the follower's list is the first look.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);
/// The longest wait for one look.
const DEADLINE: Duration = Duration::from_secs(10);

struct Lane {
    subject: Subject,
    pause: Duration,
    /// The last look failed: there is no hurry.
    troubled: bool,
    over: bool,
}

/// Looks until a refusal that time does not heal.
pub(super) fn lane(subject: Subject) -> BoxStream<'static, Sight> {
    stream::unfold(Lane { subject, pause: FIRST, troubled: false, over: false }, step).boxed()
}

async fn step(mut lane: Lane) -> Option<(Sight, Lane)> {
    if lane.over {
        return None;
    }
    let hurry = lane.subject.is_held_back() && !lane.troubled;
    let pause = if hurry { FIRST } else { lane.pause };
    sleep(pause).await;
    lane.pause = (pause * 2).min(LONGEST);
    let sight = look(&lane.subject).await;
    lane.troubled = matches!(sight, Sight::Trouble(_));
    match &sight {
        Sight::Over(_) => lane.over = true,
        Sight::Trouble(error) => {
            let wished = error.refusal().and_then(|refusal| refusal.retry_after);
            lane.pause = lane.pause.max(wished.unwrap_or_default());
        }
        _ => {}
    }
    Some((sight, lane))
}

async fn look(subject: &Subject) -> Sight {
    let asked = Instant::now();
    let outcome = match &subject.one {
        Some(address) => found(subject, &address.get().timeout(DEADLINE)).await,
        None => subject.client.native_list(&subject.collection, subject.sieve.as_ref()).await.map(Sight::Look),
    };
    match outcome {
        Ok(sight) => sight,
        Err(error) if subject.one.is_some() && error.is_not_found() => Sight::Missing(asked),
        // A list that grew too old even without pages: the next look begins anew.
        Err(error) if error.is_transient() || error.refusal().is_some_and(Refusal::is_gone) => Sight::Trouble(error),
        Err(error) => Sight::Over(error),
    }
}

async fn found(subject: &Subject, request: &Request<Read>) -> Result<Sight, Error> {
    let mut object = subject.client.read_json(request).await?;
    subject.collection.resource().name_kind(&mut object);
    Ok(Sight::Found(object))
}
