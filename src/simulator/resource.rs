//! The kinds that the simulated API serves: one table, read by discovery, routing and the store.
//!
//! To add a kind, add a row to [`RESOURCES`]; defaults and validation for it
//! are optional and live in `defaults.rs` and `validation.rs`.

/// One kind of object: where it is served and how it behaves.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    /// The name in paths, such as `deployments`; unique in the table.
    pub plural: &'static str,
    /// The name of one, such as `deployment`.
    pub singular: &'static str,
    /// The name in `kind`.
    pub kind: &'static str,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The versions that serve it; the first is the one that is stored.
    pub versions: &'static [&'static str],
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The abbreviations that discovery offers.
    pub short: &'static [&'static str],
    /// What objects of this kind can do beyond being stored.
    pub traits: &'static [Trait],
}

/// A behaviour that some kinds have and others lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// `metadata.generation` counts the changes of `spec`.
    Generation,
    /// There is a `/status` subresource.
    Status,
    /// There is a `/scale` subresource.
    Scale,
    /// DELETE answers with the object even when it is gone.
    ReturnsDeleted,
    /// PUT creates it where it is not there.
    CreatedByUpdate,
    /// Part of `kubectl get all`.
    All,
}

use Trait::{All, CreatedByUpdate, Generation, ReturnsDeleted, Scale, Status};

impl Resource {
    /// Whether the kind has a behaviour.
    pub fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }

    /// The `apiVersion` of the stored form.
    pub fn api_version(&self) -> String {
        self.versions.first().map_or_else(String::new, |version| group_version(self.group, version))
    }

    /// The name with its group, as messages write it: `deployments.apps`.
    pub fn qualified(&self) -> String {
        qualified(self.plural, self.group)
    }

    /// The kind with its group, as validation writes it: `Deployment.apps`.
    pub fn qualified_kind(&self) -> String {
        qualified(self.kind, self.group)
    }

    /// The `kind` of a list of such objects.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }
}

/// Joins a group and a version as `apiVersion` writes them.
pub fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// The resource that paths call `plural`.
pub fn by_plural(plural: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.plural == plural)
}

/// The resource that manifests call `kind`, in the group of `api_version`.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Resource> {
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    RESOURCES.iter().find(|resource| resource.kind == kind && resource.group == group)
}

const APPS: &[&str] = &["v1"];

