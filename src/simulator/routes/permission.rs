//! Who may do what: admins everything, others everything inside their own namespaces.

use super::kubernetes::Target;
use crate::simulator::identity::Caller;
use crate::simulator::status::StatusError;

/// What a caller wants to do, in the words of Kubernetes' permissions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wish<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) sub: &'a str,
    pub(super) ns: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Wish<'a> {
    /// The wish behind a path.
    pub(super) fn of(verb: &'a str, target: &Target<'a>) -> Self {
        Self {
            verb,
            group: target.resource.group,
            resource: target.resource.plural,
            sub: target.sub.unwrap_or_default(),
            ns: target.ns.unwrap_or_default(),
            name: target.name.unwrap_or_default(),
        }
    }
}

/// Whether the caller may.
pub(super) fn allows(caller: &Caller, wish: &Wish<'_>) -> bool {
    let own_namespace = wish.resource == "namespaces" && wish.verb == "get" && caller.owns(wish.name);
    let inside = !wish.ns.is_empty() && caller.owns(wish.ns);
    caller.is_admin() || inside || own_namespace
}

/// # Errors
/// 403 in the words of Kubernetes, when the caller may not.
pub(super) fn check(caller: &Caller, verb: &str, target: &Target<'_>) -> Result<(), StatusError> {
    let wish = Wish::of(verb, target);
    if allows(caller, &wish) { Ok(()) } else { Err(refusal(caller.name(), &wish)) }
}

/// The words in which a wish is denied.
pub(super) fn refusal(user: &str, wish: &Wish<'_>) -> StatusError {
    let Wish { verb, group, resource, sub, ns, name } = *wish;
    let dotted = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let named = if name.is_empty() { dotted } else { format!("{dotted} \"{name}\"") };
    let part = if sub.is_empty() { resource.to_owned() } else { format!("{resource}/{sub}") };
    let scope = if ns.is_empty() { "at the cluster scope".to_owned() } else { format!("in the namespace \"{ns}\"") };
    let message = format!(
        "{named} is forbidden: User \"{user}\" cannot {verb} resource \"{part}\" in API group \"{group}\" {scope}"
    );
    StatusError::forbidden(message, resource, group, name)
}
