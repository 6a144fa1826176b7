//! What should be, against what was.
//!
//! Used by the engine for `expect`, by waits for `until`, by sets for
//! `where`. An [`Expectation`] looks at a result and answers with
//! [`Mismatch`]es, as data: drawing them is the affair of reports and console.

mod mismatch;

pub use mismatch::{FieldDiff, Mismatch, Operand};
