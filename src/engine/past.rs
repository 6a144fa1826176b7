//! What earlier processes did of this run: the journal, folded back.
//!
//! The engine walks the book of a resumed run from its beginning. A step that
//! has ended is taken from here, silently; one that was begun is begun anew
//! and finds its own changes made (`action::again`); the rest runs as ever.
//! Each note is taken once, so that a group that is tried again afterwards
//! runs for real. The past of a fresh run is empty.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use super::step::Tried;
use crate::action::{Choices, Made, MadeChange};
use crate::clock::Timestamp;
use crate::event::{
    Approval, CancelReason, Change, Event, EventKind, Phase, Record, RunEnd, RunHead, Settled, StepEnd, StepHead,
    StepId, Verdict, Written,
};
use crate::journal::{Error, Intended, Journaled, Mark, Vault};

/// What earlier processes did of a run.
#[derive(Debug, Default)]
pub struct Past {
    /// How it was begun.
    head: Option<RunHead>,
    at: Option<Timestamp>,
    started: Option<Json>,
    end: Option<RunEnd>,
    inputs: Option<Json>,
    vars: Option<Json>,
    made: Vec<MadeChange>,
    choices: Vec<(StepId, String, Json)>,
    ways_back: Vec<StepId>,
    /// Changes that were settled and never told of.
    untold: Vec<(Change, Settled)>,
    phases: Vec<Phase>,
    interrupted: bool,
    /// How long the run was at work.
    worked: Duration,
    stopped_twice: bool,
    anew: Mutex<Vec<StepId>>,
    notes: Mutex<Notes>,
}

/// What is known of single steps.
#[derive(Debug, Default)]
struct Notes {
    begun: HashMap<StepId, (StepHead, Timestamp)>,
    ended: HashMap<StepId, Ended>,
    tried: HashMap<StepId, Tried>,
    attempts: HashMap<StepId, u32>,
    items: HashMap<StepId, Vec<Json>>,
    answered: HashMap<StepId, Approval>,
}

/// A step that has ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) tried: Tried,
    pub(super) tolerated: bool,
    /// Among all that ended, the how-manieth.
    order: u64,
}

impl Ended {
    fn of(end: &StepEnd, tried: Option<Tried>, order: u64) -> Self {
        let tried = tried.unwrap_or_else(|| Tried {
            attempts: end.attempts,
            changed: end.changed,
            outputs: end.outputs.clone().into_iter().collect(),
            info: end.info.clone(),
            expectations: end.expectations,
            ..Tried::new(end.verdict.clone())
        });
        Self { tried, tolerated: end.tolerated, order }
    }

    fn is_bad(&self) -> bool {
        self.tried.verdict.status().is_bad()
    }
}

impl Past {
    /// Folds a journal, with the values from its vault.
    ///
    /// # Errors
    /// When a value in the vault is missing or was altered.
    pub fn of(journaled: &Journaled, vault: &Vault) -> Result<Self, Error> {
        let mut fold = Fold::default();
        for mark in &journaled.order {
            match *mark {
                Mark::Event(index) => journaled.events.get(index).into_iter().for_each(|event| fold.event(event)),
                Mark::Record(index) => {
                    if let Some(remembered) = journaled.records.get(index) {
                        fold.record(vault.record(remembered)?);
                    }
                }
                Mark::Intent(index) => {
                    if let Some(intended) = journaled.intents.get(index) {
                        fold.intent(intended, vault)?;
                    }
                }
            }
        }
        Ok(fold.end())
    }

    /// How the run was begun.
    pub fn head(&self) -> Option<&RunHead> {
        self.head.as_ref()
    }

    /// What the one who began it left for those who go on.
    pub fn started(&self) -> Option<&Json> {
        self.started.as_ref()
    }

    /// The inputs, by name.
    pub fn inputs(&self) -> Option<&Json> {
        self.inputs.as_ref()
    }

    /// How it ended, where it did.
    pub fn end(&self) -> Option<&RunEnd> {
        self.end.as_ref()
    }

    /// The changes that were made or sent, oldest first.
    pub fn made(&self) -> &[MadeChange] {
        &self.made
    }

    /// Whether a list of the book had begun.
    pub fn has_phase(&self, phase: Phase) -> bool {
        self.phases.contains(&phase)
    }

    /// Whether any step had begun: consent was given, and what the book requires was there.
    pub fn has_begun(&self) -> bool {
        !self.notes().begun.is_empty()
    }

