//! What an action must be allowed to do, told before it does it.

use crate::action::context::Context;
use crate::cluster::resource::Resource;
use crate::cluster::verbs::Permission;
use crate::document::Target;
use crate::event::Failure;

/// One thing that an action must be allowed to do.
#[derive(Debug, Clone)]
pub struct Need {
    verb: &'static str,
    target: Target,
    /// Other objects in the target's namespaces, and a part of them, instead of the target itself.
    instead: Option<(Resource, Option<&'static str>)>,
}

impl Need {
    /// To do this to the target itself.
    pub(in crate::action) fn of(verb: &'static str, target: &Target) -> Self {
        Self { verb, target: target.clone(), instead: None }
    }

    /// To do this to other objects in the target's namespaces.
    pub(in crate::action) fn beside(
        verb: &'static str,
        target: &Target,
        resource: &Resource,
        part: Option<&'static str>,
    ) -> Self {
        Self { verb, target: target.clone(), instead: Some((resource.clone(), part)) }
    }
}

/// The questions to ask a server for a need: one a namespace or object.
///
/// # Errors
/// When the server does not say which kinds it has.
pub async fn permissions(context: &Context, need: &Need) -> Result<Vec<Permission>, Failure> {
    let places = match &need.target {
        Target::Set(set) => {
            let collections = context.collections(set).await?;
            collections
                .iter()
                .map(|within| (within.resource().clone(), within.namespace().map(str::to_owned), None))
                .collect()
        }
        target => {
            let address = context.one(target).await?;
            let namespace = address.namespace().map(str::to_owned);
            vec![(address.resource().clone(), namespace, Some(address.name().to_owned()))]
        }
    };
    let mut found = Vec::new();
    for (resource, namespace, name) in places {
        let (resource, subresource, name) = match &need.instead {
            Some((resource, part)) => (resource.clone(), part.map(str::to_owned), None),
            None => (resource, None, name),
        };
        found.push(Permission { verb: need.verb.to_owned(), resource, subresource, namespace, name });
    }
    Ok(found)
}
