use super::super::stage::{Stage, complaints, pod, ready};
use super::*;

fn web() -> Value {
    let mut pod = pod("shop", "web-1", "u");
    pod["spec"] = json!({
        "initContainers": [{"name": "init"}],
        "containers": [{"name": "web",
            "envFrom": [{"configMapRef": {"name": "common"}, "prefix": "C_"}, {"secretRef": {"name": "none", "optional": true}}],
            "env": [
                {"name": "HOST", "value": "db"},
                {"name": "URL", "value": "$(HOST):$(C_PORT)"},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "auth", "key": "password"}}},
                {"name": "SELF", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                {"name": "LOST", "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "x"}}},
                {"name": "MAYBE", "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "x", "optional": true}}}]}]});
    pod
}

fn stage() -> Stage {
    let at = |kind: &str, name: &str, data: Value| json!({"apiVersion": "v1", "kind": kind, "data": data, "metadata": {"name": name, "namespace": "shop", "uid": name}});
    Stage::new([
        web(),
        at("ConfigMap", "common", json!({"PORT": "5432"})),
        at("Secret", "auth", json!({"password": "Y29ycmVjdC1ob3JzZQ=="})),
    ])
}

#[tokio::test(start_paused = true)]
async fn references_are_told_and_not_followed() {
    let seen = ready(&ROW, "container: shop/web-1/web").act(&stage().context()).await.unwrap();
    let web = &seen.result["containers"][0];
    assert_eq!(web["env"][0], json!({"name": "HOST", "value": "db"}));
    let from: Vec<&str> = web["env"].as_array().unwrap().iter().filter_map(|one| one["from"].as_str()).collect();
    assert_eq!(
        from,
        [
            "secretKey auth/password",
            "field metadata.name",
            "resource limits.cpu",
            "configMapKey gone/x",
            "configMapKey gone/x"
        ]
    );
    assert_eq!(web["env_from"][0], json!({"from": "configMap common", "prefix": "C_"}));
    assert_eq!((&web["env_from"][1]["from"], &web["kind"]), (&json!("secret none"), &json!("container")));
}

#[tokio::test(start_paused = true)]
async fn with_resolve_it_is_what_the_container_is_started_with() {
    let seen = ready(&ROW, "{pod: shop/web-1, resolve: true}").act(&stage().context()).await.unwrap();
    let names: Vec<&str> =
        seen.result["containers"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["init", "web"]);
    let env = seen.result["containers"][1]["env"].as_array().unwrap();
    let told: Vec<String> =
        env.iter().map(|one| format!("{}={}", one["name"].as_str().unwrap(), one["value"])).collect();
    assert_eq!(
        told,
        [
            "C_PORT=\"5432\"",
            "HOST=\"db\"",
            "URL=\"db:5432\"",
            "PASSWORD=\"correct-horse\"",
            "SELF=\"web-1\"",
            "CPU=null",
            "LOST=null"
        ]
    );
    assert_eq!(seen.info["missing"], json!(["ConfigMap gone/x"]));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_not_there_is_answered_with_those_that_are() {
    let failure = ready(&ROW, "container: shop/web-1/wbe").act(&stage().context()).await.unwrap_err();
    assert_eq!(failure.help.unwrap(), "it has: init, web");
}

#[test]
fn a_container_a_pod_or_a_workload() {
    for yaml in ["container: shop/web-1/web", "{pod: shop/web-1, resolve: true}", "deployment: shop/web"] {
        assert_eq!(ready(&ROW, yaml).effect(), super::super::Effect::Nothing, "{yaml}");
    }
    assert!(!complaints(&ROW, "{secret: shop/auth}").is_empty());
}
