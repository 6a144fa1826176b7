//! Quick looks: what `get`, `list`, `logs`, `events`, `status` and `whoami` show, and how they end.

use serde_json::Value;

use crate::kit::{Case, Ended, WORLD};
use crate::running::{Running, Server, closed_port};

fn look<const N: usize>(words: [&str; N]) -> Case {
    Case::new(words).sim(WORLD)
}

fn demo(words: &[&str]) -> Case {
    Case::new(words).world("world: demo\n")
}

fn json<const N: usize>(words: [&str; N]) -> Value {
    let ended = look(words).args(["-o", "json"]).run().exits(0);
    serde_json::from_str(&ended.stdout).expect("nothing but JSON")
}

fn in_mood(words: &[&str], mood: &str) -> Ended {
    let world = std::fs::read_to_string(WORLD).expect("the world");
    Case::new(words).world(&format!("{world}{mood}")).run()
}

#[test]
fn a_table_in_a_pipe_is_plain_and_whole() {
    let ended = look(["get", "deployments", "-n", "shop"]).env("COLUMNS", "20").run().exits(0);
    let lines: Vec<Vec<&str>> = ended.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert!(lines.iter().any(|line| line[..4] == ["web", "3/3", "3", "3"]), "{}", ended.said());
    assert!(!ended.said().contains('\u{1b}') && ended.stderr.is_empty(), "{}", ended.said());
    let all = look(["list", "deploy"]).run().exits(0);
    assert!(all.stdout.starts_with("NAMESPACE "), "a list without a namespace is of all: {}", all.stdout);
}

#[test]
fn one_object_is_itself_and_several_are_a_list_that_kubectl_takes() {
    let one = json(["get", "deploy", "shop/web"]);
    assert_eq!((&one["kind"], &one["metadata"]["name"]), (&"Deployment".into(), &"web".into()));
    let list = json(["get", "deploy", "-n", "shop"]);
    assert_eq!((&list["kind"], &list["apiVersion"]), (&"List".into(), &"v1".into()));
    let first = list["items"][0].as_object().expect("an object");
    assert_eq!(first.keys().take(2).collect::<Vec<_>>(), ["apiVersion", "kind"]);
    let mixed = json(["get", "deploy/shop/web", "ns/shop"]);
    let kinds: Vec<&Value> = mixed["items"].as_array().expect("items").iter().map(|item| &item["kind"]).collect();
    assert_eq!(kinds, ["Deployment", "Namespace"]);
}

#[test]
fn yaml_names_and_paths_are_for_other_programs() {
    let yaml = look(["get", "ns", "shop", "-o", "yaml"]).run().exits(0).stdout;
    assert!(yaml.contains("\nkind: Namespace\n") || yaml.starts_with("kind: Namespace\n"), "{yaml}");
    assert_eq!(look(["get", "deploy", "shop/web", "-o", "name"]).run().exits(0).stdout, "deployment.apps/web\n");
    let path = look(["get", "deploy", "shop/web", "-o", "jsonpath=$.spec.replicas"]).run().exits(0);
    assert_eq!(path.stdout, "3\n");
    let nothing = look(["get", "deploy", "shop/web", "-o", "jsonpath=$.spec.gone"]).run().exits(1);
    assert_eq!((nothing.stdout.as_str(), nothing.stderr.as_str()), ("", "error: `$.spec.gone` selects nothing\n"));
    let braces = look(["get", "deploy", "shop/web", "-o", "jsonpath={.spec.replicas}"]).run().exits(2);
    assert!(braces.stderr.contains("write `$.spec.replicas`"), "{}", braces.stderr);
}

#[test]
fn selectors_select_and_nothing_found_is_said_beside() {
    let names = look(["get", "pods", "-l", "app=web", "-n", "shop", "-o", "name"]).run().exits(0).stdout;
    assert!(names.lines().count() == 3 && names.lines().all(|name| name.starts_with("pod/web-")), "{names}");
    let none = look(["get", "pods", "-l", "app=gone"]).run().exits(0);
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", "no pods\n"));
    assert_eq!(json(["get", "pods", "-l", "app=gone"])["items"], serde_json::json!([]));
    let wrong = look(["get", "pods", "-l", "a in b"]).run().exits(2);
    assert!(wrong.stderr.contains("parentheses"), "{}", wrong.stderr);
}

