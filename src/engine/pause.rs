//! A run that stops and waits: for a person, a login, a decision (exit 7).
//!
//! To pause is to cancel with the gravest reason: what is under way is
//! stopped and looked up, no further list begins, and the run's last event
//! says what it waits for. Everything else is `resume`.

use std::sync::PoisonError;

use super::run::{Run, Surroundings};
use super::step::words;
use crate::action::Context;
use crate::event::{Answer, CancelReason, Choice, Class, EventKind, Failure, Phase, Question, Record, StepId, Verdict};
use crate::runbook::{FailureBranch, Step, UndoWhich};

/// What a run waits for.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    pub(super) failure: Failure,
    pub(super) step: Option<StepId>,
    /// Commands that go on from here.
    pub(super) next: Vec<String>,
}

impl Pause {
    pub(super) fn of(failure: Failure) -> Self {
        Self { failure, step: None, next: Vec::new() }
    }

    pub(super) fn at(self, step: &StepId) -> Self {
        Self { step: Some(step.clone()), ..self }
    }

    pub(super) fn next(self, commands: impl IntoIterator<Item = String>) -> Self {
        Self { next: commands.into_iter().collect(), ..self }
    }
}

impl Run {
    /// Stops the run until someone goes on with it; the first reason stays.
    pub(super) fn stop_for(&self, pause: Pause) {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(pause);
        self.cancel.raise(CancelReason::Paused);
    }

    /// What the run waits for, where it is paused.
    pub(super) fn pending(&self) -> Option<Pause> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs the book's steps; where it pauses on a failure, until that is decided. Says whether they ended well.
    pub(super) async fn steps(&self, around: &Surroundings) -> bool {
        let steps = self.order.book.steps.as_slice();
        let mut from = 0;
        while let Some(bad) = self.first_bad(steps, from, around).await {
            if !self.pauses_on_failure() {
                return false;
            }
            match self.decide_how(around).await {
                Some(Choice::Retry) => from = bad,
                Some(Choice::Skip) => from = bad + 1,
                Some(Choice::OnFailure | Choice::Undo | Choice::Abort) | None => return false,
            }
            if let Some(step) = steps.get(bad) {
                self.reopen(&StepId(step.id.clone()), from == bad);
            }
        }
        true
    }

    async fn first_bad(&self, steps: &[Step], from: usize, around: &Surroundings) -> Option<usize> {
        for (index, step) in steps.iter().enumerate().skip(from) {
            if !self.list(std::slice::from_ref(step), around).await {
                return Some(index);
            }
        }
        None
    }

    /// Whether a failure stops the run for a decision; what was decided before is not asked again.
    pub(super) fn pauses_on_failure(&self) -> bool {
        let stopped = self.cancel.reason().is_some_and(|reason| reason >= CancelReason::Interrupt);
        let over = self.past.has_phase(Phase::OnFailure) || self.past.has_phase(Phase::Always);
        !stopped && !over && self.may_pause()
    }

    /// Whether the book, or the one who runs it, wants to decide after a failure.
    pub(super) fn may_pause(&self) -> bool {
        self.order.options.pause || matches!(self.order.book.on_failure, Some(FailureBranch::Pause(_)))
    }

    /// Asks how a failed run goes on; nothing where nobody is there, and then it is paused.
    async fn decide_how(&self, around: &Surroundings) -> Option<Choice> {
        let decisive = self.decisive.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let trouble = format!("{}: {}", decisive.step, decisive.verdict.line());
        let choices: Vec<Choice> =
            Choice::ALL.into_iter().filter(|choice| *choice != Choice::OnFailure || self.has_on_failure()).collect();
        let question = Question::Choose { trouble: trouble.clone(), choices: choices.clone() };
        let answer = self.asker.ask(&question).await;
        let asked = format!("{trouble}: how does the run go on?");
        self.tell_asked(asked, &answer);
        let choice = match answer {
            Answer::Chosen(choice) if choices.contains(&choice) => choice,
            _ => {
                let run = &self.shared.facts.run;
                let next = choices.iter().map(|choice| format!("runhub resume {run} --choose {}", choice.word()));
                let class = decisive.verdict.class().unwrap_or(Class::Assertion);
                self.stop_for(Pause::of(Failure::new(class, trouble)).at(&decisive.step).next(next));
                return None;
            }
        };
        if choice == Choice::Undo {
            self.undo_by_choice(around).await;
        }
        self.answered_by.lock().unwrap_or_else(PoisonError::into_inner).replace(choice);
        Some(choice)
    }

    fn has_on_failure(&self) -> bool {
        matches!(&self.order.book.on_failure, Some(FailureBranch::Steps(branch)) if !branch.steps.is_empty())
    }

    /// Whether `on-failure` runs after a failure that was decided on.
    pub(super) fn on_failure_is_wanted(&self) -> bool {
        let chosen = *self.answered_by.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(chosen, Some(Choice::Undo | Choice::Abort))
    }

    async fn undo_by_choice(&self, around: &Surroundings) {
        self.shared.fan.tell(EventKind::PhaseStarted(Phase::Undo));
        let around = Surroundings {
            phase: Phase::Undo,
            stopped_by: CancelReason::Interrupt,
            wires: Vec::new(),
            ..around.clone()
        };
        self.undo_as_a_step(&UndoWhich::All, &around).await;
    }

    /// Opens a failed step again: tried anew, or left as it is.
    fn reopen(&self, step: &StepId, again: bool) {
        self.absolve();
        self.decisive.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shared.made.close(step);
        if again {
            self.past.forget_bad(step);
            return;
        }
        self.tolerate();
        let record = Record::Skipped { step: step.0.clone() };
        if let Err(error) = self.shared.ledger.remember(&record) {
            self.warn(error.to_string());
        }
    }

    /// Without a journal nothing more is sent: the run waits until it can be written again.
    pub(super) fn stops_for_journal(&self, step: &StepId, verdict: &Verdict) -> bool {
        let Verdict::Errored(failure) = verdict else { return false };
        if failure.class == Class::Journal {
            let next = [format!("runhub resume {}", self.shared.facts.run)];
            self.stop_for(Pause::of(failure.clone()).at(step).next(next));
        }
        failure.class == Class::Journal
    }

    /// A login that ended after something was sent: a new one goes on, else the run waits for it.
    pub(super) async fn new_login(&self, step: &StepId, trouble: &Failure) -> bool {
        let answer = self.asker.ask(&Question::Login { trouble: trouble.message.clone() }).await;
        let question = format!("the login has ended: {}", trouble.message);
        self.tell_asked(question, &answer);
        if answer == Answer::Yes {
            return true;
        }
        let help = "log in again, and then go on with the run";
        let next = [format!("runhub resume {}", self.shared.facts.run)];
        self.stop_for(Pause::of(trouble.clone().help(help)).at(step).next(next));
        false
    }

    /// Tells of a question that somebody was there for.
    pub(super) fn tell_asked(&self, question: String, answer: &Answer) {
        if !matches!(answer, Answer::Nobody(_)) {
            self.shared.fan.tell(EventKind::Asked { question, answer: words(answer) });
        }
    }

    /// The context of something that the run itself does.
    pub(super) fn context_of(&self, step: &StepId, around: &Surroundings) -> Context {
        Context::new(self.shared.clone(), step.clone(), around.scope.clone())
    }
}
