//! Going on with a run that broke off, step by step.
//!
//! Before the first step the changes in flight are settled by looking at
//! their objects: made, not made, or a person must say. Steps that have ended
//! are told to nobody again; only what expressions see of them, what they
//! blame and what they changed comes back.

use super::past::Ended;
use super::pause::Pause;
use super::run::{Run, Surroundings};
use super::step::At;
use crate::action::{Found, MadeChange, find_out_again, settle_as};
use crate::event::{Answer, Class, EventKind, Failure, ObjectId, Phase, Question, Reversal, Settled, StepId};
use crate::runbook::{Step, UndoPolicy};

impl Run {
    /// Hides again what is secret, and tells of changes that nobody was told of.
    pub(super) fn recall(&self) {
        let redactor = self.shared.fan.redactor();
        self.past.secrets().iter().for_each(|secret| redactor.register_value(secret));
        for made in self.past.made().iter().filter(|made| made.change.object.kind == "Secret") {
            let written = made.change.written.iter().flat_map(|field| [&field.before, &field.after]);
            written.flatten().for_each(|value| redactor.register_value(value));
        }
        for (change, settled) in self.past.untold() {
            let (change, settled) = (Box::new(change.clone()), settled.clone());
            self.shared.fan.tell(EventKind::Changed { change, settled });
        }
    }

    /// Finds out what came of the changes in flight; says whether the run can go on.
    pub(super) async fn settle_lost(&self) -> bool {
        for made in self.shared.made.in_flight() {
            let (settled, object) = match find_out_again(&self.shared, &made).await {
                Found::Made(object) => (applied(&made, &object), Some(object)),
                Found::NotMade => (not_made(), None),
                Found::Unread(why) => {
                    let message = format!("what came of {} cannot be looked up: {why}", in_words(&made));
                    self.stop_for(Pause::of(Failure::new(Class::Transport, message)).at(&made.change.step));
                    return false;
                }
                Found::Unclear(shows) => match self.ask_what_came_of(&made, shows).await {
                    Some(settled) => (settled, None),
                    None => return false,
                },
            };
            settle_as(&self.shared, &made, settled, object.as_ref());
            self.shared.made.unclaim(made.number);
        }
        true
    }

    /// Only a person can tell; without one the run waits.
    async fn ask_what_came_of(&self, made: &MadeChange, shows: String) -> Option<Settled> {
        let change = in_words(made);
        let question = Question::Settle { ticket: made.ticket, change: change.clone(), shows: shows.clone() };
        let answer = self.asker.ask(&question).await;
        self.tell_asked(format!("was it made: {change}?"), &answer);
        match answer {
            Answer::Yes => Some(applied(made, &serde_json::Value::Null)),
            Answer::No(_) => Some(not_made()),
            Answer::Nobody(_) | Answer::Filled(_) | Answer::Chosen(_) => {
                let message = format!("nobody can tell whether this was made: {change}; {shows}");
                let (run, ticket) = (&self.shared.facts.run, made.ticket);
                let next = ["made", "not-made"].map(|word| format!("runhub resume {run} --{word} {ticket}"));
                self.stop_for(Pause::of(Failure::new(Class::Conflict, message)).at(&made.change.step).next(next));
                None
            }
        }
    }

    /// A step that an earlier process has brought to its end; says whether the list goes on.
    pub(super) fn ended_before(&self, at: At<'_>, ended: &Ended) -> bool {
        let bad = ended.tried.verdict.status().is_bad();
        if bad && !ended.tolerated {
            let own = || (at.id.clone(), self.title(at.step, &at.around.scope), ended.tried.verdict.clone());
            let (step, name, verdict) = self.past.blamed_within(at.id).unwrap_or_else(own);
            self.blame(&step, &name, &verdict);
        }
        self.recall_step(at, ended);
        if bad && !ended.tolerated && at.around.parent.is_none() && at.around.phase != Phase::OnFailure {
            self.decide();
        }
        !bad || ended.tolerated
    }

    /// What expressions and undo know of an ended step, and of those inside it.
    fn recall_step(&self, at: At<'_>, ended: &Ended) {
        at.note(&ended.tried);
        if ended.tolerated {
            self.tolerate();
        }
        if let UndoPolicy::Never(reason) = &at.step.undo {
            self.shared.made.reverse_by(at.id, &Reversal::Cannot(reason.clone()));
        }
        self.shared.made.close(at.id);
        // The steps inside a loop are seen by its items alone.
        if at.step.for_each.is_none() {
            self.recall_inside(at);
        }
    }

    fn recall_inside(&self, at: At<'_>) {
        let inner = at.inside();
        for step in at.step.lists().into_iter().flatten() {
            let id = at.id.child(&step.id);
            if let Some(ended) = self.past.take_ended(&id) {
                self.recall_step(At { step, id: &id, around: &inner }, &ended);
            }
        }
    }

    /// The steps of an item that an earlier process has brought to its end.
    pub(super) fn recall_item(&self, step: &Step, id: &StepId, around: &Surroundings) {
        self.shared.made.close(id);
        self.recall_inside(At { step, id, around });
    }
}

fn in_words(made: &MadeChange) -> String {
    format!("{}: {} (step {})", made.change.object, made.change.summary, made.change.step)
}

fn applied(made: &MadeChange, object: &serde_json::Value) -> Settled {
    let id = ObjectId::of(object);
    let text = |pointer: &str| object.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
    Settled::Applied {
        uid: if id.uid.is_empty() { made.change.object.uid.clone() } else { id.uid },
        resource_version: text("/metadata/resourceVersion").to_owned(),
        generation: object.pointer("/metadata/generation").and_then(serde_json::Value::as_i64).unwrap_or(0),
    }
}

fn not_made() -> Settled {
    Settled::Refused(Failure::new(Class::Cancelled, "the run broke off before the server did it"))
}
