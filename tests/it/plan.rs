//! `runhub plan` and `run --plan`, through the real binary against one served world.

use serde_json::{Value, json};

use crate::kit::{Case, WORLD};
use crate::running::Server;

const GROW: &str = "\
runbook: v1
name: grow-web
inputs:
  to: {type: integer, default: 5}
  password: {type: string, secret: true, optional: true}
budget: {namespaces: [shop], objects: 2, pods: 5}
steps:
  - id: before
    get: {deployment: shop/web}
    outputs: {replicas: $.spec.replicas}
    expect: [{path: $.spec.replicas, at-least: 1}]
  - id: grow
    when: steps.before.outputs.replicas < inputs.to
    scale: {deployment: shop/web, replicas: '{{ inputs.to }}'}
  - id: after
    get: {deployment: shop/web}
    outputs: {x: {path: $.spec.x, default: 1}}
  - id: note_it
    when: steps.after.outputs.x == 1
    patch:
      configmap: shop/settings
      body: {data: {replicas: 'grown: {{ steps.grow.changed }}', password: '{{ inputs.password|default(\"none\") }}'}}
on-failure:
  - undo-steps: all
";

fn planned(server: &Server, book: &str, more: &[&str]) -> Case {
    let case = Case::new(["plan", "runbook.yaml"]).file("runbook.yaml", book).args(more.iter().copied());
    server.take(case)
}

fn plan_of(server: &Server, book: &str, code: i32) -> Value {
    let ended = planned(server, book, &["-o", "json"]).run().exits(code);
    serde_json::from_str(&ended.stdout).expect("a plan is JSON")
}

