//! Templates: text with `{{ expression }}` holes, and the bare expressions of `when` and `that`.
//!
//! minijinja parses and lends filters; it is used nowhere else. What it
//! parses is lowered once to a tree of our own (`lower`, `tree`) and walked
//! by us (`evaluate`), because minijinja compares `"3" < 3` without a word,
//! takes `true and "3"` for `"3"` and prints nothing for a name that is not
//! there. The walk also yields the trace of a false condition, the names
//! used, taint and unknowns. Handing parts back to minijinja by their place
//! in the text was tried: the parser's places are too rough for that.
//!
//! Every floor above may call this. A text becomes a [`Template`] or an
//! [`Expression`] once, when the document is read; a [`Scope`] fills it as
//! often as needed. Nothing here is global and nothing waits.
//!
//! To add a filter, test or function: a row in `filters`, `predicates` or
//! `functions`, and the function beside it.

mod arguments;
mod arithmetic;
mod budget;
mod compare;
mod error;
mod evaluate;
mod expression;
mod filters;
mod functions;
mod lookup;
mod lower;
mod measure;
mod names;
mod predicates;
mod scope;
mod syntax;
mod text;
mod tree;
mod value;

pub use error::{Cause, EvaluationError, Mistake};
pub use expression::{Expression, Filled, Operand, Truth};
pub use names::NameUse;
pub use scope::{Functions, Scope};
pub use syntax::{LARGEST_TEMPLATE, LONGEST_EXPRESSION};
pub use text::Template;
pub use value::{Lookup, NotJson, Value};

#[cfg(test)]
mod tests;