#[test]
fn what_is_not_there_does_not_hide_what_is() {
    let ended = look(["get", "deploy", "shop/web", "shop/gone"]).run().exits(1);
    assert!(ended.stdout.contains("web ") && ended.stderr.contains("\"gone\" not found"), "{}", ended.said());
    let _ = look(["get", "deploy", "shop/gone"]).run().exits(1);
}

#[test]
fn a_look_ends_with_the_code_of_a_run_that_ends_so() {
    let forbidden = in_mood(&["get", "deploy", "shop/web"], "faults: [{on: {resource: deployments}, do: forbid}]\n");
    assert!(forbidden.exits(4).stderr.starts_with("error: "));
    let _ = Case::new(["get", "pods"]).served(&closed_port(), "token-of-alice").run().exits(8);
    let _ = Case::new(["get", "pods"]).run().exits(8);
    for words in [
        &["get", "podz"][..],
        &["get", "deploy", "web"],
        &["get", "deploy", "shop/web", "-n", "other"],
        &["get", "deploy", "shop/web", "-l", "app=web"],
        &["list", "deploy/shop/web"],
        &["get", "--api-version", "example.com/v1", "Widget"],
        &["events"],
        &["status"],
        &["logs", "deploy/shop/web", "-c", "web"],
        &["logs", "shop/web", "--previous", "--follow"],
        &["logs", "shop/web", "--since", "5"],
        &["get", "pods", "-o", "xml"],
    ] {
        let ended = Case::new(words).sim(WORLD).run();
        assert_eq!(ended.code, Some(2), "{words:?}: {}", ended.said());
    }
}

#[test]
fn the_data_of_secrets_is_never_shown() {
    let world = std::fs::read_to_string(WORLD).expect("the world");
    let data = "aHVudGVyMmh1bnRlcjI=";
    let object = format!(
        "  - {{apiVersion: v1, kind: Secret, metadata: {{name: login, namespace: shop}}, data: {{password: {data}}}}}\n"
    );
    for words in [&["get", "secret", "shop/login", "-o", "yaml"][..], &["list", "secrets", "-o", "json"]] {
        let ended = Case::new(words).world(&format!("{world}{object}")).run().exits(0);
        assert!(ended.stdout.contains("***") && !ended.said().contains(data), "{}", ended.said());
    }
}

#[test]
fn logs_are_the_lines_and_nothing_else() {
    let ended = demo(&["logs", "job/shop/migrate", "--tail", "1"]).run().exits(0);
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.said());
    let followed = demo(&["logs", "job/shop/migrate", "--follow"]).run().exits(0);
    let whole = demo(&["logs", "job/shop/migrate"]).run().exits(0);
    assert_eq!(followed.stdout, whole.stdout, "a log that has ended is followed to its end, each line once");
    assert!(followed.stderr.is_empty(), "{}", followed.stderr);
}

#[test]
fn a_followed_log_ends_with_an_interrupt() {
    let case = look(["logs", "deploy/shop/web", "--follow"]);
    let ended = Running::start(case).says("web").signal("INT").ends();
    assert_eq!(ended.code, Some(130), "{}", ended.said());
}

#[test]
fn a_space_at_a_glance_and_its_events() {
    let ended = look(["status", "shop", "--events", "1"]).run().exits(0);
    for part in ["namespace shop\n", "WORKLOADS ", "PODS ", "LAST SEEN"] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.said());
    }
    assert_eq!(json(["status", "-n", "shop"])["pods"]["total"], json(["status", "shop"])["pods"]["total"]);
    let gone = look(["status", "gone"]).run().exits(1);
    assert!(gone.stderr.contains("\"gone\" not found"), "a space that is not there is no peace: {}", gone.stderr);
    let events = look(["events", "-n", "shop"]).run().exits(0);
    assert!(events.stdout.starts_with("LAST SEEN"), "{}", events.said());
    let of_job = demo(&["events", "job", "shop/migrate", "-o", "jsonpath=$.items[*].reason"]).run().exits(0);
    assert!(of_job.stdout.lines().any(|reason| reason == "BackoffLimitExceeded"), "{}", of_job.said());
}

