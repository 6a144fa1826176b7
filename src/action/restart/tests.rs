use serde_json::{Value, json};

use super::super::stage::{Stage, arrived, complaints, deployment, pod, pod_of, ready, refusal};
use super::*;

fn db() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"namespace": "shop", "name": "db", "uid": "db-uid", "resourceVersion": "7", "generation": 1},
        "spec": {"replicas": 2, "updateStrategy": {"type": "OnDelete"}}, "status": {"replicas": 2, "updateRevision": "db-9"}})
}

/// A stateful set whose pods come back under their names at once.
fn reborn(stage: Stage) -> Stage {
    stage.on(|objects, method, path| {
        let name = path.trim_end_matches("/eviction").rsplit('/').next().unwrap_or_default();
        if method != "GET" {
            let path = format!("/api/v1/namespaces/shop/pods/{name}");
            objects.entry(path).or_insert_with(|| pod_of(&db(), name, &format!("{name}-new")));
        }
    })
}

#[tokio::test(start_paused = true)]
async fn it_rolls_and_waits_for_the_generation_of_its_own_write() {
    let mut web = deployment("shop", "web", 3);
    web["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "5"});
    let stage = Stage::new([web.clone()]).on(|objects, method, path| {
        if method == "GET" && path.ends_with("/pods") {
            objects.values_mut().for_each(arrived);
        }
    });
    let seen = ready(&ROW, "{deployment: shop/web, wait: 10m}").act(&stage.context()).await.unwrap();
    assert_eq!(seen.info["pods"], 3);
    assert_eq!(seen.info["revision"], "5");
    assert_eq!(seen.result["metadata"]["generation"], 2);
    let stamp = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
    assert_eq!(seen.result.pointer(stamp), Some(&json!("2026-01-02T03:04:05.000Z")));
    let [made] = stage.made().try_into().unwrap();
    assert_eq!((made.change.reversal, made.change.pods), (Reversal::Nothing, 3));
}

#[tokio::test(start_paused = true)]
async fn what_would_keep_its_pods_is_refused() {
    let mut paused = deployment("shop", "web", 3);
    paused["spec"]["paused"] = json!(true);
    let stage = Stage::new([paused, db()]);
    let failure = ready(&ROW, "deployment: shop/web").act(&stage.context()).await.unwrap_err();
    assert!(failure.message.contains("paused"), "{failure}");
    let failure = ready(&ROW, "statefulset: shop/db").act(&stage.context()).await.unwrap_err();
    assert!(failure.message.contains("OnDelete") && failure.help.is_some(), "{failure}");
    assert!(stage.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn pods_are_evicted_one_by_one_by_uid_and_only_its_own() {
    let pods = [pod_of(&db(), "db-0", "p0"), pod_of(&db(), "db-1", "p1"), pod("shop", "db-2", "foreign")];
    let stage = reborn(Stage::new(pods.into_iter().chain([db()])));
    let restart = ready(&ROW, "{statefulset: shop/db, strategy: delete-pods}");
    let seen = restart.act(&stage.context()).await.unwrap();
    assert_eq!(seen.info["pods"], 2);
    assert_eq!(seen.info["revision"], "db-9");
    assert_eq!(
        stage.writes(),
        ["POST /api/v1/namespaces/shop/pods/db-0/eviction", "POST /api/v1/namespaces/shop/pods/db-1/eviction"]
    );
    assert_eq!(stage.sent()["deleteOptions"]["preconditions"], json!({"uid": "p1"}));
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_cannot_come_up_ends_it_before_the_next_pod_goes() {
    let pods = [pod_of(&db(), "db-0", "p0"), pod_of(&db(), "db-1", "p1")];
    let stage = Stage::new(pods.into_iter().chain([db()])).on(|objects, method, path| {
        if method == "POST" && path.ends_with("db-0/eviction") {
            let mut sick = pod_of(&db(), "db-0", "p0-new");
            sick["status"] = json!({"phase": "Pending", "containerStatuses": [{"name": "db", "image": "db:9", "ready": false,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}}]});
            objects.insert("/api/v1/namespaces/shop/pods/db-0".into(), sick);
        }
    });
    let restart = ready(&ROW, "{statefulset: shop/db, strategy: delete-pods, force: false}");
    let failure = restart.act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Hopeless);
    assert!(failure.message.contains("1 of 2 pods sent away; db-0: CrashLoopBackOff"), "{failure}");
    assert_eq!(stage.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_pod_goes_first_and_force_deletes() {
    let mut broken = pod_of(&db(), "db-1", "p1");
    broken["status"]["conditions"][0]["status"] = json!("False");
    let stage = reborn(Stage::new([pod_of(&db(), "db-0", "p0"), broken, db()]));
    let restart = ready(&ROW, "{statefulset: shop/db, strategy: delete-pods, force: true}");
    assert!(restart.act(&stage.context()).await.unwrap().changed);
    assert_eq!(
        stage.writes(),
        ["DELETE /api/v1/namespaces/shop/pods/db-1", "DELETE /api/v1/namespaces/shop/pods/db-0"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_disruption_budget_is_waited_out() {
    let stage = reborn(Stage::new([pod_of(&db(), "db-0", "p0"), db()])).refusing(|method, path, asked| {
        (method == "POST" && path.ends_with("/eviction") && asked < 3).then(|| {
            let words = "Cannot evict pod as it would violate the pod's disruption budget.";
            let mut budget = refusal(429, "TooManyRequests", words);
            if let crate::cluster::testing::Turn::Answer(answer) = &mut budget {
                let mut status: Value = serde_json::from_slice(&answer.body).unwrap();
                status["details"] = json!({"causes": [{"reason": "DisruptionBudget"}]});
                answer.body = status.to_string().into();
            }
            budget
        })
    });
    let restart = ready(&ROW, "{statefulset: shop/db, strategy: delete-pods}");
    assert_eq!(restart.act(&stage.context()).await.unwrap().info["pods"], 1);
    // Sent, rehearsed and still protected, rehearsed and sent.
    assert_eq!(stage.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_replace_is_no_success() {
    let restart = ready(&ROW, "{statefulset: shop/db, strategy: delete-pods}");
    let failure = restart.act(&Stage::new([db()]).context()).await.unwrap_err();
    assert_eq!(failure.message, "StatefulSet shop/db wants 2 pods and has none that could be replaced");
}

#[test]
fn what_does_not_go_together_is_said_when_the_book_is_read() {
    let first = |yaml: &str| complaints(&ROW, yaml)[0].message.clone();
    assert_eq!(first("{deployment: shop/web, force: true}"), "`force` goes with `strategy: delete-pods`");
    assert_eq!(first("replicaset: shop/web-1"), "a ReplicaSet does not roll");
    let none = "{deployment: shop/web, strategy: delete-pods, max-parallel: 0}";
    assert_eq!(first(none), "`max-parallel` is at least 1");
    assert!(first("deployments: {in: shop}").contains("no `max`"));
}

#[tokio::test(start_paused = true)]
async fn one_pod_is_evicted_with_grace_and_its_replacement_waited_for() {
    let mut member = pod_of(&db(), "db-0", "p0");
    member["metadata"]["ownerReferences"][0]["apiVersion"] = "apps/v1".into();
    member["metadata"]["ownerReferences"][0]["controller"] = true.into();
    let stage = reborn(Stage::new([db(), member, pod_of(&db(), "db-1", "p1")]));
    let seen = ready(&ROW, "{pod: shop/db-0, grace-period: 5s}").act(&stage.context()).await.unwrap();
    assert_eq!((&seen.info["pods"], &seen.info["owner"]), (&json!(1), &json!("statefulset shop/db")));
    assert_eq!(stage.writes(), ["POST /api/v1/namespaces/shop/pods/db-0/eviction"]);
    assert_eq!(stage.sent()["deleteOptions"]["gracePeriodSeconds"], 5);
    assert_eq!(stage.object(&pod("shop", "db-0", "")).unwrap()["metadata"]["uid"], "db-0-new");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_nothing_replaces_is_not_restarted() {
    let stage = Stage::new([pod("shop", "bare", "p")]);
    let failure = ready(&ROW, "pod: shop/bare").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.message, "Pod shop/bare has no controller: nothing would replace it");
    assert!(stage.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_old_pod_that_outlives_its_grace_ends_the_wait() {
    let web = deployment("shop", "web", 1);
    let mut stuck = pod_of(&web, "web-old", "old");
    stuck["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z".into();
    stuck["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    stuck["metadata"]["finalizers"] = json!(["storage.example/hold"]);
    let stage = Stage::new([web, stuck]).on(|objects, _, _| {
        objects.values_mut().filter(|object| object["kind"] == "Deployment").for_each(arrived);
    });
    let started = tokio::time::Instant::now();
    let failure = ready(&ROW, "{deployment: shop/web, wait: 10m}").act(&stage.context()).await.unwrap_err();
    assert_eq!(failure.class, Class::Hopeless);
    assert_eq!(failure.cause, ["Pod shop/web-old is held by finalizers: storage.example/hold"]);
    assert!((60..62).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}
