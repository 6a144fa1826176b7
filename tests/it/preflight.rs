//! What must be so before step 1: all that is not is told at once, and nothing is sent.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use runhub::action::Shelf;
use runhub::clock::Clock;
use runhub::cluster::auth::StaticToken;
use runhub::cluster::provider::CONTROLHUB;
use runhub::cluster::socket::{Server as Address, Socket};
use runhub::cluster::{Client, tap};
use runhub::engine::{self, Cancel, Doors, Options, Order, Scout, Witness};
use runhub::event::{Answer, Asker, Fan, NoLedger, Outcome, Question, RunId, TargetHead};
use runhub::runbook;
use runhub::secret::{Redactor, Secret};
use runhub::source::Source;

use crate::kit::{Case, Ended, WORLD};
use crate::running::Server;

const BOOK: &str = "\
runbook: v1
name: too-much
steps:
  - {id: mine, scale: {deployment: shop/web, replicas: 4}}
  - {id: theirs, scale: {deployment: bank/db, replicas: 0}}
  - {id: gone, delete: {deployment: bank/db}, undo: [{trigger: {cronjob: bank/restore}}]}
  - {id: closed, cordon: {node: n1}}
  - {id: emptied, drain: {node: n1}}
on-failure:
  - {id: rest, suspend: {cronjobs: {in: [shop, bank], max: 9}}}
";

/// The common world with bob, who may do everything in shop and nothing elsewhere.
fn world_of_bob() -> Server {
    let world = std::fs::read_to_string(WORLD).unwrap();
    let bob = "users: [{name: alice, role: platform-admin}, {name: bob, role: platform-regular, namespaces: [shop]}]";
    Server::of_text(&world.replace("users: [{name: alice, role: platform-admin}]", bob))
}

fn as_bob(server: &Server, arguments: &[&str], book: &str) -> Ended {
    let (token, _) = server.tokens("bob");
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: sim\nclusters: [{{name: c, cluster: {{server: '{}'}}}}]\n\
         users: [{{name: bob, user: {{token: '{token}'}}}}]\ncontexts: [{{name: sim, context: {{cluster: c, user: bob}}}}]\n",
        server.url()
    );
    let case = Case::new(arguments.iter().copied()).args(["--kubeconfig", "kube.yaml"]);
    case.file("runbook.yaml", book).file("kube.yaml", config).run()
}

#[test]
fn every_missing_permission_is_named_at_once_and_nothing_is_sent() {
    let server = world_of_bob();
    let ended = as_bob(&server, &["run", "runbook.yaml", "--yes"], BOOK).exits(4);
    for permission in [
        "patch deployments bank/db",
        "delete deployments bank/db",
        "patch nodes n1",
        "create pods/eviction",
        "patch cronjobs in bank",
        "create jobs in bank",
    ] {
        assert!(ended.said().contains(&format!("may not {permission}")), "{permission}:\n{}", ended.said());
    }
    assert!(!ended.said().contains("shop"), "{}", ended.said());
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[test]
fn a_plan_names_them_too() {
    let server = world_of_bob();
    let ended = as_bob(&server, &["plan", "runbook.yaml"], BOOK).exits(4);
    assert!(ended.said().contains("refused:") && ended.said().contains("may not patch nodes n1"), "{}", ended.said());
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[test]
fn what_is_allowed_is_run() {
    let server = world_of_bob();
    let book = "runbook: v1\nname: mine\nsteps:\n  - {id: mine, scale: {deployment: shop/web, replicas: 4}}\n";
    as_bob(&server, &["run", "runbook.yaml", "--yes"], book).exits(0);
    assert_eq!(server.writes().len(), 1);
}

#[test]
fn requirements_that_are_not_met_are_told_together() {
    let book = "\
runbook: v1
name: wants
requires: {target: controlhub, role: emperor, version: '>=99'}
steps:
  - {id: mine, scale: {deployment: shop/web, replicas: 4}}
";
    let ended = Case::book(book).run().exits(4);
    assert!(ended.said().contains("the role emperor") && ended.said().contains("version >=99"), "{}", ended.said());
}

/// Agrees to what it is asked, and remembers it.
#[derive(Debug, Default)]
struct Agreeing(Mutex<Vec<Question>>);

#[async_trait]
impl Asker for Agreeing {
    async fn ask(&self, question: &Question) -> Answer {
        self.0.lock().unwrap().push(question.clone());
        Answer::Yes
    }
}

#[derive(Debug)]
struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, _: &str, _: &[u8]) -> Result<String, String> {
        Err("nothing is kept".into())
    }
}

fn client(server: &Server, tap: Arc<dyn tap::Tap>) -> Client {
    let address = Address { url: server.url().to_owned(), ..Address::default() };
    let road = Arc::new(Socket::new(address).unwrap());
    let token = Secret::new(server.tokens("alice").0);
    let identity = StaticToken::new(&token, "alice", &Redactor::default()).unwrap();
    Client::new(road, Arc::new(identity), CONTROLHUB, tap, Clock::system())
}

#[test]
fn whoever_is_asked_sees_what_would_be_done() {
    let server = Server::of(WORLD);
    let text = "\
runbook: v1
name: agreed
budget: {objects: 2, pods: 9}
steps:
  - {id: grow, scale: {deployment: shop/web, replicas: 4}}
  - {id: gone, delete: {configmap: shop/settings}}
";
    let source = Source::new("book.yaml", text);
    let book = Arc::new(runbook::read(&source).0.unwrap());
    let inputs = runbook::resolve(&source, &book.inputs, &runbook::Given::default()).unwrap();
    let target = TargetHead { name: "sim".into(), provider: "controlhub".into(), ..TargetHead::default() };
    let order = Order { book, inputs, target, actor: "me@here".into(), options: Options::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let asker = Arc::new(Agreeing::default());
    let end = runtime.block_on(async {
        let witness = Witness::default();
        let scout = Scout { client: client(&server, Arc::new(witness.clone())), witness };
        let fan = Fan::new(RunId("r".into()), "sim", Clock::system(), Redactor::default(), Vec::new());
        let doors = Doors {
            client: client(&server, Arc::new(tap::Deaf)),
            scout: Some(scout),
            ledger: Arc::new(NoLedger::default()),
            fan: Arc::new(fan),
            asker: asker.clone(),
            shelf: Arc::new(NoShelf),
        };
        engine::run(order, doors, Cancel::default()).await
    });
    assert_eq!(end.outcome, Outcome::Passed, "{end:?}");
    let questions = asker.0.lock().unwrap();
    let [Question::Consent(consent)] = questions.as_slice() else { panic!("{questions:?}") };
    let plan = consent.plan.as_ref().expect("a plan");
    let effects: Vec<&str> =
        plan.steps.iter().flat_map(|step| &step.effects).map(|effect| effect.summary.as_str()).collect();
    assert_eq!(effects, ["replicas 3 → 4", "delete configmap shop/settings"]);
    assert!(plan.budget.iter().any(|row| row.what == "objects" && row.used == 2));
}
