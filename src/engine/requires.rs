//! What a book requires of target and user, before step 1.

use super::run::Run;
use crate::cluster::Error;
use crate::event::{Class, Problem};
use crate::runbook::Requires;

/// What is not met of target, role and version, all of it.
pub(super) async fn unmet(run: &Run) -> Vec<Problem> {
    let Some(requires) = &run.order.book.requires else { return Vec::new() };
    if let Some(problem) = target(run, requires) {
        return vec![problem];
    }
    let (role, version) = (role(run, requires).await, version(run, requires).await);
    let mut unmet: Vec<Problem> = Vec::new();
    for problem in [role, version].into_iter().flatten() {
        // One target out of reach is one problem, however much was asked of it.
        if problem.class == Class::Forbidden || !unmet.iter().any(|known| known.class == problem.class) {
            unmet.push(problem);
        }
    }
    unmet
}

fn not_offered(what: String) -> Problem {
    Problem::new(Class::Forbidden, format!("the book requires what this target does not offer: {what}"))
}

fn target(run: &Run, requires: &Requires) -> Option<Problem> {
    let provider = &run.order.target.provider;
    let wanted = &requires.target.as_ref()?.0;
    let words: Vec<&str> = wanted.iter().map(|name| name.word()).collect();
    let other = !words.contains(&provider.as_str());
    other.then(|| not_offered(format!("a target of {}, this is {provider}", words.join(" or "))))
}

async fn role(run: &Run, requires: &Requires) -> Option<Problem> {
    let wanted = requires.role.as_ref()?;
    let client = &run.shared.client;
    let who = match client.provider().who_am_i(client).await {
        Ok(who) => who,
        Err(error) => return Some(unreachable(&error, "what the book requires cannot be asked")),
    };
    match who.role {
        Some(role) if role == *wanted => None,
        Some(role) => Some(not_offered(format!("the role {wanted}, {} has {role}", who.user))),
        None => Some(not_offered(format!("the role {wanted}, this target tells no role"))),
    }
}

async fn version(run: &Run, requires: &Requires) -> Option<Problem> {
    let wanted = requires.version.as_ref()?;
    let client = &run.shared.client;
    let version = match client.provider().version(client).await {
        Ok(version) => version,
        Err(error) => return Some(unreachable(&error, "what the book requires cannot be asked")),
    };
    match wanted.is_met_by(&version) {
        Some(true) => None,
        Some(false) => Some(not_offered(format!("version {wanted}, this is {version}"))),
        None => Some(not_offered(format!("version {wanted}, this target says `{version}`"))),
    }
}

/// A question that the target did not answer.
pub(super) fn unreachable(error: &Error, what: &str) -> Problem {
    let class = match error {
        Error::Login(_) => Class::Login,
        Error::Refused(refusal) if refusal.is_unauthenticated() => Class::Login,
        Error::Refused(refusal) if refusal.is_forbidden() => Class::Forbidden,
        _ => Class::Transport,
    };
    Problem::new(class, format!("{what}: {error}"))
}
