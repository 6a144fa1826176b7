//! What those who go on with a run must know of how it was begun.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::connect;
use crate::engine;
use crate::runbook::{BudgetWidening, Runbook};

/// How a run was begun; it lies sealed in the run's vault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Started {
    /// The book's file, from the root; empty where it came from the standard input.
    pub(super) file: PathBuf,
    /// The book as it then was.
    pub(super) text: String,
    /// The names of inputs whose values are never shown.
    pub(super) secret_inputs: Vec<String>,
    /// The flags.
    pub(super) flags: Flags,
    pub(super) strict: bool,
    pub(super) tags: Vec<String>,
    pub(super) skip_tags: Vec<String>,
    pub(super) allow: Vec<String>,
    /// What was added to the book's budget.
    pub(super) widened: BudgetWidening,
    /// Where the run went.
    pub(super) kubeconfig: Option<PathBuf>,
    pub(super) context: Option<String>,
    /// Against an embedded server, which ended with its process.
    pub(super) embedded: bool,
}

/// How the run's questions were to be answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Flags {
    pub(super) yes: bool,
    pub(super) ask: bool,
    pub(super) pause: bool,
}

impl Started {
    /// How this process begins a run.
    pub(super) fn of(
        book: &Runbook,
        secret_inputs: &[String],
        options: &engine::Options,
        target: &connect::Options,
    ) -> Self {
        let named = book.source.name();
        let file = if named == "<stdin>" { PathBuf::new() } else { std::path::absolute(named).unwrap_or_default() };
        let (kubeconfig, context) = target.kubernetes();
        Self {
            file,
            text: book.source.text().to_owned(),
            secret_inputs: secret_inputs.to_vec(),
            flags: Flags { yes: options.yes, ask: options.ask, pause: options.pause },
            strict: options.strict,
            tags: options.tags.clone(),
            skip_tags: options.skip_tags.clone(),
            allow: options.allowed.clone(),
            widened: options.widened.clone(),
            kubeconfig,
            context,
            embedded: target.is_embedded(),
        }
    }

    /// The engine's options, as they were.
    pub(super) fn options(&self) -> engine::Options {
        engine::Options {
            yes: self.flags.yes,
            ask: self.flags.ask,
            pause: self.flags.pause,
            strict: self.strict,
            tags: self.tags.clone(),
            skip_tags: self.skip_tags.clone(),
            allowed: self.allow.clone(),
            widened: self.widened.clone(),
            ..engine::Options::default()
        }
    }
}
