//! What the steps planned so far would leave behind.
//!
//! A later step is computed from what an earlier one leaves, not from what the
//! server has now; and a read of what an earlier step changes, or of what
//! follows from it (a Deployment's pods), is not believed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::cluster::resource::Address;
use crate::event::StepId;

/// What a planned change leaves of an object.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::action) enum Left {
    /// The object, like this.
    As(Value),
    /// Nothing.
    Gone,
    /// One cannot tell.
    Unclear,
}

/// An object that planned steps touch.
#[derive(Debug, Clone)]
struct Touched {
    address: Address,
    by: Vec<StepId>,
    left: Left,
}

/// All objects that planned steps touch; clones share the knowledge.
#[derive(Debug, Clone, Default)]
pub struct Foresight(Arc<Mutex<BTreeMap<String, Touched>>>);

/// What lives and dies with a kind: its own state cannot be read before the change is made.
const FOLLOWERS: [(&str, &[&str]); 8] = [
    ("deployments", &["replicasets", "pods", "events", "endpoints"]),
    ("statefulsets", &["pods", "controllerrevisions", "events", "endpoints"]),
    ("daemonsets", &["pods", "controllerrevisions", "events", "endpoints"]),
    ("replicasets", &["pods", "deployments", "events", "endpoints"]),
    ("jobs", &["pods", "events"]),
    ("cronjobs", &["jobs", "pods", "events"]),
    ("pods", &["deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "events", "endpoints"]),
    ("nodes", &["events"]),
];

impl Foresight {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Touched>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what a step leaves of an object.
    pub(in crate::action) fn note(&self, address: &Address, step: &StepId, left: Left) {
        self.with(|all| {
            let fresh = || Touched { address: address.clone(), by: Vec::new(), left: Left::Unclear };
            let touched = all.entry(address.path().as_str().to_owned()).or_insert_with(fresh);
            if !touched.by.contains(step) {
                touched.by.push(step.clone());
            }
            touched.left = left;
        });
    }

    /// What is left of an object, and by which steps; nothing where none touches it.
    pub(in crate::action) fn of(&self, address: &Address) -> Option<(Left, Vec<StepId>)> {
        self.with(|all| all.get(address.path().as_str()).map(|touched| (touched.left.clone(), touched.by.clone())))
    }

    /// From here on nobody can tell how the touched objects stand: a phase begins that may begin anywhere.
    pub fn forget(&self) {
        self.with(|all| all.values_mut().for_each(|touched| touched.left = Left::Unclear));
    }

    /// The touched objects of a kind in a namespace; every namespace where none is named.
    pub(in crate::action) fn within(&self, plural: &str, namespace: Option<&str>) -> Vec<(Address, Left, Vec<StepId>)> {
        let is_meant = |touched: &&Touched| {
            let address = &touched.address;
            address.resource().plural == plural && (namespace.is_none() || address.namespace() == namespace)
        };
        self.with(|all| {
            let meant = all.values().filter(is_meant);
            meant.map(|touched| (touched.address.clone(), touched.left.clone(), touched.by.clone())).collect()
        })
    }

    /// The steps after which the answers of these requests would be others.
    pub fn unsettles(&self, paths: &[String]) -> Vec<StepId> {
        self.unsettling(paths, &|read, touched| read.sees(touched))
    }

    /// The same, but for reads of the touched objects themselves: a look knows what is left of these.
    pub fn unsettles_beside(&self, paths: &[String]) -> Vec<StepId> {
        self.unsettling(paths, &|read, touched| read.plural != touched.resource().plural && read.sees(touched))
    }

    fn unsettling(&self, paths: &[String], sees: &dyn Fn(&Read<'_>, &Address) -> bool) -> Vec<StepId> {
        let reads: Vec<Read<'_>> = paths.iter().filter_map(|path| Read::of(path)).collect();
        let mut steps: Vec<StepId> = Vec::new();
        self.with(|all| {
            for touched in all.values().filter(|touched| reads.iter().any(|read| sees(read, &touched.address))) {
                steps.extend(touched.by.iter().filter(|step| !steps.contains(step)).cloned().collect::<Vec<_>>());
            }
        });
        steps
    }
}

/// What a request reads, told by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Read<'a> {
    plural: &'a str,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'a> Read<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let root = parts.find(|part| matches!(*part, "api" | "apis" | "kapis"))?;
        let mut rest = parts.skip(if root == "api" { 1 } else { 2 });
        match (rest.next()?, rest.next(), rest.next()) {
            ("namespaces", Some(namespace), Some(plural)) => {
                Some(Self { plural, namespace: Some(namespace), name: rest.next() })
            }
            (plural, name, _) => Some(Self { plural, namespace: None, name }),
        }
    }

    fn sees(&self, touched: &Address) -> bool {
        let plural = touched.resource().plural.as_ref();
        if plural == "namespaces" && self.namespace == Some(touched.name()) {
            return true;
        }
        let near = self.namespace.is_none() || touched.namespace() == self.namespace;
        if plural == self.plural {
            return near && self.name.is_none_or(|name| name == touched.name());
        }
        let followers = FOLLOWERS.iter().find(|(kind, _)| *kind == plural);
        let follows = followers.is_some_and(|(_, followers)| followers.contains(&self.plural));
        near && follows && self.name.is_none_or(|name| are_kin(name, touched.name()))
    }
}

/// Whether one object may have come of the other, by its name: `web-6c9f-x2k7p` of `web`.
///
/// The names of long families are cut, so that nothing can be told from them.
fn are_kin(one: &str, other: &str) -> bool {
    const CUT: usize = 45;
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('-'));
    begins(one, other) || begins(other, one) || one.len().max(other.len()) > CUT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resource::{DEPLOYMENT, NAMESPACE};

    fn unsettled(path: &str) -> bool {
        let foresight = Foresight::default();
        foresight.note(&DEPLOYMENT.at(Some("shop"), "web").unwrap(), &StepId("grow".into()), Left::Unclear);
        !foresight.unsettles(&[path.to_owned()]).is_empty()
    }

    #[test]
    fn a_read_of_what_changes_or_follows_is_not_believed() {
        assert!(unsettled("/apis/apps/v1/namespaces/shop/deployments/web"));
        assert!(unsettled("/apis/apps/v1/namespaces/shop/deployments?limit=500"));
        assert!(unsettled("/apis/apps/v1/deployments?limit=500"));
        assert!(unsettled("/api/v1/namespaces/shop/pods"));
        assert!(unsettled("/api/v1/namespaces/shop/pods/web-1/log?tailLines=3"));
        assert!(unsettled("/kapis/resources.kubesphere.io/v1alpha3/namespaces/shop/deployments"));
    }

    #[test]
    fn a_read_beside_it_is() {
        assert!(!unsettled("/apis/apps/v1/namespaces/shop/deployments/db"));
        assert!(!unsettled("/api/v1/namespaces/other/pods"));
        assert!(!unsettled("/api/v1/namespaces/shop/pods/db-1/log"));
        assert!(!unsettled("/api/v1/namespaces/shop/configmaps/web"));
        assert!(!unsettled("/api/v1/namespaces/shop"));
        assert!(!unsettled("/capi/app/detail"));
    }

    #[test]
    fn all_of_a_namespace_goes_with_it() {
        let foresight = Foresight::default();
        foresight.note(&NAMESPACE.at(None, "shop").unwrap(), &StepId("end".into()), Left::Gone);
        let steps = foresight.unsettles(&["/api/v1/namespaces/shop/configmaps/web".into()]);
        assert_eq!(steps, [StepId("end".into())]);
    }
}
