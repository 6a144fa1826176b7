//! Refusals: the server said no, in whatever shape, as one value.
//!
//! The layers of a target refuse in many ways: Kubernetes with a `Status`,
//! `KubeSphere` with plain text, the middleware service with HTTP 200 and a
//! code inside, the web server with a page. [`Refusal::of`] knows them all
//! and keeps the server's own words, but never the body of a login challenge:
//! it holds a session token.

mod shape;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The status with which the edge of `ControlHub` asks for a login.
pub const LOGIN_NEEDED: u16 = 459;

/// Which part of a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// What stands before the target and asks for a login.
    Edge,
    /// The web server that spreads paths over services.
    Router,
    /// `ControlHub`'s own `/capi`.
    Capi,
    /// `KubeSphere`'s `/kapis`.
    Kapis,
    /// A Kubernetes API server.
    Kubernetes,
    /// The middleware service.
    Middleware,
    /// Any other service.
    Other,
}

impl Layer {
    /// The part that answers for a path.
    pub fn of_path(path: &str) -> Self {
        match path.split('/').find(|segment| !segment.is_empty()) {
            Some("api" | "apis" | "version" | "readyz" | "livez" | "healthz") => Self::Kubernetes,
            Some("kapis") => Self::Kapis,
            Some("capi") => Self::Capi,
            Some("middleware") => Self::Middleware,
            _ => Self::Other,
        }
    }
}

/// The server said no.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The HTTP status; for a service that says no inside an HTTP 200, the code it gives there.
    pub status: u16,
    /// Kubernetes' word for it: `NotFound`, `Conflict`.
    pub reason: Option<String>,
    /// The server's own words.
    pub message: String,
    /// The code inside the body, where it has one.
    pub code: Option<i64>,
    /// What a `Status` tells beyond that: kind, name, causes.
    pub details: Option<Value>,
    /// How long the server asks us to stay away.
    pub retry_after: Option<Duration>,
    /// Who said no.
    pub layer: Layer,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.reason {
            Some(reason) => write!(formatter, "{} (HTTP {} {reason})", self.message, self.status),
            None => write!(formatter, "{} (HTTP {})", self.message, self.status),
        }
    }
}

impl Refusal {
    /// The object is not there. An unknown path is not an absent object: see [`Refusal::is_unrouted`].
    pub fn is_not_found(&self) -> bool {
        self.reason_is("NotFound") && !self.is_unknown_resource()
    }

    /// The path leads nowhere: the target does not have this API, or not here.
    pub fn is_unrouted(&self) -> bool {
        self.reason_is(shape::NOT_ROUTED) || self.is_unknown_resource()
    }

    /// Someone else changed the object since we looked.
    pub fn is_conflict(&self) -> bool {
        self.status == 409 && !self.is_already_exists()
    }

    /// Our own condition (this UID, this version) did not hold.
    pub fn is_precondition(&self) -> bool {
        let said = ["Precondition failed", "in the precondition ("].iter().any(|words| self.message.contains(words));
        self.status == 412 || (self.is_conflict() && said)
    }

    /// An object of this name is there already.
    pub fn is_already_exists(&self) -> bool {
        self.reason_is("AlreadyExists")
    }

    /// We are known, and may not.
    pub fn is_forbidden(&self) -> bool {
        self.status == 403
    }

    /// We are not known: the token is missing, expired or refused.
    pub fn is_unauthenticated(&self) -> bool {
        self.status == 401 || self.status == LOGIN_NEEDED
    }

    /// The version or the continuation that we named is too old.
    pub fn is_gone(&self) -> bool {
        self.status == 410 || self.reason_is("Expired") || self.reason_is("Gone")
    }

    /// The object that we sent breaks a rule of its kind.
    pub fn is_invalid(&self) -> bool {
        self.status == 422 || self.reason_is("Invalid")
    }

    /// We ask too much too fast.
    pub fn is_throttled(&self) -> bool {
        self.status == 429 && !self.is_disruption_budget()
    }

    /// A disruption budget forbids the eviction for now.
    pub fn is_disruption_budget(&self) -> bool {
        self.status == 429 && self.causes().any(|cause| cause == "DisruptionBudget")
    }

    /// The server failed.
    pub fn is_server_error(&self) -> bool {
        self.status >= 500
    }

    /// The same question may get another answer soon: the server was slow, busy or broken.
    pub fn is_transient(&self) -> bool {
        self.status == 408
            || self.is_throttled()
            || (self.is_server_error() && self.status != 501 && !self.is_not_found())
    }

    /// The server may have done what was asked all the same.
    pub fn may_have_applied(&self) -> bool {
        self.status == 408 || (self.is_server_error() && self.status != 501)
    }

    fn reason_is(&self, word: &str) -> bool {
        self.reason.as_deref() == Some(word)
    }

    /// A 404 for the API as a whole, in the words of an API server.
    fn is_unknown_resource(&self) -> bool {
        let named = self.details.as_ref().and_then(|details| details.get("name")).is_some();
        self.status == 404 && !named && self.message == "the server could not find the requested resource"
    }

    fn causes(&self) -> impl Iterator<Item = &str> {
        let causes = self.details.as_ref().and_then(|details| details.get("causes")).and_then(Value::as_array);
        causes.into_iter().flatten().filter_map(|cause| cause.get("reason").and_then(Value::as_str))
    }
}

#[cfg(test)]
mod tests;
