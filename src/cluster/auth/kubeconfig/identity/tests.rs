use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::cluster::auth::kubeconfig::Kubeconfig;
use crate::cluster::auth::kubeconfig::source::FILE_LIFE;
use crate::cluster::transport::{RawResponse, RawStream, TransportError, Wire};

/// No identity of a kubeconfig asks a server.
#[derive(Debug)]
struct NoRoad;

#[async_trait]
impl Transport for NoRoad {
    async fn call(&self, _wire: Wire) -> Result<RawResponse, TransportError> {
        Err(TransportError::NotSent("no road".into()))
    }

    async fn stream(&self, _wire: Wire) -> Result<RawStream, TransportError> {
        Err(TransportError::NotSent("no road".into()))
    }
}

fn identity(folder: &Path, user: &Value, redactor: &Redactor) -> KubernetesIdentity {
    let content = json!({
        "current-context": "prod", "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "admin"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://x"}}], "users": [{"name": "admin", "user": user}],
    });
    let access = Kubeconfig::from_value(&folder.join("config"), &content).and_then(|config| config.select(None));
    let clock = Clock::starting_at("2026-01-02T03:00:00Z".parse().expect("a stamp"));
    access.expect("an access").identity(clock, redactor)
}

async fn bearer(me: &KubernetesIdentity) -> String {
    let headers = me.headers().await.expect("headers");
    text(&headers, AUTHORIZATION).to_owned()
}

async fn renewed(me: &KubernetesIdentity) -> Result<bool, LoginEnded> {
    me.renew(&me.headers().await?, Arc::new(NoRoad)).await
}

/// A program that counts its starts in a file, and gives a token with that number.
fn counting(folder: &Path, status: &str) -> Value {
    let count = folder.join("count");
    let script = format!(
        r#"echo x >> '{}'; n=$(wc -l < '{}' | tr -d ' ')
        echo '{{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{{"token":"token-'$n'"{status}}}}}'"#,
        count.display(),
        count.display(),
    );
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", script]}})
}

#[tokio::test]
async fn a_token_in_the_file_is_a_bearer_and_cannot_be_renewed() {
    let (root, redactor) = (tempfile::tempdir().expect("a folder"), Redactor::default());
    let me = identity(root.path(), &json!({"token": "token-abc", "as": "eve"}), &redactor);
    let headers = me.headers().await.expect("headers");
    assert_eq!(
        (&headers[AUTHORIZATION], &headers["impersonate-user"]),
        (&"Bearer token-abc".parse().unwrap(), &"eve".parse().unwrap())
    );
    assert!(headers[AUTHORIZATION].is_sensitive());
    assert_eq!(redactor.text("token-abc"), "***");
    assert_eq!(me.name(), "admin (kubeconfig prod)");
    let ended = renewed(&me).await.expect_err("ended").to_string();
    assert_eq!(
        ended,
        "the server refused the token of user `admin` (kubeconfig prod); put a fresh one into the kubeconfig"
    );
}

