//! Where a bearer token comes from while a run goes on.

use std::io::{Error, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::exec::{ExecCredential, ExecError, ExecPlugin};
use crate::clock::Clock;
use crate::cluster::socket::ClientCertificate;
use crate::secret::{Redactor, Secret};

/// A token in a file is read again after this time, as kubectl does.
pub(super) const FILE_LIFE: Duration = Duration::from_mins(1);

/// What a program gave is not used so shortly before its end.
const MARGIN: TimeDelta = TimeDelta::seconds(10);

/// Where the token comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// There is none; perhaps there is a certificate.
    None,
    /// It never changes.
    Token(Secret),
    /// A file, which others may renew.
    File(TokenFile),
    /// A program.
    Program(Box<Program>),
}

/// A file with a token in it, and what was last read there.
#[derive(Debug)]
pub(super) struct TokenFile {
    pub(super) path: PathBuf,
    pub(super) redactor: Redactor,
    pub(super) known: Mutex<Option<(Secret, Instant)>>,
}

impl TokenFile {
    /// The token, read again where the last look is long ago.
    pub(super) async fn token(&self) -> Result<Secret, Error> {
        let mut known = self.known.lock().await;
        match known.as_ref() {
            Some((token, at)) if at.elapsed() < FILE_LIFE => Ok(token.clone()),
            Some(_) | None => self.read(&mut known),
        }
    }

    /// Whether the file holds another token than the refused one by now.
    pub(super) async fn has_other_than(&self, refused: &str) -> Result<bool, Error> {
        Ok(self.read(&mut *self.known.lock().await)?.expose() != refused)
    }

    /// Reads the file; where that fails the last token stays in use, as in kubectl.
    fn read(&self, known: &mut Option<(Secret, Instant)>) -> Result<Secret, Error> {
        let token = match (self.content(), known.take()) {
            (Ok(token), _) | (Err(_), Some((token, _))) => token,
            (Err(error), None) => return Err(error),
        };
        *known = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    fn content(&self) -> Result<Secret, Error> {
        let text = std::fs::read_to_string(&self.path)?;
        let token = text.trim();
        if token.is_empty() {
            return Err(Error::new(ErrorKind::InvalidData, "the file is empty"));
        }
        self.redactor.register(token);
        Ok(Secret::new(token))
    }
}

/// A program, what it is told, and what it last gave.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) plugin: ExecPlugin,
    pub(super) cluster: Value,
    pub(super) clock: Clock,
    pub(super) redactor: Redactor,
    pub(super) known: Mutex<Option<ExecCredential>>,
}

impl Program {
    /// What the program gave, or gives now where that is about to end.
    pub(super) async fn credential(&self) -> Result<ExecCredential, ExecError> {
        let mut known = self.known.lock().await;
        let soon = self.clock.now() + MARGIN;
        match known.as_ref().filter(|given| given.expires.is_none_or(|end| soon < end)) {
            Some(given) => Ok(given.clone()),
            None => self.run(&mut known).await,
        }
    }

    /// Whether there is another token than the refused one; starts the program if need be.
    pub(super) async fn has_other_than(&self, refused: &str) -> Result<bool, ExecError> {
        let mut known = self.known.lock().await;
        let is_other = |given: &ExecCredential| given.token.as_ref().is_some_and(|token| token.expose() != refused);
        // Another task may have been here while we waited.
        if known.as_ref().is_some_and(is_other) {
            return Ok(true);
        }
        Ok(is_other(&self.run(&mut known).await?))
    }

    async fn run(&self, known: &mut Option<ExecCredential>) -> Result<ExecCredential, ExecError> {
        let given = self.plugin.run(&self.cluster).await?;
        if let Some(token) = &given.token {
            self.redactor.register(token.expose());
        }
        if let Some(ClientCertificate { key, .. }) = &given.certificate {
            self.redactor.register(key.expose());
        }
        *known = Some(given.clone());
        Ok(given)
    }
}
