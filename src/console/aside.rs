//! What is said beside the answer when a single action is carried out by itself.

use std::io::Write;

use super::live::Console;
use super::style::{Mark, Style};
use crate::event::{EventKind, Sink, SinkError, Told};

/// Shows warnings, and the requests to those who want them; a look has no steps to tell of.
#[derive(Debug)]
pub struct Aside {
    console: Console,
    style: Style,
    tells_waits: bool,
}

impl Aside {
    /// Writes to `out`, in that style.
    pub fn new(style: Style, out: Box<dyn Write + Send>) -> Self {
        let style = Style { interactive: false, ..style };
        Self { console: Console::new(style, out), style, tells_waits: false }
    }

    /// Tells what the action waits for too, where nothing else shows that it goes on.
    #[must_use]
    pub fn telling_waits(self) -> Self {
        Self { tells_waits: !self.style.is_quiet(), ..self }
    }
}

impl Sink for Aside {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        if let EventKind::StepWaiting(waiting) = &told.event.kind
            && self.tells_waits
        {
            let line = format!("{} {}", self.style.symbol(Mark::Waiting), waiting.line);
            return self.console.aside(&line);
        }
        if matches!(told.event.kind, EventKind::Warned(_) | EventKind::Exchanged(_)) {
            return self.console.take(told);
        }
        Ok(())
    }
}
