use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::user::Credential;
use super::*;
use crate::cluster::socket::Trust;
use crate::secret::Secret;

fn config(cluster: &Value, user: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "admin", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
    })
}

fn selected(cluster: &Value, user: &Value) -> Result<Access, KubeconfigError> {
    Kubeconfig::from_value(Path::new("/k/config"), &config(cluster, user))?.select(None)
}

fn refused(cluster: &Value, user: &Value) -> String {
    selected(cluster, user).expect_err("refused").to_string()
}

fn plain() -> Value {
    json!({"server": "https://10.0.0.1:6443/"})
}

#[test]
fn a_context_leads_to_its_cluster_and_user() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let packed = STANDARD.encode(pem);
    let cluster = json!({
        "server": "https://10.0.0.1:6443/", "certificate-authority-data": format!("{}\n{}", &packed[..20], &packed[20..]),
        "tls-server-name": "kube.example", "proxy-url": "http://proxy:3128",
    });
    let access = selected(&cluster, &json!({"token": "token-1\n"})).expect("an access");
    assert_eq!((access.context.as_str(), access.namespace.as_deref()), ("prod", Some("shop")));
    assert_eq!(access.endpoint.server, "https://10.0.0.1:6443");
    assert_eq!(access.endpoint.certificate_authority.as_deref(), Some(pem.as_bytes()));
    assert_eq!(access.endpoint.tls_server_name.as_deref(), Some("kube.example"));
    assert_eq!(access.endpoint.proxy_url.as_deref(), Some("http://proxy:3128"));
    assert!(!access.endpoint.insecure);
    assert!(matches!(access.user.credential, Credential::Token(token) if token.expose() == "token-1"));
}

#[test]
fn the_transport_is_told_whom_to_trust_and_by_what_name_and_road() {
    let server = |cluster: Value| selected(&cluster, &json!({})).expect("an access").server(None);
    let told = server(plain());
    assert_eq!(told.url, "https://10.0.0.1:6443");
    assert!(matches!(told.trust, Trust::System) && told.certificate_name.is_none() && told.proxy.is_none());
    let own = server(json!({"server": "https://x", "certificate-authority-data": "Q0E="}));
    assert!(matches!(own.trust, Trust::Authorities(pem) if pem == b"CA"));
    let blind = server(json!({"server": "https://x", "insecure-skip-tls-verify": true}));
    assert!(matches!(blind.trust, Trust::Anyone));
    let led = server(json!({"server": "https://x", "tls-server-name": "kube.example", "proxy-url": "socks5://p:1"}));
    assert_eq!((led.certificate_name.as_deref(), led.proxy.as_deref()), (Some("kube.example"), Some("socks5://p:1")));
}

#[test]
fn files_are_found_beside_the_kubeconfig_and_data_goes_before_them() {
    let root = tempfile::tempdir().expect("a folder");
    for (name, content) in [("ca.pem", "CA"), ("me.pem", "CERT"), ("me.key", "KEY")] {
        std::fs::write(root.path().join(name), content).expect("written");
    }
    let content = config(
        &json!({"server": "https://x", "certificate-authority": "ca.pem"}),
        &json!({"client-certificate": "nowhere.pem", "client-certificate-data": STANDARD.encode("DATA"),
            "client-key": root.path().join("me.key"), "tokenFile": "token"}),
    );
    let file = root.path().join("config");
    let access =
        Kubeconfig::from_value(&file, &content).expect("a kubeconfig").select(Some("prod")).expect("an access");
    assert_eq!(access.endpoint.certificate_authority.as_deref(), Some(b"CA".as_slice()));
    let certificate = access.user.certificate.expect("a certificate");
    assert_eq!((certificate.certificate.as_slice(), certificate.key.expose()), (b"DATA".as_slice(), "KEY"));
    assert!(matches!(access.user.credential, Credential::TokenFile(path) if path == root.path().join("token")));
}

#[test]
fn the_first_file_to_define_a_name_wins() {
    let one = json!({"contexts": [{"name": "a", "context": {"cluster": "shared"}}], "current-context": "",
        "clusters": [{"name": "shared", "cluster": {"server": "https://first"}}]});
    let two = json!({"contexts": [{"name": "b", "context": {"cluster": "shared"}}], "current-context": "b",
        "clusters": [{"name": "shared", "cluster": {"server": "https://second", "insecure-skip-tls-verify": true}}]});
    let three = json!({"current-context": "a"});
    let files = [("/1", &one), ("/2", &two), ("/3", &three), ("/4", &Value::Null)];
    let merged = Kubeconfig::merge(files.map(|(path, value)| (Path::new(path), value))).expect("merged");
    assert_eq!((merged.contexts(), merged.current_context()), (vec!["a", "b"], Some("b")));
    let access = merged.select(None).expect("an access");
    assert_eq!((access.endpoint.server.as_str(), access.endpoint.insecure), ("https://first", false));
    assert_eq!(merged.select(Some("a")).expect("an access").user.name, "anonymous");
}

#[test]
fn a_name_that_leads_nowhere_is_said_with_its_neighbour() {
    let content = config(&plain(), &json!({}));
    let config = Kubeconfig::from_value(Path::new("/k"), &content).expect("a kubeconfig");
    let error = config.select(Some("prdo")).expect_err("unknown").to_string();
    assert_eq!(error, "the kubeconfig has no context `prdo`; did you mean `prod`?");
    let error = Kubeconfig::default().select(Some("x")).expect_err("unknown").to_string();
    assert_eq!(error, "the kubeconfig has no context `x`; it has none");
    let mut unset = content;
    unset["current-context"] = Value::Null;
    let error =
        Kubeconfig::from_value(Path::new("/k"), &unset).expect("fine").select(None).expect_err("none").to_string();
    assert_eq!(error, "the kubeconfig has no current-context: choose one with --context; it has: prod");
    unset["contexts"][0]["context"]["cluster"] = json!("gone");
    let config = Kubeconfig::from_value(Path::new("/k"), &unset).expect("a kubeconfig");
    assert!(matches!(config.select(Some("prod")), Err(KubeconfigError::Unknown { kind: "cluster", .. })));
}

