//! Work that must not break off in the middle.
//!
//! A Job that was deleted must be created again, whatever becomes of the step
//! that wanted it: its clock runs out, a guard breaks, somebody presses
//! Ctrl-C. Such work runs as a task of its own. Whoever stops a step waits for
//! its tasks before anything is said about what is in flight, so that a run
//! does not end, and no process exits, while one of them is under way; each
//! has a clock of its own.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::context::Context;
use super::tap::on_behalf_of;
use crate::event::{Class, Failure, StepId};

/// The tasks of a run that must come to their end.
#[derive(Debug, Default)]
pub struct Unbroken(Mutex<Vec<(StepId, JoinHandle<()>)>>);

impl Unbroken {
    fn add(&self, step: StepId, task: JoinHandle<()>) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|(_, task)| !task.is_finished());
        tasks.push((step, task));
    }

    /// Waits for the tasks of a step.
    pub(super) async fn join(&self, step: &StepId) {
        let mut theirs = Vec::new();
        {
            let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (of, task) in std::mem::take(&mut *tasks) {
                if of == *step { theirs.push(task) } else { tasks.push((of, task)) }
            }
        }
        for task in theirs {
            // A task that panicked has said so; what it left in flight is looked up next.
            let _ = task.await;
        }
    }
}

impl Context {
    /// Runs what must not break off as a task of its own; a caller that is let go of does not end it.
    ///
    /// # Errors
    /// Its own, or that it broke off all the same.
    pub(super) async fn unbroken<T, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let step = self.step().clone();
        let work = work(Self::new(Arc::clone(&self.shared), step.clone(), Arc::clone(self.scope())));
        let (tell, told) = oneshot::channel();
        let of = step.clone();
        let task = tokio::spawn(async move {
            // Whoever wanted to hear of it may be gone.
            drop(tell.send(on_behalf_of(&of, work).await));
        });
        self.shared.unbroken.add(step, task);
        let broken = || Failure::new(Class::Cancelled, "the work broke off");
        told.await.unwrap_or_else(|_| Err(broken()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::stage::Stage;

    #[tokio::test(start_paused = true)]
    async fn a_step_that_is_let_go_of_is_waited_for_to_its_last_word() {
        let stage = Stage::new([]);
        let context = stage.context();
        let (done, mut heard) = tokio::sync::oneshot::channel();
        let work = context.unbroken(|_| async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            done.send(()).ok();
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_secs(1), work).await.is_err());
        assert!(heard.try_recv().is_err());
        context.shared.unbroken.join(context.step()).await;
        assert!(heard.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_answer_comes_back_to_whoever_still_waits() {
        let stage = Stage::new([]);
        assert_eq!(stage.context().unbroken(|_| async { Ok(7) }).await.unwrap(), 7);
    }
}
