//! The user's document, proven well-formed by existing.
//!
//! [`read`] turns a [`Source`] into a [`Runbook`] or into all its mistakes at
//! once: `parse` walks the text, `check` adds what needs the whole document
//! (names, outputs read before they are made, secrets in the wrong places).
//! Nothing is sent. The engine runs what comes out; `authoring` reads it.

mod approve;
mod budget;
mod check;
mod inputs;
mod parse;
mod requires;
mod schema;
mod step;

pub use approve::Approval;
pub use budget::{BudgetLimits, BudgetWidening, Percentage};
pub use check::{steps_read_by, taints, unsupported};
pub use inputs::{Given, InputDeclaration, InputType, Inputs, resolve};
pub use parse::{STEP_KEYS, TOP_KEYS};
pub use requires::{Requires, VersionRequirement};
pub use schema::schema;
pub use step::{
    Act, Body, Branch, Budget, Control, Defaults, FailureBranch, ForEach, Guard, NamedForm, OnError, OutputDeclaration,
    OutputSource, Retry, RetryOn, Step, UndoPolicy, UndoWhich, Variable,
};

use std::collections::BTreeMap;
use std::time::Duration;

use crate::source::{Diagnostic, Source};

/// Reads a runbook; there is one only where nothing is wrong with it.
///
/// The diagnostics, in the order of their places, hold warnings also then.
pub fn read(source: &Source) -> (Option<Runbook>, Vec<Diagnostic>) {
    let (draft, mut out) = parse::draft(source);
    if let Some(draft) = &draft {
        out.extend(check::check(draft));
    }
    out.sort_by_key(|complaint| (complaint.span.start, complaint.span.end));
    out.dedup();
    let broken = out.iter().any(Diagnostic::is_error);
    (draft.filter(|_| !broken), out)
}

/// A whole runbook.
#[derive(Debug)]
pub struct Runbook {
    /// The text it was read from.
    pub source: Source,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Labels for people and reports.
    pub labels: BTreeMap<String, String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Addresses for people, by name.
    pub links: BTreeMap<String, String>,
    /// What must be so before step 1.
    pub requires: Option<Requires>,
    /// What it must be given, in the order declared.
    pub inputs: Vec<InputDeclaration>,
    /// What is computed once, in order.
    pub vars: Vec<Variable>,
    /// What every step inherits.
    pub defaults: Defaults,
    /// The clock of `steps` with `on-failure`.
    pub timeout: Option<Duration>,
    /// The clock of `always` with undo.
    pub always_timeout: Duration,
    /// How much it may touch.
    pub budget: Option<Budget>,
    /// What must hold while `steps` run.
    pub guards: Vec<Guard>,
    /// The list, in order.
    pub steps: Vec<Step>,
    /// What is done after a failure.
    pub on_failure: Option<FailureBranch>,
    /// What is done whatever happens.
    pub always: Vec<Step>,
    /// What it hands on.
    pub outputs: Vec<NamedForm>,
}

impl Runbook {
    /// Every step of the book, outer ones before inner ones, in the order written.
    pub fn walk(&self) -> impl Iterator<Item = &Step> {
        let mut found = Vec::new();
        step::gather(&self.steps, &mut found);
        if let Some(branch) = &self.on_failure {
            step::gather(branch.steps(), &mut found);
        }
        step::gather(&self.always, &mut found);
        found.into_iter()
    }

    /// Whether any step, wherever it stands, may change something.
    pub fn may_change(&self) -> bool {
        self.walk().any(Step::may_change)
    }
}
