//! The identity of a user of a kubeconfig.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tokio::sync::Mutex;

use super::exec::ExecError;
use super::merged::Access;
use super::source::{Program, Source, TokenFile};
use super::user::Credential;
use crate::clock::Clock;
use crate::cluster::auth::headers::{sensitive, text};
use crate::cluster::identity::{Identity, LoginEnded};
use crate::cluster::socket::ClientCertificate;
use crate::cluster::transport::Transport;
use crate::secret::{Redactor, Secret};

/// A user of a kubeconfig, as the API server is told.
#[derive(Debug)]
pub struct KubernetesIdentity {
    user: String,
    context: String,
    source: Source,
    certificate: Option<ClientCertificate>,
    impersonation: HeaderMap,
    redactor: Redactor,
}

impl KubernetesIdentity {
    pub(super) fn new(access: &Access, clock: Clock, redactor: &Redactor) -> Self {
        if let Some(certificate) = &access.user.certificate {
            redactor.register(certificate.key.expose());
        }
        Self {
            user: access.user.name.clone(),
            context: access.context.clone(),
            source: source(access, clock, redactor),
            certificate: access.user.certificate.clone(),
            impersonation: access.user.impersonation.clone(),
            redactor: redactor.clone(),
        }
    }

    /// The certificate to connect with, if there is one; an exec plugin is asked for it.
    ///
    /// A connection keeps the certificate it was made with: one that a plugin
    /// gives anew later is used by the next run.
    pub async fn client_certificate(&self) -> Result<Option<ClientCertificate>, LoginEnded> {
        let given = match &self.source {
            Source::Program(program) => {
                program.credential().await.map_err(|error| self.failed(program, &error))?.certificate
            }
            Source::None | Source::Token(_) | Source::File(_) => None,
        };
        Ok(given.or_else(|| self.certificate.clone()))
    }

    async fn token(&self) -> Result<Option<Secret>, LoginEnded> {
        match &self.source {
            Source::None => Ok(None),
            Source::Token(token) => Ok(Some(token.clone())),
            Source::File(file) => file.token().await.map(Some).map_err(|error| self.unread(file, &error)),
            Source::Program(program) => {
                Ok(program.credential().await.map_err(|error| self.failed(program, &error))?.token)
            }
        }
    }

    fn unread(&self, file: &TokenFile, error: &std::io::Error) -> LoginEnded {
        let path = file.path.display();
        LoginEnded::new(format!("cannot read the token of user `{}` in {path}: {error}", self.user), "see to that file")
    }

    fn failed(&self, program: &Program, error: &ExecError) -> LoginEnded {
        let command = program.plugin.command();
        let what = format!("the exec plugin `{command}` of user `{}` failed: {error}", self.user);
        LoginEnded::new(self.redactor.text(&what), "run it by hand to see what it wants")
    }

    fn unfit(&self) -> LoginEnded {
        let what = format!("the token of user `{}` cannot be sent in a header", self.user);
        LoginEnded::new(what, "see where it is from")
    }

    fn refused(&self, what: &str) -> LoginEnded {
        let what = format!("the server refused the {what} of user `{}` (kubeconfig {})", self.user, self.context);
        LoginEnded::new(what, "put a fresh one into the kubeconfig")
    }
}

fn source(access: &Access, clock: Clock, redactor: &Redactor) -> Source {
    match &access.user.credential {
        Credential::None => Source::None,
        Credential::Token(token) => {
            redactor.register(token.expose());
            Source::Token(token.clone())
        }
        Credential::TokenFile(path) => {
            Source::File(TokenFile { path: path.clone(), redactor: redactor.clone(), known: Mutex::default() })
        }
        Credential::Exec(plugin) => Source::Program(Box::new(Program {
            plugin: plugin.clone(),
            cluster: access.endpoint.for_plugins(),
            clock,
            redactor: redactor.clone(),
            known: Mutex::default(),
        })),
    }
}

#[async_trait]
impl Identity for KubernetesIdentity {
    async fn headers(&self) -> Result<HeaderMap, LoginEnded> {
        let mut headers = self.impersonation.clone();
        if let Some(token) = self.token().await? {
            let bearer = sensitive(&format!("Bearer {}", token.expose()));
            headers.insert(AUTHORIZATION, bearer.map_err(|_| self.unfit())?);
        }
        Ok(headers)
    }

    async fn renew(&self, refused: &HeaderMap, _road: Arc<dyn Transport>) -> Result<bool, LoginEnded> {
        let refused = text(refused, AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
        match &self.source {
            Source::None if self.certificate.is_some() => Err(self.refused("client certificate")),
            Source::None => Ok(false),
            Source::Token(_) => Err(self.refused("token")),
            Source::File(file) => file.has_other_than(refused).await.map_err(|error| self.unread(file, &error)),
            Source::Program(program) => {
                program.has_other_than(refused).await.map_err(|error| self.failed(program, &error))
            }
        }
    }

    fn name(&self) -> String {
        format!("{} (kubeconfig {})", self.user, self.context)
    }
}

#[cfg(test)]
mod tests;