    /// Whether a step has ended, by its full name.
    pub fn has_ended(&self, step: &str) -> bool {
        self.notes().ended.contains_key(&StepId(step.to_owned()))
    }

    /// Whether it was interrupted a second time, and stopped where it stood.
    pub fn was_stopped_twice(&self) -> bool {
        self.stopped_twice
    }

    /// Steps that are not as they were when they were begun find none of their changes made.
    pub fn run_anew(&self, steps: &[String]) {
        let mut anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        anew.extend(steps.iter().map(|step| StepId(step.clone())));
    }

    /// The step that waits for an approval, where one does.
    pub fn awaits_approval(&self) -> Option<StepId> {
        let notes = self.notes();
        let waits = |(id, (head, _)): &(&StepId, &(StepHead, Timestamp))| {
            head.action == "approve" && !notes.ended.contains_key(*id) && !notes.answered.contains_key(*id)
        };
        notes.begun.iter().find(waits).map(|(id, _)| id.clone())
    }

    pub(super) fn began_at(&self) -> Option<Timestamp> {
        self.at
    }

    pub(super) fn vars(&self) -> Option<&Json> {
        self.vars.as_ref()
    }

    pub(super) fn worked(&self) -> Duration {
        self.worked
    }

    pub(super) fn untold(&self) -> &[(Change, Settled)] {
        &self.untold
    }

    /// Interrupted, and then `always` had begun: the steps never go on.
    pub(super) fn was_interrupted(&self) -> bool {
        self.interrupted && self.has_phase(Phase::Always)
    }

