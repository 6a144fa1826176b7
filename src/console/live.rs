//! The events of a run as lines, as they come.

use std::collections::HashMap;
use std::io::{self, Write};

use super::ending::{self, Tally};
use super::page::Page;
use super::screen::Screen;
use super::step::{self, Open, Remark};
use super::style::{Mark, Style, Tone};
use super::text::{count, duration};
use super::trouble;
use crate::event::{
    Attempt, CancelReason, Change, Event, EventKind, Exchange, ExchangeEnd, Note, Outcome, Phase, RunEnd, RunHead,
    Settled, Sink, SinkError, StepEnd, StepHead, StepId, Told, Waiting,
};

/// Where to look further; the last lines of a run.
#[derive(Debug, Clone, Default)]
pub struct Pointers {
    /// Where the journal lies.
    pub journal: Option<String>,
    /// Where the reports will lie, each as `FORMAT PATH`.
    pub reports: Vec<String>,
}

/// Writes a run for people, a line or a few for each step when it ends.
pub struct Console {
    style: Style,
    out: Box<dyn Write + Send>,
    screen: Screen,
    pointers: Pointers,
    open: HashMap<StepId, Open>,
    tally: Tally,
    /// What the quiet will hear, unless something around the step bears with it.
    held: Vec<(StepId, String)>,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Console").field("style", &self.style).finish_non_exhaustive()
    }
}

impl Console {
    /// A console that writes its lines to `out`, in that style.
    pub fn new(style: Style, out: Box<dyn Write + Send>) -> Self {
        Self::with_screen(style, out, Screen::new(style))
    }

    /// The same with a screen made elsewhere.
    pub(super) fn with_screen(style: Style, out: Box<dyn Write + Send>, screen: Screen) -> Self {
        Self {
            style,
            out,
            screen,
            pointers: Pointers::default(),
            open: HashMap::new(),
            tally: Tally::default(),
            held: Vec::new(),
        }
    }

    /// Names the files in the last lines.
    #[must_use]
    pub fn pointing_to(mut self, pointers: Pointers) -> Self {
        self.pointers = pointers;
        self
    }

