//! What a person sees: events on a terminal, live, and complaints as excerpts.
//!
//! `cli` decides the [`Style`] (colour by [`colour::decide`]), hands a
//! [`Console`] to the fan, draws diagnostics with [`diagnostics::draw`], and
//! gives the engine the [`TerminalAsker`]. Everybody else is silent.
//!
//! Step lines and the last block go to the writer that `cli` passes: the
//! standard output, unless a report goes there, then the standard error. The
//! moving lines of steps in progress go to the standard error and only on a
//! terminal, so that a pipe holds nothing but stable lines. To show a new
//! event: an arm in [`Console`]'s match, and a function beside those of its
//! kind; the match has no wildcard, so the compiler asks for it.
//!
//! Texts in events are without secrets, but they come from servers: control
//! characters in them are shown, never sent to the terminal.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod age;
pub mod answer;
mod aside;
mod asker;
pub mod colour;
pub mod diagnostics;
mod ending;
mod live;
pub mod objects;
mod page;
mod plan;
pub mod profiles;
mod prompt;
mod screen;
pub mod space;
mod step;
mod style;
mod table;
mod text;
mod trouble;

#[cfg(test)]
mod tests;

pub use aside::Aside;
pub use asker::{TerminalAsker, asker};
pub use live::{Console, Pointers};
pub use plan::draw as plan;
pub use profiles::StoredProfile;
pub use prompt::Prompt;
pub use screen::{Pause, Screen};
pub use style::{Loudness, Style};
pub use text::harmless;
