//! kubectl against the simulated cluster: what people do with a cluster must work with this one.
//!
//! Without kubectl the tests say so and pass. Old kubectls (Debian's is 1.20) meet a server that
//! serves what they know.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::kit::Case;
use crate::running::{Running, Server};

/// kubectl, pointed at a server of its own.
struct Kubectl {
    home: TempDir,
    minor: u32,
    _server: Server,
}

/// The minor version of the kubectl that is installed.
fn installed() -> Option<u32> {
    let output = Command::new("kubectl").args(["version", "--client", "-o", "json"]).output().ok()?;
    let about: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    about["clientVersion"]["minor"].as_str()?.trim_end_matches('+').parse().ok()
}

impl Kubectl {
    /// Nothing, and a loud line, where there is no kubectl.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so loudly")]
    fn start() -> Option<Self> {
        let Some(minor) = installed() else {
            eprintln!("!! SKIPPED: there is no kubectl; install kubernetes-client");
            return None;
        };
        let batch = if minor < 25 { "v1beta1" } else { "v1" };
        let server = Server::of_text(&format!("switches: {{batch: {batch}}}\n"));
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("config"), server.kubeconfig()).expect("written");
        Some(Self { home, minor, _server: server })
    }

    fn said(&self, line: &str, stdin: &str) -> (bool, String) {
        use std::io::Write as _;
        let mut child = Command::new("kubectl")
            .args(words(line))
            .env("KUBECONFIG", self.home.path().join("config"))
            .env("HOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("kubectl ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    }

    /// Demands that a command succeeds and says all this.
    #[track_caller]
    fn does(&self, line: &str, parts: &[&str]) -> String {
        self.reads(line, "", parts)
    }

    /// As [`Kubectl::does`], with something on the standard input.
    #[track_caller]
    fn reads(&self, line: &str, stdin: &str, parts: &[&str]) -> String {
        let (well, said) = self.said(line, stdin);
        assert!(well, "kubectl {line}\n{said}");
        for part in parts {
            assert!(said.contains(part), "kubectl {line}\nlacks {part:?} in\n{said}");
        }
        said
    }

    /// Demands that a command fails and says this.
    #[track_caller]
    fn refuses(&self, line: &str, part: &str) {
        let (well, said) = self.said(line, "");
        assert!(!well && said.contains(part), "kubectl {line}\n{said}");
    }
}

/// Words, those in single quotes together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

const APP: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop, labels: {tier: app}}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: c, image: 'registry.example/app:1'}]}
";

#[test]
fn objects_are_shown_in_every_form() {
    let Some(kubectl) = Kubectl::start() else { return };
    kubectl.does("get pods -A", &["NAMESPACE", "READY", "STATUS", "RESTARTS", "1/1     Running", "db-0"]);
    kubectl.does("get deployments -n shop -o wide", &["UP-TO-DATE", "SELECTOR", "3/3", "app=web"]);
    kubectl.does(
        "get sts,ds,jobs,cronjobs -n shop",
        &["statefulset.apps/db", "daemonset.apps/agent", "cronjob.batch/nightly"],
    );
    kubectl.does("get nodes", &["Ready", "control-plane"]);
    kubectl.does("get deployment web -n shop -o jsonpath={.spec.replicas}", &["3"]);
    kubectl.does("get deployment web -n shop -o json", &["\"kind\": \"Deployment\""]);
    kubectl.does("get deployment web -n shop -o yaml", &["kind: Deployment"]);
    let by_label = kubectl.does("get pods -n shop -l app=web -o name", &["pod/web-"]);
    assert_eq!(by_label.lines().count(), 3, "{by_label}");
    kubectl.does("get pods -n shop --field-selector status.phase=Running -o name", &["pod/db-0"]);
    kubectl.does("get events -n shop", &["REASON", "OBJECT"]);
    kubectl.does(
        "describe deployment web -n shop",
        &["RollingUpdateStrategy", "NewReplicaSet:", "MinimumReplicasAvailable"],
    );
    kubectl.does("describe pod db-0 -n shop", &["Controlled By:  StatefulSet/db", "QoS Class"]);
    kubectl.does("describe node node-a", &["Roles:", "Non-terminated Pods:"]);
    kubectl.does("logs db-0 -n shop --tail=1", &["\n"]);
    kubectl.does("api-resources", &["deployments", "deploy", "cronjobs"]);
    kubectl.does("explain deployment.spec.replicas", &["integer"]);
    kubectl.refuses("get pod ghost -n shop", "pods \"ghost\" not found");
    kubectl.refuses("get pods -n shop --field-selector spec.x=y", "field label not supported");
}

