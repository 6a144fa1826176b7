use std::path::Path;

use super::*;

const V1: &str = "client.authentication.k8s.io/v1";

fn fields(exec: Value) -> Fields {
    let Value::Object(exec) = exec else { panic!("an object") };
    Fields::new("user `admin`".to_owned(), Path::new("/k/config"), exec)
}

fn shell(script: &str) -> ExecPlugin {
    let exec = json!({"apiVersion": V1, "command": "sh", "args": ["-c", script, "plugin"], "provideClusterInfo": true,
        "env": [{"name": "PLUGIN_SAYS", "value": "hello"}], "installHint": "install it"});
    ExecPlugin::decode(&fields(exec)).expect("a plugin")
}

async fn failure(script: &str) -> String {
    shell(script).run(&Value::Null).await.expect_err("a failure").to_string()
}

#[tokio::test]
async fn a_program_is_told_the_cluster_and_gives_token_certificate_and_end() {
    let plugin = shell(
        r#"printf '{"apiVersion":"%s","kind":"ExecCredential","status":{"token":"%s","clientCertificateData":"C",
            "clientKeyData":"K","expirationTimestamp":"2026-11-21T03:00:00Z"}}' client.authentication.k8s.io/v1 \
            "$(printf %s "$PLUGIN_SAYS $KUBERNETES_EXEC_INFO" | tr '"' "'")""#,
    );
    let given = plugin.run(&json!({"server": "https://x"})).await.expect("a credential");
    let token = given.token.as_ref().map(Secret::expose).expect("a token");
    let expected = "hello {'apiVersion':'client.authentication.k8s.io/v1','kind':'ExecCredential',\
        'spec':{'interactive':false,'cluster':{'server':'https://x'}}}";
    assert_eq!(token, expected);
    assert_eq!(given.certificate.map(|one| one.certificate).as_deref(), Some(b"C".as_slice()));
    assert_eq!(given.expires.map(crate::clock::rfc3339).as_deref(), Some("2026-11-21T03:00:00.000Z"));
}

#[tokio::test]
async fn a_program_that_fails_is_quoted_on_one_line() {
    assert_eq!(failure("printf 'log\\033[2Jin\\nfirst\\n' >&2; exit 3").await, "exit status: 3: log [2Jin first");
    assert_eq!(failure("exit 1").await, "exit status: 1");
    assert_eq!(failure("echo '<html>'").await, format!("its output is not an ExecCredential of {V1}"));
    let old = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"t"}}'"#;
    assert_eq!(failure(old).await, format!("its output is not an ExecCredential of {V1}"));
    let empty = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientKeyData":"K"}}'"#;
    assert_eq!(failure(empty).await, "its output holds neither a token nor a certificate with its key");
}

#[tokio::test]
async fn a_program_that_is_missing_is_said_with_how_to_get_it() {
    let exec = json!({"apiVersion": V1, "command": "./bin/none", "installHint": "get it at example.com"});
    let plugin = ExecPlugin::decode(&fields(exec)).expect("a plugin");
    assert_eq!(Path::new(&plugin.command()), Path::new("/k/./bin/none"), "relative to the kubeconfig");
    let error = plugin.run(&Value::Null).await.expect_err("missing").to_string();
    assert!(error.starts_with("it cannot be started: ") && error.ends_with(" (get it at example.com)"), "{error}");
}

#[test]
fn plugins_that_a_run_cannot_serve_are_refused() {
    let refused = |exec| ExecPlugin::decode(&fields(exec)).expect_err("refused").to_string();
    assert!(refused(json!({"apiVersion": V1})).ends_with("its exec plugin has no command"));
    let old = refused(json!({"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}));
    assert!(old.contains("speaks `client.authentication.k8s.io/v1alpha1`; known is "), "{old}");
    let asks = refused(json!({"apiVersion": V1, "command": "x", "interactiveMode": "Always"}));
    assert!(asks.contains("needs a terminal"), "{asks}");
    let env = refused(json!({"apiVersion": V1, "command": "x", "env": [{"name": "A=B", "value": "c"}]}));
    assert!(env.ends_with("the env of its exec plugin is not a list of names and values"), "{env}");
}

#[tokio::test(start_paused = true)]
async fn a_program_that_never_answers_is_given_up_after_a_minute() {
    let began = tokio::time::Instant::now();
    assert_eq!(failure("exec sleep 1000").await, "it gave no answer within 60 s");
    assert_eq!(began.elapsed(), PATIENCE);
}

#[test]
fn only_the_end_of_a_long_complaint_is_shown() {
    let shown = complaint(format!("{}the end\n", "é".repeat(1000)).as_bytes());
    assert!(shown.chars().count() == COMPLAINT && shown.ends_with("éthe end"));
}