fn step<'a>(plan: &'a Value, id: &str) -> &'a Value {
    let steps = plan["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["step"] == id).unwrap_or_else(|| panic!("no step {id} in {plan:#}"))
}

/// Sets the replicas of a deployment, as somebody else would.
fn someone_scales(server: &Server, name: &str, replicas: u32) {
    let text = format!(
        "runbook: v1\nname: other\nsteps:\n  - scale: {{deployment: shop/{name}, replicas: {replicas}, wait: true}}\n"
    );
    let case = Case::new(["run", "other.yaml", "--yes"]).file("other.yaml", text);
    server.take(case).run().exits(0);
}

fn replicas(server: &Server) -> Value {
    let book = "runbook: v1\nname: look\nsteps:\n  - id: look\n    get: {deployment: shop/web}\n    outputs: {replicas: $.spec.replicas}\n";
    let plan = plan_of(server, book, 0);
    step(&plan, "look")["outputs"]["replicas"].clone()
}

#[test]
fn a_plan_tells_each_change_by_field_and_makes_none() {
    let server = Server::of(WORLD);
    let plan = plan_of(&server, GROW, 0);
    assert_eq!(step(&plan, "before")["outputs"]["replicas"], 3);
    let grow = &step(&plan, "grow")["effects"][0];
    assert_eq!(grow["fields"], json!([{"pointer": "/spec/replicas", "before": 3, "after": 5}]));
    assert_eq!((&grow["kind"], &grow["basis"]["is"]), (&json!("change"), &json!("server")));
    assert_eq!(step(&plan, "after")["unknown"], "after grow");
    assert_eq!(step(&plan, "note_it")["happens"]["is"], "perhaps");
    assert_eq!(step(&plan, "on-failure-1")["happens"], json!({"is": "perhaps", "because": "if the run fails"}));
    let objects = &plan["budget"][0];
    assert_eq!((&objects["used"], &objects["limit"]), (&json!(2), &json!(2)));
    assert_eq!(replicas(&server), 3);
}

#[test]
fn equal_plans_have_equal_hashes_and_other_inputs_another() {
    let server = Server::of(WORLD);
    let hash = |more: &[&str]| {
        let args: Vec<&str> = ["-o", "json"].iter().chain(more).copied().collect();
        let plan: Value = serde_json::from_str(&planned(&server, GROW, &args).run().exits(0).stdout).unwrap();
        plan["hash"].as_str().unwrap().to_owned()
    };
    let first = hash(&[]);
    assert_eq!(first, hash(&[]));
    assert_ne!(first, hash(&["--set", "to=4"]));
    assert_ne!(hash(&["--set", "password=hunter2hunter2"]), hash(&["--set", "password=hunter3hunter3"]));
}

/// A plan kept in a file, and a run that goes by it.
fn bound(server: &Server, book: &str, between: impl FnOnce()) -> crate::kit::Ended {
    let ended = planned(server, book, &["--out", "plan.json"]).run().exits(0);
    between();
    let case = Case::new(["run", "runbook.yaml", "--yes", "--plan", "plan.json"]).at_home_of(ended);
    server.take(case).run()
}

#[test]
fn a_run_goes_by_its_plan_where_nothing_has_drifted() {
    let server = Server::of(WORLD);
    let ended = bound(&server, GROW, || {});
    let ended = ended.exits(0);
    assert!(ended.stdout.contains("replicas 3 → 5"), "{}", ended.stdout);
}

#[test]
fn a_run_refuses_what_has_drifted_and_names_the_field() {
    let server = Server::of(WORLD);
    let ended = bound(&server, GROW, || someone_scales(&server, "web", 4)).exits(4);
    let line = "grow: change Deployment shop/web /spec/replicas: planned 3 → 5, now 4 → 5";
    assert!(ended.stdout.contains(line), "{}", ended.stdout);
    assert_eq!(replicas(&server), 4);
}

#[test]
fn what_leaves_the_effects_as_they_were_is_no_drift() {
    let server = Server::of(WORLD);
    bound(&server, GROW, || someone_scales(&server, "api", 1)).exits(0);
}

#[test]
fn another_book_or_an_altered_plan_is_refused() {
    let server = Server::of(WORLD);
    let ended = planned(&server, GROW, &["--out", "plan.json"]).run().exits(0);
    let case = Case::new(["run", "runbook.yaml", "--yes", "--plan", "plan.json"]).at_home_of(ended);
    let ended = server.take(case.file("runbook.yaml", GROW.replace("at-least: 1", "at-least: 2"))).run().exits(4);
    assert!(ended.stdout.contains("the book: planned"), "{}", ended.stdout);
    let text = ended.file("plan.json").replace("\"after\": 5", "\"after\": 50");
    let case = Case::new(["run", "runbook.yaml", "--yes", "--plan", "plan.json"]).at_home_of(ended);
    let ended = server.take(case.file("plan.json", text)).run().exits(2);
    assert!(ended.stderr.contains("was altered"), "{}", ended.stderr);
}

#[test]
fn a_secret_is_in_no_plan() {
    let server = Server::of(WORLD);
    let planted = "correct-horse-battery";
    let ended = planned(&server, GROW, &["--set", &format!("password={planted}"), "--out", "plan.json"]).run().exits(0);
    let file = ended.file("plan.json");
    assert!(file.contains("***") && file.contains("secret-inputs"), "{file}");
    for text in [&file, &ended.stdout, &ended.stderr] {
        assert!(!text.contains(planted), "{text}");
    }
}

#[test]
fn more_than_the_budget_is_refused_before_anything_is_sent() {
    let server = Server::of(WORLD);
    let book = GROW.replace("objects: 2", "objects: 1").replace("[shop]", "[bank]");
    let plan = plan_of(&server, &book, 4);
    let problems: Vec<&str> =
        plan["problems"].as_array().unwrap().iter().map(|problem| problem["message"].as_str().unwrap()).collect();
    assert_eq!(problems[0], "over the budget, objects: up to 2 of 1");
    assert_eq!(problems[1], "over the budget, grow: the namespace shop is none of: bank");
    let wider = ["-o", "json", "--budget", "objects=2", "--budget", "namespaces=shop"];
    planned(&server, &book, &wider).run().exits(0);
}

#[test]
fn a_loop_over_what_is_not_known_needs_a_bound() {
    let server = Server::of(WORLD);
    let book = "\
runbook: v1
name: loop
steps:
  - id: first
    scale: {deployment: shop/web, replicas: 4}
  - id: names
    list: {pods: {in: shop}}
    outputs: {names: {path: '$.items[*].metadata.name', many: true}}
  - id: away
    for-each: {items: '{{ steps.names.outputs.names }}'MOST}
    delete: {pod: 'shop/{{ item }}'}
";
    let unbound = plan_of(&server, &book.replace("MOST", ""), 1);
    assert!(step(&unbound, "away")["fails"].as_str().unwrap().contains("give the loop `max-items`"));
    let plan = plan_of(&server, &book.replace("MOST", ", max-items: 7"), 0);
    let effect = &step(&plan, "away[?]")["effects"][0];
    assert_eq!((&effect["kind"], &effect["objects"]), (&json!("delete"), &json!(7)));
}

#[test]
fn stop_and_start_are_seen_through() {
    let server = Server::of(WORLD);
    let book = "\
runbook: v1
name: pause
steps:
  - {id: down, stop: {deployment: shop/web}}
  - {id: up, start: {deployment: shop/web, wait: true}}
";
    let plan = plan_of(&server, book, 0);
    let up = &step(&plan, "up")["effects"][0];
    assert_eq!(up["summary"], "replicas 0 → 3");
    assert_eq!(up["basis"], json!({"is": "computed", "because": "after down"}));
    assert_eq!(step(&plan, "up")["waits"], "10m");
    let ended = bound(&server, book, || {});
    ended.exits(0);
}

#[test]
fn manifests_are_applied_in_the_order_in_which_they_come_to_be() {
    let server = Server::of(WORLD);
    let book = "\
runbook: v1
name: manifests
steps:
  - id: made
    apply:
      objects:
        - {apiVersion: v1, kind: Namespace, metadata: {name: fresh}}
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: fresh}, data: {a: b}}
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shop}, data: {colour: red}}
";
    let plan = plan_of(&server, book, 0);
    let effects = step(&plan, "made")["effects"].as_array().unwrap().clone();
    let kinds: Vec<&Value> = effects.iter().map(|effect| &effect["kind"]).collect();
    assert_eq!(kinds, ["create", "create", "change"]);
    assert_eq!(effects[0]["undo"]["is"], "delete-created");
    assert_eq!(effects[1]["basis"]["because"], "its namespace is created first");
    assert_eq!(effects[2]["fields"], json!([{"pointer": "/data/colour", "before": "blue", "after": "red"}]));
    bound(&server, book, || {}).exits(0);
}

