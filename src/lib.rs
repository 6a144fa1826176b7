//! runhub: a declarative YAML runbook executor for clusters.
//!
//! The modules stand on floors. A module may use only modules of a lower
//! floor: never up, never sideways. `tests/it/house.rs` reads the `use` lines
//! and fails with the offender's name.
//!
//! | floor | module | is |
//! |---|---|---|
//! | 0 | [`source`] | text with a name, places in it, complaints about places |
//! | 0 | [`secret`] | values that are never shown, and the one filter that hides them |
//! | 0 | [`clock`] | wall time for stamps; all sleeping is `tokio::time` |
//! | 2 | [`simulator`] | the embedded ControlHub and Kubernetes API; an island |

pub mod clock;
pub mod secret;
pub mod simulator;
pub mod source;
