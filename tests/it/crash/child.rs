//! A process that ends itself at the n-th boundary of a journal write.
//!
//! The test's own binary, started once more: it carries the book out through
//! the library, with the journal's ledger and sink behind two that count.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use runhub::action::{ExchangeTap, Shelf};
use runhub::clock::Clock;
use runhub::cluster::auth::StaticToken;
use runhub::cluster::provider::CONTROLHUB;
use runhub::cluster::socket::{Server, Socket};
use runhub::cluster::{Client, Identity as _};
use runhub::engine::{self, Cancel, Doors, Options, Order};
use runhub::event::{
    Fan, Intent, Ledger, LedgerError, Nobody, Record, Settled, Sink, SinkError, TargetHead, Ticket, Told,
};
use runhub::journal::{Journal, JournalLedger, JournalSink, Places, new_run_id};
use runhub::runbook::Inputs;
use runhub::secret::{Redactor, Secret};
use runhub::source::Source;

use super::server::World;
use crate::kit::{Case, Ended};

/// The exit code of a shell for a process that aborted itself; the process has none.
pub(super) const KILLED: i32 = 134;

/// Carries the book out in a process that ends at this boundary.
pub(super) fn carried_out(world: &World, boundary: usize) -> Ended {
    let case = Case::new(["run"]);
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child::in_its_own_process", "--ignored", "--nocapture"]);
    let home = case
        .command()
        .get_envs()
        .find(|(name, _)| *name == "XDG_STATE_HOME")
        .and_then(|(_, value)| value)
        .unwrap()
        .to_owned();
    command.env("CRASH_STATE", home).env("CRASH_URL", world.url()).env("CRASH_TOKEN", world.token());
    command.env("CRASH_AT", boundary.to_string()).stdin(Stdio::null());
    let output = command.output().expect("the test's own binary starts");
    case.ended(output.status.code(), &output.stdout, &output.stderr)
}

/// Ends the process when it has counted down.
#[derive(Debug, Clone)]
struct Countdown(Arc<AtomicUsize>);

impl Countdown {
    fn tick(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }

    /// Both boundaries of one write.
    fn around<T>(&self, write: impl FnOnce() -> T) -> T {
        self.tick();
        let written = write();
        self.tick();
        written
    }
}

#[derive(Debug)]
struct Counted(Arc<JournalLedger>, Countdown);

impl Ledger for Counted {
    fn intend(&self, intent: &Intent) -> Result<Ticket, LedgerError> {
        self.1.around(|| self.0.intend(intent))
    }
    fn settle(&self, ticket: Ticket, settled: &Settled) -> Result<(), LedgerError> {
        self.1.around(|| self.0.settle(ticket, settled))
    }
    fn remember(&self, record: &Record) -> Result<(), LedgerError> {
        self.1.around(|| self.0.remember(record))
    }
    fn fingerprint(&self, bytes: &[u8]) -> String {
        self.0.fingerprint(bytes)
    }
}

struct CountedSink(JournalSink, Countdown);

impl Sink for CountedSink {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        let Self(sink, countdown) = self;
        countdown.around(|| sink.take(told))
    }
}

#[derive(Debug)]
struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, _: &str, _: &[u8]) -> Result<String, String> {
        Err("the book keeps no artifact".into())
    }
}

#[expect(clippy::disallowed_methods, reason = "the process is told by whoever starts it")]
fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is given by the one who starts this"))
}

#[test]
#[ignore = "started by the tests of this folder, as a process of its own"]
fn in_its_own_process() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let end = runtime.block_on(carry_out());
    assert_eq!(end, 0);
}

async fn carry_out() -> u8 {
    let (clock, redactor) = (Clock::system(), Redactor::default());
    let path = super::folder().join("book.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let book = runhub::runbook::read(&Source::new(path.to_string_lossy(), text.clone())).0.unwrap();
    let (places, run) = (Places::new(given("CRASH_STATE") + "/runhub"), new_run_id(clock));
    let Journal { ledger, sink } = Journal::create(&places, &run, &redactor, clock).unwrap();
    let started = serde_json::json!({"file": path, "text": text, "flags": {"yes": true}});
    let countdown = Countdown(Arc::new(AtomicUsize::new(given("CRASH_AT").parse().unwrap())));
    let ledger = Arc::new(Counted(ledger, countdown.clone()));
    ledger.remember(&Record::Started(started)).unwrap();
    let url = given("CRASH_URL");
    let identity = Arc::new(StaticToken::new(&Secret::new(given("CRASH_TOKEN")), "RUNHUB_TOKEN", &redactor).unwrap());
    let target =
        TargetHead { name: url.clone(), provider: "controlhub".into(), url: url.clone(), user: identity.name() };
    let fan = Fan::new(run, url.clone(), clock, redactor, vec![Box::new(CountedSink(sink, countdown))]);
    let fan = Arc::new(fan);
    let road = Arc::new(Socket::new(Server { url, ..Server::default() }).unwrap());
    let client = Client::new(road, identity, CONTROLHUB, Arc::new(ExchangeTap::new(fan.clone())), clock);
    let order = Order {
        book: Arc::new(book),
        inputs: Inputs::default(),
        target,
        actor: "tester@host".into(),
        options: Options { yes: true, ..Options::default() },
    };
    let doors = Doors { client, scout: None, ledger, fan, asker: Arc::new(Nobody), shelf: Arc::new(NoShelf) };
    engine::run(order, doors, Cancel::default()).await.exit_code
}