#[test]
fn who_we_are_is_asked_of_the_target() {
    let ended = look(["whoami"]).run().exits(0);
    assert!(ended.stdout.lines().any(|line| line.split_whitespace().eq(["user", "alice"])), "{}", ended.said());
    assert!(ended.stdout.contains("token ends ") && ended.stdout.contains("  in 5"), "{}", ended.said());
    assert_eq!(json(["whoami"])["role"], "platform-admin");
}

#[test]
fn a_look_leaves_no_record_and_asks_no_more_than_its_action() {
    let server = Server::of(WORLD);
    let ended = server.take(Case::new(["get", "deploy", "shop/web", "--verbose"])).run().exits(0);
    assert_eq!(server.requests(), ["GET /apis/apps/v1/namespaces/shop/deployments/web"]);
    assert!(ended.stderr.contains("GET /apis/apps/v1/namespaces/shop/deployments/web  200"), "{}", ended.stderr);
    assert_eq!(ended.files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn several_kinds_are_several_tables_and_one_list() {
    let ended = look(["get", "deploy,ns", "-n", "shop"]).run().exits(0);
    assert!(ended.stdout.contains("\n\nNAME") && ended.stdout.contains("UP-TO-DATE"), "{}", ended.said());
    let list = json(["get", "deploy,ns", "-n", "shop"]);
    let kinds: std::collections::BTreeSet<&str> =
        list["items"].as_array().expect("items").iter().filter_map(|item| item["kind"].as_str()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["Deployment", "Namespace"]);
}

#[test]
fn any_action_that_reads_can_be_carried_out_by_itself() {
    let ended = look(["observe", "wait-for-rollout", "{deployment: shop/web}", "-o", "jsonpath=$.metadata.name"]);
    assert_eq!(ended.run().exits(0).stdout, "web\n");
    let table = look(["observe", "list", "{deployments: {in: shop}}"]).run().exits(0);
    assert!(table.stdout.starts_with("NAMESPACE   NAME "), "{}", table.said());
    let yaml = look(["observe", "context"]).run().exits(0);
    assert!(yaml.stdout.contains("user: alice\n"), "{}", yaml.said());
}

#[test]
fn a_wait_by_itself_says_what_it_waits_for_and_when_it_gave_up() {
    let words = ["observe", "wait", "{deployment: shop/web, until: [{path: $.spec.replicas, equals: 9}], timeout: 1s}"];
    let ended = look(words).run().exits(1);
    assert!(
        ended.stderr.contains("\nerror: not done within 1 s: ") && ended.stderr.starts_with("… "),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_may_change_things_takes_a_runbook() {
    for (words, said) in [
        (["observe", "scale", "{deployment: shop/web, replicas: 9}"], "that takes a runbook"),
        (["observe", "exec", "{container: shop/web/web, command: [ls]}"], "that takes a runbook"),
        (["observe", "gett", "{}"], "did you mean `get`?"),
        (["observe", "get", "{deployment: [}"], "arguments:1:"),
        (["observe", "get", "{deploymnt: shop/web}"], "did you mean `deployment`?"),
    ] {
        let ended = look(words).run().exits(2);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn completions_and_pages_come_from_the_same_arguments() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Case::new(["completions", shell]).run().exits(0).stdout;
        assert!(script.contains("runhub") && script.contains("refresh-token-stdin"), "{shell}");
    }
    let page = Case::new(["man", "profile", "use"]).run().exits(0).stdout;
    assert!(
        page.starts_with(".ie") && page.contains("runhub\\-profile\\-use") || page.contains("runhub profile use"),
        "{page}"
    );
    let slip = Case::new(["man", "prfile"]).run().exits(2);
    assert!(slip.stderr.contains("did you mean `profile`?"), "{}", slip.stderr);
    let all = Case::new(["man", "--out", "pages"]).run().exits(0);
    let names: Vec<String> =
        all.files().iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect();
    for name in ["runhub.1", "runhub-run.1", "runhub-profile-list.1"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
}