#[tokio::test]
async fn a_certificate_sends_no_header_and_is_handed_to_the_transport() {
    let (root, redactor) = (tempfile::tempdir().expect("a folder"), Redactor::default());
    let user = json!({"client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZLUtFWQ=="});
    let me = identity(root.path(), &user, &redactor);
    assert!(me.headers().await.expect("headers").is_empty());
    let certificate = me.client_certificate().await.expect("asked").expect("a certificate");
    assert_eq!((certificate.certificate.as_slice(), certificate.key.expose()), (b"CERT".as_slice(), "KEY-KEY"));
    assert_eq!(redactor.text("KEY-KEY"), "***");
    assert!(renewed(&me).await.expect_err("ended").what().contains("refused the client certificate"));
    let nobody = identity(root.path(), &json!({}), &redactor);
    assert_eq!(renewed(&nobody).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn a_token_file_is_read_again_each_minute_and_when_refused() {
    let (root, redactor) = (tempfile::tempdir().expect("a folder"), Redactor::default());
    let file = root.path().join("token");
    let write = |token: &str| std::fs::write(&file, token).expect("written");
    let me = identity(root.path(), &json!({"tokenFile": "token"}), &redactor);
    assert!(me.headers().await.expect_err("no file yet").what().contains("cannot read the token of user `admin`"));
    write("token-1\n");
    assert_eq!(bearer(&me).await, "Bearer token-1");
    write("token-2\n");
    assert_eq!(bearer(&me).await, "Bearer token-1");
    tokio::time::advance(FILE_LIFE).await;
    assert_eq!(bearer(&me).await, "Bearer token-2");
    assert_eq!(renewed(&me).await, Ok(false), "nothing newer");
    write("token-3\n");
    assert_eq!(renewed(&me).await, Ok(true));
    assert_eq!(bearer(&me).await, "Bearer token-3");
    std::fs::remove_file(&file).expect("removed");
    tokio::time::advance(FILE_LIFE).await;
    assert_eq!(bearer(&me).await, "Bearer token-3", "the last one stays in use");
    assert_eq!(redactor.text("token-1 token-2 token-3"), "*** *** ***");
}

#[tokio::test]
async fn a_program_is_asked_once_and_again_when_refused() {
    let (root, redactor) = (tempfile::tempdir().expect("a folder"), Redactor::default());
    let me = identity(root.path(), &counting(root.path(), ""), &redactor);
    assert_eq!(bearer(&me).await, "Bearer token-1");
    assert_eq!(bearer(&me).await, "Bearer token-1");
    let refused = me.headers().await.expect("headers");
    let (one, two) = tokio::join!(me.renew(&refused, Arc::new(NoRoad)), me.renew(&refused, Arc::new(NoRoad)));
    assert_eq!((one, two), (Ok(true), Ok(true)));
    assert_eq!(bearer(&me).await, "Bearer token-2", "asked once for both");
    assert_eq!(redactor.text("token-2"), "***");
}

#[tokio::test]
async fn what_a_program_gave_is_used_until_shortly_before_its_end() {
    let (root, redactor) = (tempfile::tempdir().expect("a folder"), Redactor::default());
    for (end, expected) in [("2026-01-02T03:00:09Z", "Bearer token-2"), ("2026-01-02T04:00:00Z", "Bearer token-3")] {
        let me =
            identity(root.path(), &counting(root.path(), &format!(r#","expirationTimestamp":"{end}""#)), &redactor);
        me.headers().await.expect("headers");
        assert_eq!(bearer(&me).await, expected);
    }
}

#[tokio::test]
async fn a_program_may_give_the_certificate() {
    let (root, redactor) = (tempfile::tempdir().expect("a folder"), Redactor::default());
    let more = r#","clientCertificateData":"CERT","clientKeyData":"KEY-KEY""#;
    let me = identity(root.path(), &counting(root.path(), more), &redactor);
    let certificate = me.client_certificate().await.expect("asked").expect("a certificate");
    assert_eq!(certificate.key.expose(), "KEY-KEY");
    assert_eq!(bearer(&me).await, "Bearer token-1", "the same answer serves both");
    assert_eq!(redactor.text("KEY-KEY"), "***");
}

#[tokio::test]
async fn a_program_that_fails_ends_the_login_in_its_own_words_without_secrets() {
    let (root, redactor) = (tempfile::tempdir().expect("a folder"), Redactor::default());
    redactor.register("s3cret-s3cret");
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
        "args": ["-c", "echo 'bad s3cret-s3cret' >&2; exit 2"]});
    let me = identity(root.path(), &json!({"exec": exec}), &redactor);
    let ended = me.headers().await.expect_err("ended").to_string();
    assert_eq!(
        ended,
        "the exec plugin `sh` of user `admin` failed: exit status: 2: bad ***; run it by hand to see what it wants"
    );
}
