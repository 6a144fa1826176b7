//! Each event, redacted once, to every sink.
//!
//! The fan calls its sinks in turn, on the emitter's thread: an event is in
//! the journal before the next thing happens, and nothing is lost when the
//! process is killed. A channel was tried in thought and rejected: it would
//! put the journal behind the run. A sink that fails is remembered and never
//! stops a run.

use std::sync::Mutex;
use std::sync::PoisonError;

use super::kind::{Event, EventKind, Note};
use super::step::RunId;
use crate::clock::Clock;
use crate::secret::Redactor;

/// An event as sinks get it: typed, and as the JSON line that was checked for secrets.
#[derive(Debug)]
pub struct Told<'a> {
    /// The event without secrets.
    pub event: &'a Event,
    /// The same as one line of JSON, without a newline.
    pub line: &'a str,
}

/// A sink could not take an event.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{sink}: {message}")]
pub struct SinkError {
    /// Which sink (`report json=out.json`).
    pub sink: String,
    /// What is wrong.
    pub message: String,
}

/// Hears of every event.
pub trait Sink: Send {
    /// Takes one event.
    ///
    /// # Errors
    /// When it cannot; the run goes on and the error is shown at its end.
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError>;
}

/// Numbers, redacts and hands out the events of one run.
pub struct Fan {
    run: RunId,
    target: String,
    clock: Clock,
    redactor: Redactor,
    state: Mutex<State>,
}

struct State {
    seq: u64,
    sinks: Vec<Box<dyn Sink>>,
    errors: Vec<SinkError>,
}

impl std::fmt::Debug for Fan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fan").field("run", &self.run).finish_non_exhaustive()
    }
}

impl Fan {
    /// A fan for one run against one target.
    pub fn new(
        run: RunId,
        target: impl Into<String>,
        clock: Clock,
        redactor: Redactor,
        sinks: Vec<Box<dyn Sink>>,
    ) -> Self {
        let state = State { seq: 0, sinks, errors: Vec::new() };
        Self { run, target: target.into(), clock, redactor, state: Mutex::new(state) }
    }

    /// Counts on after the last event of an earlier process.
    #[must_use]
    pub fn after(self, seq: u64) -> Self {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).seq = seq;
        self
    }

    /// The run it tells of.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The filter that every event passes.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The clock that stamps the events.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Tells every sink that something happened.
    pub fn tell(&self, kind: EventKind) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seq += 1;
        let event =
            Event { seq: state.seq, at: self.clock.now(), run: self.run.clone(), target: self.target.clone(), kind };
        let (event, line) = redacted(event, &self.redactor);
        let State { sinks, errors, .. } = &mut *state;
        for sink in sinks {
            if let Err(error) = sink.take(&Told { event: &event, line: &line })
                && !errors.iter().any(|known| known.sink == error.sink)
            {
                errors.push(error);
            }
        }
    }

    /// The first error of each sink that had one.
    pub fn errors(&self) -> Vec<SinkError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).errors.clone()
    }

    /// Ends the telling and gives the sinks back.
    pub fn into_sinks(self) -> Vec<Box<dyn Sink>> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).sinks
    }
}

/// The event and its line, both without secrets. The line is searched first: most events hold none.
fn redacted(event: Event, redactor: &Redactor) -> (Event, String) {
    let line = serde_json::to_string(&event).unwrap_or_default();
    if !redactor.finds(&line) {
        return (event, line);
    }
    let mut value = serde_json::to_value(&event).unwrap_or_default();
    if let Some(kind) = value.get_mut("kind") {
        redactor.value(kind);
    }
    let clean = serde_json::from_value(value).unwrap_or_else(|_| {
        let text = "an event was withheld: it holds a secret in a structural place".into();
        Event { kind: EventKind::Warned(Note { step: None, text }), ..event }
    });
    let line = serde_json::to_string(&clean).unwrap_or_default();
    (clean, line)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Heard(Arc<Mutex<Vec<String>>>);
    impl Sink for Heard {
        fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
            self.0.lock().unwrap().push(told.line.to_owned());
            Ok(())
        }
    }
    struct Broken;
    impl Sink for Broken {
        fn take(&mut self, _: &Told<'_>) -> Result<(), SinkError> {
            Err(SinkError { sink: "broken".into(), message: "disk full".into() })
        }
    }

    #[tokio::test]
    async fn every_sink_hears_redacted_events_even_after_a_failing_one() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let redactor = Redactor::default();
        redactor.register("hunter2hunter2");
        let sinks: Vec<Box<dyn Sink>> = vec![Box::new(Broken), Box::new(Heard(heard.clone()))];
        let fan = Fan::new(RunId("r1".into()), "t", Clock::system(), redactor, sinks);
        for text in ["the password is hunter2hunter2", "plain"] {
            fan.tell(EventKind::Noted(Note { step: None, text: text.into() }));
        }
        let heard = heard.lock().unwrap();
        assert_eq!(heard.len(), 2);
        assert!(heard[0].contains("password is ***") && heard[0].contains("\"seq\":1"), "{}", heard[0]);
        assert_eq!(fan.errors().len(), 1);
    }
}
