//! What the record on disk costs: an event, and a change with its two syncs.

use std::time::{Duration, Instant};

use runhub::clock::Clock;
use runhub::event::{
    Change, Event, EventKind, Exchange, ExchangeEnd, Intent, Ledger as _, ObjectId, Reversal, RunId, Settled,
    Sink as _, StepId, Told, Verb,
};
use runhub::journal::{Journal, Places};
use runhub::secret::Redactor;
use serde_json::json;

use crate::book::Desk;
use crate::table::{Table, median, us};

const EVENTS: u32 = 10_000;
const CHANGES: usize = 100;

/// Microseconds an event and a change.
pub(crate) fn journal(table: &mut Table) {
    let (desk, run, clock) = (Desk::new(), RunId("bench".into()), Clock::system());
    let journal = Journal::create(&Places::new(desk.path()), &run, &Redactor::default(), clock);
    let mut journal = journal.expect("a journal");
    let event = Event { seq: 1, at: clock.now(), run, target: "bench".into(), kind: exchanged() };
    let began = Instant::now();
    for _ in 0..EVENTS {
        let line = serde_json::to_string(&event).expect("an event");
        journal.sink.take(&Told { event: &event, line: &line }).expect("a line");
    }
    let each = us(began.elapsed() / EVENTS);
    table.plain("journal, an event: JSON, hash, write", &format!("{each:.1} µs"), "no sync");
    let (intent, settled) = (intent(), settled());
    let took: Vec<Duration> = (0..CHANGES)
        .map(|_| {
            let began = Instant::now();
            let ticket = journal.ledger.intend(&intent).expect("an intent");
            journal.ledger.settle(ticket, &settled).expect("a settlement");
            began.elapsed()
        })
        .collect();
    let each = us(median(&took));
    table.plain("journal, a change: sealed values, intent, settlement", &format!("{each:.0} µs"), "three syncs");
}

fn exchanged() -> EventKind {
    EventKind::Exchanged(Box::new(Exchange {
        step: Some(StepId("web".into())),
        method: "GET".into(),
        path: "/apis/apps/v1/namespaces/shop/deployments/web".into(),
        sent_bytes: 0,
        end: ExchangeEnd::Answered { status: 200, bytes: 1500 },
        elapsed_us: 400,
    }))
}

fn intent() -> Intent {
    let object = ObjectId {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: "shop".into(),
        name: "web".into(),
        ..ObjectId::default()
    };
    let change = Change {
        step: StepId("grow".into()),
        verb: Verb::Patch,
        object,
        summary: "replicas 3 → 5".into(),
        resource_version: "1".into(),
        body_digest: String::new(),
        written: Vec::new(),
        reversal: Reversal::Fields,
        pods: 0,
    };
    Intent { change, body: Some(json!({"spec": {"replicas": 5}})), before: Some(json!({"spec": {"replicas": 3}})) }
}

fn settled() -> Settled {
    Settled::Applied { uid: "uid".into(), resource_version: "2".into(), generation: 2 }
}
