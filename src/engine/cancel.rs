//! Stopping a run, from outside or by a clock.

use tokio::sync::watch;

use crate::event::CancelReason;

/// Tells everyone who listens that the run is being stopped; only ever grows more severe.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Sender<Option<CancelReason>>);

impl Default for Cancel {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Cancel {
    /// Stops the run for a reason; a milder one than before changes nothing.
    pub fn raise(&self, reason: CancelReason) {
        self.0.send_if_modified(|present| {
            let graver = *present < Some(reason);
            if graver {
                *present = Some(reason);
            }
            graver
        });
    }

    /// Why the run is being stopped, if it is.
    pub fn reason(&self) -> Option<CancelReason> {
        *self.0.borrow()
    }

    /// Ends when the run is stopped for a reason at least as grave as `least`.
    pub async fn at_least(&self, least: CancelReason) -> CancelReason {
        let mut listener = self.0.subscribe();
        loop {
            if let Some(reason) = (*listener.borrow_and_update()).filter(|reason| *reason >= least) {
                return reason;
            }
            if listener.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_graver_reason_counts() {
        let cancel = Cancel::default();
        cancel.raise(CancelReason::Interrupt);
        cancel.raise(CancelReason::Deadline);
        assert_eq!(cancel.reason(), Some(CancelReason::Interrupt));
        let waiting =
            tokio::time::timeout(std::time::Duration::from_secs(1), cancel.at_least(CancelReason::SecondInterrupt));
        assert!(waiting.await.is_err(), "one interrupt is not two");
        cancel.raise(CancelReason::SecondInterrupt);
        assert_eq!(cancel.at_least(CancelReason::Interrupt).await, CancelReason::SecondInterrupt);
    }
}
