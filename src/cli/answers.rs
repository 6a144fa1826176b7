//! Answers that were given on the command line, before their questions.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::event::{Answer, Asker, Choice, Question};

/// What the one who goes on with a run has said beforehand; each answer is given once.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// To the `approve` that waits.
    pub(super) approval: Option<Answer>,
    /// To a failure that waits for a decision.
    pub(super) choice: Option<Choice>,
    /// To changes of which only a person knows whether they were made, by their numbers.
    pub(super) settled: BTreeMap<u64, bool>,
}

/// Gives prepared answers, and asks a person for the rest.
#[derive(Debug)]
pub(super) struct Answers {
    prepared: Mutex<Prepared>,
    person: Box<dyn Asker>,
}

impl Answers {
    /// Prepared answers before a person's.
    pub(super) fn new(prepared: Prepared, person: Box<dyn Asker>) -> Self {
        Self { prepared: Mutex::new(prepared), person }
    }

    fn prepared(&self, question: &Question) -> Option<Answer> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        match question {
            Question::Approve(_) => prepared.approval.take(),
            Question::Choose { .. } => prepared.choice.take().map(Answer::Chosen),
            Question::Settle { ticket, .. } => {
                prepared.settled.remove(ticket).map(|made| if made { Answer::Yes } else { Answer::No(String::new()) })
            }
            Question::Consent(_) | Question::Confirm { .. } | Question::Login { .. } => None,
        }
    }
}

#[async_trait]
impl Asker for Answers {
    async fn ask(&self, question: &Question) -> Answer {
        match self.prepared(question) {
            Some(answer) => answer,
            None => self.person.ask(question).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Nobody;

    #[tokio::test]
    async fn a_prepared_answer_is_given_once() {
        let prepared = Prepared { choice: Some(Choice::Retry), ..Prepared::default() };
        let answers = Answers::new(prepared, Box::new(Nobody));
        let question = Question::Choose { trouble: "x".into(), choices: vec![Choice::Retry] };
        assert_eq!(answers.ask(&question).await, Answer::Chosen(Choice::Retry));
        assert!(matches!(answers.ask(&question).await, Answer::Nobody(_)));
    }
}
