//! What people read about an action beside its arguments: its result, an example, its way over the wire.
//!
//! To add one: a row here; a test fails until every action has one, and until
//! its example is read without a complaint.

/// The page of an action.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The action's name.
    pub action: &'static str,
    /// Arguments as a book writes them.
    pub example: &'static str,
    /// The root of `JSONPath`, `$`.
    pub result: &'static str,
    /// The action's own facts, `info`.
    pub info: &'static str,
    /// What goes over the wire.
    pub wire: &'static [&'static str],
}

const fn page(
    action: &'static str,
    example: &'static str,
    (result, info): (&'static str, &'static str),
    wire: &'static [&'static str],
) -> Page {
    Page { action, example, result, info, wire }
}

/// The page of the action of this name.
pub fn page_of(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.action == name)
}

/// Every page, in the order of the table of actions.
static PAGES: &[Page] = &[
    page(
        "get",
        "deployment: shop/web",
        ("the object as the server has it; nothing where it is absent and `optional`", "`found`"),
        &["GET /api/v1/namespaces/<ns>/<plural>/<name>", "GET /apis/<group>/<version>/namespaces/<ns>/<plural>/<name>"],
    ),
    page(
        "list",
        "pods: {in: shop, selector: {app: web}}",
        ("`{items, total}`", "`complete`: whether nothing can be missing"),
        &[
            "GET /api/v1[/namespaces/<ns>]/<plural>?limit=500&continue=…",
            "GET /kapis/resources.kubesphere.io/v1alpha3[/namespaces/<ns>]/<plural>, where the native list is forbidden",
        ],
    ),
    page(
        "workloads",
        "{in: shop, selector: {tier: app}}",
        (
            "`{items, total}`: deployments, stateful sets and daemon sets by namespace, kind and name",
            "`complete`, `unready`: a line for each that is not ready",
        ),
        &["GET /apis/apps/v1[/namespaces/<ns>]/{deployments,statefulsets,daemonsets}, side by side"],
    ),
    page(
        "containers",
        "pod: shop/web-1",
        (
            "`{items, total}`; an item: `namespace pod name kind image image-id ready restarts state reason exit-code last-state ports`",
            "`pods`, `complete`",
        ),
        &["GET /api/v1/namespaces/<ns>/pods/<name>"],
    ),
    page(
        "images",
        "{in: all, image: 'registry.example/web:1.4'}",
        (
            "`{items, total}`; an item: `image kind namespace name container container-kind`",
            "`complete`, `images`: each once",
        ),
        &[
            "GET /apis/apps/v1[/namespaces/<ns>]/{deployments,statefulsets,daemonsets}",
            "GET /apis/batch/v1[/namespaces/<ns>]/{jobs,cronjobs}, side by side",
        ],
    ),
    page(
        "scale",
        "{deployment: shop/web, replicas: 3, wait: 5m}",
        ("the object", "`before`, `after`, `waited` (ms)"),
        &["PATCH /apis/apps/v1/namespaces/<ns>/<plural>/<name> (merge-patch, with UID and resourceVersion)"],
    ),
    page(
        "start",
        "{deployment: shop/web, wait: 10m}",
        ("the object", "`before`, `after`, `waited` (ms)"),
        &["PATCH /apis/apps/v1/namespaces/<ns>/<plural>/<name> (merge-patch, with UID and resourceVersion)"],
    ),
    page(
        "stop",
        "deployment: shop/web",
        ("the object", "`before`, `after`, `waited` (ms)"),
        &[
            "PATCH /apis/apps/v1/namespaces/<ns>/<plural>/<name> (merge-patch, with UID and resourceVersion)",
            "GET /api/v1/namespaces/<ns>/pods, until they are gone",
        ],
    ),
    page(
        "restart",
        "{deployment: shop/web, wait: 10m}",
        ("the workload; of a pod, the pod as it was", "`pods`, `revision`, `waited` (ms); of a pod `owner`"),
        &[
            "PATCH /apis/apps/v1/namespaces/<ns>/<plural>/<name> (the pod template's annotation)",
            "POST /api/v1/namespaces/<ns>/pods/<name>/eviction, for `delete-pods` and for a pod",
            "DELETE /api/v1/namespaces/<ns>/pods/<name>, with `force`",
        ],
    ),
    page(
        "rollback",
        "{deployment: shop/web, to-revision: 4, wait: 5m}",
        ("the object", "`before`, `after`, `waited` (ms)"),
        &[
            "GET /apis/apps/v1/namespaces/<ns>/{replicasets,controllerrevisions}",
            "PATCH /apis/apps/v1/namespaces/<ns>/<plural>/<name>",
        ],
    ),
    page(
        "wait-for-rollout",
        "{deployment: shop/web, timeout: 10m}",
        ("the object", "`waited` (ms), `observations`"),
        &["GET /apis/apps/v1/namespaces/<ns>/<plural>/<name>", "GET /apis/apps/v1/namespaces/<ns>/<plural>?watch=1"],
    ),
    page(
        "wait",
        "{pod: shop/web-1, until: [{path: $.status.phase, equals: Running}], timeout: 2m}",
        ("the object, the set or the result of the reading action", "`waited` (ms), `observations`"),
        &["GET and watch of what is waited for"],
    ),
    page(
        "set-image",
        "{deployment: shop/web, container: web, image: 'registry.example/web:1.5', wait: 5m}",
        ("the object", "`before`, `after`, `container`, `waited` (ms)"),
        &["PATCH /apis/apps/v1/namespaces/<ns>/<plural>/<name> (json-patch that tests what was read)"],
    ),
    page(
        "patch",
        "{configmap: shop/settings, body: {data: {colour: red}}}",
        ("the object", "`waited` (ms), where a rollout is waited for"),
        &["PATCH <object>?dryRun=All, then PATCH <object> (merge-patch, strategic-merge-patch or json-patch)"],
    ),
    page(
        "apply",
        "{objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shop}, data: {colour: red}}]}",
        ("`{objects}`: each as the server then has it", "`created`, `changed`, `unchanged`, `waited` (ms)"),
        &["PATCH <object>?dryRun=All&fieldManager=runhub, then PATCH <object>?fieldManager=runhub (apply-patch)"],
    ),
    page(
        "delete",
        "{job: shop/migrate, propagation: foreground, wait: 5m}",
        ("`{items, total}`: the objects as they were", "`waited` (ms)"),
        &["DELETE <object> (preconditions uid and resourceVersion, propagationPolicy, gracePeriodSeconds)"],
    ),
    page(
        "rerun",
        "{job: shop/migrate, wait: 10m}",
        ("the new Job", "`strategy`, `job`, `pods`, `replaced`, `waited` (ms)"),
        &[
            "POST /apis/batch/v1/namespaces/<ns>/jobs?dryRun=All",
            "DELETE, then POST /apis/batch/v1/namespaces/<ns>/jobs",
            "POST /kapis/operations.kubesphere.io/v1alpha2/namespaces/<ns>/jobs/<name>?action=rerun, only with `operations-api`",
        ],
    ),
    page(
        "trigger",
        "{cronjob: shop/nightly, wait: 10m}",
        ("the new Job", "`job`, `waited` (ms)"),
        &["POST /apis/batch/v1/namespaces/<ns>/jobs"],
    ),
    page(
        "suspend",
        "cronjob: shop/nightly",
        ("the object", "`before`, `after`"),
        &["PATCH /apis/batch/v1/namespaces/<ns>/{cronjobs,jobs}/<name> (batch/v1beta1 where the server has no other)"],
    ),
    page(
        "resume",
        "cronjob: shop/nightly",
        ("the object", "`before`, `after`"),
        &["PATCH /apis/batch/v1/namespaces/<ns>/{cronjobs,jobs}/<name> (batch/v1beta1 where the server has no other)"],
    ),
    page(
        "logs",
        "{deployment: shop/web, tail: 200, artifact: web.log}",
        ("`{lines, text}`", "`containers`, `missing`, `artifact`; following: `found`, `container`, `waited` (ms)"),
        &["GET /api/v1/namespaces/<ns>/pods/<name>/log?container=…&tailLines=…&sinceTime=…&previous=…"],
    ),
    page(
        "events",
        "deployment: shop/web",
        ("`{items}`, oldest first", "`objects`, `events`"),
        &["GET /api/v1/namespaces/<ns>/events?limit=500&continue=…"],
    ),
    page(
        "env",
        "{deployment: shop/web, resolve: true}",
        (
            "`{containers}`; one: `name kind env env_from`; a variable: `name value from`",
            "`missing`: what references point to and is not there",
        ),
        &["GET <object>", "GET /api/v1/namespaces/<ns>/{configmaps,secrets}/<name>, with `resolve`"],
    ),
    page(
        "exec",
        "{container: shop/db-0/postgres, command: [psql, -Atc, select 1], effect: none}",
        ("`{exit_code, stdout, stderr}`; 1 MiB of each stream is kept", "`truncated`, `took` (ms)"),
        &["GET /api/v1/namespaces/<ns>/pods/<name>/exec (WebSocket, v5.channel.k8s.io or v4.channel.k8s.io)"],
    ),
    page("cordon", "node: node-a", ("the node", "`before`, `after`"), &["PATCH /api/v1/nodes/<name>"]),
    page("uncordon", "node: node-a", ("the node", "`before`, `after`"), &["PATCH /api/v1/nodes/<name>"]),
    page(
        "drain",
        "{node: node-a, emptydir: delete, grace-period: 60s, timeout: 20m}",
        ("the node", "`before`, `after`, `evicted`, `left`: pods that stay, `complete`, `waited` (ms)"),
        &[
            "PATCH /api/v1/nodes/<name>",
            "GET /api/v1/pods?fieldSelector=spec.nodeName%3D<name>, and its watch",
            "POST /api/v1/namespaces/<ns>/pods/<name>/eviction (policy/v1, or v1beta1 where the server has no other)",
        ],
    ),
    page(
        "context",
        "{}",
        ("`{user, role, …}`: what the target tells of us", "`provider`, `login`"),
        &[
            "GET /capi/app/detail",
            "POST /apis/authentication.k8s.io/v1/selfsubjectreviews or selfsubjectaccessreviews, on Kubernetes",
        ],
    ),
    page(
        "spaces",
        "{}",
        ("`{items, total}`; an item: `title`, `namespaces`", "`namespaces`: how many"),
        &["GET /capi/namespaces/group", "GET /api/v1/namespaces, on Kubernetes"],
    ),
    page(
        "status",
        "{namespace: shop, events: 10}",
        ("`{workloads, pods, events}`", "`unready`: a line for each workload that is not ready"),
        &[
            "GET /apis/apps/v1/namespaces/<ns>/{deployments,statefulsets,daemonsets}",
            "GET /api/v1/namespaces/<ns>/{pods,events}, side by side",
        ],
    ),
    page(
        "middleware",
        "{postgres: os-platform/citus, reveal: true}",
        (
            "`{items, total}`; an item: `type namespace name nodes adminUser proxy …`, `password` only with `reveal`",
            "nothing",
        ),
        &["GET /middleware/v1/list"],
    ),
    page(
        "set-password",
        "{postgres: os-platform/citus, password: correct-horse}",
        ("`{type, namespace, name, user}`", "`verified`: whether the list shows it"),
        &["GET /middleware/v1/list", "POST /middleware/v1/postgres/password"],
    ),
    page(
        "http",
        "{url: 'https://shop.example/healthz', ok-status: [200-299]}",
        ("`{status, headers, body}`; a body of JSON is data", "nothing"),
        &["the request itself; never with the target's credentials"],
    ),
    page(
        "command",
        "{argv: [dig, +short, shop.example], effect: none}",
        ("`{exit_code, stdout, stderr}`; 1 MiB of each stream is kept", "`truncated`, `took` (ms)"),
        &["none: a program on this machine that `--allow` names"],
    ),
];

#[cfg(test)]
mod tests {
    use super::super::{ACTIONS, stage};
    use super::*;

    #[test]
    fn every_action_has_a_page_whose_example_is_read_without_a_complaint() {
        let pages: Vec<&str> = PAGES.iter().map(|page| page.action).collect();
        let actions: Vec<&str> = ACTIONS.iter().map(|row| row.name).collect();
        assert_eq!(pages, actions);
        for row in ACTIONS {
            let page = page_of(row.name).unwrap();
            assert_eq!(stage::complaints(row, page.example), [], "{}", row.name);
            assert!(!page.result.is_empty() && !page.info.is_empty() && !page.wire.is_empty(), "{}", row.name);
        }
    }
}