    /// The moving lines, for the one who asks: they must stand still meanwhile.
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    fn show(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::RunStarted(head) => self.run_started(&event.run.0, head),
            EventKind::PhaseStarted(phase) => self.phase_started(*phase),
            EventKind::StepStarted(head) => self.step_started(head),
            EventKind::StepWaiting(waiting) => self.waiting(waiting),
            EventKind::AttemptFailed(attempt) => self.attempt_failed(attempt),
            EventKind::Exchanged(exchange) => self.exchanged(exchange),
            EventKind::Changed { change, settled } => self.changed(change, settled),
            EventKind::Noted(note) => self.noted(note),
            EventKind::Warned(note) => self.warned(note),
            EventKind::ArtifactWritten { step, name, path, .. } => {
                let (name, path) = (name.clone(), path.clone());
                self.keep(Some(step), Remark::Artifact { name, path })
            }
            EventKind::Asked { question, answer } => self.asked(question, answer),
            EventKind::StepFinished(end) => self.step_finished(end),
            EventKind::Interrupted(reason) => self.interrupted(*reason),
            EventKind::RunFinished(end) => self.run_finished(end),
        }
    }

    fn run_started(&mut self, run: &str, head: &RunHead) -> io::Result<()> {
        let on = format!("on {} ({})", head.target.name, head.target.provider);
        let what = format!("{on}, {}, run {run}", count(head.steps as u64, "step"));
        self.tell(|page| {
            page.headline(0, Mark::Heading, [&head.book, "", &what]);
            if page.style().is_verbose() {
                let line = format!("{} as {}, by {}", head.target.url, head.target.user, head.actor);
                page.line(1, Tone::Dim, &line);
            }
        })
    }

    fn phase_started(&mut self, phase: Phase) -> io::Result<()> {
        let words = match phase {
            Phase::Steps => return Ok(()),
            Phase::OnFailure => "on-failure:",
            Phase::Always => "always:",
            Phase::Undo => "undo:",
        };
        self.tell(|page| page.line(0, Tone::Strong, words))
    }

    /// A step inside others makes their headings appear first.
    fn step_started(&mut self, head: &StepHead) -> io::Result<()> {
        self.screen.started(head);
        self.open.insert(head.step.clone(), Open::new(head.clone()));
        let mut around: Vec<&mut Open> = self
            .open
            .values_mut()
            .filter(|open| !open.has_heading && open.head.depth < head.depth)
            .filter(|open| head.step.is_within(&open.head.step))
            .collect();
        around.sort_by_key(|open| open.head.depth);
        let mut heads = Vec::new();
        for open in around {
            open.has_heading = true;
            heads.push(open.head.clone());
        }
        if heads.is_empty() {
            return Ok(());
        }
        self.tell(|page| heads.iter().for_each(|head| step::heading(page, head)))
    }

    fn waiting(&mut self, waiting: &Waiting) -> io::Result<()> {
        self.screen.waits(&waiting.step, &waiting.line);
        let Some(open) = self.open.get_mut(&waiting.step) else {
            return Ok(());
        };
        if self.screen.is_live() || open.waiting == waiting.line {
            return Ok(());
        }
        open.waiting.clone_from(&waiting.line);
        let depth = open.head.depth;
        self.tell(|page| page.headline(depth, Mark::Waiting, [&waiting.step.0, &waiting.line, ""]))
    }

    /// A line that belongs to no event of a run.
    pub(super) fn aside(&mut self, line: &str) -> Result<(), SinkError> {
        let told = self.tell(|page| page.line(0, Tone::Dim, line));
        told.map_err(|error| SinkError { sink: "the terminal".into(), message: error.to_string() })
    }

    fn attempt_failed(&mut self, attempt: &Attempt) -> io::Result<()> {
        let depth = self.depth(&attempt.step);
        let number = format!("attempt {} of {}", attempt.attempt, attempt.of);
        let next = format!("again in {}", duration(attempt.next_in_ms));
        self.tell(|page| {
            page.headline(depth, Mark::Again, [&attempt.step.0, &number, &next]);
            trouble::verdict(page, depth + 2, &attempt.verdict);
        })
    }

    fn exchanged(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.tally.requests += 1;
        if !self.style.is_verbose() {
            return Ok(());
        }
        let took = duration(exchange.elapsed_us / 1_000);
        let end = match &exchange.end {
            ExchangeEnd::Answered { status, bytes } => format!("{status}, {bytes} bytes"),
            ExchangeEnd::Broken(why) => format!("no answer: {why}"),
            ExchangeEnd::Dropped => "dropped, outcome unknown".to_owned(),
        };
        let line = format!("{} {}  {end} in {took}", exchange.method, exchange.path);
        let depth = exchange.step.as_ref().map_or(0, |step| self.depth(step));
        self.tell(|page| page.line(depth + 2, Tone::Dim, &line))
    }

    fn changed(&mut self, change: &Change, settled: &Settled) -> io::Result<()> {
        self.tally.changes += u64::from(matches!(settled, Settled::Applied { .. }));
        let remark = Remark::Change(Box::new(change.clone()), settled.clone());
        self.keep(Some(&change.step), remark)
    }

    fn noted(&mut self, note: &Note) -> io::Result<()> {
        self.keep(note.step.as_ref(), Remark::Note(note.text.clone()))
    }

    fn warned(&mut self, note: &Note) -> io::Result<()> {
        self.keep(note.step.as_ref(), Remark::Warning(note.text.clone()))
    }

    /// Shown when the step ends; at once when it belongs to no step in progress.
    fn keep(&mut self, step: Option<&StepId>, remark: Remark) -> io::Result<()> {
        if let Some(open) = step.and_then(|step| self.open.get_mut(step)) {
            open.remarks.push(remark);
            return Ok(());
        }
        self.tell(|page| remark.show(page, 0))
    }

    fn asked(&mut self, question: &str, answer: &str) -> io::Result<()> {
        self.tell(|page| {
            page.labelled(0, (Tone::Strong, "asked:"), &format!("{question} {answer}"));
        })
    }

    fn step_finished(&mut self, end: &StepEnd) -> io::Result<()> {
        self.screen.finished(&end.step);
        let Some(open) = self.open.remove(&end.step) else {
            return Ok(());
        };
        self.tally.add(&open.head, end.verdict.status());
        if self.style.is_quiet() {
            return self.hold_back(&open, end);
        }
        self.tell(|page| step::finished(page, &open, end))
    }

    /// The quiet hear of a bad step once it is plain that nothing around it bears with it.
    fn hold_back(&mut self, open: &Open, end: &StepEnd) -> io::Result<()> {
        if !end.verdict.status().is_bad() || end.tolerated {
            self.held.retain(|(step, _)| !step.is_within(&end.step));
            return Ok(());
        }
        let mut page = Page::new(&self.style);
        step::finished(&mut page, open, end);
        self.held.push((end.step.clone(), page.into_text()));
        if open.head.depth > 0 {
            return Ok(());
        }
        self.release()
    }

    fn release(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        let text: String = held.into_iter().map(|(_, text)| text).collect();
        self.write(&text)
    }

    fn interrupted(&mut self, reason: CancelReason) -> io::Result<()> {
        let line = format!("stopping: {}", reason.words());
        self.tell(|page| page.labelled(0, (Tone::Odd, "!"), &line))
    }

    fn run_finished(&mut self, end: &RunEnd) -> io::Result<()> {
        self.screen.close();
        let is_good = end.outcome == Outcome::Passed && end.exit_code == 0;
        if self.style.is_quiet() && is_good {
            return Ok(());
        }
        self.release()?;
        let (tally, pointers) = (self.tally.clone(), self.pointers.clone());
        self.say(|page| {
            ending::show(page, end, &tally);
            pointers.show(page);
        })
    }

    fn depth(&self, step: &StepId) -> usize {
        self.open.get(step).map_or(0, |open| open.head.depth)
    }

    /// Writes lines unless the user asked for quiet.
    fn tell(&mut self, write: impl FnOnce(&mut Page<'_>)) -> io::Result<()> {
        if self.style.is_quiet() {
            return Ok(());
        }
        self.say(write)
    }

    /// Writes lines.
    fn say(&mut self, write: impl FnOnce(&mut Page<'_>)) -> io::Result<()> {
        let mut page = Page::new(&self.style);
        write(&mut page);
        let text = page.into_text();
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let out = &mut self.out;
        self.screen.aside(|| {
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }
}

impl Pointers {
    fn show(&self, page: &mut Page<'_>) {
        if let Some(journal) = &self.journal {
            page.verbatim(1, Tone::Dim, &format!("journal: {journal}"));
        }
        for report in &self.reports {
            page.verbatim(1, Tone::Dim, &format!("report: {report}"));
        }
    }
}

impl Sink for Console {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        self.show(told.event).map_err(|error| SinkError { sink: "console".into(), message: error.to_string() })
    }
}

impl Drop for Console {
    /// A run that is torn down leaves no moving line behind.
    fn drop(&mut self) {
        self.screen.close();
    }
}
