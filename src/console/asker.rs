//! The one who asks a person on the terminal.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::mpsc as threads;
use std::sync::{Mutex as Lock, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};

use super::page::Page;
use super::screen::Screen;
use super::style::{Style, Tone};
use super::text::width;
use crate::event::{Answer, Approve, Asker, Consent, EffectLine, Nobody, Question};

/// Asks on a terminal; the moving lines stand still meanwhile.
///
/// The answers are read by a thread of its own, a line only when one is
/// wanted: a read cannot be taken back, so a dropped question leaves the
/// thread waiting, and the process ends without it. A blocking task of the
/// runtime was rejected: the runtime waits for those when it shuts down.
pub struct TerminalAsker {
    style: Style,
    screen: Screen,
    output: Lock<Box<dyn Write + Send>>,
    answers: Mutex<Answers>,
}

impl std::fmt::Debug for TerminalAsker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TerminalAsker")
    }
}

/// The lines that a person types.
struct Answers {
    wanted: threads::Sender<()>,
    lines: mpsc::UnboundedReceiver<io::Result<Option<String>>>,
    /// A question was dropped before its line came.
    is_reading: bool,
}

/// The asker for a place: a person where there is a terminal, else nobody.
pub fn asker(is_terminal: bool, style: Style, screen: Screen) -> Box<dyn Asker> {
    if is_terminal {
        let input = io::BufReader::new(io::stdin());
        Box::new(TerminalAsker::new(style, screen, input, io::stderr()))
    } else {
        Box::new(Nobody)
    }
}

impl TerminalAsker {
    /// An asker that writes its questions to `output` and reads the answers from `input`.
    pub fn new(
        style: Style,
        screen: Screen,
        input: impl BufRead + Send + 'static,
        output: impl Write + Send + 'static,
    ) -> Self {
        Self { style, screen, output: Lock::new(Box::new(output)), answers: Mutex::new(Answers::of(input)) }
    }

    fn put(&self, question: &Question) -> io::Result<()> {
        let mut page = Page::new(&self.style);
        let prompt = match question {
            Question::Consent(consent) => {
                show_consent(&mut page, consent);
                "Proceed? [y/N] ".to_owned()
            }
            Question::Confirm { step, text } => {
                page.labelled(0, (Tone::Strong, step), text);
                "Proceed? [y/N] ".to_owned()
            }
            Question::Approve(approve) => {
                show_approve(&mut page, approve);
                approve.fields.first().map_or_else(|| APPROVE.to_owned(), field_prompt)
            }
            Question::Choose { trouble, choices } => {
                page.labelled(0, (Tone::Bad, "failed"), trouble);
                let words: Vec<&str> = choices.iter().map(|choice| choice.word()).collect();
                format!("How does the run go on? [{}] ", words.join("/"))
            }
            Question::Settle { change, shows, .. } => {
                page.labelled(0, (Tone::Strong, "nobody knows whether this was made:"), change);
                page.labelled(1, (Tone::Dim, "the object shows:"), shows);
                "Was it made? [y/n] ".to_owned()
            }
            Question::Login { trouble } => {
                page.labelled(0, (Tone::Bad, "the login has ended:"), trouble);
                "Log in again elsewhere, then press Enter; anything else pauses the run: ".to_owned()
            }
        };
        self.write(&format!("{}{prompt}", page.into_text()))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(text.as_bytes())?;
        output.flush()
    }
}

/// A question on the screen; without an answer nobody pressed Enter, so it ends its own line.
struct Prompt<'a> {
    asker: &'a TerminalAsker,
    is_answered: bool,
}

impl Drop for Prompt<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            // A terminal that has gone needs no line end.
            let _ = self.asker.write("\n");
        }
    }
}

#[async_trait]
impl Asker for TerminalAsker {
    async fn ask(&self, question: &Question) -> Answer {
        let mut answers = self.answers.lock().await;
        let _still = self.screen.pause();
        answers.forget_stale();
        if let Err(error) = self.put(question) {
            return Answer::Nobody(format!("the question cannot be shown: {error}"));
        }
        let mut prompt = Prompt { asker: self, is_answered: false };
        let answer = answers.next().await;
        prompt.is_answered = matches!(answer, Ok(Some(_)));
        match (answer, question) {
            (Ok(Some(line)), Question::Approve(approve)) => self.approved(&mut answers, approve, line).await,
            (Ok(Some(line)), question) => judge(line.trim(), question),
            (Ok(None), question) => unanswered(question, "the input ended without an answer".into()),
            (Err(error), question) => unanswered(question, format!("the answer cannot be read: {error}")),
        }
    }
}

/// What asks for the last word.
const APPROVE: &str = "Approve? [y/N] ";

fn field_prompt((name, kind): &(String, String)) -> String {
    format!("{name} ({kind}): ")
}