#[test]
fn what_is_not_a_kubeconfig_is_refused_with_its_place() {
    let refused = |content: Value| Kubeconfig::from_value(Path::new("/k"), &content).expect_err("refused").to_string();
    assert_eq!(refused(json!([])), "/k: it is not a map");
    assert_eq!(refused(json!({"kind": "Pod"})), "/k: its kind is not Config");
    assert_eq!(refused(json!({"users": {}})), "/k: users is not a list");
    assert_eq!(
        refused(json!({"clusters": [{"name": "a", "cluster": {}}, {"cluster": {}}]})),
        "/k: clusters[1] is not a name and a cluster"
    );
    assert_eq!(refused(json!({"current-context": 7})), "the file in /k: current-context is not a text");
}

#[test]
fn clusters_that_cannot_be_trusted_as_written_are_refused() {
    let user = json!({});
    for server in ["10.0.0.1:6443", "ftp://x", "https://u:p@x", "https://x/?a=b", "/path"] {
        let message = refused(&json!({"server": server}), &user);
        assert!(
            message.starts_with(&format!("cluster `c` in /k/config: server `{server}` is not an address")),
            "{message}"
        );
    }
    assert_eq!(refused(&json!({}), &user), "cluster `c` in /k/config: it has no server");
    let both = json!({"server": "https://x", "certificate-authority-data": "QQ==", "insecure-skip-tls-verify": true});
    assert!(refused(&both, &user).ends_with("certificate-authority and insecure-skip-tls-verify exclude each other"));
    let broken = json!({"server": "https://x", "certificate-authority-data": "!"});
    assert!(refused(&broken, &user).ends_with("certificate-authority-data is not base64"));
    let gone = json!({"server": "https://x", "certificate-authority": "/nonexistent/ca.pem"});
    assert_eq!(refused(&gone, &user), "cluster `c`: cannot read /nonexistent/ca.pem");
}

#[test]
fn users_that_cannot_log_in_are_refused_with_the_reason() {
    let message = refused(&plain(), &json!({"username": "admin", "password": "p4ssw0rd"}));
    assert!(message.contains("user `admin` in /k/config: it logs in with a password") && !message.contains("p4ssw0rd"));
    let message = refused(&plain(), &json!({"auth-provider": {"name": "gcp"}}));
    assert!(message.contains("its auth-provider `gcp` was removed"), "{message}");
    let message = refused(&plain(), &json!({"client-certificate-data": "QQ=="}));
    assert!(message.ends_with("it has a client-certificate but no client-key"), "{message}");
    let message = refused(&plain(), &json!({"client-key-data": "QQ=="}));
    assert!(message.ends_with("it has a client-key but no client-certificate"), "{message}");
    assert!(refused(&plain(), &json!({"token": 7})).ends_with("token is not a text"));
}

#[test]
fn an_unusable_user_does_not_stand_in_the_way_of_others() {
    let mut content = config(&plain(), &json!({"token": "t"}));
    let other = json!({"name": "old", "user": {"auth-provider": {"name": "gcp"}}});
    content["users"].as_array_mut().expect("a list").push(other);
    assert!(Kubeconfig::from_value(Path::new("/k"), &content).expect("a kubeconfig").select(None).is_ok());
}

#[test]
fn a_user_may_act_as_another() {
    let user =
        json!({"as": "eve", "as-uid": "7", "as-groups": ["dev", "ops"], "as-user-extra": {"Scopes/x": ["view"]}});
    let access = selected(&plain(), &user).expect("an access");
    let headers = access.user.impersonation;
    let all = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect::<Vec<_>>();
    assert_eq!((all("Impersonate-User"), all("Impersonate-Uid")), (vec!["eve"], vec!["7"]));
    assert_eq!(all("Impersonate-Group"), ["dev", "ops"]);
    assert_eq!(all("Impersonate-Extra-scopes%2fx"), ["view"]);
    assert!(refused(&plain(), &json!({"as-groups": ["ops"]})).ends_with("need `as`"));
    assert!(refused(&plain(), &json!({"as": "a\nb"})).ends_with("cannot be sent in a header"));
}

#[test]
fn nothing_secret_prints() {
    let user = json!({"token": "token-secret", "client-certificate-data": "QQ==", "client-key-data": STANDARD.encode("key-secret")});
    let access = selected(&plain(), &user).expect("an access");
    assert!(!format!("{access:?}").contains("secret"));
    assert_eq!(access.user.certificate.as_ref().map(|one| one.key.expose()), Some("key-secret"));
    assert!(matches!(&access.user.credential, Credential::Token(token) if Secret::expose(token) == "token-secret"));
}

proptest::proptest! {
    #[test]
    fn no_fields_make_the_reader_fail_otherwise_than_with_an_error(key in "[a-z-]{1,12}", text in "\\PC{0,20}") {
        let odd = json!({"server": "https://x", key.as_str(): text});
        let _ = selected(&odd, &json!({key.as_str(): 7})).is_ok();
        let content = json!({"contexts": [{"name": text, "context": {key.as_str(): text}}]});
        let config = Kubeconfig::from_value(Path::new("/k"), &content).expect("a kubeconfig");
        proptest::prop_assert!(config.select(Some(&text)).is_err() || key == "cluster");
    }
}
