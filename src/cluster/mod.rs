//! Everything that speaks HTTP as a client: one way to ask, one shape of refusal.
//!
//! Actions on higher floors build a request from a place and a verb. Nothing
//! here knows steps, runbooks or events, and nothing here knows the simulator.

pub mod auth;
pub mod identity;
pub mod path;
pub mod refusal;
pub mod request;
pub mod resource;
pub mod transport;
pub mod verbs;

pub use identity::{Identity, LoginEnded};
pub use refusal::Refusal;
pub use request::{Read, Request, Write};
pub use transport::{Transport, TransportError};