#[test]
fn objects_are_made_changed_and_removed() {
    let Some(kubectl) = Kubectl::start() else { return };
    kubectl.does("create configmap c -n shop --from-literal=a=b", &["configmap/c created"]);
    kubectl.does("create namespace fresh", &["namespace/fresh created"]);
    kubectl.does("create quota q -n fresh --hard=pods=1", &["resourcequota/q created"]);
    kubectl.reads("create -f -", APP, &["deployment.apps/app created"]);
    kubectl.does("delete deployment app -n shop", &["deleted"]);
    kubectl.reads("apply -f -", APP, &["deployment.apps/app created"]);
    kubectl.reads("apply -f -", &APP.replace("app:1", "app:2"), &["deployment.apps/app configured"]);
    kubectl.reads("apply -f -", &APP.replace("app:1", "app:2"), &["deployment.apps/app unchanged"]);
    kubectl.reads("apply -f - --dry-run=server", APP, &["deployment.apps/app configured (server dry run)"]);
    let (well, said) = kubectl.said("apply --server-side -f -", APP);
    assert!(!well && said.contains("conflict"), "{said}");
    kubectl.reads("apply --server-side --force-conflicts -f -", APP, &["serverside-applied"]);
    let (well, said) = kubectl.said("create -f -", &APP.replace("replicas: 2", "replcas: 2"));
    assert!(!well && said.contains("replcas"), "{said}");
    kubectl.does("label configmap c -n shop x=y", &["labeled"]);
    kubectl.does("annotate configmap c -n shop x=y", &["annotated"]);
    kubectl.does("patch configmap c -n shop -p '{\"data\":{\"a\":\"c\"}}'", &["configmap/c patched"]);
    kubectl.does("patch configmap c -n shop --type=json -p '[{\"op\":\"remove\",\"path\":\"/data/a\"}]'", &["patched"]);
    kubectl.does("delete configmap c -n shop", &["configmap \"c\" deleted"]);
    kubectl.does("delete deployment app -n shop --cascade=foreground", &["deleted"]);
    kubectl.does("delete namespace fresh", &["namespace \"fresh\" deleted"]);
    kubectl.does("delete deployment web-canary -n shop --cascade=orphan", &["deleted"]);
    kubectl.does("get rs -n shop -l app=web-canary", &["web-canary-"]);
}

#[test]
fn workloads_are_rolled_scaled_and_run() {
    let Some(kubectl) = Kubectl::start() else { return };
    kubectl.does("scale deployment web -n shop --replicas=2", &["scaled"]);
    kubectl.does("set image deployment/web -n shop web=registry.example/web:1.5", &["image updated"]);
    kubectl.does("rollout status deployment/web -n shop --timeout=30s", &["successfully rolled out"]);
    kubectl.does("rollout restart deployment/web -n shop", &["restarted"]);
    kubectl.does("rollout status deployment/web -n shop --timeout=30s", &["successfully rolled out"]);
    kubectl.does("rollout history deployment/web -n shop", &["REVISION"]);
    kubectl.does("rollout undo deployment/web -n shop", &["rolled back"]);
    kubectl.does("rollout status deployment/web -n shop --timeout=30s", &["successfully rolled out"]);
    kubectl.does("rollout status statefulset/db -n shop --timeout=30s", &["roll"]);
    kubectl.does("create job now -n shop --from=cronjob/nightly", &["job.batch/now created"]);
    kubectl.does("wait job/now -n shop --for=condition=complete --timeout=30s", &["condition met"]);
    kubectl.does("logs job/now -n shop", &["done"]);
    kubectl.does("run alone -n shop --image=registry.example/alone:1", &["pod/alone created"]);
    kubectl.does("wait pod/alone -n shop --for=condition=Ready --timeout=30s", &["condition met"]);
    kubectl.does("get pods -n shop -w --request-timeout=1s", &["alone"]);
}

#[test]
fn nodes_are_emptied_and_permissions_told() {
    let Some(kubectl) = Kubectl::start() else { return };
    kubectl.does("cordon node-a", &["node/node-a cordoned"]);
    kubectl.does("get nodes", &["SchedulingDisabled"]);
    let drain = "drain node-b --ignore-daemonsets --delete-emptydir-data --timeout=3s --force";
    let (_, said) = kubectl.said(drain, "");
    assert!(said.contains("evicting pod"), "{said}");
    kubectl.does("uncordon node-a", &["node/node-a uncordoned"]);
    kubectl.does("auth can-i delete pods -n shop", &["yes"]);
    let (well, said) = kubectl.said("auth can-i delete pods -n shop --context bob", "");
    assert!(!well && said.contains("no"), "{said}");
    kubectl.refuses("get pods -n shop --context bob", "pods is forbidden: User \"bob\" cannot list resource \"pods\"");
    if kubectl.minor < 30 {
        return eprintln!("!! SKIPPED: exec over WebSocket needs kubectl 1.30 or later");
    }
    kubectl.does("exec db-0 -n shop -- echo hello", &["hello"]);
    assert_eq!(kubectl.reads("exec -i db-0 -n shop -- cat", "typed", &[]), "typed");
    kubectl.refuses("exec db-0 -n shop -- sh -c 'exit 3'", "exit code 3");
    kubectl.refuses("exec db-0 -n shop -- frob", "executable file not found");
    kubectl.refuses("exec ghost -n shop -- true", "pods \"ghost\" not found");
}

#[test]
fn sim_serves_until_it_is_stopped_and_tells_every_request() {
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n---\napiVersion: x/v1\nkind: Gadget\nmetadata: {name: g}\n";
    let case = Case::new(["sim", "--port", "0", "--load", "mine.yaml", "--kubeconfig-out", "kube.json"]);
    let case = case.file("mine.yaml", manifest);
    let folder = case.place().to_path_buf();
    let running = Running::start(case).says("Ctrl-C ends it");
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("kube.json")).expect("written")).expect("JSON");
    let server = config["clusters"][0]["cluster"]["server"].as_str().expect("an address").to_owned();
    let path = "api/v1/namespaces/default/configmaps/mine";
    let (host, base) = server.trim_start_matches("http://").split_once('/').expect("a path");
    let answer = ask(host, &format!("/{base}/{path}"));
    assert!(answer.contains("\"name\":\"mine\""), "{answer}");
    let ended = running.says(&format!("200 GET    /{path}  alice")).signal("INT").ends().exits(0);
    assert!(ended.stderr.contains("left out: mine.yaml: Gadget g of x/v1"), "{}", ended.stderr);
}

fn ask(host: &str, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut socket = std::net::TcpStream::connect(host).expect("a connection");
    write!(socket, "GET {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("text");
    answer
}
