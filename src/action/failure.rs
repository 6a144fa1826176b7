//! What the cluster says no to, as a step's failure.

use crate::cluster::{Error, Refusal};
use crate::event::{Class, Failure, LedgerError};

/// Why the ledger gives no ticket.
///
/// An object in the hands of another run is no conflict on the server, where some actions take one for "gone
/// already": nothing may be sent, as where the journal cannot be written.
#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
pub(super) fn of_ledger(error: LedgerError) -> Failure {
    Failure::new(Class::Journal, error.to_string())
}

/// A failure with the server's own words, behind what was tried.
pub(super) fn of_error(error: &Error, what: &str) -> Failure {
    match error {
        Error::Refused(refusal) => of_refusal(refusal, what),
        Error::Login(_) => Failure::new(Class::Login, error.to_string()),
        Error::UnknownKind { .. } | Error::Path(_) => Failure::new(Class::Invalid, format!("{what}: {error}")),
        Error::Transport(_) | Error::Body(_) => Failure::new(Class::Transport, format!("{what}: {error}")),
    }
}

fn of_refusal(refusal: &Refusal, what: &str) -> Failure {
    let mut failure = Failure::new(class(refusal), format!("{what}: {refusal}"));
    failure.http_status = Some(refusal.status);
    failure.reason.clone_from(&refusal.reason);
    failure.help = help(failure.class);
    failure
}

fn class(refusal: &Refusal) -> Class {
    if refusal.is_unrouted() {
        Class::Unrouted
    } else if refusal.is_not_found() {
        Class::NotFound
    } else if refusal.is_unauthenticated() {
        Class::Login
    } else if refusal.is_forbidden() {
        Class::Forbidden
    } else if refusal.is_throttled() {
        Class::Throttle
    } else if refusal.is_conflict() || refusal.is_already_exists() {
        Class::Conflict
    } else if refusal.is_server_error() {
        Class::Server
    } else {
        Class::Invalid
    }
}

fn help(class: Class) -> Option<String> {
    let text = match class {
        Class::Forbidden => "the server decides what is allowed: ask for the permission, or run as somebody who has it",
        Class::Login => "log in again, then run it again",
        Class::Unrouted => "this target does not serve that address: check the URL and the provider",
        _ => return None,
    };
    Some(text.into())
}
