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
//! | 2 | [`expect`] | what should be, against what was |
//! | 3 | [`event`] | the contract: what happened, who hears of it, who must know before, who answers |
//! | 4 | [`journal`] | the record of a run on disk, and the way back from it |

pub mod clock;
pub mod event;
pub mod expect;
pub mod journal;
pub mod secret;
pub mod source;
