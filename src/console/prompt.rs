//! Short questions to a person, before a run or beside one.

use std::io::{self, BufRead as _, Write as _};

use super::style::{Style, Tone};
use crate::secret::Secret;

/// Asks a person on the terminal; whoever makes one has seen that there is a person.
#[derive(Debug)]
pub struct Prompt {
    style: Style,
}

impl Prompt {
    /// A prompt on the standard error.
    pub fn new(style: Style) -> Self {
        Self { style }
    }

    /// Asks for a line that is not shown while it is typed; none where nothing was typed.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn hidden(&self, question: &str) -> io::Result<Option<Secret>> {
        self.put(question)?;
        Ok(given(&::console::Term::stderr().read_secure_line()?))
    }

    /// Asks for a line; none where nothing was typed.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn line(&self, question: &str) -> io::Result<Option<Secret>> {
        self.put(question)?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok(given(line.trim()))
    }

    fn put(&self, question: &str) -> io::Result<()> {
        let mut output = io::stderr().lock();
        output.write_all(self.style.paint(Tone::Strong, &self.style.clean(question)).as_bytes())?;
        output.write_all(b" ")?;
        output.flush()
    }
}

fn given(text: &str) -> Option<Secret> {
    if text.is_empty() { None } else { Some(Secret::new(text)) }
}
