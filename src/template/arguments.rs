//! The values given to a filter, a test or a function, taken one by one.

use std::collections::VecDeque;

use minijinja::Value as Raw;
use minijinja::value::Kwargs;

use super::error::Refusal;
use super::value::{Kind, cost, kind_of};

/// Values by position and by name; what is left over at the end is refused.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments {
    pub(super) positional: VecDeque<Raw>,
    pub(super) named: Vec<(String, Raw)>,
}

impl Arguments {
    /// The next value by position, or the one of this name.
    pub(super) fn take(&mut self, name: &str) -> Option<Raw> {
        self.named(name).or_else(|| self.positional.pop_front())
    }

    /// The value of this name.
    pub(super) fn named(&mut self, name: &str) -> Option<Raw> {
        let index = self.named.iter().position(|(key, _)| key == name)?;
        Some(self.named.swap_remove(index).1)
    }

    /// A value that must be there.
    pub(super) fn need(&mut self, name: &str) -> Result<Raw, Refusal> {
        self.take(name).ok_or_else(|| Refusal::failed(format!("the argument `{name}` is missing")))
    }

    /// A text that must be there.
    pub(super) fn need_text(&mut self, name: &str) -> Result<String, Refusal> {
        text(name, &self.need(name)?)
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        self.take(name).map(|raw| text(name, &raw)).transpose()
    }

    /// A boolean.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Refusal> {
        match self.take(name) {
            None => Ok(false),
            Some(raw) if kind_of(&raw) == Kind::Boolean => Ok(raw.is_true()),
            Some(raw) => Err(wrong(name, "a boolean", &raw)),
        }
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, Refusal> {
        let whole = |raw: Raw| match kind_of(&raw) {
            Kind::Number if raw.is_integer() => raw.as_i64().ok_or_else(|| wrong(name, "a smaller number", &raw)),
            _ => Err(wrong(name, "a whole number", &raw)),
        };
        self.take(name).map(whole).transpose()
    }

    /// Steps that it takes to look through all values by position once.
    pub(super) fn cost(&self) -> usize {
        self.positional.iter().map(cost).sum()
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if let Some((name, _)) = self.named.first() {
            return Err(Refusal::failed(format!("no argument is called `{name}`")));
        }
        if self.positional.is_empty() { Ok(()) } else { Err(Refusal::failed("too many arguments")) }
    }

    /// The values as minijinja's own filters take them, `subject` first.
    pub(super) fn with_subject(self, subject: &Raw) -> Vec<Raw> {
        let mut values = vec![subject.clone()];
        values.extend(self.positional);
        if !self.named.is_empty() {
            values.push(self.named.into_iter().collect::<Kwargs>().into());
        }
        values
    }
}

fn text(name: &str, raw: &Raw) -> Result<String, Refusal> {
    raw.as_str().map(str::to_owned).ok_or_else(|| wrong(name, "text", raw))
}

fn wrong(name: &str, wanted: &str, raw: &Raw) -> Refusal {
    Refusal::mismatch(format!("the argument `{name}` takes {wanted}, it is {}", kind_of(raw)))
}
