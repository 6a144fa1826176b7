//! The copies of changes that stand in the journal: without values, without secrets.

use crate::event::{Change, Failure, ObjectId, Reversal, Settled, StepId};
use crate::secret::Redactor;

/// The change without the values it writes, and without secrets in its words.
pub(super) fn change(change: &Change, redactor: &Redactor) -> Change {
    let text = |text: &str| redactor.text(text).into_owned();
    Change {
        step: StepId(text(&change.step.0)),
        verb: change.verb,
        object: object(&change.object, redactor),
        summary: text(&change.summary),
        resource_version: text(&change.resource_version),
        body_digest: change.body_digest.clone(),
        written: Vec::new(),
        pods: change.pods,
        reversal: match &change.reversal {
            Reversal::Cannot(why) => Reversal::Cannot(text(why)),
            other => other.clone(),
        },
    }
}

fn object(object: &ObjectId, redactor: &Redactor) -> ObjectId {
    let text = |text: &str| redactor.text(text).into_owned();
    ObjectId {
        api_version: text(&object.api_version),
        kind: text(&object.kind),
        namespace: text(&object.namespace),
        name: text(&object.name),
        uid: text(&object.uid),
    }
}

/// What came of a change, without secrets in the server's words; the server's own numbers are no secrets.
pub(super) fn settled(settled: &Settled, redactor: &Redactor) -> Settled {
    match settled {
        Settled::Applied { .. } => settled.clone(),
        Settled::Refused(why) => Settled::Refused(failure(why, redactor)),
        Settled::Unknown(why) => Settled::Unknown(redactor.text(why).into_owned()),
    }
}

fn failure(failure: &Failure, redactor: &Redactor) -> Failure {
    let text = |text: &String| redactor.text(text).into_owned();
    Failure {
        class: failure.class,
        message: text(&failure.message),
        http_status: failure.http_status,
        reason: failure.reason.as_ref().map(text),
        cause: failure.cause.iter().map(text).collect(),
        help: failure.help.as_ref().map(text),
    }
}
