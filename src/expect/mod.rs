//! What should be, against what was.
//!
//! Used by the engine for `expect`, by waits for `until`, by sets for
//! `where`. An [`Expectation`] looks at a result and answers with
//! [`Mismatch`]es, as data: drawing them is the affair of reports and console.
//! To add a matcher: a row in its family's file (`equality`, `order`, `shape`,
//! `text`).

mod equality;
mod expectation;
mod matcher;
mod mismatch;
mod order;
mod shape;
mod text;

#[cfg(test)]
mod tests;

pub use expectation::{Expectation, KEYS};
pub use matcher::{Matcher, rows};
pub use mismatch::{FieldDiff, Mismatch, Operand, present};
