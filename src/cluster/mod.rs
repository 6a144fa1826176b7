//! Everything that speaks HTTP as a client: one way to ask, one shape of refusal.
//!
//! Actions on higher floors build a request, hand it to the client, and get a
//! response or a refusal back. Nothing here knows steps, runbooks or events,
//! and nothing here knows the simulator.

pub mod auth;
pub mod identity;
pub mod transport;
