//! One look at what is waited for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Subject, WaitUntil};
use crate::action::cause;
use crate::action::context::Context;
use crate::action::follow::Follow;
use crate::action::job::{self, Ended};
use crate::action::wait::{Explainer, gone};
use crate::cluster::resource::Address;
use crate::document::ObjectSet;
use crate::event::{Class, Failure, ObjectId};
use crate::template::Scope;

/// What a look showed.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// The object, the set, the answer.
    pub(super) result: Value,
    /// The facts beside it.
    pub(super) info: Value,
    /// Whether the result is a secret.
    pub(super) secret: bool,
    /// What does not hold; nothing: all does.
    pub(super) amiss: Option<String>,
}

/// What looks, and remembers between looks.
#[derive(Debug)]
pub(super) struct Eyes<'a> {
    context: &'a Context,
    wait: &'a WaitUntil,
    one: Option<One<'a>>,
    /// How often there was something to see.
    seen: u64,
}

#[derive(Debug)]
struct One<'a> {
    address: Address,
    /// Without a pace in the book the server says when to look.
    follow: Option<Follow<'a>>,
    explainer: Explainer,
}

impl<'a> Eyes<'a> {
    pub(super) async fn new(context: &'a Context, wait: &'a WaitUntil) -> Result<Self, Failure> {
        let one = match &wait.subject {
            Subject::One(target) => {
                let address = context.one(target).await?;
                let paced = wait.arguments.every.is_some();
                let follow = if paced { None } else { Some(Follow::object(context, &address)) };
                Some(One { address, follow, explainer: Explainer::new(wait.fail_fast()) })
            }
            Subject::Set(_) | Subject::Answer(_) => None,
        };
        Ok(Self { context, wait, one, seen: 0 })
    }

    /// Whether the looks come at their own pace.
    pub(super) fn are_paced(&self) -> bool {
        self.one.as_ref().is_some_and(|one| one.follow.is_some())
    }

    /// Looks once.
    ///
    /// # Errors
    /// What waiting does not mend.
    pub(super) async fn look(&mut self) -> Result<Sight, Failure> {
        let sight = match &self.wait.subject {
            Subject::One(_) => self.object().await,
            Subject::Set(set) => self.set(set).await,
            Subject::Answer(action) => match action.act(self.context).await {
                Ok(seen) => {
                    let amiss = self.amiss(&seen.result, &seen.info)?;
                    Ok(Sight { result: seen.result, info: seen.info, secret: seen.secret, amiss })
                }
                Err(failure) if time_may_mend(&failure) => Ok(Sight::bad(failure)),
                Err(failure) => Err(failure),
            },
        }?;
        self.seen += 1;
        Ok(sight)
    }

