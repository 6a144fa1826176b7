//! What is to be run, and the doors to the outside.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::plan::Scout;
use crate::action::Shelf;
use crate::cluster::Client;
use crate::event::{Asker, Fan, Ledger, Plan, TargetHead};
use crate::runbook::{BudgetWidening, Inputs, Runbook};

/// A runbook joined with its target and its inputs: well-formed, not omniscient.
#[derive(Debug, Clone)]
pub struct Order {
    /// The book.
    pub book: Arc<Runbook>,
    /// Its inputs, whole and right.
    pub inputs: Inputs,
    /// What it runs against.
    pub target: TargetHead,
    /// Who runs it (`user@host`).
    pub actor: String,
    /// How it is run.
    pub options: Options,
}

/// How a run is run.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Options {
    /// Consent and every `confirm` are given.
    pub yes: bool,
    /// Ask before each change.
    pub ask: bool,
    /// After a failure, stop and wait for a decision.
    pub pause: bool,
    /// Waits that ended well before the run broke off are waited for once more.
    pub verify: bool,
    /// A tolerated failure makes the exit code 1.
    pub strict: bool,
    /// Only steps with one of these tags; all when empty.
    pub tags: Vec<String>,
    /// No step with one of these tags.
    pub skip_tags: Vec<String>,
    /// The plan that the run is bound to.
    pub plan: Option<Arc<Plan>>,
    /// What the command line adds to the budget.
    pub widened: BudgetWidening,
    /// Hosts and programs that `http` and `command` may use beside the target.
    pub allowed: Vec<String>,
    /// The variables that programs of `command` are started with.
    pub environment: BTreeMap<String, String>,
    /// The folder of the book: `apply` reads files beside it.
    pub folder: PathBuf,
}

/// The doors to the outside.
#[derive(Debug)]
pub struct Doors {
    /// The target.
    pub client: Client,
    /// Who looks before anything is sent; absent: the run neither shows nor is bound to a plan.
    pub scout: Option<Scout>,
    /// Who must know of a change before it is sent.
    pub ledger: Arc<dyn Ledger>,
    /// Who hears of everything.
    pub fan: Arc<Fan>,
    /// Who answers questions.
    pub asker: Arc<dyn Asker>,
    /// Where artifacts are put.
    pub shelf: Arc<dyn Shelf>,
}