impl TerminalAsker {
    /// The fields one after the other, of which the first line was read, and then the last word.
    async fn approved(&self, answers: &mut Answers, approve: &Approve, first: String) -> Answer {
        let (mut fields, mut line) = (BTreeMap::new(), first);
        for (at, (name, _)) in approve.fields.iter().enumerate() {
            let value = line.trim();
            // An empty line leaves the field to its default.
            if !value.is_empty() {
                fields.insert(name.clone(), value.to_owned());
            }
            let prompt = approve.fields.get(at + 1).map_or_else(|| APPROVE.to_owned(), field_prompt);
            line = match (self.write(&prompt), answers.next().await) {
                (Ok(()), Ok(Some(line))) => line,
                _ => return Answer::Nobody("the input ended without an answer".into()),
            };
        }
        let answer = judge(line.trim(), &Question::Confirm { step: String::new(), text: String::new() });
        if answer == Answer::Yes { Answer::Filled(fields) } else { answer }
    }
}

/// No answer is a no where only a yes goes on; where both do something, nobody has answered.
fn unanswered(question: &Question, why: String) -> Answer {
    match question {
        Question::Consent(_) | Question::Confirm { .. } => Answer::No(why),
        Question::Approve(_) | Question::Choose { .. } | Question::Settle { .. } | Question::Login { .. } => {
            Answer::Nobody(why)
        }
    }
}

/// Only a clear yes is a yes.
fn judge(line: &str, question: &Question) -> Answer {
    let word = line.to_ascii_lowercase();
    match (question, word.as_str()) {
        (Question::Choose { choices, .. }, word) => {
            let chosen = choices.iter().find(|choice| choice.word() == word);
            chosen
                .map_or_else(|| Answer::Nobody(format!("`{line}` is none of the choices")), |one| Answer::Chosen(*one))
        }
        (Question::Login { .. }, "") | (_, "y" | "yes") => Answer::Yes,
        (Question::Settle { .. } | Question::Login { .. }, word) if word != "n" && word != "no" => {
            Answer::Nobody(format!("the answer was `{line}`"))
        }
        (_, "" | "n" | "no") => Answer::No("the answer was no".into()),
        _ => Answer::No(format!("the answer was `{line}`, not yes")),
    }
}

impl Answers {
    fn of(input: impl BufRead + Send + 'static) -> Self {
        let (wanted, wants) = threads::channel();
        let (give, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || read_when_wanted(input, &wants, &give));
        Self { wanted, lines, is_reading: false }
    }

    /// What was typed for a dropped question answers no other.
    fn forget_stale(&mut self) {
        while self.lines.try_recv().is_ok() {
            self.is_reading = false;
        }
    }

    async fn next(&mut self) -> io::Result<Option<String>> {
        if !self.is_reading {
            self.is_reading = self.wanted.send(()).is_ok();
        }
        let line = self.lines.recv().await;
        self.is_reading = false;
        line.unwrap_or(Ok(None))
    }
}

fn read_when_wanted(
    mut input: impl BufRead,
    wants: &threads::Receiver<()>,
    give: &mpsc::UnboundedSender<io::Result<Option<String>>>,
) {
    while wants.recv().is_ok() {
        let mut line = String::new();
        let read = input.read_line(&mut line);
        let line = read.map(|bytes| (bytes > 0).then_some(line));
        if give.send(line).is_err() {
            return;
        }
    }
}

fn show_consent(page: &mut Page<'_>, consent: &Consent) {
    let title = format!("{} would change {}:", consent.book, consent.target);
    page.line(0, Tone::Strong, &title);
    if let Some(plan) = &consent.plan {
        super::plan::changes(page, plan);
        return super::plan::budget(page, plan);
    }
    let widest = consent.effects.iter().map(|effect| width(&effect.step));
    let column = widest.max().unwrap_or(0).min(24);
    for effect in &consent.effects {
        show_effect(page, column, effect);
    }
    if !consent.budget.is_empty() {
        page.line(0, Tone::Strong, "budget:");
        for line in &consent.budget {
            page.line(1, Tone::Plain, line);
        }
    }
}

fn show_approve(page: &mut Page<'_>, approve: &Approve) {
    page.labelled(0, (Tone::Strong, &approve.step), &approve.message);
    if approve.next.is_empty() {
        return;
    }
    page.line(0, Tone::Strong, "next:");
    let widest = approve.next.iter().map(|effect| width(&effect.step));
    let column = widest.max().unwrap_or(0).min(24);
    for effect in &approve.next {
        show_effect(page, column, effect);
    }
}