#[test]
fn no_change_whatever_is_made_by_looking_at_it() {
    let server = Server::of_text(&std::fs::read_to_string(WORLD).unwrap().replace("objects:\n", JOBS));
    let book = "\
runbook: v1
name: everything
steps:
  - {id: a, restart: {deployment: shop/web}}
  - {id: b, restart: {deployment: shop/api, strategy: delete-pods, max-parallel: 2}}
  - {id: c, suspend: {cronjob: shop/nightly}}
  - {id: d, trigger: {cronjob: shop/nightly}}
  - {id: e, rerun: {job: shop/migrate}}
  - {id: f, set-image: {deployment: shop/web, container: web, image: 'registry.example/web:2'}}
  - {id: g, delete: {configmap: shop/settings}}
  - {id: h, delete: {deployments: {in: shop, max: 9}}}
  - {id: i, drain: {node: node-1, emptydir: delete, unmanaged: delete}}
  - {id: j, patch: {service: shop/none, body: {}}, when: 1 == 2}
  - {id: k, delete: {namespace: shop}}
";
    let plan = || {
        let ended = planned(&server, book, &["-o", "json"]).run();
        let plan: Value = serde_json::from_str(&ended.stdout).expect("a plan");
        let failed: Vec<&Value> =
            plan["steps"].as_array().unwrap().iter().filter(|step| !step["fails"].is_null()).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        // A schedule that is suspended has nothing to do with a job of another name, nor with one made by hand.
        assert_eq!(step(&plan, "d")["effects"][0]["object"]["name"], "nightly-*");
        assert_eq!(step(&plan, "e")["effects"][1]["kind"], "create");
        plan["hash"].clone()
    };
    assert_eq!(plan(), plan());
    assert_eq!(server.writes(), Vec::<String>::new());
}

/// A node, a job that has ended and a cron job beside what the common world has.
const JOBS: &str = "objects:
  - {apiVersion: v1, kind: Node, metadata: {name: node-1}}
  - apiVersion: batch/v1
    kind: CronJob
    metadata: {name: nightly, namespace: shop}
    spec: {schedule: '0 3 * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}
  - apiVersion: batch/v1
    kind: Job
    metadata: {name: migrate, namespace: shop}
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
";

#[test]
fn a_plan_of_a_hundred_steps_asks_each_object_once_and_each_change_twice() {
    let deployment = |number: usize| {
        format!(
            "  - {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: app-{number}, namespace: shop}}, spec: {{replicas: 1, \
             selector: {{matchLabels: {{app: a{number}}}}}, template: {{metadata: {{labels: {{app: a{number}}}}}, \
             spec: {{containers: [{{name: a, image: a}}]}}}}}}}}\n"
        )
    };
    let world: String = (0..50).map(deployment).collect();
    let text = std::fs::read_to_string(WORLD).unwrap();
    let server = Server::of_text(&text.replace("objects:\n", &format!("objects:\n{world}")));
    let step = |number: usize| {
        format!(
            "  - get: {{deployment: shop/app-{number}}}\n  - scale: {{deployment: shop/app-{number}, replicas: 2}}\n"
        )
    };
    let steps: String = (0..50).map(step).collect();
    let plan = plan_of(&server, &format!("runbook: v1\nname: many\nsteps:\n{steps}"), 0);
    assert_eq!(plan["steps"].as_array().unwrap().len(), 100);
    assert_eq!(plan["requests"], 150);
}

#[test]
fn what_would_fail_is_told() {
    let server = Server::of(WORLD);
    let book = "\
runbook: v1
name: missing
steps:
  - {id: gone, scale: {deployment: shop/none, replicas: 1}}
  - {id: run_it, http: {url: 'https://shop.example/x', method: POST}}
";
    let ended = planned(&server, book, &[]).run().exits(1);
    insta::assert_snapshot!(without_hash(&ended.stdout));
}

#[test]
fn a_plan_is_drawn_for_people() {
    let server = Server::of(WORLD);
    let ended = planned(&server, GROW, &[]).run().exits(0);
    insta::assert_snapshot!(without_hash(&ended.stdout));
}

/// The text without what is another in each world: the target's address and the hash.
fn without_hash(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("hash "));
    let hide = |line: &str| match (line.find("http://127"), line.starts_with('▸')) {
        (Some(at), true) => format!("{}<target>", &line[..at]),
        _ => line.to_owned(),
    };
    lines.map(hide).collect::<Vec<_>>().join("\n")
}
