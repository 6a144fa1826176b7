//! What one evaluation may cost: fuel bounds time, and room bounds memory.
//!
//! An expression has no loops, but lists can be long, and a filter can make
//! much from little; so everything that reads or makes pays first. A template
//! pays for all its holes from one purse.

use super::error::Refusal;

/// Steps of work: a part, an item or 64 bytes of text count one, a made item eight.
const FUEL: usize = 10_000_000;

/// Bytes of text that may be made on the way.
const ROOM: usize = 16 * 1_024 * 1_024;

/// The largest single text that may be made.
pub(super) const LARGEST_TEXT: usize = 1_024 * 1_024;

/// What an evaluation may still spend.
#[derive(Debug)]
pub(super) struct Budget {
    fuel: usize,
    room: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { fuel: FUEL, room: ROOM }
    }
}

impl Budget {
    /// Pays for work.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Refusal> {
        let left = self.fuel.checked_sub(steps);
        self.fuel = left.ok_or_else(|| Refusal::limit("the expression takes too much work"))?;
        Ok(())
    }

    /// Pays for a text of so many bytes; ask before making it.
    pub(super) fn write(&mut self, bytes: usize) -> Result<(), Refusal> {
        if bytes > LARGEST_TEXT {
            return Err(Refusal::limit("the expression makes a text of more than 1 MiB"));
        }
        let left = self.room.checked_sub(bytes);
        self.room = left.ok_or_else(|| Refusal::limit("the expression makes too much text"))?;
        Ok(())
    }

    /// Pays for a list of so many items.
    pub(super) fn fill(&mut self, items: usize) -> Result<(), Refusal> {
        self.spend(items.saturating_mul(8))
    }
}
