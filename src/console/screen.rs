//! The moving lines: one for each step in progress, on a terminal only.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::Style;
use super::text::cut;
use crate::event::{StepHead, StepId};

/// How often a moving line moves.
const TICK: Duration = Duration::from_millis(120);

/// Columns that the spinner and the time take.
const RESERVED: usize = 10;

/// The moving lines of a run; clones share them.
///
/// Where nothing may move, every call does nothing.
#[derive(Debug, Clone, Default)]
pub struct Screen(Option<Arc<Lines>>);

#[derive(Debug)]
struct Lines {
    bars: MultiProgress,
    target: fn() -> ProgressDrawTarget,
    style: Style,
    running: Mutex<Vec<Running>>,
}

#[derive(Debug)]
struct Running {
    step: StepId,
    words: String,
    bar: ProgressBar,
}

impl Screen {
    /// The standard error where it is a terminal, else a screen that shows nothing.
    pub fn new(style: Style) -> Self {
        if style.interactive { Self::on(style, ProgressDrawTarget::stderr) } else { Self::default() }
    }

    /// A screen that draws elsewhere.
    pub(super) fn on(style: Style, target: fn() -> ProgressDrawTarget) -> Self {
        Self(Some(Arc::new(Lines {
            bars: MultiProgress::with_draw_target(target()),
            target,
            style,
            running: Mutex::default(),
        })))
    }

    /// Whether something moves.
    pub(super) fn is_live(&self) -> bool {
        self.0.is_some()
    }

    /// A step has begun: it gets a line.
    pub(super) fn started(&self, head: &StepHead) {
        let Some(lines) = &self.0 else { return };
        let words = format!("{}{}  {}", "  ".repeat(head.depth), head.step, head.name);
        let bar = lines.bars.add(ProgressBar::new_spinner());
        bar.set_style(lines.template());
        bar.set_message(lines.fitting(&words));
        bar.enable_steady_tick(TICK);
        lines.lock().push(Running { step: head.step.clone(), words, bar });
    }

    /// A step waits: its line says for what.
    pub(super) fn waits(&self, step: &StepId, what: &str) {
        let Some(lines) = &self.0 else { return };
        for running in lines.lock().iter().filter(|running| running.step == *step) {
            let words = format!("{}: {what}", running.words);
            running.bar.set_message(lines.fitting(&words));
        }
    }

    /// A step has ended: its line goes.
    pub(super) fn finished(&self, step: &StepId) {
        let Some(lines) = &self.0 else { return };
        lines.lock().retain(|running| {
            if running.step == *step {
                running.bar.finish_and_clear();
                lines.bars.remove(&running.bar);
            }
            running.step != *step
        });
    }

    /// Does something to the terminal while the moving lines are out of the way.
    pub(super) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(lines) => lines.bars.suspend(act),
            None => act(),
        }
    }

    /// Takes all moving lines away until the answer is dropped: a person is being asked.
    pub fn pause(&self) -> Pause {
        if let Some(lines) = &self.0 {
            // A terminal that cannot be cleared can still be asked on.
            let _ = lines.bars.clear();
            lines.bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Pause(self.clone())
    }

    /// Takes all moving lines away for good.
    pub(super) fn close(&self) {
        let Some(lines) = &self.0 else { return };
        for running in lines.lock().drain(..) {
            running.bar.finish_and_clear();
        }
        // The run is over: a terminal that cannot be cleared has gone.
        let _ = lines.bars.clear();
    }
}

impl Lines {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn template(&self) -> ProgressStyle {
        let ticks = if self.style.unicode { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "|/-\\ " };
        ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_chars(ticks)
    }

    /// One line, never more: a folded line cannot be taken away.
    fn fitting(&self, words: &str) -> String {
        let columns = self.style.width.unwrap_or(80).saturating_sub(RESERVED);
        cut(&self.style.clean(words), columns, self.style.ellipsis())
    }
}

/// While it lives, nothing moves.
#[derive(Debug)]
#[must_use = "the lines move again as soon as it is dropped"]
pub struct Pause(Screen);

impl Drop for Pause {
    fn drop(&mut self) {
        if let Some(lines) = &self.0.0 {
            lines.bars.set_draw_target((lines.target)());
        }
    }
}
