//! `pause`: nothing, for a while.

use serde_json::json;

use crate::action::Observed;
use crate::document::DurationText;
use crate::engine::guards::any_tripped;
use crate::engine::run::{Run, Surroundings, fill};
use crate::event::{CancelReason, Class, EventKind, Failure, StepId, Verdict, Waiting};
use crate::form::Form;

impl Run {
    pub(super) async fn pause(&self, form: &Form, id: &StepId, around: &Surroundings) -> Result<Observed, Verdict> {
        let (value, _) = fill(form, &around.scope, &self.shared.fan).map_err(Verdict::Errored)?;
        let text = value.as_str().unwrap_or_default();
        let pause = DurationText::parse(text).map_err(|reason| {
            Verdict::Errored(Failure::new(Class::Evaluation, format!("`pause` takes a duration: {reason}")))
        })?;
        self.shared.fan.tell(EventKind::StepWaiting(Waiting { step: id.clone(), line: format!("pausing {pause}") }));
        let overdue = async {
            match around.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            reason = self.cancel.at_least(around.stopped_by) => Err(Verdict::Cancelled(reason)),
            () = any_tripped(&around.wires) => Err(Verdict::Cancelled(CancelReason::Guard)),
            () = tokio::time::sleep(pause.duration()) => Ok(Observed { info: json!({"waited": pause.to_string()}), ..Observed::default() }),
            () = overdue => Err(Verdict::Cancelled(CancelReason::Deadline)),
        }
    }
}
