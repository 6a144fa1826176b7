//! Runs made up event by event, for the tests of those who hear events.
//!
//! It knows `event` alone, so that the console's tests may include it too.

mod tales;

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::event::{
    Attempt, Change, Event, EventKind, Exchange, ExchangeEnd, Left, Note, Outcome, Phase, RunEnd, RunHead, RunId,
    Settled, StepEnd, StepHead, StepId, TargetHead, Verdict, Waiting,
};
use crate::source::Place;

pub(super) use tales::all;

/// A run in the telling.
struct Story {
    events: Vec<Event>,
    at: Timestamp,
    began: Timestamp,
    phase: Phase,
    lines: usize,
}

impl Story {
    /// A run of `scale-shop-web` that has just begun.
    fn begin() -> Self {
        let began = "2026-11-21T03:31:00Z".parse().unwrap();
        let story = Self { events: Vec::new(), at: began, began, phase: Phase::Steps, lines: 10 };
        story.tell(EventKind::RunStarted(Box::new(head())))
    }

    fn tell(mut self, kind: EventKind) -> Self {
        self.events.push(Event {
            seq: self.events.len() as u64 + 1,
            at: self.at,
            run: RunId("20261121-033100-5f3a".into()),
            target: "simulator".into(),
            kind,
        });
        self
    }

    fn after(mut self, ms: i64) -> Self {
        self.at += chrono::TimeDelta::milliseconds(ms);
        self
    }

    fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self.tell(EventKind::PhaseStarted(phase))
    }

    fn start(mut self, step: &str, name: &str, action: &str) -> Self {
        self.lines += 3;
        let head = StepHead {
            step: StepId(step.into()),
            name: name.into(),
            action: action.into(),
            place: Place { file: "scale-shop-web.yaml".into(), line: self.lines, column: 5 },
            phase: self.phase,
            depth: step.matches(['.', '[']).count(),
        };
        self.tell(EventKind::StepStarted(Box::new(head)))
    }

    fn wait(self, step: &str, line: &str) -> Self {
        self.tell(EventKind::StepWaiting(Waiting { step: StepId(step.into()), line: line.into() }))
    }

    fn request(self, step: &str, method: &str, path: &str, end: ExchangeEnd) -> Self {
        self.tell(EventKind::Exchanged(Box::new(Exchange {
            step: (!step.is_empty()).then(|| StepId(step.into())),
            method: method.into(),
            path: path.into(),
            sent_bytes: if method == "GET" { 0 } else { 64 },
            end,
            elapsed_us: 1_500,
        })))
    }

    fn get(self, step: &str, path: &str) -> Self {
        let end = ExchangeEnd::Answered { status: 200, bytes: 2_048 };
        self.request(step, "GET", path, end)
    }

    fn change(self, change: Change, settled: Settled) -> Self {
        self.tell(EventKind::Changed { change: Box::new(change), settled })
    }

    fn note(self, step: Option<&str>, text: &str) -> Self {
        self.tell(EventKind::Noted(note(step, text)))
    }

    fn warn(self, step: Option<&str>, text: &str) -> Self {
        self.tell(EventKind::Warned(note(step, text)))
    }

    fn attempt_failed(self, step: &str, attempt: u32, verdict: Verdict) -> Self {
        self.tell(EventKind::AttemptFailed(Attempt {
            step: StepId(step.into()),
            attempt,
            of: 3,
            verdict,
            next_in_ms: 1_000,
        }))
    }

    fn end(self, step: &str, verdict: Verdict) -> Self {
        self.end_with(step, verdict, |_| {})
    }

    fn end_with(self, step: &str, verdict: Verdict, adjust: impl FnOnce(&mut StepEnd)) -> Self {
        let starts = |event: &&Event| {
            let EventKind::StepStarted(head) = &event.kind else {
                return false;
            };
            head.step.0 == step
        };
        let started = self.events.iter().rfind(starts).map(|event| event.at);
        let elapsed = (self.at - started.unwrap_or(self.at)).num_milliseconds();
        let skipped = matches!(verdict, Verdict::Skipped(_));
        let mut end = StepEnd {
            step: StepId(step.into()),
            verdict,
            tolerated: false,
            changed: false,
            attempts: u32::from(!skipped),
            elapsed_ms: u64::try_from(elapsed).unwrap(),
            expectations: 0,
            outputs: std::collections::BTreeMap::new(),
            info: Value::Null,
        };
        adjust(&mut end);
        self.tell(EventKind::StepFinished(Box::new(end)))
    }

    fn finish(self, outcome: Outcome, exit_code: u8, adjust: impl FnOnce(&mut RunEnd)) -> Self {
        let mut end = RunEnd {
            outcome,
            exit_code,
            class: None,
            failed_step: None,
            failure: None,
            tolerated: 0,
            elapsed_ms: u64::try_from((self.at - self.began).num_milliseconds()).unwrap(),
            outputs: std::collections::BTreeMap::new(),
            left: Left::default(),
        };
        adjust(&mut end);
        self.tell(EventKind::RunFinished(Box::new(end)))
    }
}

fn head() -> RunHead {
    RunHead {
        format_version: 1,
        runhub_version: "0.1.0".into(),
        book: "scale-shop-web".into(),
        description: Some("Grow the shop's web tier and prove that it serves.".into()),
        labels: [("team".into(), "shop".into())].into(),
        owner: Some("sre".into()),
        links: std::collections::BTreeMap::new(),
        file: "scale-shop-web.yaml".into(),
        book_hash: "9f86d081".into(),
        inputs: [("replicas".into(), json!(3))].into(),
        target: TargetHead {
            name: "simulator".into(),
            provider: "controlhub".into(),
            url: "http://127.0.0.1:30180".into(),
            user: "alice".into(),
        },
        actor: "alice@laptop".into(),
        steps: 3,
    }
}

fn note(step: Option<&str>, text: &str) -> Note {
    Note { step: step.map(|step| StepId(step.into())), text: text.into() }
}