fn show_effect(page: &mut Page<'_>, column: usize, effect: &EffectLine) {
    let padding = " ".repeat(column.saturating_sub(width(&effect.step)) + 1);
    let label = format!("{}{padding}", effect.step);
    page.labelled(1, (Tone::Dim, &label), &effect.what);
    if let Some(reason) = &effect.not_undoable {
        page.labelled(3, (Tone::Odd, "cannot be undone:"), reason);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::console::tests::Paper;
    use crate::event::Choice;

    /// Input that comes when the test sends it.
    struct Typed(threads::Receiver<&'static str>);

    impl io::Read for Typed {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Ok(text) = self.0.recv() else {
                return Ok(0);
            };
            buffer[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }

    fn desk() -> (Arc<TerminalAsker>, threads::Sender<&'static str>, Paper) {
        let (person, typed) = threads::channel();
        let paper = Paper::default();
        let input = io::BufReader::new(Typed(typed));
        let asker = TerminalAsker::new(Style::default(), Screen::default(), input, paper.clone());
        (Arc::new(asker), person, paper)
    }

    fn confirm() -> Question {
        Question::Confirm { step: "migrate".into(), text: "Run the migration now?".into() }
    }

    #[tokio::test]
    async fn only_a_clear_yes_is_a_yes() {
        for (typed, is_yes) in [("y\n", true), ("YES \n", true), ("\n", false), ("n\n", false), ("yse\n", false)] {
            let (asker, person, _) = desk();
            person.send(typed).unwrap();
            let answer = asker.ask(&confirm()).await;
            assert_eq!(answer == Answer::Yes, is_yes, "{typed}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn an_approval_is_its_fields_and_then_a_clear_yes() {
        let approve = Approve {
            step: "go".into(),
            message: "Cut over?".into(),
            fields: vec![("ticket".into(), "string".into()), ("count".into(), "integer".into())],
            next: vec![EffectLine { step: "grow".into(), what: "scale shop/web".into(), not_undoable: None }],
        };
        for (last, approved) in [("y\n", true), ("\n", false)] {
            let (asker, person, paper) = desk();
            for line in ["OPS-7\n", "\n", last] {
                person.send(line).unwrap();
            }
            let answer = asker.ask(&Question::Approve(approve.clone())).await;
            let fields = BTreeMap::from([("ticket".to_owned(), "OPS-7".to_owned())]);
            assert_eq!(answer == Answer::Filled(fields), approved, "{answer:?}");
            assert!(paper.text().contains("scale shop/web") && paper.text().contains("count (integer): "));
        }
    }

    #[tokio::test]
    async fn a_choice_is_one_of_those_offered_and_a_lost_change_needs_a_clear_word() {
        let choose = Question::Choose { trouble: "x".into(), choices: vec![Choice::Retry, Choice::Abort] };
        let settle = Question::Settle { ticket: 1, change: "x".into(), shows: "y".into() };
        for (question, typed, expected) in [
            (&choose, "retry\n", Some(Answer::Chosen(Choice::Retry))),
            (&choose, "skip\n", None),
            (&settle, "y\n", Some(Answer::Yes)),
            (&settle, "\n", None),
        ] {
            let (asker, person, _) = desk();
            person.send(typed).unwrap();
            let answer = asker.ask(question).await;
            match expected {
                Some(expected) => assert_eq!(answer, expected),
                None => assert!(matches!(answer, Answer::Nobody(_)), "{typed}: {answer:?}"),
            }
        }
    }

    #[tokio::test]
    async fn the_end_of_the_input_is_a_no() {
        let (asker, person, _) = desk();
        drop(person);
        assert!(matches!(asker.ask(&confirm()).await, Answer::No(_)));
    }

    #[tokio::test]
    async fn a_late_answer_to_a_dropped_question_answers_no_other() {
        let (asker, person, paper) = desk();
        let first = tokio::spawn({
            let asker = Arc::clone(&asker);
            async move { asker.ask(&confirm()).await }
        });
        while !paper.text().contains("Proceed?") {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        person.send("y\n").unwrap();
        while asker.answers.lock().await.lines.is_empty() {
            tokio::task::yield_now().await;
        }
        person.send("n\n").unwrap();
        assert!(matches!(asker.ask(&confirm()).await, Answer::No(_)));
    }

    #[tokio::test]
    async fn consent_shows_effects_budget_and_what_cannot_be_undone() {
        let (asker, person, paper) = desk();
        person.send("y\n").unwrap();
        let effect = |step: &str, what: &str| EffectLine { step: step.into(), what: what.into(), not_undoable: None };
        let consent = Consent {
            book: "scale-shop-web".into(),
            target: "simulator as alice".into(),
            effects: vec![
                effect("grow", "scale deployment shop/web to 3"),
                EffectLine {
                    not_undoable: Some("what the job did stays done".into()),
                    ..effect("migrate", "rerun job shop/migrate")
                },
            ],
            budget: vec!["objects 2 of 3".into()],
            plan: None,
        };
        assert_eq!(asker.ask(&Question::Consent(consent)).await, Answer::Yes);
        insta::assert_snapshot!(paper.text());
    }

    #[tokio::test]
    async fn without_a_terminal_there_is_nobody() {
        let asker = asker(false, Style::default(), Screen::default());
        assert!(matches!(asker.ask(&confirm()).await, Answer::Nobody(_)));
    }
}
