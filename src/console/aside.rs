//! What is said beside the answer when a single action is carried out by itself.

use std::io::Write;

use super::live::Console;
use super::style::Style;
use crate::event::{EventKind, Sink, SinkError, Told};

/// Shows warnings, and the requests to those who want them; a look has no steps to tell of.
#[derive(Debug)]
pub struct Aside(Console);

impl Aside {
    /// Writes to `out`, in that style.
    pub fn new(style: Style, out: Box<dyn Write + Send>) -> Self {
        Self(Console::new(Style { interactive: false, ..style }, out))
    }
}

impl Sink for Aside {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        if matches!(told.event.kind, EventKind::Warned(_) | EventKind::Exchanged(_)) {
            return self.0.take(told);
        }
        Ok(())
    }
}
