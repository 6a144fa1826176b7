//! YAML text becomes a tree of [`Node`]s that know their places, and the tree
//! becomes typed values, with all mistakes reported at once.
//!
//! Three doors: [`read`] (text → tree), [`decode`] (tree → your type) and
//! [`split`] (the target keys of an action's mapping). Every floor above may
//! call them; the YAML library and the JSONPath library live only here.
//!
//! To add a leaf type (a text with a meaning, such as a duration): one file
//! with `parse`, `Display`, and `Deserialize` through [`leaf`]; then a `mod`
//! line and a `pub use` line here.

mod builder;
mod extent;
mod keys;
mod mend;
mod node;
mod read;
mod slips;
mod syntax;
mod typing;

pub use node::{Entry, Key, Kind, Node, Route, Scalar, Segment, Style};
pub use read::{MAX_BYTES, from_bytes, read};

#[cfg(test)]
mod tests;
