//! The integration tests: one binary.
//!
//! `kit` drives the real binary; `house` keeps the crate's own rules; `cases`
//! runs the folders of `tests/cases`; the rest tells stories that need more
//! than a folder (two processes, a signal, a planted secret).
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop where it stands"
)]

mod bless;
mod books;
mod cases;
mod contract;
mod coverage;
mod crash;
mod guards;
mod hidden;
mod history;
mod house;
mod interrupted;
mod kit;
mod kubectl;
mod login;
mod look;
mod normal;
mod plan;
mod preflight;
mod readme;
mod refused;
mod reports;
mod resumed;
mod runbooks;
mod running;
mod shown;
mod wire;
