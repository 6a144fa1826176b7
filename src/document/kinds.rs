//! The kinds that a runbook can name with a word, as runbook-format §6 lists them.

/// One kind.
#[derive(Debug, PartialEq, Eq)]
pub struct KindRow {
    /// `Deployment`.
    pub kind: &'static str,
    /// `deployment`: the key for one object.
    pub singular: &'static str,
    /// `deployments`: the key for a set.
    pub plural: &'static str,
    /// `deploy`, where there is one.
    pub short: Option<&'static str>,
    /// `apps/v1`.
    pub api_version: &'static str,
    /// Whether its objects lie in namespaces.
    pub namespaced: bool,
}

const fn row(
    kind: &'static str,
    singular: &'static str,
    plural: &'static str,
    short: Option<&'static str>,
    api_version: &'static str,
) -> KindRow {
    KindRow { kind, singular, plural, short, api_version, namespaced: true }
}

/// All kinds with a word of their own.
pub static KINDS: [KindRow; 13] = [
    row("Deployment", "deployment", "deployments", Some("deploy"), "apps/v1"),
    row("StatefulSet", "statefulset", "statefulsets", Some("sts"), "apps/v1"),
    row("DaemonSet", "daemonset", "daemonsets", Some("ds"), "apps/v1"),
    row("ReplicaSet", "replicaset", "replicasets", Some("rs"), "apps/v1"),
    row("Pod", "pod", "pods", Some("po"), "v1"),
    row("Job", "job", "jobs", None, "batch/v1"),
    row("CronJob", "cronjob", "cronjobs", Some("cj"), "batch/v1"),
    KindRow { namespaced: false, ..row("Node", "node", "nodes", None, "v1") },
    KindRow { namespaced: false, ..row("Namespace", "namespace", "namespaces", Some("ns"), "v1") },
    row("Service", "service", "services", Some("svc"), "v1"),
    row("ConfigMap", "configmap", "configmaps", Some("cm"), "v1"),
    row("Secret", "secret", "secrets", None, "v1"),
    row("Event", "event", "events", None, "v1"),
];

impl KindRow {
    /// The kind that a key for one object names.
    pub fn of_singular(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|row| row.singular == word || row.short == Some(word))
    }

    /// The kind that a key for a set names.
    pub fn of_plural(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|row| row.plural == word)
    }
}
