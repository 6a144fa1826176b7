//! The one who asks a person on the terminal.

use std::io::{self, BufRead, Write};
use std::sync::mpsc as threads;
use std::sync::{Mutex as Lock, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};

use super::page::Page;
use super::screen::Screen;
use super::style::{Style, Tone};
use super::text::width;
use crate::event::{Answer, Asker, Consent, EffectLine, Nobody, Question};

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
        match question {
            Question::Consent(consent) => show_consent(&mut page, consent),
            Question::Confirm { step, text } => {
                page.labelled(0, (Tone::Strong, step), text);
            }
        }
        self.write(&format!("{}Proceed? [y/N] ", page.into_text()))
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
        match answer {
            Ok(Some(line)) => judge(line.trim()),
            Ok(None) => Answer::No("the input ended without an answer".into()),
            Err(error) => Answer::No(format!("the answer cannot be read: {error}")),
        }
    }
}

/// Only a clear yes is a yes.
fn judge(line: &str) -> Answer {
    match line.to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        "" | "n" | "no" => Answer::No("the answer was no".into()),
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
