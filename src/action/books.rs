//! The arguments of the eight design books, as they are written there: every one must be legal.

use super::stage::decoded;
use crate::document::Mode;

/// Verb and arguments.
const WRITTEN: &[(&str, &str)] = &[
    // canary-image
    ("set-image", r#"{deployment: shop/web-canary, container: web, image: "{{ inputs.image }}", wait: 5m}"#),
    ("list", "{pods: {of: {deployment: shop/web-canary}}}"),
    ("set-image", r#"{deployment: shop/web, container: web, image: "{{ inputs.image }}", wait: 10m}"#),
    // db-maintenance
    ("stop", r#"{deployments: {in: "{{ inputs.namespace }}", selector: {tier: app}, max: 10}}"#),
    (
        "exec",
        r#"{container: "{{ inputs.namespace }}/db-0/postgres", command: [psql, -Atc, "select count(*)"], effect: none}"#,
    ),
    ("exec", r#"{container: "{{ inputs.namespace }}/db-0/postgres", command: [vacuumdb, --full, --analyze, shop]}"#),
    ("wait-for-rollout", r#"{deployments: {in: "{{ inputs.namespace }}", selector: {tier: app}}}"#),
    // drain-node
    ("list", "{nodes: {in: all, where: [{path: $.spec.unschedulable, default: false, equals: false}]}}"),
    ("cordon", r#"{node: "{{ inputs.node }}"}"#),
    ("drain", r#"{node: "{{ inputs.node }}", emptydir: delete, unmanaged: refuse, grace-period: 60s}"#),
    ("list", r#"{pods: {in: all, field-selector: "spec.nodeName={{ inputs.node }}"}}"#),
    ("uncordon", r#"{node: "{{ inputs.node }}"}"#),
    // incident-triage
    ("list", "{nodes: all}"),
    ("list", "{pods: all}"),
    // nightly-pause
    ("stop", r#"{deployments: {in: "{{ ns }}", selector: {nightly-pause: "true"}, min: 0, max: 20}}"#),
    ("list", r#"{cronjobs: {in: "{{ ns }}", where: [{path: $.spec.suspend, default: false, equals: false}]}}"#),
    ("start", r#"{deployments: {in: "{{ ns }}", min: 0, max: 20, held-by: nightly-pause}, wait: 10m}"#),
    // rerun-failed-job
    ("list", r#"{pods: {of: {job: "{{ inputs.job }}"}}}"#),
    // restart-app
    ("list", r#"{pods: {of: {deployment: "{{ inputs.app }}"}}}"#),
    ("restart", r#"{deployment: "{{ inputs.app }}", wait: 10m}"#),
    // rotate-postgres-password
    ("middleware", "{postgres: os-platform/citus, reveal: true}"),
    (
        "exec",
        r#"{container: os-platform/citus-0/postgres, command: "{{ vars.verify }}", stdin: "{{ steps.now_set.outputs.old }}\n", effect: none}"#,
    ),
    ("set-password", r#"{postgres: os-platform/citus, password: "{{ vars.fresh }}"}"#),
    (
        "patch",
        r#"{object: {api-version: v1, kind: Secret, namespace: "{{ inputs.apps }}", name: citus-auth}, body: {stringData: {password: "{{ vars.fresh }}"}}}"#,
    ),
    ("restart", r#"{deployments: {in: "{{ inputs.apps }}", selector: {uses: citus}, max: 6}, wait: 10m}"#),
    (
        "exec",
        r#"{container: os-platform/citus-0/postgres, command: "{{ vars.verify }}", stdin: "x", ok-exit-codes: [2], effect: none}"#,
    ),
];

#[test]
fn every_argument_of_the_design_books_is_legal() {
    for (verb, arguments) in WRITTEN {
        let row = super::find(verb).unwrap_or_else(|| panic!("no verb {verb}"));
        let (action, out) = decoded(row, arguments, Mode::Holes);
        assert!(action.is_some() && out.is_empty(), "{verb}: {arguments}: {out:?}");
    }
}

#[test]
fn what_is_written_without_holes_is_legal_when_it_runs() {
    for (verb, arguments) in WRITTEN.iter().filter(|(_, arguments)| !arguments.contains("{{")) {
        let (action, out) = decoded(super::find(verb).unwrap(), arguments, Mode::Whole);
        assert!(action.is_some() && out.is_empty(), "{verb}: {arguments}: {out:?}");
    }
}

#[test]
fn every_row_has_words_a_schema_and_its_own_name() {
    let mut names = super::names();
    for row in super::ACTIONS {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = (row.schema)(&mut generator);
        assert!(!row.help.is_empty() && !schema.to_value().is_null(), "{}", row.name);
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
