//! What a book requires of target and user, before step 1.

use super::run::Run;
use crate::cluster::Error;
use crate::event::{Class, Failure};
use crate::runbook::Requires;

/// Checks target, role and version; all that is not met is named at once.
pub(super) async fn check(run: &Run) -> Result<(), Failure> {
    let Some(requires) = &run.order.book.requires else { return Ok(()) };
    let mut unmet = Vec::new();
    unmet.extend(target(run, requires));
    if unmet.is_empty() {
        unmet.extend(role(run, requires).await?);
        unmet.extend(version(run, requires).await?);
    }
    if unmet.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Class::Forbidden,
        format!("the book requires what this target does not offer: {}", unmet.join("; ")),
    ))
}

fn target(run: &Run, requires: &Requires) -> Option<String> {
    let provider = &run.order.target.provider;
    let wanted = &requires.target.as_ref()?.0;
    let words: Vec<&str> = wanted.iter().map(|name| name.word()).collect();
    (!words.contains(&provider.as_str())).then(|| format!("a target of {}, this is {provider}", words.join(" or ")))
}

async fn role(run: &Run, requires: &Requires) -> Result<Option<String>, Failure> {
    let Some(wanted) = &requires.role else { return Ok(None) };
    let client = &run.shared.client;
    let who = client.provider().who_am_i(client).await.map_err(|error| unreachable(&error))?;
    Ok(match who.role {
        Some(role) if role == *wanted => None,
        Some(role) => Some(format!("the role {wanted}, {} has {role}", who.user)),
        None => Some(format!("the role {wanted}, this target tells no role")),
    })
}

async fn version(run: &Run, requires: &Requires) -> Result<Option<String>, Failure> {
    let Some(wanted) = &requires.version else { return Ok(None) };
    let client = &run.shared.client;
    let version = client.provider().version(client).await.map_err(|error| unreachable(&error))?;
    Ok(match wanted.is_met_by(&version) {
        Some(true) => None,
        Some(false) => Some(format!("version {wanted}, this is {version}")),
        None => Some(format!("version {wanted}, this target says `{version}`")),
    })
}

fn unreachable(error: &Error) -> Failure {
    let class = match error {
        Error::Login(_) => Class::Login,
        Error::Refused(refusal) if refusal.is_unauthenticated() => Class::Login,
        Error::Refused(refusal) if refusal.is_forbidden() => Class::Forbidden,
        _ => Class::Transport,
    };
    Failure::new(class, format!("what the book requires cannot be asked: {error}"))
}
