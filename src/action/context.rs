//! What an action may reach: the target, and the run's ear.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

use super::again::Choices;
use super::change::Gate;
use super::failure;
use super::made::Made;
use super::unbroken::Unbroken;
use crate::cluster::resource::Address;
use crate::cluster::{Client, Read, Request, Response};
use crate::event::{EventKind, Failure, Fan, Ledger, Note, StepId, Waiting};
use crate::template::Scope;

/// Facts of the run that actions need.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// The run's name.
    pub run: String,
    /// The book's name.
    pub book: String,
    /// The namespace of names without one.
    pub namespace: Option<String>,
    /// How often a wait looks when it cannot watch.
    pub every: Option<std::time::Duration>,
    /// Hosts and programs that `http` and `command` may use beside the target (`--allow`).
    pub allowed: Vec<String>,
    /// The variables that programs of `command` are started with.
    pub environment: BTreeMap<String, String>,
    /// The folder of the book: `apply` reads files beside it.
    pub folder: PathBuf,
}

/// Where artifacts are put.
pub trait Shelf: Send + Sync + Debug {
    /// Keeps a file, and says where it lies.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<String, String>;
}

/// What all steps of a run share.
#[derive(Debug)]
pub struct Shared {
    /// The target.
    pub client: Client,
    /// Who must know of a change before it is sent.
    pub ledger: Arc<dyn Ledger>,
    /// Who hears of everything.
    pub fan: Arc<Fan>,
    /// What was changed so far.
    pub made: Made,
    /// What steps have decided once.
    pub once: Choices,
    /// Work that goes on when its step is let go of.
    pub unbroken: Unbroken,
    /// Who may still say no to a change.
    pub gate: Arc<dyn Gate>,
    /// Where artifacts are put.
    pub shelf: Arc<dyn Shelf>,
    /// Facts of the run.
    pub facts: RunFacts,
}

/// What one step's action may reach.
#[derive(Debug)]
pub struct Context {
    pub(super) shared: Arc<Shared>,
    step: StepId,
    scope: Arc<Scope>,
    last_words: Mutex<LastWords>,
    ear: Option<Arc<dyn Ear>>,
}

/// Hears the lines of logs as they come, where a person watches and no run keeps them.
pub trait Ear: Send + Sync + Debug {
    /// A line came.
    fn line(&self, line: &str);
}

/// What a wait last said it waits for, for the moment its clock runs out.
#[derive(Debug, Clone, Default)]
struct LastWords {
    line: String,
    cause: Vec<String>,
    since: Option<Instant>,
}

impl Context {
    /// The context of a step's attempt.
    pub fn new(shared: Arc<Shared>, step: StepId, scope: Arc<Scope>) -> Self {
        Self { shared, step, scope, last_words: Mutex::default(), ear: None }
    }

    /// The same context, with one who hears lines as they come.
    #[must_use]
    pub fn heard_by(mut self, ear: Arc<dyn Ear>) -> Self {
        self.ear = Some(ear);
        self
    }

    /// Lets a line be heard, and says whether anyone did: what is heard need not be kept.
    pub(super) fn hears(&self, line: &str) -> bool {
        self.ear.as_ref().map(|ear| ear.line(&self.shared.fan.redactor().text(line))).is_some()
    }

    /// The step's full name.
    pub fn step(&self) -> &StepId {
        &self.step
    }

    /// The names that conditions inside the action may use.
    pub fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// Facts of the run.
    pub fn facts(&self) -> &RunFacts {
        &self.shared.facts
    }

    /// What the run has changed so far.
    pub fn made(&self) -> &Made {
        &self.shared.made
    }

    /// The target, for what only watches and lists need.
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Reads.
    ///
    /// # Errors
    /// What the server or the road to it said.
    pub async fn read(&self, request: &Request<Read>) -> Result<Response, Failure> {
        let answer = self.shared.client.read(request).await;
        answer.map_err(|error| failure::of_error(&error, request.what()))
    }

    /// Reads one object.
    ///
    /// # Errors
    /// As [`Context::read`]; an absent object is one.
    pub async fn get(&self, address: &Address) -> Result<Value, Failure> {
        if let Some(image) = self.as_it_was(address) {
            return Ok(image.as_ref().clone());
        }
        let request = address.get();
        let response = self.read(&request).await?;
        let mut object = response.json().map_err(|error| failure::of_error(&error, request.what()))?;
        address.resource().name_kind(&mut object);
        Ok(object)
    }

    /// Reads one object that may be absent.
    ///
    /// # Errors
    /// As [`Context::read`], but for an absent object.
    pub async fn find(&self, address: &Address) -> Result<Option<Value>, Failure> {
        match self.get(address).await {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.class == crate::event::Class::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Says what the step waits for; told on when the words change.
    pub fn waiting(&self, line: &str, cause: Vec<String>) {
        let mut words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        words.cause = cause;
        if words.line != line {
            line.clone_into(&mut words.line);
            words.since = Some(Instant::now());
            self.shared.fan.tell(EventKind::StepWaiting(Waiting { step: self.step.clone(), line: line.to_owned() }));
        }
    }

    /// What the step last said it waits for, and why: for the moment its clock runs out.
    pub fn last_words(&self) -> (String, Vec<String>) {
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        (words.line.clone(), words.cause.clone())
    }

    /// Says that something is odd but does not stop the run.
    pub fn warn(&self, text: impl Into<String>) {
        self.shared.fan.tell(EventKind::Warned(Note { step: Some(self.step.clone()), text: text.into() }));
    }

    /// From now on these values are shown nowhere.
    pub fn conceal(&self, value: &Value) {
        self.shared.fan.redactor().register_value(value);
    }

    /// Keeps a file beside the journal, without secrets.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn artifact(&self, name: &str, text: &str) -> Result<String, Failure> {
        let clean = self.shared.fan.redactor().text(text).into_owned();
        let path = self
            .shared
            .shelf
            .keep(name, clean.as_bytes())
            .map_err(|error| Failure::new(crate::event::Class::Journal, format!("artifact {name}: {error}")))?;
        self.shared.fan.tell(EventKind::ArtifactWritten {
            step: self.step.clone(),
            name: name.to_owned(),
            path: path.clone(),
            bytes: clean.len() as u64,
        });
        Ok(path)
    }
}
