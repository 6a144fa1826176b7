//! YAML text becomes a tree of [`Node`]s that know their places, and the tree
//! becomes typed values, with all mistakes reported at once.
//!
//! Three doors: [`read()`] (text → tree), [`decode()`] (tree → your type) and
//! [`split`] (the target keys of an action's mapping). Every floor above may
//! call them; the YAML library and the JSONPath library live only here.
//!
//! To add a leaf type (a text with a meaning, such as a duration): one file
//! with `parse`, `Display`, `Default` and a line `leaf_type!`; then a `mod`
//! line and a `pub use` line here.

mod anchors;
mod builder;
mod decode;
mod duration;
mod extent;
mod fill;
mod halt;
mod json_path;
mod keys;
mod kinds;
mod leaf;
mod mend;
mod mistake;
mod node;
mod pattern;
mod quantity;
mod read;
mod selector;
mod slips;
mod syntax;
mod target;
mod typing;

pub use decode::{Mode, decode};
pub use duration::DurationText;
pub use json_path::JsonPath;
pub use kinds::{KINDS, KindRow};
pub use leaf::{Literal, OneOf, OneOrMany, leaf};
pub use node::{Entry, Key, Kind, Node, Route, Scalar, Segment, Style};
pub use pattern::Pattern;
pub use quantity::Quantity;
pub use read::{MAX_BYTES, from_bytes, read};
pub use selector::{FieldSelector, Selector};
pub use target::{Container, CustomObject, Namespaces, ObjectRef, ObjectSet, Target, TargetRule, split};

#[cfg(test)]
mod tests;
