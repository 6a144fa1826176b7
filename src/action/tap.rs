//! Every exchange with the target, told as an event of the step it was for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cluster::tap::{Answered, Dropped, Sent, Tap};
use crate::event::{EventKind, Exchange, ExchangeEnd, Fan, StepId};

tokio::task_local! {
    static STEP: StepId;
}

/// Runs `work` so that its exchanges are told as this step's.
pub async fn on_behalf_of<T>(step: &StepId, work: impl Future<Output = T>) -> T {
    STEP.scope(step.clone(), work).await
}

/// Tells the fan of every exchange.
#[derive(Debug)]
pub struct ExchangeTap {
    fan: Arc<Fan>,
    open: Mutex<HashMap<u64, Sent>>,
}

impl ExchangeTap {
    /// A tap for one run.
    pub fn new(fan: Arc<Fan>) -> Self {
        Self { fan, open: Mutex::default() }
    }

    fn close(&self, id: u64) -> Option<Sent> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    fn tell(&self, sent: &Sent, end: ExchangeEnd, elapsed: std::time::Duration) {
        let step = STEP.try_with(Clone::clone).ok();
        self.fan.tell(EventKind::Exchanged(Box::new(Exchange {
            step,
            method: sent.method.to_string(),
            path: sent.path.clone(),
            sent_bytes: sent.body.as_ref().map_or(0, |body| u64::try_from(body.len()).unwrap_or(u64::MAX)),
            end,
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        })));
    }
}

impl Tap for ExchangeTap {
    fn sent(&self, sent: &Sent) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(sent.id, sent.clone());
    }

    fn answered(&self, answered: &Answered) {
        let Some(sent) = self.close(answered.id) else { return };
        let bytes = u64::try_from(answered.bytes).unwrap_or(u64::MAX);
        self.tell(&sent, ExchangeEnd::Answered { status: answered.status, bytes }, answered.elapsed);
    }

    fn dropped(&self, dropped: &Dropped) {
        let Some(sent) = self.close(dropped.id) else { return };
        let end = match &dropped.cause {
            Some(cause) => ExchangeEnd::Broken(cause.to_string()),
            None => ExchangeEnd::Dropped,
        };
        self.tell(&sent, end, dropped.elapsed);
    }
}
