use serde_json::{Value, json};

use super::super::kit::{Cluster, reason, workload};
use crate::simulator::object::{flag, is_deleting, list, name, number, text};
use crate::simulator::store::{DeleteOptions, Propagation};

/// A cluster in which the pod `web` meets a fate.
async fn fated(becomes: &str, millis: u64) -> Cluster {
    let rule = json!({"match": {"image": "web:"}, "becomes": becomes, "says": ["cannot open /data"]});
    let cluster = Cluster::fated(json!([rule]));
    cluster.create("pods", pod("Always"));
    cluster.pass(millis).await;
    cluster
}

fn pod(restart: &str) -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"restartPolicy": restart, "containers": [
        {"name": "proxy", "image": "registry.example/proxy:2"},
        {"name": "web", "image": "registry.example/web:1.0"},
    ]}})
}

/// Where a pod stands: its phase, and what its second container waits for or does.
fn stage(pod: &Value) -> String {
    let state = pod.pointer("/status/containerStatuses/1/state");
    let state = state.and_then(Value::as_object).and_then(|state| state.iter().next());
    let shown = state.map(|(kind, detail)| match text(detail, "/reason") {
        "" => kind.clone(),
        reason => reason.to_owned(),
    });
    let ready = if flag(pod, "/status/containerStatuses/1/ready") { " ready" } else { "" };
    format!("{} {}{ready}", text(pod, "/status/phase"), shown.unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn a_pod_comes_up_stage_by_stage() {
    let cluster = Cluster::start();
    cluster.create("pods", pod("Always"));
    cluster.pass(200).await;
    let stages = cluster.history("pods", "web", stage);
    assert_eq!(stages, ["Pending ", "Pending ContainerCreating", "Running running", "Running running ready"]);
    let web = cluster.get("pods", "web");
    let conditions: Vec<_> =
        list(&web, "/status/conditions").iter().map(|said| (text(said, "/type"), text(said, "/status"))).collect();
    assert_eq!(
        conditions,
        [("PodScheduled", "True"), ("Initialized", "True"), ("Ready", "True"), ("ContainersReady", "True")]
    );
    assert!(text(&web, "/status/podIP").starts_with("10.233."));
    let started = ["Scheduled", "Pulled", "Created", "Started", "Pulled", "Created", "Started"];
    assert_eq!(cluster.reasons("Pod"), started);
    let log = cluster.store.pod_log("shop", "web", "web");
    assert_eq!(log.current[0].text, "starting web from registry.example/web:1.0");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_ends_its_containers_first() {
    let cluster = Cluster::start();
    cluster.create("pods", pod("Always"));
    cluster.pass(200).await;
    cluster.delete("pods", "web", Propagation::Background);
    cluster.pass(10).await;
    let web = cluster.get("pods", "web");
    assert!(is_deleting(&web) && stage(&web) == "Running running ready");
    assert_eq!(number(&web, "/metadata/deletionGracePeriodSeconds"), Some(30));
    cluster.pass(30).await;
    assert!(cluster.find("pods", "web").is_none());
    assert!(cluster.words("Pod").contains(&"Stopping container web".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_pod_without_grace_or_node_is_gone_at_once() {
    let cluster = fated("unschedulable", 100).await;
    cluster.delete("pods", "web", Propagation::Background);
    assert!(cluster.find("pods", "web").is_none());
    let cluster = Cluster::start();
    cluster.create("pods", pod("Always"));
    cluster.pass(200).await;
    cluster.store.delete("pods", "shop", "web", &DeleteOptions::now()).expect("there");
    assert!(cluster.find("pods", "web").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_missing_image_is_tried_again_and_again() {
    let cluster = fated("image-pull-error", 400).await;
    let stages = cluster.history("pods", "web", stage);
    assert_eq!(stages[2..5], ["Pending ErrImagePull", "Pending ImagePullBackOff", "Pending ErrImagePull"]);
    let words = cluster.words("Pod");
    for said in [
        "Failed to pull image \"registry.example/web:1.0\": rpc error: code = NotFound",
        "Error: ErrImagePull",
        "Back-off pulling image \"registry.example/web:1.0\"",
        "Error: ImagePullBackOff",
    ] {
        assert!(words.iter().any(|words| words.starts_with(said)), "{said}: {words:?}");
    }
    let proxy = cluster.get("pods", "web");
    assert_eq!(text(&proxy, "/status/containerStatuses/0/state/waiting/reason"), "ContainerCreating");
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_restarts_and_keeps_the_last_words() {
    let cluster = fated("crash-loop", 600).await;
    let web = cluster.get("pods", "web");
    let restarts = number(&web, "/status/containerStatuses/1/restartCount").unwrap_or_default();
    assert!((2..5).contains(&restarts), "{restarts}");
    assert_eq!(number(&web, "/status/containerStatuses/1/lastState/terminated/exitCode"), Some(1));
    assert_eq!(number(&web, "/status/containerStatuses/0/restartCount"), Some(0));
    let stages = cluster.history("pods", "web", stage);
    assert!(stages.contains(&"Running CrashLoopBackOff".to_owned()), "{stages:?}");
    assert!(stages.iter().all(|stage| !stage.ends_with("ready")), "{stages:?}");
    let log = cluster.store.pod_log("shop", "web", "web");
    let previous = log.previous.expect("a life before");
    assert!(previous.iter().any(|line| line.text == "cannot open /data"));
    let backs_off =
        format!("Back-off restarting failed container web in pod web_shop({})", text(&web, "/metadata/uid"));
    assert!(cluster.words("Pod").contains(&backs_off));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_no_node_takes_says_why_and_goes_once_one_does() {
    let cluster = Cluster::start();
    let cordon = |on: Value| {
        for node in ["node-a", "node-b"] {
            let merge = |node: &mut Value| {
                json_patch::merge(node, &json!({"spec": {"unschedulable": on}}));
                Ok(())
            };
            cluster.store.update("nodes", "", node, None, merge).expect("there");
        }
    };
    cordon(json!(true));
    cluster.create("pods", pod("Always"));
    cluster.pass(100).await;
    let web = cluster.get("pods", "web");
    assert_eq!((reason(&web, "PodScheduled"), text(&web, "/status/phase")), ("Unschedulable", "Pending"));
    assert_eq!(
        cluster.words("Pod"),
        ["0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 nodes are \
          available: 2 Preemption is not helpful for scheduling."]
    );
    cordon(Value::Null);
    cluster.pass(200).await;
    assert_eq!(stage(&cluster.get("pods", "web")), "Running running ready");
}

#[tokio::test(start_paused = true)]
async fn a_full_node_takes_a_pod_when_another_leaves() {
    let cluster = Cluster::start();
    for node in ["node-a", "node-b"] {
        let room = |node: &mut Value| {
            json_patch::merge(node, &json!({"status": {"allocatable": {"pods": "1"}}}));
            Ok(())
        };
        cluster.store.update_status("nodes", "", node, None, room).expect("there");
    }
    cluster.create("deployments", workload("web", &json!({})));
    cluster.pass(300).await;
    let waiting = |cluster: &Cluster| {
        let mut pods = cluster.list("pods");
        pods.retain(|pod| text(pod, "/status/phase") == "Pending");
        pods.len()
    };
    assert_eq!(waiting(&cluster), 1);
    assert!(cluster.words("Pod").iter().any(|words| words.starts_with("0/2 nodes are available: 2 Too many pods.")));
    cluster.patch("deployments", "web", &json!({"spec": {"replicas": 2}}));
    cluster.pass(300).await;
    assert_eq!((waiting(&cluster), cluster.list("pods").len()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_never_becomes_ready_keeps_its_deployment_unavailable() {
    let cluster = fated("never-ready", 300).await;
    assert_eq!(stage(&cluster.get("pods", "web")), "Running running");
    assert!(cluster.reasons("Pod").contains(&"Unhealthy".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn pods_that_are_not_restarted_end_by_themselves() {
    let cluster = Cluster::start();
    cluster.create("pods", pod("Never"));
    cluster.pass(300).await;
    assert_eq!(stage(&cluster.get("pods", "web")), "Succeeded Completed");
    let cluster = Cluster::fated(json!([{"match": {"name-prefix": "web"}, "becomes": "fail", "exit-code": 7}]));
    cluster.create("pods", pod("Never"));
    cluster.pass(300).await;
    let web = cluster.get("pods", "web");
    assert_eq!((text(&web, "/status/phase"), reason(&web, "Ready")), ("Failed", "PodFailed"));
    assert_eq!(number(&web, "/status/containerStatuses/0/state/terminated/exitCode"), Some(7));
}

#[tokio::test(start_paused = true)]
async fn init_containers_have_run_before_the_others_start() {
    let cluster = Cluster::start();
    let mut object = pod("Always");
    json_patch::merge(&mut object, &json!({"spec": {"initContainers": [{"name": "prepare", "image": "prepare:1"}]}}));
    cluster.create("pods", object);
    cluster.pass(10).await;
    let web = cluster.get("pods", "web");
    assert_eq!(text(&web, "/status/containerStatuses/0/state/waiting/reason"), "PodInitializing");
    cluster.pass(200).await;
    let web = cluster.get("pods", "web");
    assert_eq!(text(&web, "/status/initContainerStatuses/0/state/terminated/reason"), "Completed");
    assert_eq!(stage(&web), "Running running ready");
}

#[tokio::test(start_paused = true)]
async fn a_terminating_namespace_takes_everything_with_it() {
    let cluster = Cluster::start();
    cluster.create("deployments", workload("web", &json!({})));
    cluster.create("configmaps", json!({"metadata": {"name": "settings"}}));
    cluster.pass(300).await;
    cluster.store.delete("namespaces", "", "shop", &DeleteOptions::default()).expect("there");
    cluster.pass(5).await;
    let shop = cluster.store.get("namespaces", "", "shop").expect("still there");
    assert_eq!(text(&shop, "/status/phase"), "Terminating");
    assert!(cluster.list("pods").iter().all(|pod| is_deleting(pod)));
    cluster.pass(300).await;
    assert!(cluster.store.get("namespaces", "", "shop").is_none());
    for resource in ["pods", "replicasets", "deployments", "configmaps", "events"] {
        let left: Vec<_> = cluster.list(resource).iter().map(|object| name(object).to_owned()).collect();
        assert!(left.is_empty(), "{resource}: {left:?}");
    }
}