    /// Says why one object takes so long, and gives up where waiting does not mend it.
    pub(super) async fn explain(&mut self, sight: &Sight, line: String) -> Result<(), Failure> {
        let id = ObjectId::of(&sight.result);
        let Some(one) = self.one.as_mut().filter(|_| sight.amiss.is_some()) else {
            self.context.waiting(&line, Vec::new());
            return Ok(());
        };
        match id.kind.as_str() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                one.explainer.look(self.context, &sight.result, line, false).await
            }
            "Pod" => {
                let words = cause::of_pod(&sight.result).map(|cause| format!("; {}", cause.line)).unwrap_or_default();
                self.context.waiting(&format!("{line}{words}"), Vec::new());
                Ok(())
            }
            _ => {
                self.context.waiting(&line, Vec::new());
                Ok(())
            }
        }
    }

    async fn object(&mut self) -> Result<Sight, Failure> {
        let Some(one) = &mut self.one else { return Err(Failure::new(Class::Invalid, "nothing is named")) };
        let found = match &mut one.follow {
            Some(follow) => follow.next().await?,
            None => match self.context.find(&one.address).await {
                Err(failure) if is_passing(&failure) => return Ok(Sight::bad(failure)),
                found => found?,
            },
        };
        match found {
            Some(object) => {
                let amiss = self.amiss(&object, &json!({}))?;
                if amiss.is_some() {
                    not_a_failed_job(self.context, &object).await?;
                }
                Ok(Sight { result: object, info: json!({}), secret: false, amiss })
            }
            None if self.seen == 0 => {
                let failure = Failure::new(Class::NotFound, format!("{} is not there to be waited for", one.address));
                Err(failure.help("wait after the step that makes it, or for a set with `min: 0`"))
            }
            None => Err(gone(&one.address)),
        }
    }

    /// Every object of the set, as it is now.
    async fn set(&mut self, set: &ObjectSet) -> Result<Sight, Failure> {
        let selection = match self.context.select(set, 1).await {
            Ok(selection) => selection,
            // Fewer than there were may be pods that are just being replaced.
            Err(failure) if self.seen > 0 && failure.class == Class::Expectation => return Ok(Sight::bad(failure)),
            Err(failure) if is_passing(&failure) => return Ok(Sight::bad(failure)),
            Err(failure) => return Err(failure),
        };
        if !selection.complete {
            return Err(incomplete(set));
        }
        let (mut amiss, mut bad) = (None, 0);
        for item in &selection.items {
            if let Some(line) = self.amiss(item, &json!({}))? {
                not_a_failed_job(self.context, item).await?;
                bad += 1;
                amiss.get_or_insert_with(|| format!("{}: {line}", ObjectId::of(item)));
            }
        }
        let total = selection.items.len();
        let amiss = amiss.map(|first| if total > 1 { format!("{bad} of {total} not yet; {first}") } else { first });
        let result = json!({"items": selection.items, "total": total});
        Ok(Sight { result, info: json!({"complete": true}), secret: false, amiss })
    }

    /// The first expectation that does not hold, in words.
    fn amiss(&self, result: &Value, info: &Value) -> Result<Option<String>, Failure> {
        let scope = self.scope(result, info);
        for expectation in &self.wait.until {
            let mismatch = expectation
                .check(result, &scope)
                .map_err(|message| Failure::new(Class::Evaluation, format!("`until`: {message}")))?;
            if let Some(mismatch) = mismatch {
                return Ok(Some(mismatch.to_string()));
            }
        }
        Ok(None)
    }

    /// What conditions see: `result` and `info` of this look.
    fn scope(&self, result: &Value, info: &Value) -> Arc<Scope> {
        if self.wait.until.iter().all(|expectation| expectation.condition().is_none()) {
            return Arc::clone(self.context.scope());
        }
        let mut scope = Scope::child(self.context.scope());
        scope.bind("result", result.clone().into());
        scope.bind("info", info.clone().into());
        Arc::new(scope)
    }
}

/// A Job that has failed does not get better.
async fn not_a_failed_job(context: &Context, object: &Value) -> Result<(), Failure> {
    match job::ended(object).filter(|_| ObjectId::of(object).kind == "Job") {
        Some(Ended::Failed(why)) => Err(job::failed(context, object, &why).await),
        _ => Ok(()),
    }
}

impl Sight {
    /// A look that showed nothing.
    fn bad(failure: Failure) -> Self {
        Self { amiss: Some(failure.message), info: json!({}), ..Self::default() }
    }
}

/// A list that may lack something says nothing about every object.
pub(super) fn incomplete(set: &ObjectSet) -> Failure {
    let message = format!("the list of {} is not complete, so nothing can be said of all", set.kind.plural);
    Failure::new(Class::Forbidden, message).help("wait for single objects, or ask for the permission to list them")
}

/// Whether a server could not answer just now.
fn is_passing(failure: &Failure) -> bool {
    matches!(failure.class, Class::Transport | Class::Server | Class::Throttle)
}

/// Whether the same action may do better a moment later.
fn time_may_mend(failure: &Failure) -> bool {
    match failure.class {
        Class::NotFound | Class::Conflict | Class::Command | Class::Expectation | Class::Hopeless | Class::Timeout => {
            true
        }
        // A server that finds a request wrong for now, such as a log before its container.
        Class::Invalid => failure.http_status == Some(400),
        _ => is_passing(failure),
    }
}

/// How long to pause before the next look.
pub(super) fn pause(every: Duration, rest: Option<Duration>) -> Duration {
    rest.filter(|rest| !rest.is_zero()).map_or(every, |rest| rest.min(every))
}