    /// Gives the changes and choices to those who are asked for them.
    pub(super) fn hand_over(&self, made: &Made, choices: &Choices) {
        made.restore(self.made.clone());
        for step in self.anew.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match step.0.as_str() {
                "all" => self.made.iter().for_each(|earlier| made.close(&earlier.change.step)),
                _ => made.close(step),
            }
        }
        for way in &self.ways_back {
            made.reverse_by(way, &crate::event::Reversal::Nothing);
        }
        for (step, key, value) in &self.choices {
            choices.keep(step.clone(), key.clone(), value.clone());
        }
    }

    /// Outputs that are never shown.
    pub(super) fn secrets(&self) -> Vec<Json> {
        let notes = self.notes();
        let ended = notes.ended.values().map(|ended| &ended.tried);
        let secret =
            |tried: &Tried| tried.secret.iter().filter_map(|name| tried.outputs.get(name).cloned()).collect::<Vec<_>>();
        ended.chain(notes.tried.values()).flat_map(secret).collect()
    }

    /// The end of a step.
    pub(super) fn take_ended(&self, step: &StepId) -> Option<Ended> {
        self.notes().ended.remove(step)
    }

    /// A try whose step has not ended: what follows from it is still to be done.
    pub(super) fn take_tried(&self, step: &StepId) -> Option<Tried> {
        self.notes().tried.remove(step)
    }

    /// The items of a loop.
    pub(super) fn take_items(&self, step: &StepId) -> Option<Vec<Json>> {
        self.notes().items.remove(step)
    }

    /// What a person said to an `approve`.
    pub(super) fn answer(&self, step: &StepId) -> Option<Approval> {
        self.notes().answered.get(step).cloned()
    }

    /// How often a step was tried and is to be tried again.
    pub(super) fn take_attempts(&self, step: &StepId) -> u32 {
        self.notes().attempts.remove(step).unwrap_or(0)
    }

    /// When a step was begun, where it was.
    pub(super) fn begun(&self, step: &StepId) -> Option<Timestamp> {
        self.notes().begun.get(step).map(|(_, at)| *at)
    }

    /// The first step inside this one that went badly and was not tolerated, with its line for people.
    pub(super) fn blamed_within(&self, step: &StepId) -> Option<(StepId, String, Verdict)> {
        let notes = self.notes();
        let bad = notes.ended.iter().filter(|(id, ended)| id.is_within(step) && ended.is_bad() && !ended.tolerated);
        let (id, ended) = bad.min_by_key(|(_, ended)| ended.order)?;
        let name = notes.begun.get(id).map(|(head, _)| head.name.clone()).unwrap_or_default();
        Some((id.clone(), name, ended.tried.verdict.clone()))
    }

    /// Forgets all that stands inside a step: it is tried anew.
    pub(super) fn forget_inside(&self, step: &StepId) {
        self.notes().forget(|id| id != step && id.is_within(step));
    }

    /// Forgets that steps inside this one, and it itself, went badly: those are tried anew, the good ones stay.
    pub(super) fn forget_bad(&self, step: &StepId) {
        let mut notes = self.notes();
        let bad: Vec<StepId> = notes
            .ended
            .iter()
            .filter(|(id, ended)| id.is_within(step) && (ended.is_bad() || *id == step))
            .map(|(id, _)| id.clone())
            .collect();
        notes.forget(|id| bad.contains(id));
        notes.items.retain(|id, _| !bad.contains(id));
    }

    /// Notes the end of a step in this process, for a choice between trying it again and going on.
    pub(super) fn note_end(&self, end: &StepEnd, tried: &Tried) {
        let mut notes = self.notes();
        let order = u64::try_from(notes.ended.len()).unwrap_or(u64::MAX);
        notes.ended.insert(end.step.clone(), Ended::of(end, Some(tried.clone()), order));
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes {
    fn forget(&mut self, meant: impl Fn(&StepId) -> bool) {
        self.ended.retain(|id, _| !meant(id));
        self.tried.retain(|id, _| !meant(id));
        self.attempts.retain(|id, _| !meant(id));
        self.answered.retain(|id, _| !meant(id));
        self.begun.retain(|id, _| !meant(id));
        self.items.retain(|id, _| !meant(id));
    }
}

/// A past in the making.
#[derive(Debug, Default)]
struct Fold {
    past: Past,
    notes: Notes,
    /// Steps that were stopped and go on, unless a last phase begins.
    stopped: HashMap<StepId, Ended>,
    ends: u64,
    segment: Option<(Timestamp, Timestamp)>,
    told: Vec<Change>,
    settled: Vec<(Change, Change, Settled)>,
    landed: HashMap<u64, Vec<Written>>,
    old_outputs: HashMap<StepId, serde_json::Map<String, Json>>,
    taken_back: Vec<u64>,
}

impl Fold {
    fn event(&mut self, event: &Event) {
        if let Some((_, last)) = &mut self.segment {
            *last = event.at;
        }
        match &event.kind {
            EventKind::RunStarted(head) => self.begin(head, event.at),
            EventKind::PhaseStarted(phase) => self.phase(*phase),
            EventKind::StepStarted(head) => self.step_started(head, event.at),
            EventKind::AttemptFailed(attempt) => {
                self.tried_again(&attempt.step);
                self.notes.attempts.insert(attempt.step.clone(), attempt.attempt);
            }
            EventKind::Changed { change, .. } => self.told.push(change.as_ref().clone()),
            EventKind::StepFinished(end) => self.step_finished(end),
            EventKind::Interrupted(reason) => {
                self.past.interrupted = true;
                self.past.stopped_twice |= *reason == CancelReason::SecondInterrupt;
            }
            EventKind::RunFinished(end) => self.past.end = Some(end.as_ref().clone()),
            EventKind::StepWaiting(_)
            | EventKind::Exchanged(_)
            | EventKind::Noted(_)
            | EventKind::Warned(_)
            | EventKind::ArtifactWritten { .. }
            | EventKind::Asked { .. } => {}
        }
    }

    fn begin(&mut self, head: &RunHead, at: Timestamp) {
        self.close_segment();
        self.segment = Some((at, at));
        self.past.at = self.past.at.or(Some(at));
        self.past.head = Some(head.clone());
        self.past.end = None;
        self.past.stopped_twice = false;
        if !self.past.has_phase(Phase::Always) {
            self.past.interrupted = false;
        }
    }

    fn close_segment(&mut self) {
        if let Some((from, to)) = self.segment.take() {
            self.past.worked += (to - from).to_std().unwrap_or_default();
        }
    }

    /// Once a last phase begins, what was stopped stays so.
    fn phase(&mut self, phase: Phase) {
        if self.past.has_phase(phase) {
            return;
        }
        self.past.phases.push(phase);
        self.notes.ended.extend(self.stopped.drain());
    }

    /// The next try has nothing of this one.
    fn tried_again(&mut self, step: &StepId) {
        self.notes.forget(|id| id != step && id.is_within(step));
        self.past.choices.retain(|(of, ..)| !of.is_within(step));
        for made in self.past.made.iter_mut().filter(|made| made.change.step.is_within(step)) {
            made.unclaimed = false;
        }
    }

    fn step_started(&mut self, head: &StepHead, at: Timestamp) {
        if self.notes.ended.remove(&head.step).is_some() {
            self.notes.tried.remove(&head.step);
        }
        self.stopped.remove(&head.step);
        let began = self.notes.begun.get(&head.step).map_or(at, |(_, began)| *began);
        self.notes.begun.insert(head.step.clone(), (head.clone(), began));
    }

    fn step_finished(&mut self, end: &StepEnd) {
        self.ends += 1;
        let tried = self.notes.tried.remove(&end.step);
        let mut ended = Ended::of(end, tried, self.ends);
        if let Some(outputs) = self.old_outputs.remove(&end.step) {
            ended.tried.outputs = outputs;
        }
        self.notes.attempts.remove(&end.step);
        let goes_on = matches!(
            end.verdict,
            Verdict::Cancelled(CancelReason::Interrupt | CancelReason::SecondInterrupt | CancelReason::Paused)
        );
        if goes_on {
            self.stopped.insert(end.step.clone(), ended);
        } else {
            self.notes.ended.insert(end.step.clone(), ended);
        }
    }

    fn record(&mut self, record: Record) {
        match record {
            Record::Started(value) => self.past.started = Some(value),
            Record::Inputs(value) => self.past.inputs = Some(value),
            Record::Vars(value) => self.past.vars = Some(value),
            Record::Items { step, items } => drop(self.notes.items.insert(StepId(step), items)),
            Record::Tried { step, tried } => self.tried(step, tried),
            Record::Once { step, key, value } => self.past.choices.push((StepId(step), key, value)),
            Record::Landed { ticket, written } => drop(self.landed.insert(ticket, written)),
            Record::TakenBack { ticket } => self.taken_back.push(ticket),
            Record::WayBack { step } => self.past.ways_back.push(StepId(step)),
            Record::Answered { step, answer } => drop(self.notes.answered.insert(StepId(step), answer)),
            Record::Skipped { step } => {
                if let Some(ended) = self.notes.ended.get_mut(&StepId(step)) {
                    ended.tolerated = true;
                }
            }
            Record::Ended { step, outputs, .. } => self.ended_as_of_old(&StepId(step), outputs),
        }
    }

    fn tried(&mut self, step: String, tried: Json) {
        if let Ok(tried) = serde_json::from_value::<Tried>(tried) {
            self.notes.tried.insert(StepId(step), tried);
        }
    }

    /// Format 1 kept outputs alone; the rest stands in the step's last event, which follows.
    fn ended_as_of_old(&mut self, step: &StepId, outputs: Json) {
        if let Json::Object(outputs) = outputs {
            self.old_outputs.insert(step.clone(), outputs);
        }
    }

    fn intent(&mut self, intended: &Intended, vault: &Vault) -> Result<(), Error> {
        let intent = vault.intent(intended)?;
        let settled = intended.settled.clone().filter(|settled| !matches!(settled, Settled::Unknown(_)));
        if let Some(settled) = &settled {
            self.settled.push((intended.change.clone(), intent.change.clone(), settled.clone()));
        }
        let mut change = intent.change;
        if let Some(Settled::Applied { uid, .. }) = &settled
            && change.object.uid.is_empty()
        {
            change.object.uid.clone_from(uid);
        }
        self.past.made.push(MadeChange {
            number: self.past.made.len(),
            ticket: intended.number,
            change,
            before: intent.before.map(Arc::new),
            unclaimed: true,
            settled,
            taken_back: false,
        });
        Ok(())
    }

    fn end(mut self) -> Past {
        self.close_segment();
        for made in &mut self.past.made {
            made.taken_back = self.taken_back.contains(&made.ticket);
            if let Some(written) = self.landed.remove(&made.ticket) {
                made.change.written = written;
            }
        }
        for (shown, change, settled) in std::mem::take(&mut self.settled) {
            let same = |told: &Change| {
                told.step == shown.step
                    && told.verb == shown.verb
                    && told.object.same_name(&shown.object)
                    && told.summary == shown.summary
            };
            match self.told.iter().position(same) {
                Some(at) => drop(self.told.swap_remove(at)),
                None => self.past.untold.push((change, settled)),
            }
        }
        self.past.notes = Mutex::new(self.notes);
        self.past
    }
}
