//! A journal in a folder of its own, for tests.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tempfile::TempDir;

use super::{Journal, JournalLedger, Places};
use crate::clock::Clock;
use crate::event::{
    Change, Event, EventKind, Fan, Intent, Note, ObjectId, Outcome, Record, Reversal, RunEnd, RunId, Settled, Sink,
    SinkError, StepId, Told, Verb, Written,
};
use crate::secret::Redactor;

/// A secret that the redactor knows.
pub(super) const SECRET: &str = "hunter2-\"quoted\"-hunter2";

/// One run under way.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) places: Places,
    pub(super) run: RunId,
    pub(super) ledger: Arc<JournalLedger>,
    pub(super) fan: Fan,
    pub(super) told: Arc<Mutex<Vec<Event>>>,
}

/// Remembers what the fan told.
struct Heard(Arc<Mutex<Vec<Event>>>);

impl Sink for Heard {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(told.event.clone());
        Ok(())
    }
}

pub(super) fn clock() -> Clock {
    Clock::starting_at("2026-11-21T03:31:00Z".parse().unwrap())
}

pub(super) fn redactor() -> Redactor {
    let redactor = Redactor::default();
    redactor.register(SECRET);
    redactor
}

/// Begins a run in a fresh folder.
pub(super) fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::new(folder.path().join("state/runhub"));
    let run = RunId("20261121-033100-5f3a".into());
    let Journal { ledger, sink } = Journal::create(&places, &run, &redactor(), clock()).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(sink), Box::new(Heard(told.clone()))];
    let fan = Fan::new(run.clone(), "prod", clock(), redactor(), sinks);
    Bench { folder, places, run, ledger, fan, told }
}

/// What a run leaves: its process is gone.
pub(super) struct Left {
    _folder: TempDir,
    pub(super) places: Places,
    pub(super) run: RunId,
    pub(super) told: Vec<Event>,
}

impl Bench {
    /// The process goes; the files stay.
    pub(super) fn stop(self) -> Left {
        let Self { folder, places, run, ledger, fan, told } = self;
        drop((ledger, fan));
        let told = told.lock().unwrap().clone();
        Left { _folder: folder, places, run, told }
    }

    pub(super) fn note(&self, text: &str) {
        self.fan.tell(note(text));
    }
}

impl Left {
    pub(super) fn journal(&self) -> PathBuf {
        self.places.journal(&self.run).unwrap()
    }

    pub(super) fn vault(&self) -> PathBuf {
        self.places.run(&self.run).unwrap().join("vault.jsonl")
    }

    pub(super) fn reopen(&self) -> Result<(Journal, super::Journaled), super::Error> {
        Journal::reopen(&self.places, &self.run, &redactor(), clock())
    }
}

pub(super) fn note(text: &str) -> EventKind {
    EventKind::Noted(Note { step: None, text: text.into() })
}

pub(super) fn finished(outcome: Outcome) -> EventKind {
    EventKind::RunFinished(Box::new(RunEnd {
        outcome,
        exit_code: 0,
        class: None,
        failed_step: None,
        failure: None,
        tolerated: 0,
        elapsed_ms: 1,
        outputs: std::collections::BTreeMap::default(),
        left: crate::event::Left::default(),
    }))
}

/// An intent with the secret in every place that can hold one.
pub(super) fn intent(name: &str) -> Intent {
    let body = json!({"kind": "Secret", "stringData": {"password": SECRET, "pin": "1234"}});
    Intent {
        change: Change {
            step: StepId("rotate".into()),
            verb: Verb::Patch,
            object: ObjectId {
                api_version: "v1".into(),
                kind: "Secret".into(),
                namespace: "shop".into(),
                name: name.into(),
                uid: "u-1".into(),
            },
            summary: format!("password → {SECRET}"),
            resource_version: "41".into(),
            body_digest: "d1".into(),
            written: vec![Written {
                pointer: "/stringData/pin".into(),
                before: Some(json!("0000")),
                after: Some(json!("1234")),
            }],
            reversal: Reversal::Cannot(format!("{SECRET} is gone")),
            pods: 0,
        },
        body: Some(body.clone()),
        before: Some(body),
    }
}

pub(super) fn applied() -> Settled {
    Settled::Applied { uid: "u-1".into(), resource_version: "42".into(), generation: 7 }
}

pub(super) fn ended(step: &str) -> Record {
    Record::Ended { step: step.into(), outputs: json!({"password": SECRET}), info: json!({"before": 3}) }
}

/// Every file under a folder.
pub(super) fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files
}
