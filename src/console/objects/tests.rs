use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().unwrap()
}

fn object(kind: &str, name: &str, rest: &Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}});
    json_patch::merge(&mut object, rest);
    object
}

fn shown(kind: &str, items: &[Value], wide: bool) -> String {
    table(kind, items, &View { namespaces: false, wide, now: now() }, &Style::default())
}

fn pod(name: &str, status: Value) -> Value {
    object("Pod", name, &json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}, "status": status}))
}

/// The status words of pods, as kubectl finds them.
fn words(pods: &[Value]) -> Vec<[String; 3]> {
    let cells = |line: &str| {
        let mut columns = line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).skip(1);
        std::array::from_fn(|_| columns.next().unwrap_or_default().to_owned())
    };
    shown("Pod", pods, false).lines().skip(1).map(cells).collect()
}

fn running() -> Value {
    json!({"ready": true, "state": {"running": {}}})
}

#[test]
fn a_pod_has_the_word_of_the_container_that_has_one() {
    let ended = |state: Value| json!({"state": {"terminated": state}});
    let of = |phase: &str, containers: Value| pod("p", json!({"phase": phase, "containerStatuses": containers}));
    let crash = json!({"restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"finishedAt": "2026-01-01T00:57:00Z"}}});
    let cases = [
        (of("Running", json!([running(), running()])), ["2/2", "Running", "0"]),
        (of("Pending", json!([])), ["0/2", "Pending", "0"]),
        (of("Running", json!([running(), crash])), ["1/2", "CrashLoopBackOff", "7 (3m ago)"]),
        (of("Succeeded", json!([ended(json!({"reason": "Completed", "exitCode": 0}))])), ["0/2", "Completed", "0"]),
        (of("Failed", json!([ended(json!({"exitCode": 3}))])), ["0/2", "ExitCode:3", "0"]),
        (of("Failed", json!([ended(json!({"exitCode": 137, "signal": 9}))])), ["0/2", "Signal:9", "0"]),
        (
            of("Running", json!([ended(json!({"reason": "Completed", "exitCode": 0})), running()])),
            ["1/2", "NotReady", "0"],
        ),
        (pod("p", json!({"phase": "Failed", "reason": "Evicted"})), ["0/2", "Evicted", "0"]),
    ];
    for (pod, expected) in cases {
        assert_eq!(words(&[pod])[0], expected);
    }
}

#[test]
fn a_pod_that_starts_or_goes_says_how_far_it_is() {
    let init = |statuses: Value| {
        let mut pod = pod("p", json!({"phase": "Pending", "initContainerStatuses": statuses}));
        pod["spec"]["initContainers"] = json!([{"name": "one"}, {"name": "two"}]);
        pod
    };
    let done = json!({"name": "one", "state": {"terminated": {"exitCode": 0}}});
    let going = |mut pod: Value| {
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:59:00Z".into();
        pod
    };
    let sidecar = {
        let status = json!({"name": "one", "started": true, "ready": true, "state": {"running": {}}});
        let mut pod = pod(
            "p",
            json!({"phase": "Running", "initContainerStatuses": [status],
            "containerStatuses": [running(), running()]}),
        );
        pod["spec"]["initContainers"] = json!([{"name": "one", "restartPolicy": "Always"}]);
        pod
    };
    let cases = [
        (init(json!([{"name": "one", "state": {"running": {}}}])), ["0/2", "Init:0/2", "0"]),
        (
            init(json!([done, {"name": "two", "state": {"waiting": {"reason": "PodInitializing"}}}])),
            ["0/2", "Init:1/2", "0"],
        ),
        (
            init(json!([done, {"name": "two", "state": {"waiting": {"reason": "ErrImagePull"}}}])),
            ["0/2", "Init:ErrImagePull", "0"],
        ),
        (
            init(json!([{"name": "one", "restartCount": 2, "state": {"terminated": {"exitCode": 1}}}])),
            ["0/2", "Init:ExitCode:1", "2"],
        ),
        (
            going(pod("p", json!({"phase": "Running", "containerStatuses": [running(), running()]}))),
            ["2/2", "Terminating", "0"],
        ),
        (going(pod("p", json!({"phase": "Succeeded"}))), ["0/2", "Succeeded", "0"]),
        (going(pod("p", json!({"phase": "Running", "reason": "NodeLost"}))), ["0/2", "Unknown", "0"]),
        (sidecar, ["3/3", "Running", "0"]),
    ];
    for (pod, expected) in cases {
        assert_eq!(words(&[pod])[0], expected);
    }
}

#[test]
fn every_kind_has_the_columns_of_kubectl() {
    let template =
        json!({"spec": {"containers": [{"name": "web", "image": "shop/web:1"}, {"name": "log", "image": "log:2"}]}});
    let selector = json!({"matchLabels": {"app": "web"}});
    let workload = |kind: &str, status: Value| {
        object(
            kind,
            "web",
            &json!({"spec": {"replicas": 3, "selector": selector, "template": template}, "status": status}),
        )
    };
    let daemons = json!({"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberReady": 2});
    let condition = |kind: &str| json!([{"type": kind, "status": "True"}]);
    let job = json!({"spec": {"completions": 2, "template": template}, "status": {"succeeded": 2, "conditions": condition("Complete"),
        "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:02:30Z"}});
    let cron_job = json!({"spec": {"schedule": "0 3 * * *", "suspend": true, "jobTemplate": {"spec": {"template": template}}},
        "status": {"active": [{}], "lastScheduleTime": "2026-01-01T00:30:00Z"}});
    let node = json!({"metadata": {"labels": {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": ""}},
        "spec": {"unschedulable": true}, "status": {"conditions": condition("Ready"),
        "nodeInfo": {"kubeletVersion": "v1.30.1", "osImage": "Debian 12"}, "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]}});
    let service = json!({"spec": {"type": "NodePort", "clusterIP": "10.1.2.3", "selector": {"app": "web"},
        "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]}});
    let event = json!({"type": "Warning", "reason": "BackOff", "note": "Back-off\npulling", "regarding": {"kind": "Pod", "name": "web-1"},
        "series": {"count": 4, "lastObservedTime": "2026-01-01T00:59:00.000000Z"}, "reportingController": "kubelet"});
    let all = [
        (
            "Deployment",
            workload("Deployment", json!({"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 2})),
        ),
        ("StatefulSet", workload("StatefulSet", json!({"readyReplicas": 3}))),
        ("DaemonSet", workload("DaemonSet", daemons)),
        ("ReplicaSet", workload("ReplicaSet", json!({"replicas": 3, "readyReplicas": 3}))),
        ("Job", object("Job", "migrate", &job)),
        ("CronJob", object("CronJob", "nightly", &cron_job)),
        ("Node", object("Node", "n1", &node)),
        ("Namespace", object("Namespace", "shop", &json!({"status": {"phase": "Active"}}))),
        ("Service", object("Service", "web", &service)),
        ("ConfigMap", object("ConfigMap", "settings", &json!({"data": {"a": "1", "b": "2"}}))),
        ("Secret", object("Secret", "login", &json!({"type": "Opaque", "data": {"password": "***"}}))),
        ("Event", object("Event", "web-1.17", &event)),
        (
            "Pod",
            pod("web-1", json!({"phase": "Running", "podIP": "10.2.0.7", "containerStatuses": [running(), running()]})),
        ),
        ("Widget", object("Widget", "one", &json!({}))),
    ];
    let text: Vec<String> = all.iter().map(|(kind, item)| shown(kind, std::slice::from_ref(item), true)).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_list_over_namespaces_names_them_and_an_empty_one_says_nothing() {
    let items = [pod("a", json!({"phase": "Running"}))];
    let view = View { namespaces: true, wide: false, now: now() };
    assert!(table("Pod", &items, &view, &Style::default()).starts_with("NAMESPACE   NAME   READY"));
    assert_eq!(table("Pod", &[], &view, &Style::default()), "");
}

#[test]
fn names_carry_the_group_that_tells_kinds_apart() {
    assert_eq!(name(&object("Pod", "web-1", &json!({}))), "pod/web-1");
    assert_eq!(name(&object("Deployment", "web", &json!({"apiVersion": "apps/v1"}))), "deployment.apps/web");
}
