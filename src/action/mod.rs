//! What a step does to a target.
//!
//! One file a verb: arguments that derive `Deserialize` and `JsonSchema`, an
//! [`Action`], unit tests below. To add one: its file, and here `mod x;` and
//! its row in [`ACTIONS`]; the row brings parsing, the schema, the listing and
//! "did you mean". `house.rs` fails until a runbook or a case uses it.
//!
//! An action reaches the target only through its [`Context`]: it may read as
//! it likes, and change only through [`Context::change`], which journals first.

mod again;
mod apply;
mod away;
mod back;
#[cfg(test)]
mod books;
mod cause;
mod change;
mod command;
mod containers;
mod context;
mod cordon;
mod delete;
mod diff;
mod drain;
mod edit;
mod ended;
mod env;
mod events;
mod exec;
mod execute;
mod failure;
mod follow;
mod get;
mod guard;
mod held;
mod http;
mod images;
mod in_flight;
mod job;
mod list;
mod logs;
mod look;
mod made;
mod many;
mod middleware;
mod once;
mod pages;
mod patch;
mod pods;
mod reach;
mod rerun;
mod restart;
mod resume;
mod rollback;
mod rollout;
mod row;
mod says;
mod scale;
mod set_image;
mod set_password;
mod settle;
mod several;
mod spaces;
#[cfg(test)]
mod stage;
mod start;
mod status;
mod stop;
mod suspend;
mod tap;
mod target;
mod trigger;
mod unbroken;
mod uncordon;
mod wait;
mod wait_for_rollout;
mod wait_until;
mod who;
mod workloads;

pub use again::Choices;
pub use away::{Away, away};
pub use back::{Back, look_back, take_back};
pub use change::{Gate, OpenGate, Proposal, hex};

pub use context::{Context, Ear, RunFacts, Shared, Shelf};
pub use guard::{Guard, check_guard};
pub use in_flight::{Found, find_out_again, settle_as, settle_in_flight};
pub use look::{Blind, Blur, Foresight, GENERATED, Look, Need, Outlook, after_steps, permissions};
pub use made::{Made, MadeChange};
pub use pages::{Page, page_of};
pub use row::{ActionKind, Changes, Decode};
pub use settle::settle_rollouts;
pub use tap::{ExchangeTap, on_behalf_of};
pub use unbroken::Unbroken;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::event::Failure;
use crate::template::Expression;

/// What an action may change, as far as it can be told from the document alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Something that can be taken back from its before-image.
    Reversible,
    /// Something that leaves nothing to take back (a restarted pod).
    Passing,
    /// Something that cannot be taken back, and why.
    Final(String),
}

impl Effect {
    /// Whether it changes anything.
    pub fn changes(&self) -> bool {
        *self != Self::Nothing
    }
}

/// What an action saw and did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The root of `JSONPath`: the object, the list, the answer.
    pub result: Value,
    /// The action's own facts.
    pub info: Value,
    /// Whether anything was changed.
    pub changed: bool,
    /// Whether `result` holds secrets: then it and what comes of it is never shown.
    pub secret: bool,
}

/// What a step does to a target.
#[async_trait]
pub trait Action: Send + Sync + Debug {
    /// Does it.
    ///
    /// # Errors
    /// When it could not be done, or did not prove itself (a failed Job, a rollout that hangs).
    async fn act(&self, context: &Context) -> Result<Observed, Failure>;

    /// What it would do; a reading action does it.
    ///
    /// # Errors
    /// Why that cannot be seen, or the trouble it would meet.
    async fn look(&self, look: &Look) -> Result<Outlook, Blind> {
        if self.effect().changes() {
            return Err(Blind::Opaque("this action does not tell beforehand what it would do".into()));
        }
        if self.waits() {
            return Ok(Outlook::default());
        }
        Ok(Outlook::read(self.act(look.context()).await?))
    }

    /// What it must be allowed to do, as far as the document alone tells; taking it back included.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// Hosts and programs beside the target that it wants, and that `--allow` must name.
    fn wants(&self) -> Vec<String> {
        Vec::new()
    }

    /// What it may change, from its arguments alone.
    fn effect(&self) -> Effect {
        Effect::Nothing
    }

    /// The step's clock, where it is written inside the action.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Whether it waits, and so has a clock of 10 minutes if none is written.
    fn waits(&self) -> bool {
        false
    }

    /// The conditions inside its arguments, whose names `check` must know.
    fn conditions(&self) -> Vec<&Expression> {
        Vec::new()
    }
}

/// Every action, in the order of the documentation.
pub static ACTIONS: &[&ActionKind] = &[
    &get::ROW,
    &list::ROW,
    &workloads::ROW,
    &containers::ROW,
    &images::ROW,
    &scale::ROW,
    &start::ROW,
    &stop::ROW,
    &restart::ROW,
    &rollback::ROW,
    &wait_for_rollout::ROW,
    &wait_until::ROW,
    &set_image::ROW,
    &patch::ROW,
    &apply::ROW,
    &delete::ROW,
    &rerun::ROW,
    &trigger::ROW,
    &suspend::ROW,
    &resume::ROW,
    &logs::ROW,
    &events::ROW,
    &env::ROW,
    &exec::ROW,
    &cordon::ROW,
    &uncordon::ROW,
    &drain::ROW,
    &who::ROW,
    &spaces::ROW,
    &status::ROW,
    &middleware::ROW,
    &set_password::ROW,
    &http::ROW,
    &command::ROW,
];

/// Every kind that a runbook can name with a word.
const ALL_KINDS: &[&str] = &[
    "deployment",
    "statefulset",
    "daemonset",
    "replicaset",
    "pod",
    "job",
    "cronjob",
    "node",
    "namespace",
    "service",
    "configmap",
    "secret",
    "event",
];

/// Adds a fact to an `info`.
fn set(info: &mut Value, name: &str, fact: impl Into<Value>) {
    if let Value::Object(fields) = info {
        fields.insert(name.to_owned(), fact.into());
    }
}

/// The keys that do something with the run itself; the engine carries them out.
pub const CONTROLS: [&str; 8] = ["note", "assert", "pause", "fail", "group", "undo-steps", "use", "approve"];

/// The row of an action.
pub fn find(name: &str) -> Option<&'static ActionKind> {
    ACTIONS.iter().copied().find(|kind| kind.name == name)
}

/// Whether a key of a step is an action or a control.
pub fn is_action(name: &str) -> bool {
    find(name).is_some() || CONTROLS.contains(&name)
}

/// All actions and controls, by name.
pub fn names() -> Vec<&'static str> {
    ACTIONS.iter().map(|kind| kind.name).chain(CONTROLS).collect()
}