/// Every kind that is served.
pub static RESOURCES: &[Resource] = &[
    core("pods", "pod", "Pod", &["po"], &[Status, ReturnsDeleted, All]),
    core("services", "service", "Service", &["svc"], &[Status, ReturnsDeleted, All]),
    core("configmaps", "configmap", "ConfigMap", &["cm"], &[]),
    core("secrets", "secret", "Secret", &[], &[]),
    core("events", "event", "Event", &["ev"], &[CreatedByUpdate]),
    core("serviceaccounts", "serviceaccount", "ServiceAccount", &["sa"], &[ReturnsDeleted]),
    core(
        "persistentvolumeclaims",
        "persistentvolumeclaim",
        "PersistentVolumeClaim",
        &["pvc"],
        &[Status, ReturnsDeleted],
    ),
    core("resourcequotas", "resourcequota", "ResourceQuota", &["quota"], &[Status, ReturnsDeleted]),
    core("endpoints", "endpoints", "Endpoints", &["ep"], &[CreatedByUpdate]),
    core("limitranges", "limitrange", "LimitRange", &["limits"], &[CreatedByUpdate]),
    Resource {
        namespaced: false,
        ..core("persistentvolumes", "persistentvolume", "PersistentVolume", &["pv"], &[Status, ReturnsDeleted])
    },
    Resource { namespaced: false, ..core("namespaces", "namespace", "Namespace", &["ns"], &[Status]) },
    Resource { namespaced: false, ..core("nodes", "node", "Node", &["no"], &[Status]) },
    apps("deployments", "deployment", "Deployment", &["deploy"], &[Generation, Status, Scale, All]),
    apps("replicasets", "replicaset", "ReplicaSet", &["rs"], &[Generation, Status, Scale, All]),
    apps("statefulsets", "statefulset", "StatefulSet", &["sts"], &[Generation, Status, Scale, All]),
    apps("daemonsets", "daemonset", "DaemonSet", &["ds"], &[Generation, Status, All]),
    apps("controllerrevisions", "controllerrevision", "ControllerRevision", &[], &[]),
    Resource { group: "batch", ..core("jobs", "job", "Job", &[], &[Generation, Status, All]) },
    Resource {
        group: "batch",
        versions: &["v1", "v1beta1"],
        ..core("cronjobs", "cronjob", "CronJob", &["cj"], &[Generation, Status, All])
    },
    Resource {
        group: "policy",
        versions: &["v1", "v1beta1"],
        ..core("poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget", &["pdb"], &[Generation, Status])
    },
    Resource {
        group: "autoscaling",
        versions: &["v2", "v1"],
        ..core(
            "horizontalpodautoscalers",
            "horizontalpodautoscaler",
            "HorizontalPodAutoscaler",
            &["hpa"],
            &[Status, All],
        )
    },
    Resource { group: "coordination.k8s.io", ..core("leases", "lease", "Lease", &[], &[CreatedByUpdate]) },
    networking("ingresses", "ingress", "Ingress", &["ing"], &[Generation, Status]),
    networking("networkpolicies", "networkpolicy", "NetworkPolicy", &["netpol"], &[Generation]),
    Resource { namespaced: false, ..networking("ingressclasses", "ingressclass", "IngressClass", &[], &[Generation]) },
    Resource {
        group: "discovery.k8s.io",
        ..core("endpointslices", "endpointslice", "EndpointSlice", &[], &[Generation])
    },
    rbac("roles", "role", "Role"),
    rbac("rolebindings", "rolebinding", "RoleBinding"),
    Resource { namespaced: false, ..rbac("clusterroles", "clusterrole", "ClusterRole") },
    Resource { namespaced: false, ..rbac("clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding") },
    Resource {
        group: "storage.k8s.io",
        namespaced: false,
        ..core("storageclasses", "storageclass", "StorageClass", &["sc"], &[ReturnsDeleted, CreatedByUpdate])
    },
    Resource {
        group: "scheduling.k8s.io",
        namespaced: false,
        ..core("priorityclasses", "priorityclass", "PriorityClass", &["pc"], &[Generation, CreatedByUpdate])
    },
];

const fn networking(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    traits: &'static [Trait],
) -> Resource {
    Resource { group: "networking.k8s.io", ..core(plural, singular, kind, short, traits) }
}

const fn rbac(plural: &'static str, singular: &'static str, kind: &'static str) -> Resource {
    Resource { group: "rbac.authorization.k8s.io", ..core(plural, singular, kind, &[], &[CreatedByUpdate]) }
}

const fn core(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    traits: &'static [Trait],
) -> Resource {
    Resource { plural, singular, kind, group: "", versions: APPS, namespaced: true, short, traits }
}

const fn apps(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    traits: &'static [Trait],
) -> Resource {
    Resource { group: "apps", ..core(plural, singular, kind, short, traits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_are_unique() {
        let mut plurals: Vec<_> = RESOURCES.iter().map(|resource| resource.plural).collect();
        plurals.sort_unstable();
        plurals.dedup();
        assert_eq!(plurals.len(), RESOURCES.len());
    }

    #[test]
    fn a_kind_is_found_by_group_and_name() {
        assert_eq!(by_kind("apps/v1", "Deployment").map(|found| found.plural), Some("deployments"));
        assert_eq!(by_kind("v1", "Deployment"), None);
        assert_eq!(by_plural("jobs").map(Resource::qualified), Some("jobs.batch".to_owned()));
    }
}
