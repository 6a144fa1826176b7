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
//! | 1 | [`document`] | YAML text → tree with places; typed leaves that may be a template |
//! | 1 | [`template`] | `{{ }}` and conditions: our strict walk, taint, traces |
//! | 2 | [`form`] | a part of a document with holes, parsed once, filled as often as it runs |
//! | 3 | [`expect`] | what should be, against what was |
//! | 3 | [`cluster`] | everything that speaks HTTP as a client |
//! | 3 | [`simulator`] | the embedded `ControlHub` and Kubernetes API; an island |
//! | 4 | [`event`] | the contract: what happened, who hears of it, who must know before, who answers |
//! | 5 | [`action`] | what a step does to a target; one file a verb |
//! | 5 | [`journal`] | the record on disk: events, changes, the sealed vault, locks |
//! | 5 | [`report`] | events → report → bytes; one file a format |
//! | 5 | [`console`] | events → terminal, live; complaints drawn as rustc would |
//! | 6 | [`runbook`] | the document understood: parsed, all mistakes at once, checked |
//! | 7 | [`engine`] | the heart: carries a runbook out, step by step |
//! | 8 | [`cli`] | arguments, commands, exit codes; alone reads the environment |

pub mod action;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod console;
pub mod document;
pub mod engine;
pub mod event;
pub mod expect;
pub mod form;
pub mod journal;
pub mod report;
pub mod runbook;
pub mod secret;
pub mod simulator;
pub mod source;
pub mod template;
