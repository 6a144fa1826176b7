//! The embedded ControlHub: a simulated Kubernetes cluster behind Olares' doors.
//!
//! An island: it shares no path or payload code with the client, so that a
//! mistake in one is not mirrored in the other. Used by tests, by `run --sim`
//! and by rehearsals.

mod ask;
pub mod controllers;
mod defaults;
pub mod fate;
pub mod faults;
mod identity;
pub mod object;
mod patch;
mod reply;
pub mod resource;
pub mod scenario;
pub mod selector;
pub mod status;
pub mod store;
mod validation;
